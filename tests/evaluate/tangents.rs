//! Cosines between the loss gradient and the tangents of rotation and shift.
//!
//! On the device of this build alone: what they are made of has its tests elsewhere.

use super::csv::parse_csv;
use super::given::{bright, greys};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{Frozen, Margin};
use fireproof::base::Bounds;
use fireproof::data::ImageSet;
use fireproof::evaluate::{Mean, TangentScan, Tangents};
use fireproof::transform::Border;
use std::f64::consts::PI;

on_this_device![
    value_tangents_of_a_blob_are_its_derivatives,
    value_cosines_of_a_linear_classifier,
    value_a_random_direction_has_the_mean_of_the_sphere,
    convention_directions_that_do_not_exist_are_counted,
];

const SIDE: usize = 24;

// A Gaussian blob, and its derivatives in x and y, by hand.
fn blob(centre: [f64; 2], width: f64) -> [Vec<f64>; 3] {
    let mut found = [const { Vec::new() }; 3];
    for at in 0..SIDE * SIDE {
        let half = (SIDE as f64 - 1.0) / 2.0;
        let dx = (at % SIDE) as f64 - half - centre[0];
        let dy = (at / SIDE) as f64 - half - centre[1];
        let value = (-(dx * dx + dy * dy) / (2.0 * width * width)).exp();
        found[0].push(value);
        found[1].push(-dx / (width * width) * value);
        found[2].push(-dy / (width * width) * value);
    }
    found
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

// Oracle: what moves right loses the derivative in x, what moves down that in y; a rotation
// counter-clockwise carries (x, y) along (y, −x). Of a smooth image they are those of its pixels.
fn value_tangents_of_a_blob_are_its_derivatives(on: &On) {
    let [image, dx, dy] = blob([3.0, -2.0], 3.5);
    let images = on.tensor(single(&image), [1, 1, SIDE, SIDE]);
    let found = TangentScan::new().tangents(&images);
    let found = found.map(|t| Vec::from_iter(values(t).into_iter().map(f64::from)));
    let half = (SIDE as f64 - 1.0) / 2.0;
    let turned = (0..SIDE * SIDE).map(|at| {
        let (x, y) = ((at % SIDE) as f64 - half, (at / SIDE) as f64 - half);
        -(dx[at] * y - dy[at] * x)
    });
    let expected = [
        Vec::from_iter(turned),
        Vec::from_iter(dx.iter().map(|d| -d)),
        Vec::from_iter(dy.iter().map(|d| -d)),
    ];
    for (found, expected) in found.iter().zip(&expected) {
        // A central difference is off by a sixth of the third derivative.
        assert!(
            cosine(found, expected) > 0.995,
            "{}",
            cosine(found, expected)
        );
        let ratio = largest(found) / largest(expected);
        assert!((ratio - 1.0).abs() < 0.06, "{ratio}");
    }
    // A blob in the middle is as it was, however it is turned.
    let [image, ..] = blob([0.0, 0.0], 3.5);
    let images = on.tensor(single(&image), [1, 1, SIDE, SIDE]);
    let [rotation, right, _] = TangentScan::new().tangents(&images).map(values);
    let size = |values: &[f32]| values.iter().map(|x| x * x).sum::<f32>().sqrt();
    assert!(size(&rotation) < 0.1 * size(&right));
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| most.max(x.abs()))
}

// Oracle: the image moved a little either way by the bilinear warp, in f64 on the CPU.
#[cfg(feature = "flex")]
#[test]
fn value_tangents_are_the_derivative_of_the_bilinear_warp() {
    use burn::tensor::{DType, FloatDType};
    use fireproof::base::{Degrees, Pixels};
    use fireproof::transform::{Pose, Warp};

    let on = On::new(Some("flex"));
    let [batch, channels, height, width] = [2, 3, 6, 9];
    let images = on.pattern([batch, channels, height, width], 3);
    let images = images.cast(FloatDType::F64);
    assert_eq!(images.dtype(), DType::F64);
    for border in [Border::Zeros, Border::Edge, Border::Circular] {
        let scan = TangentScan::new().with_border(border);
        let warp = Warp::bilinear().with_border(border);
        let small = 1e-6;
        let moves = [
            |by: f64| Pose::rotation(Degrees(by.to_degrees())),
            |by: f64| Pose::shift(Pixels(by), Pixels(0.0)),
            |by: f64| Pose::shift(Pixels(0.0), Pixels(by)),
        ];
        for (tangent, pose) in scan.tangents(&images).into_iter().zip(moves) {
            let moved = |by: f64| warp.apply(images.clone(), &[pose(by); 2]);
            let slope = (moved(small) - moved(-small)) / (2.0 * small);
            let numbers = |t: Tensor<4>| t.into_data().iter::<f64>().collect::<Vec<f64>>();
            let (found, expected) = (numbers(tangent), numbers(slope));
            let scale = largest(&expected);
            for (a, b) in found.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-4 * scale, "{border}: {a} {b}");
            }
        }
    }
}

