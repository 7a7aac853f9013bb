//! Exact and interpolated transforms against Pillow, PyTorch, numpy's borders, finite differences
//! and their own group laws.

use burn::tensor::{Device, Tensor, TensorData};
use fireproof::base::{Degrees, Keys, Pixels};
use fireproof::transform::{
    Border, Interpolation, Pose, PoseBudget, RandomCrop, RandomFlip, TwoStep, Warp,
    flip_horizontal, flip_vertical, rot90, shift,
};

const BORDERS: [Border; 4] = [
    Border::Zeros,
    Border::Edge,
    Border::Reflect,
    Border::Circular,
];

// ---- numbers by formula ----------------------------------------------------------------------

fn splitmix64(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

/// Numbers in [0, 1) with 24 bits: exact in f32.
fn numbers(stream: u64, count: usize) -> Vec<f32> {
    (0..count as u64)
        .map(|i| (splitmix64((stream << 32) + i) >> 40) as f32 / (1 << 24) as f32)
        .collect()
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn images(stream: u64, shape: [usize; 4], device: &Device) -> Tensor<4> {
    tensor(numbers(stream, shape.iter().product()), shape, device)
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    let data = tensor.to_data().convert::<f32>();
    data.as_slice::<f32>().expect("converted to f32").to_vec()
}

fn bits<const D: usize>(tensor: &Tensor<D>) -> Vec<u32> {
    values(tensor).into_iter().map(f32::to_bits).collect()
}

fn assert_same<const D: usize>(found: &Tensor<D>, expected: &Tensor<D>, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    assert_eq!(bits(found), bits(expected), "{what}");
}

/// Largest absolute difference.
fn distance(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(&f, &e)| (f64::from(f) - e).abs())
        .fold(0.0, f64::max)
}

// ---- exact transforms ------------------------------------------------------------------------

// Oracle: numpy.rot90 and numpy.flip of [[1, 2, 3], [4, 5, 6]], written out.
#[test]
fn convention_quarter_turns_are_counter_clockwise_as_displayed() {
    let device = fireproof::device();
    let plane = tensor(vec![1., 2., 3., 4., 5., 6.], [2, 3], &device);
    assert_eq!(values(&rot90(plane.clone(), 1)), [3., 6., 2., 5., 1., 4.]);
    assert_eq!(values(&rot90(plane.clone(), 2)), [6., 5., 4., 3., 2., 1.]);
    assert_eq!(values(&rot90(plane.clone(), -1)), [4., 1., 5., 2., 6., 3.]);
    assert_eq!(rot90(plane.clone(), 1).dims(), [3, 2]);
    let mirrored = flip_horizontal(plane.clone());
    assert_eq!(values(&mirrored), [3., 2., 1., 6., 5., 4.]);
    assert_eq!(values(&flip_vertical(plane)), [4., 5., 6., 1., 2., 3.]);
}

#[test]
fn equivariance_exact_transforms_obey_the_group_laws() {
    let device = fireproof::device();
    // Rank 5: the planes of group features.
    let features = tensor(numbers(1, 2 * 3 * 4 * 5 * 7), [2, 3, 4, 5, 7], &device);
    for a in -5..6 {
        for b in -5..6 {
            let twice = rot90(rot90(features.clone(), a), b);
            assert_same(&twice, &rot90(features.clone(), a + b), "rot90 adds");
        }
    }
    assert_same(&rot90(features.clone(), 4), &features, "four quarter turns");
    let mirrored = flip_horizontal(features.clone());
    assert_same(&flip_horizontal(mirrored.clone()), &features, "flip twice");
    assert_same(
        &rot90(mirrored, 1),
        &flip_horizontal(rot90(features.clone(), -1)),
        "a flip turns a rotation round",
    );
    assert_same(
        &flip_vertical(features.clone()),
        &flip_horizontal(rot90(features, 2)),
        "vertical = horizontal after half a turn",
    );
}

#[test]
fn equivariance_circular_shifts_are_a_group_and_zeros_are_filled_in() {
    let device = fireproof::device();
    let features = tensor(numbers(2, 2 * 3 * 5 * 7), [2, 3, 5, 7], &device);
    let moved = |right, down| shift(features.clone(), right, down, Border::Circular);
    assert_same(&moved(7, -5), &features, "once around");
    assert_same(
        &shift(moved(3, 1), -4, 6, Border::Circular),
        &moved(-1, 7),
        "circular shifts add",
    );
    // Shifting out and back keeps what stayed inside and zeroes the rest.
    let back = shift(
        shift(features.clone(), 2, 0, Border::Zeros),
        -2,
        0,
        Border::Zeros,
    );
    let kept = features.clone().slice([0..2, 0..3, 0..5, 0..5]);
    assert_same(&back.clone().slice([0..2, 0..3, 0..5, 0..5]), &kept, "kept");
    assert!(
        values(&back.slice([0..2, 0..3, 0..5, 5..7]))
            .iter()
            .all(|&v| v == 0.0)
    );
    let gone = shift(features, i64::MAX, i64::MIN, Border::Zeros);
    assert!(values(&gone).iter().all(|&v| v == 0.0));
}

/// The image extended as by `numpy.pad` in modes constant, edge, reflect and wrap, one pixel at a
/// time: an independent formulation of the borders, walking instead of computing.
fn padded(
    image: &[f32],
    height: usize,
    width: usize,
    row: i64,
    column: i64,
    border: Border,
) -> f32 {
    let walk = |mut at: i64, length: usize| -> Option<usize> {
        let length = length as i64;
        while !(0..length).contains(&at) {
            at = match border {
                Border::Zeros => return None,
                Border::Edge => at + if at < 0 { 1 } else { -1 },
                Border::Reflect if length == 1 => 0,
                Border::Reflect if at < 0 => -at,
                Border::Reflect => 2 * (length - 1) - at,
                Border::Circular => at + if at < 0 { length } else { -length },
            };
        }
        Some(at as usize)
    };
    match (walk(row, height), walk(column, width)) {
        (Some(row), Some(column)) => image[row * width + column],
        _ => 0.0,
    }
}

// Oracle: numpy.pad's rule, by walking (above).
#[test]
fn value_shifts_fill_as_numpy_pad() {
    let device = fireproof::device();
    for (height, width) in [(5, 7), (1, 4), (6, 6)] {
        let image = images(3, [1, 1, height, width], &device);
        let pixels = values(&image);
        for border in BORDERS {
            for (right, down) in [(0, 0), (2, -1), (-9, 17), (3, 0), (40, -40)] {
                let mut expected = Vec::new();
                for row in 0..height as i64 {
                    for column in 0..width as i64 {
                        let (row, column) = (row - down, column - right);
                        expected.push(padded(&pixels, height, width, row, column, border));
                    }
                }
                let what = format!("{border:?}, {height}×{width} by ({right}, {down})");
                let found = shift(image.clone(), right, down, border);
                assert_eq!(values(&found), expected, "shift, {what}");
                let pose = Pose::shift(Pixels(right as f64), Pixels(down as f64));
                for warp in [Warp::nearest(), Warp::bilinear()] {
                    let found = warp.with_border(border).apply(image.clone(), &[pose]);
                    assert_eq!(values(&found), expected, "{warp:?}, {what}");
                }
            }
        }
    }
}

// ---- nearest ---------------------------------------------------------------------------------

struct PillowCase {
    size: [usize; 3],
    pose: Pose,
    hash: u64,
}

fn pillow_cases() -> Vec<PillowCase> {
    include_str!("fixtures/pillow_rotations.csv")
        .lines()
        .skip(2)
        .map(|line| {
            let field: Vec<&str> = line.split(',').collect();
            let size = |at: usize| field[at].parse().unwrap();
            let number = |at: usize| field[at].parse::<f64>().unwrap();
            PillowCase {
                size: [size(0), size(1), size(2)],
                pose: Pose {
                    angle: Degrees(number(3)),
                    right: Pixels(number(4)),
                    down: Pixels(number(5)),
                },
                hash: u64::from_str_radix(field[6], 16).unwrap(),
            }
        })
        .collect()
}

/// The bytes that Pillow's rotation would give, in Pillow's order (row, column, channel).
fn rotated_bytes(number: usize, case: &PillowCase, device: &Device) -> Vec<u8> {
    let [width, height, channels] = case.size;
    let bytes: Vec<f32> = (0..(width * height * channels) as u64)
        .map(|i| (splitmix64(((number as u64) << 32) + i) >> 56) as f32)
        .collect();
    let image = tensor(bytes, [1, height, width, channels], device).permute([0, 3, 1, 2]);
    let turned = Warp::nearest().apply(image, &[case.pose]);
    let turned = turned.permute([0, 2, 3, 1]);
    values(&turned).into_iter().map(|v| v as u8).collect()
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    })
}

