//! Bilinear sampling against PyTorch, its definition in f64 and finite differences.

use super::given::{BORDERS, assert_same, distance, images, numbers, padded};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::base::{Degrees, Pixels};
use fireproof::transform::{Border, Pose, Warp};

on_every_device![
    value_and_gradient_of_bilinear_are_those_of_pytorch,
    gradient_of_bilinear_is_that_of_finite_differences,
    value_bilinear_is_the_same_inside_and_outside_autodiff,
    value_bilinear_keeps_a_constant_image_and_its_range,
    error_absurd_poses_neither_overflow_nor_read_outside,
];

struct TorchCase {
    shape: [usize; 4],
    border: Border,
    pose: Vec<f64>,
    output: Vec<f64>,
    pose_gradient: Vec<f64>,
    image_gradient: Vec<f64>,
}

fn torch_cases() -> Vec<TorchCase> {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/grid_sample.json")).unwrap();
    let floats = |value: &serde_json::Value| -> Vec<f64> {
        let list = value.as_array().unwrap().iter();
        list.map(|v| v.as_f64().unwrap()).collect()
    };
    let cases = file["cases"].as_array().unwrap().iter();
    let cases: Vec<TorchCase> = cases
        .map(|case| {
            let shape = floats(&case["shape"]);
            TorchCase {
                shape: [1, shape[0] as usize, shape[1] as usize, shape[2] as usize],
                border: match case["padding"].as_str().unwrap() {
                    "zeros" => Border::Zeros,
                    "border" => Border::Edge,
                    "reflection" => Border::Reflect,
                    other => panic!("no border {other}"),
                },
                pose: floats(&case["pose"]),
                output: floats(&case["output"]),
                pose_gradient: floats(&case["pose_gradient"]),
                image_gradient: floats(&case["image_gradient"]),
            }
        })
        .collect();
    assert!(cases.len() >= 37);
    cases
}

// Oracle: PyTorch's affine_grid and grid_sample (align_corners=True) in f64, with autograd.
fn value_and_gradient_of_bilinear_are_those_of_pytorch(on: &On) {
    let mut largest = [0.0f64; 4];
    for (number, case) in torch_cases().into_iter().enumerate().step_by(on.pick(1, 6)) {
        let image = images(on, 2 * number as u64, case.shape);
        let weights = images(on, 2 * number as u64 + 1, case.shape);
        let warp = Warp::bilinear().with_border(case.border);

        let pose = Pose {
            angle: Degrees(case.pose[0]),
            right: Pixels(case.pose[1]),
            down: Pixels(case.pose[2]),
            ..Pose::IDENTITY
        };
        let by_pose = distance(&values(warp.apply(image.clone(), &[pose])), &case.output);

        let row: Vec<f32> = case.pose.iter().map(|&v| v as f32).collect();
        let row = Tensor::from_inner(on.tensor(row, [1, 3])).require_grad();
        let image = Tensor::from_inner(image).require_grad();
        let output = warp.apply_tensor(image.clone(), row.clone());
        let by_tensor = distance(&values(output.clone().inner()), &case.output);
        let gradients = (output * weights).sum().backward();
        let in_image = values(image.grad(&gradients).unwrap());
        let in_image = distance(&in_image, &case.image_gradient);
        let in_pose = values(row.grad(&gradients).unwrap());
        let in_pose = distance(&in_pose, &case.pose_gradient);

        for (largest, error) in largest
            .iter_mut()
            .zip([by_pose, by_tensor, in_image, in_pose])
        {
            *largest = largest.max(error);
        }
        let what = format!("case {number}, {:?}, {pose}", case.border);
        assert!(by_pose <= 1e-5, "{what}: {by_pose}");
        assert!(by_tensor <= 1e-5, "{what}: {by_tensor}");
        assert!(in_image <= 2e-5, "{what}: image gradient {in_image}");
        assert!(in_pose <= 1e-4, "{what}: pose gradient {in_pose}");
    }
    println!("largest differences, apply, apply_tensor, image, pose gradient: {largest:?}");
}

/// Bilinear sampling in f64 on the host, by the definition: the weighted sum over the four pixels
/// around the source point of the extended image.
fn reference(
    image: &[f32],
    [height, width]: [usize; 2],
    pose: [f64; 3],
    border: Border,
) -> Vec<f64> {
    let (sin, cos) = pose[0].to_radians().sin_cos();
    let centre = [(width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0];
    let mut out = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let dx = column as f64 - centre[0] - pose[1];
            let dy = row as f64 - centre[1] - pose[2];
            let x = centre[0] + cos * dx - sin * dy;
            let y = centre[1] + sin * dx + cos * dy;
            let (left, top) = (x.floor(), y.floor());
            let (across, along) = (x - left, y - top);
            let mut value = 0.0;
            for (r, weight_y) in [(top, 1.0 - along), (top + 1.0, along)] {
                for (c, weight_x) in [(left, 1.0 - across), (left + 1.0, across)] {
                    let pixel = padded(image, height, width, r as i64, c as i64, border);
                    value += weight_x * weight_y * f64::from(pixel);
                }
            }
            out.push(value);
        }
    }
    out
}

