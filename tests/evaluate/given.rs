//! Hand-made images, and classifiers whose accuracy and fooling rate follow from the poses and
//! radii by themselves.

use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{Frozen, Pgd};
use fireproof::base::{Degrees, Pixels};
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Evaluation, Point, Profile, RandomPose};

pub const SIDE: usize = 16;

pub fn set(images: Vec<(Vec<u8>, u8)>) -> ImageSet {
    let (pixels, labels): (Vec<Vec<u8>>, Vec<u8>) = images.into_iter().unzip();
    ImageSet::new("hand-made", [1, SIDE, SIDE], 2, pixels.concat(), labels).unwrap()
}

/// A bright half, on the left (class 0) or on the right (class 1).
pub fn halves(count: usize) -> ImageSet {
    let image = |right: bool| {
        (0..SIDE * SIDE)
            .map(|at| {
                if (at % SIDE >= SIDE / 2) == right {
                    200
                } else {
                    0
                }
            })
            .collect()
    };
    set((0..count)
        .map(|k| (image(k % 2 == 1), (k % 2) as u8))
        .collect())
}

/// Which half is brighter; `flip` exchanges the answers.
pub fn brighter_half(flip: bool) -> Frozen {
    Frozen::from_fn(move |images: Tensor<4>| {
        let n = images.dims()[0];
        let mean = |from: usize| {
            let half = images
                .clone()
                .slice([0..n, 0..1, 0..SIDE, from..from + SIDE / 2]);
            half.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3)
        };
        // Nothing is ever quite even, so that the flipped twin disagrees everywhere.
        let (left, right) = (mean(0) + 1e-4, mean(SIDE / 2));
        let order = if flip {
            vec![right, left]
        } else {
            vec![left, right]
        };
        Tensor::cat(order, 1)
    })
}

/// Plain images of brightness `byte`, class 1 if above one half.
pub fn greys(bytes: &[u8]) -> ImageSet {
    set(bytes
        .iter()
        .map(|&b| (vec![b; SIDE * SIDE], u8::from(b > 127)))
        .collect())
}

/// Whether the image is brighter than one half on average.
pub fn bright() -> Frozen {
    Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
    })
}

pub fn always(class: usize) -> Frozen {
    Frozen::from_fn(move |images: Tensor<4>| {
        let zero = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3) * 0.0;
        let mut logits = vec![zero.clone(), zero.clone()];
        logits[class] = zero + 1.0;
        Tensor::cat(logits, 1)
    })
}

pub fn full() -> Evaluation {
    drawn(1)
}

/// Every preset, with this many random poses per image.
pub fn drawn(draws: usize) -> Evaluation {
    let pose = |threat| RandomPose { draws, ..threat };
    let (angles, shifts) = ([0.0, 60.0, 180.0].map(Degrees), [0.0, 2.0, 6.0].map(Pixels));
    let attack = Pgd::linf(0.0).with_steps(3);
    Evaluation::new()
        .with_axis(Axis::angles(angles).with_threat(pose(RandomPose::rotations())))
        .with_axis(Axis::shifts(shifts).with_threat(pose(RandomPose::shifts())))
        .with_axis(Axis::joint([0.0, 0.5]).with_threat(pose(RandomPose::joint())))
        .with_axis(Axis::epsilons(attack, [0.0, 0.1]))
        .with_seed(11)
}

pub fn over(axis: Axis) -> Evaluation {
    Evaluation::new().with_axis(axis)
}

pub fn run(on: &On, evaluation: &Evaluation, victim: &Frozen, data: &ImageSet) -> Profile {
    evaluation.run(victim, data, &on.device()).unwrap()
}

pub fn point<'a>(profile: &'a Profile, axis: &str, at: usize) -> &'a Point {
    &profile.curve(axis).unwrap().points[at]
}
