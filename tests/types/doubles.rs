//! Results in `f64` against references in `f64`, and against finite differences in poses.

use super::given::{coarse, numbers, tensor};
use crate::common::On;
use burn::module::Module;
use burn::tensor::Tensor;
use fireproof::base::{Degrees, Draws, Pixels, Precision, Purpose, Seed};
use fireproof::group::Group;
use fireproof::nn::{CastWeights, Conv2dConfig, LiftingConv2dConfig};
use fireproof::transform::{Border, Pose, Warp};

const DOUBLE: Precision = Precision::F64;

fn draws() -> Draws {
    Seed(11).draws(Purpose::Subset, 0, 0)
}

fn fine(count: usize) -> Vec<f64> {
    let mut draws = draws();
    (0..count).map(|_| draws.uniform(0.0, 1.0)).collect()
}

fn poses() -> [Pose; 3] {
    let pose = |angle, right, down| Pose {
        angle: Degrees(angle),
        right: Pixels(right),
        down: Pixels(down),
        ..Pose::IDENTITY
    };
    [
        pose(33.3, 0.1, -0.7),
        pose(-120.7, 2.3, 1.9),
        pose(0.0, 0.25, 0.0),
    ]
}

// Oracle: the definition, pixel by pixel in f64, on an image extended by walking.
fn warped(image: &[f64], side: usize, pose: &Pose, border: Border) -> Vec<f64> {
    let pixel = |row: i64, column: i64| {
        let walk = |mut at: i64| -> Option<usize> {
            let last = side as i64 - 1;
            while !(0..=last).contains(&at) {
                at = match border {
                    Border::Zeros => return None,
                    Border::Edge => at.clamp(0, last),
                    Border::Reflect if at < 0 => -at,
                    Border::Reflect => 2 * last - at,
                    Border::Circular => at.rem_euclid(side as i64),
                };
            }
            Some(at as usize)
        };
        match (walk(row), walk(column)) {
            (Some(row), Some(column)) => image[row * side + column],
            _ => 0.0,
        }
    };
    let (sin, cos) = pose.angle.0.to_radians().sin_cos();
    let centre = (side as f64 - 1.0) / 2.0;
    let mut values = Vec::new();
    for row in 0..side {
        for column in 0..side {
            let (x, y) = (
                column as f64 - centre - pose.right.0,
                row as f64 - centre - pose.down.0,
            );
            let (x, y) = (x * cos - y * sin + centre, x * sin + y * cos + centre);
            let (left, top) = (x.floor(), y.floor());
            let (across, along) = (x - left, y - top);
            let at = |down: i64, right: i64| pixel(top as i64 + down, left as i64 + right);
            let upper = at(0, 0) * (1.0 - across) + at(0, 1) * across;
            let lower = at(1, 0) * (1.0 - across) + at(1, 1) * across;
            values.push(upper * (1.0 - along) + lower * along);
        }
    }
    values
}

#[test]
fn value_bilinear_warps_are_in_f64() {
    let (on, side) = (On::new(None), 9);
    let pixels = fine(3 * side * side);
    let images = tensor(&on, DOUBLE, &pixels, [3, 1, side, side]);
    let rows = poses().map(|pose| [pose.angle.0, pose.right.0, pose.down.0]);
    let rows = tensor(&on, DOUBLE, rows.as_flattened(), [3, 3]);
    for border in Border::ALL {
        let warp = Warp::bilinear().with_border(border);
        let expected: Vec<f64> = (pixels.chunks(side * side).zip(poses()))
            .flat_map(|(image, pose)| warped(image, side, &pose, border))
            .collect();
        for found in [
            warp.apply(images.clone(), &poses()),
            warp.apply_tensor(images.clone(), rows.clone()),
        ] {
            let pairs = numbers(&found).into_iter().zip(&expected);
            let error = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(error < 1e-13, "{border:?}: {error:e}");
        }
    }
}

#[test]
fn gradient_of_warps_in_the_pose_is_in_f64() {
    let (on, side) = (On::new(None), 9);
    let images = tensor(&on, DOUBLE, &fine(side * side), [1, 1, side, side]);
    let weights = tensor(
        &on,
        DOUBLE,
        &fine(side * side * 2)[side * side..],
        [1, 1, side, side],
    );
    let sum = |poses: Tensor<2>| {
        let autodiff = |x: &Tensor<4>| match poses.is_autodiff() {
            true => Tensor::from_inner(x.clone()),
            false => x.clone(),
        };
        let (images, weights) = (autodiff(&images), autodiff(&weights));
        (Warp::bilinear().apply_tensor(images, poses) * weights).sum()
    };
    let pose = [33.3, 0.1, -0.7];
    let leaf = Tensor::from_inner(tensor(&on, DOUBLE, &pose, [1, 3])).require_grad();
    let gradient = leaf.grad(&sum(leaf.clone()).backward()).unwrap();
    for (at, slope) in numbers(&gradient).into_iter().enumerate() {
        let value = |step: f64| {
            let mut pose = pose;
            pose[at] += step;
            numbers(&sum(tensor(&on, DOUBLE, &pose, [1, 3])))[0]
        };
        let difference = (value(1e-6) - value(-1e-6)) / 2e-6;
        assert!(
            (slope - difference).abs() < 1e-6,
            "{at}: {slope} {difference}"
        );
    }
}

#[test]
fn value_convolutions_are_in_f64() {
    // Oracle: the sums themselves.
    let (on, side) = (On::new(None), 6);
    let pixels = fine(2 * side * side);
    let images = tensor(&on, DOUBLE, &pixels, [1, 2, side, side]);
    let weight = coarse(&mut draws(), 3 * 2 * 9, -1.0, 1.0);
    let weight: Vec<f64> = weight
        .iter()
        .zip(&pixels)
        .map(|(w, p)| w + p * 1e-9)
        .collect();
    let (conv, lift) = (
        Conv2dConfig::new([2, 3], 3).with_bias(false),
        LiftingConv2dConfig::new(Group::P1, [2, 3], 3).with_bias(false),
    );
    let filters = || tensor(&on, DOUBLE, &weight, [3, 2, 3, 3]);
    let cast = &mut CastWeights(DOUBLE);
    let plain = conv.init(&on.device()).map(cast).with_weight(filters());
    let lift = lift.init(&on.device()).map(cast).with_weight(filters());
    let found = [
        numbers(&plain.forward(images.clone())),
        numbers(&lift.forward(images)),
    ];
    let out = side - 2;
    for at in 0..3 * out * out {
        let (channel, row, column) = (at / (out * out), at / out % out, at % out);
        let terms = (0..18).map(|k| {
            let (input, y, x) = (k / 9, k / 3 % 3, k % 3);
            let pixel = pixels[(input * side + row + y) * side + column + x];
            weight[channel * 18 + k] * pixel
        });
        let sum: f64 = terms.sum();
        for found in &found {
            assert!((found[at] - sum).abs() < 1e-14, "{at}: {} {sum}", found[at]);
        }
    }
}
