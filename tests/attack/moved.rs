//! Victims, images and a slow path for attacks that move images.

use crate::common::{On, uniform, values};
use burn::tensor::{Tensor, TensorData};
use fireproof::attack::{Found, Frozen};
use fireproof::base::{Batch, Degrees, Pixels, Purpose, Seed};
use fireproof::transform::{Pose, PoseBudget, Warp};

const CLASSES: usize = 3;

pub fn budget(angle: f64, shift: f64) -> PoseBudget {
    PoseBudget::new(Degrees(angle), Pixels(shift)).unwrap()
}

/// Three classes: dark, bright and between, with an eye for where the brightness is. So margins differ
/// from image to image, and poses matter.
pub fn victim() -> Frozen {
    Frozen::from_fn(|images: Tensor<4>| {
        let [batch, channels, height, width] = images.dims();
        let count = channels * height * width;
        let mut draws = Seed(3).draws(Purpose::Weights, 0, 0);
        let weights = uniform(&mut draws, count * CLASSES, -1.0, 1.0);
        let weights = TensorData::new(weights, [count, CLASSES]);
        let weights = Tensor::<2>::from_data(weights, (&images.device(), images.dtype()));
        let pixels = images.flatten::<2>(1, 3);
        // Products one by one: matrix products may sum in another order for another batch.
        let part = pixels.clone().unsqueeze_dim::<3>(2) * weights.unsqueeze_dim::<3>(0);
        let part = part.sum_dim(1).squeeze_dim::<2>(1) * (2.0 / (count as f64).sqrt());
        let mean = pixels.mean_dim(1) * 12.0;
        let middle = Tensor::full([batch, 1], 6.5, (&mean.device(), mean.dtype()));
        Tensor::cat(vec![mean.clone().neg() + 12.0, mean, middle], 1) + part
    })
}

/// Smooth images of different brightness, with the victim's predictions as labels but for every sixth.
pub fn batch(on: &On, victim: &Frozen, count: usize, shape: [usize; 3]) -> Batch {
    let [channels, height, width] = shape;
    let mut pixels = Vec::new();
    for image in 0..count {
        let mut draws = Seed(8).draws(Purpose::Subset, image as u64, 0);
        let [light, along, down, phase] =
            [(0.1, 0.9), (0.2, 0.9), (0.2, 0.9), (0.0, 6.0)].map(|(a, b)| draws.uniform(a, b));
        for at in 0..channels * height * width {
            let (channel, y, x) = (at / (height * width), at / width % height, at % width);
            let wave = along * x as f64 + down * y as f64 + phase + channel as f64;
            pixels.push((light + 0.4 * wave.sin()).clamp(0.0, 1.0) as f32);
        }
    }
    let images = on.tensor(pixels, [count, channels, height, width]);
    let mut labels = victim.predict(images.clone());
    let every_sixth = labels.iter_mut().skip(5).step_by(6);
    every_sixth.for_each(|label| *label = (*label + 1) % CLASSES as i64);
    let ids = Vec::from_iter((0..count as u64).map(|at| 100 + 3 * at));
    let batch = Batch::new(images, on.labels(&labels)).unwrap();
    batch.with_ids(ids).unwrap()
}

/// The pose in numbers of `f32`, as it is returned.
pub fn rounded(pose: Pose) -> Pose {
    let round = |value: f64| f64::from(value as f32);
    Pose {
        right: Pixels(round(pose.right.0)),
        down: Pixels(round(pose.down.0)),
        ..Pose::rotation(Degrees(round(pose.angle.0)))
    }
}

/// One image in one pose, judged by itself on the host.
#[derive(Clone, Copy, Debug)]
pub struct Slow {
    pub pose: Pose,
    pub fooled: bool,
    pub loss: f64,
}

/// The image in one pose.
pub fn slow(victim: &Frozen, batch: &Batch, at: usize, warp: Warp, pose: Pose) -> Slow {
    let one = batch.select(&[at]);
    let images = one.bounds.clamp(warp.apply(one.images.clone(), &[pose]));
    judged(victim, &one, images, pose)
}

/// Cross-entropy and verdict of one image.
pub fn judged(victim: &Frozen, one: &Batch, images: Tensor<4>, pose: Pose) -> Slow {
    let logits = Vec::from_iter(values(victim.logits(images)).into_iter().map(f64::from));
    let label = one.labels_to_vec()[0] as usize;
    let largest = logits.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    let first = logits.iter().position(|&logit| logit == largest);
    Slow {
        pose,
        fooled: first != Some(label),
        loss: sum.ln() + largest - logits[label],
    }
}

/// The best of all: fooling before not, then the higher loss.
pub fn worst(all: impl IntoIterator<Item = Slow>) -> Slow {
    let better = |a: Slow, b: Slow| {
        let key = |slow: &Slow| (slow.fooled, slow.loss);
        if key(&b) > key(&a) { b } else { a }
    };
    all.into_iter().reduce(better).unwrap()
}

/// The images of poses that were found, made again from the batch's own and the poses alone.
pub fn again(found: &Found, batch: &Batch, warp: Warp) -> Tensor<4> {
    let poses = found
        .poses
        .clone()
        .unwrap_or(vec![Pose::IDENTITY; batch.len()]);
    batch.bounds.clamp(warp.apply(batch.images.clone(), &poses))
}