// A classifier of two classes whose loss has these numbers for its gradient, but for a factor.
fn along(on: &On, direction: &[f64]) -> Frozen {
    let direction = on.tensor(single(direction), [1, 1, SIDE, SIDE]);
    Frozen::from_fn(move |images: Tensor<4>| {
        let score = (images * direction.clone())
            .sum_dims(&[1, 2, 3])
            .flatten::<2>(1, 3);
        Tensor::cat(vec![score.clone(), -score], 1)
    })
}

// Oracle: a gradient along the derivative in x of a blob in the middle has the cosine 1 with its shift to
// the right, and 0 with the one down, to which it is at a right angle by symmetry.
fn value_cosines_of_a_linear_classifier(on: &On) {
    let [image, dx, dy] = blob([0.0, 0.0], 3.5);
    let [aside, ..] = blob([4.0, 0.0], 3.5);
    let pixels = single(&[image, aside].concat());
    let set = |labels: Vec<u8>| {
        let shape = [1, SIDE, SIDE];
        ImageSet::of_numbers("blobs", shape, 2, pixels.clone(), labels, Bounds::default()).unwrap()
    };
    let run = |direction: &[f64], labels: Vec<u8>| {
        let scan = TangentScan::new();
        scan.run(&along(on, direction), &set(labels), &on.device())
            .unwrap()
    };
    for (labels, sign) in [(vec![0, 0], 1.0), (vec![1, 1], -1.0)] {
        let found = run(&dx, labels);
        // Cross-entropy of class 0 falls with the score, whose derivative −(shift to the right) is.
        let [right, down] = [&found.right, &found.down].map(|t| t.cosines[0].unwrap());
        assert!((f64::from(right) - sign).abs() < 0.01, "{right}");
        assert!(down.abs() < 1e-5, "{down}");
    }
    let found = run(&dy, vec![0, 0]);
    let [right, down] = [&found.right, &found.down].map(|t| t.cosines[0].unwrap());
    assert!(right.abs() < 1e-5 && (down - 1.0).abs() < 0.01);
    // A blob to the right of the middle moves up as it turns: against the shift down.
    let turned = f64::from(found.rotation.cosines[1].unwrap());
    assert!(turned < -0.7, "{turned}");
    let sizes = found
        .down
        .cosines
        .iter()
        .map(|c| f64::from(c.unwrap().abs()));
    assert_eq!(found.down.mean, Mean::of(&Vec::from_iter(sizes)));
    assert_eq!((found.dimension, found.down.undefined), (SIDE * SIDE, 0));
    let (found, folder) = (found.with_name("along y"), tempfile::tempdir().unwrap());
    let path = folder.path().join("tangents.json");
    found.write_json(&path).unwrap();
    assert_eq!(
        Tangents::read_json(&path).unwrap().to_json(),
        found.to_json()
    );
    let rows = parse_csv(&found.to_csv());
    assert_eq!((rows.len(), rows[2][2].as_str()), (3, "1"));
    assert_eq!(rows[2][4].parse(), Ok(found.rotation.cosines[1].unwrap()));
    let text = found.to_markdown();
    assert!(
        text.contains("| shift down |") && text.contains("of 576 dimensions"),
        "{text}"
    );
    let scan = TangentScan::new()
        .with_loss(Margin)
        .with_border(Border::Edge);
    let json = serde_json::to_value(&scan).unwrap();
    assert_eq!(serde_json::from_value::<TangentScan>(json).unwrap(), scan);
}

// Oracle: 1 on a line, 2/π on a circle, 1/2 on a sphere; √(2/(π d)) in many dimensions.
fn value_a_random_direction_has_the_mean_of_the_sphere(on: &On) {
    for (dimension, expected) in [
        (1, 1.0),
        (2, 2.0 / PI),
        (3, 0.5),
        (3072, (2.0 / (PI * 3072.0)).sqrt()),
    ] {
        let pixels = vec![100; dimension];
        let set = ImageSet::new("one", [1, 1, dimension], 2, pixels, vec![0]).unwrap();
        let found = TangentScan::new()
            .run(&bright(), &set, &on.device())
            .unwrap();
        let tolerance = if dimension > 3 { 1e-4 } else { 1e-12 };
        assert!(
            (found.random / expected - 1.0).abs() < tolerance,
            "{dimension}"
        );
    }
}

fn convention_directions_that_do_not_exist_are_counted(on: &On) {
    // Black images stay black wherever they are moved; greys do not at their edge.
    let found = TangentScan::new().run(&bright(), &greys(&[0, 100, 120]), &on.device());
    let found = found.unwrap();
    for (name, alignment) in found.each() {
        assert_eq!(
            (alignment.undefined, alignment.cosines[0]),
            (1, None),
            "{name}"
        );
        assert_eq!(alignment.mean.unwrap().count, 2);
    }
    let none = TangentScan::new().with_batch_size(0);
    let error = none.run(&bright(), &greys(&[0]), &on.device()).unwrap_err();
    assert!(error.to_string().contains("batch size"), "{error}");
}
