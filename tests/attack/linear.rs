//! A linear model, whose optimum is known.

use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{Found, Frozen, L2, Norm};
use fireproof::base::Batch;

pub const PIXELS: usize = 64;

pub fn l2(values: impl IntoIterator<Item = f64>) -> f64 {
    L2.length(&Vec::from_iter(values))
}

pub fn perturbations(found: &Found, batch: &Batch) -> Vec<Vec<f64>> {
    let (attacked, original) = (values(&found.images), values(&batch.images));
    let pixels = attacked.len() / batch.len();
    attacked
        .iter()
        .zip(&original)
        .map(|(a, b)| f64::from(*a) - f64::from(*b))
        .collect::<Vec<_>>()
        .chunks(pixels)
        .map(<[f64]>::to_vec)
        .collect()
}

// w, different in sign and size from pixel to pixel, never 0.
pub fn weights() -> Vec<f64> {
    (0..PIXELS)
        .map(|i| (1.7 * i as f64).sin() * 0.1 + if i % 2 == 0 { 0.02 } else { -0.02 })
        .collect()
}

// Logits (0, w·x): for label 0 the loss rises along w.
pub fn linear(on: &On) -> Frozen {
    let weights: Vec<f32> = weights().iter().map(|w| *w as f32).collect();
    let weights = on.tensor(weights, [PIXELS, 1]);
    Frozen::from_fn(move |x: Tensor<4>| {
        let score = x.flatten::<2>(1, 3).matmul(weights.clone());
        Tensor::cat(vec![score.clone() * 0.0, score], 1)
    })
}

pub fn linear_batch(on: &On) -> Batch {
    let pixels = (0..2 * PIXELS)
        .map(|i| (i * 37 % 101) as f32 / 100.0)
        .collect();
    Batch::new(on.tensor(pixels, [2, 1, 8, 8]), on.labels(&[0, 0])).unwrap()
}
