//! Augmentation: crops, flips, two steps, and what draws depend on.

use super::given::{assert_same, images};
use crate::common::{On, bits};
use burn::tensor::Tensor;
use fireproof::base::{Degrees, Keys, Pixels};
use fireproof::transform::{
    Border, Pose, RandomCrop, RandomFlip, TwoStep, Warp, flip_horizontal, shift,
};

on_every_device![
    error_too_few_poses: "as many poses as images",
    error_a_pose_that_is_no_number: "pose: angle: found NaN",
    error_nearest_has_no_pose_derivative: "only bilinear sampling",
    value_a_crop_is_padding_and_slicing,
    value_flips_are_those_drawn,
    value_two_steps_rotate_and_then_shift,
    value_draws_depend_on_nothing_but_seed_id_and_draw,
];

fn error_too_few_poses(on: &On) {
    let images = Tensor::zeros([2, 1, 4, 4], &on.device());
    Warp::nearest().apply(images, &[Pose::IDENTITY]);
}

fn error_a_pose_that_is_no_number(on: &On) {
    let device = on.device();
    let pose = Pose::rotation(Degrees(f64::NAN));
    Warp::bilinear().apply(Tensor::zeros([1, 1, 4, 4], &device), &[pose]);
}

fn error_nearest_has_no_pose_derivative(on: &On) {
    let device = on.device();
    let poses = Tensor::zeros([1, 3], &device);
    Warp::nearest().apply_tensor(Tensor::zeros([1, 1, 4, 4], &device), poses);
}

// Oracle: padding with zeros and slicing.
fn value_a_crop_is_padding_and_slicing(on: &On) {
    let count = on.pick(64, 8);
    let batch = images(on, 14, [count, 2, 8, 6]);
    let keys = Keys::new(3, 100..100 + count as u64).with_draw(1);
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
    assert!(
        shifts.len() > on.pick(15, 4),
        "{count} draws of 25 crops: {shifts:?}"
    );
    assert!(shifts.iter().all(|&(left, top)| left <= 4 && top <= 4));
    let none = RandomCrop::new(0).apply(batch.clone(), &keys);
    assert_same(&none, &batch, "no padding");
}

fn value_flips_are_those_drawn(on: &On) {
    let count = on.pick(64, 8);
    let batch = images(on, 15, [count, 2, 5, 6]);
    let keys = Keys::new(4, 0..count as u64).with_draw(2);
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
    assert!(
        (count / 4..=3 * count / 4).contains(&flipped),
        "{flipped} of {count}"
    );
    let certain = |probability| RandomFlip::new(probability).unwrap();
    let always = certain(1.0).apply(batch.clone(), &keys);
    assert_same(&always, &flip_horizontal(batch.clone()), "always");
    let never = certain(0.0).apply(batch.clone(), &keys);
    assert_same(&never, &batch, "never");
}

// Oracle: the two steps, each by what is tested above.
fn value_two_steps_rotate_and_then_shift(on: &On) {
    let batch = images(on, 16, [3, 1, 12, 12]);
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

fn value_draws_depend_on_nothing_but_seed_id_and_draw(on: &On) {
    let batch = images(on, 17, [6, 1, 10, 10]);
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
    assert_ne!(bits(pipeline(batch, &keys.with_draw(1))), bits(&together));
}