// Oracle: the f64 reference above, its central differences for the gradients; every border.
fn gradient_of_bilinear_is_that_of_finite_differences(on: &On) {
    let [height, width] = [7, 9];
    let shape = [1, 1, height, width];
    for (number, border) in BORDERS.into_iter().enumerate() {
        for (repeat, pose) in [[23.0, 0.7, -1.3], [-141.0, 2.3, 0.4], [77.0, -6.6, 8.2]]
            .into_iter()
            .enumerate()
        {
            let stream = 1000 + 10 * (number as u64) + repeat as u64;
            let image = numbers(stream, height * width);
            let weights = numbers(stream + 500, height * width);
            let loss = |image: &[f32], pose: [f64; 3]| -> f64 {
                let out = reference(image, [height, width], pose, border);
                out.iter()
                    .zip(&weights)
                    .map(|(o, &w)| o * f64::from(w))
                    .sum()
            };

            let input = Tensor::from_inner(on.tensor(image.clone(), shape)).require_grad();
            let row: Vec<f32> = pose.iter().map(|&v| v as f32).collect();
            let row = Tensor::from_inner(on.tensor(row, [1, 3])).require_grad();
            let warp = Warp::bilinear().with_border(border);
            let output = warp.apply_tensor(input.clone(), row.clone());
            let expected = reference(&image, [height, width], pose, border);
            let error = distance(&values(output.clone().inner()), &expected);
            assert!(error <= 1e-5, "{border:?}, {pose:?}: {error}");

            let weighted = output * on.tensor(weights.clone(), shape);
            let gradients = weighted.sum().backward();
            let in_pose = values(row.grad(&gradients).unwrap());
            let in_image = values(input.grad(&gradients).unwrap());

            // The loss is piecewise smooth in the pose; the step stays within a piece.
            let step = 1e-6;
            for axis in 0..3 {
                let moved = |by: f64| {
                    let mut pose = pose;
                    pose[axis] += by;
                    loss(&image, pose)
                };
                let slope = (moved(step) - moved(-step)) / (2.0 * step);
                let error = (f64::from(in_pose[axis]) - slope).abs();
                assert!(error <= 1e-4, "{border:?}, {pose:?}, axis {axis}: {error}");
            }
            // Linear in the image: any step is exact.
            for pixel in 0..height * width {
                let moved = |by: f32| {
                    let mut image = image.clone();
                    image[pixel] = by;
                    loss(&image, pose)
                };
                let slope = moved(1.0) - moved(0.0);
                let error = (f64::from(in_image[pixel]) - slope).abs();
                assert!(
                    error <= 2e-5,
                    "{border:?}, {pose:?}, pixel {pixel}: {error}"
                );
            }
        }
    }
}

fn value_bilinear_is_the_same_inside_and_outside_autodiff(on: &On) {
    let batch = images(on, 10, [4, 3, 16, 16]);
    let rows: Vec<f32> = numbers(11, 12).into_iter().map(|v| 8.0 * v - 4.0).collect();
    let rows = on.tensor(rows, [4, 3]);
    for border in BORDERS {
        let warp = Warp::bilinear().with_border(border);
        let outside = warp.apply_tensor(batch.clone(), rows.clone());
        let inside = warp.apply_tensor(
            Tensor::from_inner(batch.clone()).require_grad(),
            Tensor::from_inner(rows.clone()).require_grad(),
        );
        let (inside, outside) = (values(inside), values(outside));
        on.assert_same(&inside, &outside, &format!("{border:?}"));
    }
}

fn value_bilinear_keeps_a_constant_image_and_its_range(on: &On) {
    let device = on.device();
    let pose = Pose {
        angle: Degrees(12.3),
        right: Pixels(0.1),
        down: Pixels(-3.7),
        ..Pose::IDENTITY
    };
    let constant = Tensor::<4>::full([1, 1, 9, 9], 0.1, &device);
    for border in [Border::Edge, Border::Reflect, Border::Circular] {
        let found = Warp::bilinear()
            .with_border(border)
            .apply(constant.clone(), &[pose]);
        assert_same(&found, &constant, &format!("{border:?}"));
    }
    let image = images(on, 12, [1, 1, 9, 9]);
    let found = values(Warp::bilinear().apply(image, &[pose]));
    assert!(found.iter().all(|v| (-1e-6..=1.0 + 1e-6).contains(v)));
}

fn error_absurd_poses_neither_overflow_nor_read_outside(on: &On) {
    let batch = images(on, 13, [1, 1, 5, 6]);
    for border in BORDERS {
        let warp = Warp::bilinear().with_border(border);
        let moved = |angle: f32, right: f32| {
            let row = on.tensor(vec![angle, right, 1.0], [1, 3]);
            values(warp.apply_tensor(batch.clone(), row))
        };
        let all = [1e9, -1e9, 3e38, -3e38, f32::INFINITY, -f32::INFINITY];
        for &far in on.among(&all, &all[3..5]) {
            for angle in [0.0, 37.0] {
                let found = moved(angle, far);
                assert!(
                    found.iter().all(|v| (-0.01..1.01).contains(v)),
                    "{border:?}, {far}: {found:?}"
                );
                let black = found.iter().all(|&v| v == 0.0);
                assert!(border != Border::Zeros || black, "{far}: {found:?}");
            }
        }
        // Burn's NdArray has no integer for NaN, and panics.
        if !on.is("ndarray") {
            let nan = |found: Vec<f32>| found.iter().all(|v| v.is_nan());
            assert!(nan(moved(0.0, f32::NAN)), "{border:?}");
            assert!(nan(moved(f32::NAN, 0.0)), "{border:?}");
        }
    }
    let limit = Pose::LARGEST_SHIFT;
    for warp in [Warp::nearest(), Warp::bilinear()] {
        let found = warp.apply(batch.clone(), &[Pose::shift(limit, Pixels(-limit.0))]);
        assert!(values(&found).iter().all(|&v| v == 0.0));
    }
}