// Oracle: Pillow 13, Image.rotate(angle, translate=...), by the hash of all output bytes.
#[test]
fn value_nearest_is_bit_identical_to_pillow() {
    let device = fireproof::device();
    let cases = pillow_cases();
    let rotations = cases.iter().filter(|case| case.pose.right.0 == 0.0);
    assert!(rotations.count() >= 740 && cases.len() >= 940);
    let wrong: Vec<String> = cases
        .iter()
        .enumerate()
        .filter(|(number, case)| fnv1a(&rotated_bytes(*number, case, &device)) != case.hash)
        .map(|(number, case)| format!("{number}: {:?} {}", case.size, case.pose))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}: {wrong:#?}",
        wrong.len(),
        cases.len()
    );
}

// Oracle: Pillow 13, whole outputs; where a hash differs, this shows which pixels.
#[test]
fn value_nearest_outputs_are_pillow_s() {
    let device = fireproof::device();
    let cases = pillow_cases();
    for line in include_str!("fixtures/pillow_outputs.csv").lines().skip(2) {
        let (number, hex) = line.split_once(',').unwrap();
        let number: usize = number.parse().unwrap();
        let expected: Vec<u8> = (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        let found = rotated_bytes(number, &cases[number], &device);
        assert_eq!(found, expected, "{}", cases[number].pose);
    }
}

#[test]
fn value_poses_of_a_batch_are_those_of_single_images() {
    let device = fireproof::device();
    let batch = images(4, [5, 3, 11, 8], &device);
    let budget = PoseBudget::new(Degrees(180.0), Pixels(4.0)).unwrap();
    let poses = budget.draw(&Keys::new(1, 0..5));
    for border in BORDERS {
        for warp in [Warp::nearest(), Warp::bilinear()] {
            let warp = warp.with_border(border);
            let together = warp.apply(batch.clone(), &poses);
            for (i, &pose) in poses.iter().enumerate() {
                let alone = warp.apply(batch.clone().slice(i..i + 1), &[pose]);
                assert_same(&together.clone().slice(i..i + 1), &alone, "one of five");
            }
        }
    }
}

// Oracle: the adjoint. Every output pixel copies one input pixel, so that the gradient of
// sum(output * weights) counts, in each input pixel, the weights of the places it went to.
#[test]
fn gradient_of_nearest_returns_each_weight_to_its_source() {
    let device = fireproof::device();
    let shape = [2, 2, 9, 7];
    let poses = [
        Pose::rotation(Degrees(33.0)),
        Pose::shift(Pixels(2.0), Pixels(-3.0)),
    ];
    let weights = images(5, shape, &device);
    for border in BORDERS {
        let warp = Warp::nearest().with_border(border);
        let input = Tensor::from_inner(images(6, shape, &device)).require_grad();
        let loss = (warp.apply(input.clone(), &poses) * weights.clone()).sum();
        let gradient = input.grad(&loss.backward()).unwrap();
        // The image of labels 1, 2, 3, … shows where each pixel went.
        let count: usize = shape.iter().product();
        let labels = tensor((1..=count).map(|i| i as f32).collect(), shape, &device);
        let mut expected = vec![0.0; count + 1];
        let went = values(&warp.apply(labels, &poses));
        for (source, weight) in went.into_iter().zip(values(&weights)) {
            expected[source as usize] += f64::from(weight);
        }
        assert!(
            distance(&values(&gradient), &expected[1..]) < 1e-5,
            "{border:?}"
        );
    }
}

// ---- both interpolations ---------------------------------------------------------------------

#[test]
fn value_the_identity_changes_no_bit() {
    let device = fireproof::device();
    let batch = images(7, [2, 3, 28, 20], &device);
    for border in BORDERS {
        for warp in [Warp::nearest(), Warp::bilinear()] {
            let warp = warp.with_border(border);
            let same = warp.apply(batch.clone(), &[Pose::IDENTITY; 2]);
            assert_same(&same, &batch, &format!("{warp:?}"));
        }
        let warp = Warp::bilinear().with_border(border);
        let same = warp.apply_tensor(batch.clone(), Tensor::zeros([2, 3], &device));
        assert_same(&same, &batch, "apply_tensor");
    }
}

// Oracle: rot90 and shift.
#[test]
fn equivariance_quarter_turns_with_whole_shifts_are_exact() {
    let device = fireproof::device();
    for side in [8, 9] {
        let image = images(8, [1, 2, side, side], &device);
        for turns in -4..5 {
            for (right, down) in [(0, 0), (2, -3), (-1, 4)] {
                let pose = Pose {
                    angle: Degrees(90.0 * f64::from(turns)),
                    right: Pixels(right as f64),
                    down: Pixels(down as f64),
                };
                let turned = rot90(image.clone(), turns);
                let expected = shift(turned, right, down, Border::Zeros);
                let what = format!("{side}×{side}, {pose}");
                for warp in [Warp::nearest(), Warp::bilinear()] {
                    let found = warp.apply(image.clone(), &[pose]);
                    assert_eq!(values(&found), values(&expected), "{warp:?}, {what}");
                }
                let row = vec![pose.angle.0 as f32, right as f32, down as f32];
                let found =
                    Warp::bilinear().apply_tensor(image.clone(), tensor(row, [1, 3], &device));
                assert_eq!(values(&found), values(&expected), "apply_tensor, {what}");
            }
        }
    }
}

// Oracle: rot90, for half a turn of an image that is not square.
#[test]
fn equivariance_half_a_turn_is_exact_in_any_aspect_ratio() {
    let device = fireproof::device();
    let image = images(9, [1, 1, 6, 11], &device);
    for warp in [Warp::nearest(), Warp::bilinear()] {
        let found = warp.apply(image.clone(), &[Pose::rotation(Degrees(-180.0))]);
        assert_same(&found, &rot90(image.clone(), 2), &format!("{warp:?}"));
    }
}

// ---- bilinear --------------------------------------------------------------------------------

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
        serde_json::from_str(include_str!("fixtures/grid_sample.json")).unwrap();
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
#[test]
fn value_and_gradient_of_bilinear_are_those_of_pytorch() {
    let device = fireproof::device();
    let mut largest = [0.0f64; 4];
    for (number, case) in torch_cases().into_iter().enumerate() {
        let image = images(2 * number as u64, case.shape, &device);
        let weights = images(2 * number as u64 + 1, case.shape, &device);
        let warp = Warp::bilinear().with_border(case.border);

        let pose = Pose {
            angle: Degrees(case.pose[0]),
            right: Pixels(case.pose[1]),
            down: Pixels(case.pose[2]),
        };
        let by_pose = distance(&values(&warp.apply(image.clone(), &[pose])), &case.output);

        let row: Vec<f32> = case.pose.iter().map(|&v| v as f32).collect();
        let row = Tensor::from_inner(tensor(row, [1, 3], &device)).require_grad();
        let image = Tensor::from_inner(image).require_grad();
        let output = warp.apply_tensor(image.clone(), row.clone());
        let by_tensor = distance(&values(&output.clone().inner()), &case.output);
        let gradients = (output * weights).sum().backward();
        let in_image = values(&image.grad(&gradients).unwrap());
        let in_image = distance(&in_image, &case.image_gradient);
        let in_pose = values(&row.grad(&gradients).unwrap());
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
#[test]
fn gradient_of_bilinear_is_that_of_finite_differences() {
    let device = fireproof::device();
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

            let input = Tensor::from_inner(tensor(image.clone(), shape, &device)).require_grad();
            let row: Vec<f32> = pose.iter().map(|&v| v as f32).collect();
            let row = Tensor::from_inner(tensor(row, [1, 3], &device)).require_grad();
            let warp = Warp::bilinear().with_border(border);
            let output = warp.apply_tensor(input.clone(), row.clone());
            let expected = reference(&image, [height, width], pose, border);
            let error = distance(&values(&output.clone().inner()), &expected);
            assert!(error <= 1e-5, "{border:?}, {pose:?}: {error}");

            let weighted = output * tensor(weights.clone(), shape, &device);
            let gradients = weighted.sum().backward();
            let in_pose = values(&row.grad(&gradients).unwrap());
            let in_image = values(&input.grad(&gradients).unwrap());

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

#[test]
fn value_bilinear_is_the_same_inside_and_outside_autodiff() {
    let device = fireproof::device();
    let batch = images(10, [4, 3, 16, 16], &device);
    let rows: Vec<f32> = numbers(11, 12).into_iter().map(|v| 8.0 * v - 4.0).collect();
    let rows = tensor(rows, [4, 3], &device);
    for border in BORDERS {
        let warp = Warp::bilinear().with_border(border);
        let outside = warp.apply_tensor(batch.clone(), rows.clone());
        let inside = warp.apply_tensor(
            Tensor::from_inner(batch.clone()).require_grad(),
            Tensor::from_inner(rows.clone()).require_grad(),
        );
        assert_same(&inside.inner(), &outside, &format!("{border:?}"));
    }
}

#[test]
fn value_bilinear_keeps_a_constant_image_and_its_range() {
    let device = fireproof::device();
    let pose = Pose {
        angle: Degrees(12.3),
        right: Pixels(0.1),
        down: Pixels(-3.7),
    };
    let constant = Tensor::<4>::full([1, 1, 9, 9], 0.1, &device);
    for border in [Border::Edge, Border::Reflect, Border::Circular] {
        let found = Warp::bilinear()
            .with_border(border)
            .apply(constant.clone(), &[pose]);
        assert_same(&found, &constant, &format!("{border:?}"));
    }
    let image = images(12, [1, 1, 9, 9], &device);
    let found = values(&Warp::bilinear().apply(image, &[pose]));
    assert!(found.iter().all(|v| (-1e-6..=1.0 + 1e-6).contains(v)));
}

#[test]
fn error_absurd_poses_neither_overflow_nor_read_outside() {
    let device = fireproof::device();
    let batch = images(13, [1, 1, 5, 6], &device);
    for border in BORDERS {
        let warp = Warp::bilinear().with_border(border);
        let moved = |angle: f32, right: f32| {
            let row = tensor(vec![angle, right, 1.0], [1, 3], &device);
            values(&warp.apply_tensor(batch.clone(), row))
        };
        for far in [1e9, -1e9, 3e38, -3e38, f32::INFINITY, -f32::INFINITY] {
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
        assert!(
            moved(0.0, f32::NAN).iter().all(|v| v.is_nan()),
            "{border:?}"
        );
        assert!(
            moved(f32::NAN, 0.0).iter().all(|v| v.is_nan()),
            "{border:?}"
        );
    }
    let limit = Pose::LARGEST_SHIFT;
    for warp in [Warp::nearest(), Warp::bilinear()] {
        let found = warp.apply(batch.clone(), &[Pose::shift(limit, Pixels(-limit.0))]);
        assert!(values(&found).iter().all(|&v| v == 0.0));
    }
}

// ---- poses and augmentation ------------------------------------------------------------------

#[test]
fn error_settings_name_what_is_wrong() {
    let message = |pose: Pose| pose.check().unwrap_err().to_string();
    let angle = message(Pose::rotation(Degrees(f64::NAN)));
    assert_eq!(angle, "pose: angle: found NaN°, expected a finite number");
    let right = message(Pose::shift(Pixels(f64::INFINITY), Pixels(0.0)));
    assert!(
        right.starts_with("pose: shift right: found inf px"),
        "{right}"
    );
    assert!(Pose::shift(Pixels(0.0), Pixels(1e7)).check().is_err());
    let budget = PoseBudget {
        angle: Degrees(-1.0),
        shift: Pixels(0.0),
    };
    assert!(
        budget
            .check()
            .unwrap_err()
            .to_string()
            .contains("angle = -1")
    );
    assert!(PoseBudget::new(Degrees(0.0), Pixels(f64::NAN)).is_err());
    let flip = RandomFlip { probability: 1.5 };
    assert!(
        flip.check()
            .unwrap_err()
            .to_string()
            .contains("probability = 1.5")
    );
    assert!(
        RandomFlip {
            probability: f64::NAN
        }
        .check()
        .is_err()
    );
}

#[test]
#[should_panic(expected = "as many poses as images")]
fn error_too_few_poses() {
    let device = fireproof::device();
    Warp::nearest().apply(Tensor::zeros([2, 1, 4, 4], &device), &[Pose::IDENTITY]);
}

#[test]
#[should_panic(expected = "pose: angle: found NaN")]
fn error_a_pose_that_is_no_number() {
    let device = fireproof::device();
    let pose = Pose::rotation(Degrees(f64::NAN));
    Warp::bilinear().apply(Tensor::zeros([1, 1, 4, 4], &device), &[pose]);
}

#[test]
#[should_panic(expected = "only bilinear sampling")]
fn error_nearest_has_no_pose_derivative() {
    let device = fireproof::device();
    let poses = Tensor::zeros([1, 3], &device);
    Warp::nearest().apply_tensor(Tensor::zeros([1, 1, 4, 4], &device), poses);
}

// Oracle: padding with zeros and slicing.
#[test]
fn value_a_crop_is_padding_and_slicing() {
    let device = fireproof::device();
    let batch = images(14, [64, 2, 8, 6], &device);
    let keys = Keys::new(3, 100..164).with_draw(1);
    let crop = RandomCrop::new(2);
    let found = crop.apply(batch.clone(), &keys);
    let mut shifts = Vec::new();
    for (i, pose) in crop.draw(&keys).into_iter().enumerate() {
        let (left, top) = ((2.0 - pose.right.0) as usize, (2.0 - pose.down.0) as usize);
        let padded = batch.clone().slice(i..i + 1).pad((2, 2, 2, 2), 0.0);
        let expected = padded.slice([0..1, 0..2, top..top + 8, left..left + 6]);
        assert_same(&found.clone().slice(i..i + 1), &expected, "a crop");
        shifts.push((left, top));
    }
    shifts.sort_unstable();
    shifts.dedup();
    assert!(shifts.len() > 15, "64 draws of 25 crops: {shifts:?}");
    assert!(shifts.iter().all(|&(left, top)| left <= 4 && top <= 4));
    let none = RandomCrop::new(0).apply(batch.clone(), &keys);
    assert_same(&none, &batch, "no padding");
}

#[test]
fn value_flips_are_those_drawn() {
    let device = fireproof::device();
    let batch = images(15, [64, 2, 5, 6], &device);
    let keys = Keys::new(4, 0..64).with_draw(2);
    let flip = RandomFlip::default();
    let found = flip.apply(batch.clone(), &keys);
    let mut flipped = 0;
    for (i, drawn) in flip.draw(&keys).into_iter().enumerate() {
        let mut expected = batch.clone().slice(i..i + 1);
        if drawn {
            expected = flip_horizontal(expected);
            flipped += 1;
        }
        assert_same(&found.clone().slice(i..i + 1), &expected, "a flip");
    }
    assert!((16..=48).contains(&flipped), "{flipped} of 64");
    let certain = |probability| RandomFlip::new(probability).unwrap();
    let always = certain(1.0).apply(batch.clone(), &keys);
    assert_same(&always, &flip_horizontal(batch.clone()), "always");
    let never = certain(0.0).apply(batch.clone(), &keys);
    assert_same(&never, &batch, "never");
}

// Oracle: the two steps, each by what is tested above.
#[test]
fn value_two_steps_rotate_and_then_shift() {
    let device = fireproof::device();
    let batch = images(16, [3, 1, 12, 12], &device);
    let augmentation = TwoStep::new(Degrees(40.0), Pixels(3.0)).unwrap();
    let keys = Keys::new(5, [7, 8, 9]);
    let found = augmentation.apply(batch.clone(), &keys);
    for i in 0..3 {
        let [rotation, moved] = augmentation.draw(&keys).map(|poses| poses[i]);
        assert!(rotation.angle.0.abs() <= 40.0 && rotation.angle.0 != 0.0);
        let [right, down] = [moved.right.0, moved.down.0].map(|v| {
            assert!(v.abs() <= 3.0 && v == v.trunc());
            v as i64
        });
        let turned = Warp::nearest().apply(batch.clone().slice(i..i + 1), &[rotation]);
        let expected = shift(turned, right, down, Border::Zeros);
        assert_same(&found.clone().slice(i..i + 1), &expected, "two steps");
    }
}

#[test]
fn value_draws_depend_on_nothing_but_seed_id_and_draw() {
    let device = fireproof::device();
    let batch = images(17, [6, 1, 10, 10], &device);
    let keys = Keys::new(6, [5, 3, 99, 4, 0, 7]);
    let pipeline = |images: Tensor<4>, keys: &Keys| {
        let images = RandomCrop::new(2).apply(images, keys);
        let images = RandomFlip::default().apply(images, keys);
        let steps = TwoStep::new(Degrees(90.0), Pixels(2.0)).unwrap();
        steps.apply(images, keys)
    };
    let together = pipeline(batch.clone(), &keys);
    for i in 0..6 {
        let alone = pipeline(batch.clone().slice(i..i + 1), &keys.select(&[i]));
        assert_same(&together.clone().slice(i..i + 1), &alone, "alone");
    }
    assert_ne!(bits(&pipeline(batch, &keys.with_draw(1))), bits(&together));
}

// Oracle: mean and variance of the uniform distribution.
#[test]
fn value_budgets_are_drawn_uniformly() {
    let budget = PoseBudget::new(Degrees(30.0), Pixels(3.0)).unwrap();
    let count = 4000;
    let poses = budget.draw(&Keys::new(7, 0..count));
    for (limit, value) in [
        (30.0, (|p| p.angle.0) as fn(&Pose) -> f64),
        (3.0, |p| p.right.0),
        (3.0, |p| p.down.0),
    ] {
        let mean = poses.iter().map(value).sum::<f64>() / count as f64;
        let square = poses.iter().map(|p| value(p).powi(2)).sum::<f64>() / count as f64;
        // Five standard errors.
        assert!(mean.abs() < 5.0 * limit / (3.0 * count as f64).sqrt());
        assert!((square / (limit * limit) - 1.0 / 3.0).abs() < 5.0 * 0.3 / (count as f64).sqrt());
        assert!(poses.iter().all(|p| value(p).abs() <= limit));
    }
    let joint = PoseBudget::joint(0.1, 32).unwrap();
    assert_eq!((joint.angle, joint.shift), (Degrees(18.0), Pixels(3.2)));
}

#[test]
fn smoke_settings_survive_serialisation() {
    let warp = Warp::bilinear().with_border(Border::Reflect);
    let text = serde_json::to_string(&warp).unwrap();
    assert_eq!(text, r#"{"interpolation":"bilinear","border":"reflect"}"#);
    assert_eq!(serde_json::from_str::<Warp>(&text).unwrap(), warp);
    assert_eq!(Warp::default(), Warp::nearest());
    assert_eq!(Warp::default().interpolation, Interpolation::Nearest);
    let two = TwoStep::new(Degrees(18.0), Pixels(3.2)).unwrap();
    let text = serde_json::to_string(&two).unwrap();
    assert_eq!(serde_json::from_str::<TwoStep>(&text).unwrap(), two);
}

#[test]
fn shape_batches_of_any_size_and_depth() {
    let device = fireproof::device();
    for shape in [[1, 1, 1, 1], [2, 3, 1, 5], [3, 4, 6, 2]] {
        let batch = images(18, shape, &device);
        let poses = vec![Pose::rotation(Degrees(10.0)); shape[0]];
        for border in BORDERS {
            for warp in [Warp::nearest(), Warp::bilinear()] {
                let found = warp.with_border(border).apply(batch.clone(), &poses);
                assert_eq!(found.dims(), shape);
            }
        }
    }
}
