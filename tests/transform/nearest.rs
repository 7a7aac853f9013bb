//! Nearest sampling against Pillow, byte by byte.

use super::given::{BORDERS, distance, images, splitmix64};
use crate::common::{On, fnv1a, values};
use burn::tensor::Tensor;
use fireproof::base::{Degrees, Pixels};
use fireproof::transform::{Pose, Warp};

on_every_device![
    value_nearest_is_bit_identical_to_pillow,
    value_nearest_outputs_are_pillow_s,
    gradient_of_nearest_returns_each_weight_to_its_source,
];

struct PillowCase {
    size: [usize; 3],
    pose: Pose,
    hash: u64,
}

fn pillow_cases() -> Vec<PillowCase> {
    include_str!("../fixtures/pillow_rotations.csv")
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
                    ..Pose::IDENTITY
                },
                hash: u64::from_str_radix(field[6], 16).unwrap(),
            }
        })
        .collect()
}

/// The bytes that Pillow's rotation would give, in Pillow's order (row, column, channel).
fn rotated_bytes(on: &On, number: usize, case: &PillowCase) -> Vec<u8> {
    let [width, height, channels] = case.size;
    let bytes: Vec<f32> = (0..(width * height * channels) as u64)
        .map(|i| (splitmix64(((number as u64) << 32) + i) >> 56) as f32)
        .collect();
    let image = on
        .tensor(bytes, [1, height, width, channels])
        .permute([0, 3, 1, 2]);
    let turned = Warp::nearest().apply(image, &[case.pose]);
    let turned = turned.permute([0, 2, 3, 1]);
    values(&turned).into_iter().map(|v| v as u8).collect()
}

// Oracle: Pillow 13, Image.rotate(angle, translate=...), by the hash of all output bytes.
fn value_nearest_is_bit_identical_to_pillow(on: &On) {
    let cases = pillow_cases();
    let rotations = cases.iter().filter(|case| case.pose.right.0 == 0.0);
    assert!(rotations.count() >= 740 && cases.len() >= 940);
    let wrong: Vec<String> = cases
        .iter()
        .enumerate()
        .step_by(on.pick(1, 60))
        .filter(|(number, case)| fnv1a(rotated_bytes(on, *number, case)) != case.hash)
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
fn value_nearest_outputs_are_pillow_s(on: &On) {
    let cases = pillow_cases();
    for line in include_str!("../fixtures/pillow_outputs.csv")
        .lines()
        .skip(2)
    {
        let (number, hex) = line.split_once(',').unwrap();
        let number: usize = number.parse().unwrap();
        let expected: Vec<u8> = (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        let found = rotated_bytes(on, number, &cases[number]);
        assert_eq!(found, expected, "{}", cases[number].pose);
    }
}

// Oracle: the adjoint. Every output pixel copies one input pixel, so that the gradient of
// sum(output * weights) counts, in each input pixel, the weights of the places it went to.
fn gradient_of_nearest_returns_each_weight_to_its_source(on: &On) {
    let shape = [2, 2, 9, 7];
    let poses = [
        Pose::rotation(Degrees(33.0)),
        Pose::shift(Pixels(2.0), Pixels(-3.0)),
    ];
    let weights = images(on, 5, shape);
    for border in BORDERS {
        let warp = Warp::nearest().with_border(border);
        let input = Tensor::from_inner(images(on, 6, shape)).require_grad();
        let loss = (warp.apply(input.clone(), &poses) * weights.clone()).sum();
        let gradient = input.grad(&loss.backward()).unwrap();
        // The image of labels 1, 2, 3, … shows where each pixel went.
        let count: usize = shape.iter().product();
        let labels = on.tensor((1..=count).map(|i| i as f32).collect(), shape);
        let mut expected = vec![0.0; count + 1];
        let went = values(warp.apply(labels, &poses));
        for (source, weight) in went.into_iter().zip(values(&weights)) {
            expected[source as usize] += f64::from(weight);
        }
        assert!(
            distance(&values(&gradient), &expected[1..]) < 1e-5,
            "{border:?}"
        );
    }
}
