//! Quadrature, random settings and random rules.

use fireproof::base::{Draws, Purpose, Seed};
use fireproof::theory::{GaussianFeature, Linear, SignFeature};
use std::f64::consts::PI;

pub fn draws(id: u64) -> Draws {
    Seed(11).draws(Purpose::Subset, id, 0)
}

/// The standard normal density, written out.
pub fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
}

/// The mean of a smooth function of a standard normal number, by the trapezoid rule: far below 1e-12 off
/// for what changes no faster than over a tenth.
pub fn mean_of(function: impl Fn(f64) -> f64) -> f64 {
    let step = 1.0 / 128.0;
    let at = |k: i32| f64::from(k) * step;
    let terms = (-12 * 128..=12 * 128).map(|k| density(at(k)) * function(at(k)));
    step * terms.sum::<f64>()
}

/// An integral from `low` to `high` by Simpson's rule.
pub fn integral(low: f64, high: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (count, step) = (20_000, (high - low) / 20_000.0);
    let weight = |k: i32| match k {
        0 => 1.0,
        k if k == count => 1.0,
        k if k % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let terms = (0..=count).map(|k| weight(k) * function(low + f64::from(k) * step));
    step / 3.0 * terms.sum::<f64>()
}

/// A number from 10^`low` to 10^`high`, even in its logarithm.
pub fn power(draws: &mut Draws, low: f64, high: f64) -> f64 {
    10f64.powf(draws.uniform(low, high))
}

pub fn dimension(draws: &mut Draws, most: f64) -> usize {
    power(draws, 2f64.log10(), most.log10()).round() as usize
}

/// From useless to sure strong features, from few to many weak ones.
pub fn sign_feature(draws: &mut Draws, most: f64) -> SignFeature {
    let dimension = dimension(draws, most);
    let correlation = draws.uniform(0.5, 0.999);
    let eta = draws.uniform(0.1, 4.0) / (dimension as f64).sqrt();
    SignFeature::new(dimension, correlation, eta).unwrap()
}

pub fn gaussian_feature(draws: &mut Draws, most: f64) -> GaussianFeature {
    let dimension = dimension(draws, most);
    let eta = draws.uniform(0.1, 4.0) / (dimension as f64).sqrt();
    GaussianFeature::new(dimension, eta + draws.uniform(-1.0, 2.5), eta).unwrap()
}

/// Weights of all kinds: even, of one sign, of few features, anything.
pub fn linear(draws: &mut Draws, dimension: usize) -> Linear {
    let kind = draws.below(4);
    let few = draws.below(dimension as u64) as usize;
    let mut weight = |at: usize| match kind {
        0 => 1.0 + 0.3 * draws.normal(),
        1 => draws.normal().abs(),
        2 if at > few => 0.0,
        _ => draws.normal(),
    };
    let weights = Vec::from_iter((0..dimension).map(&mut weight));
    let bias = [0.0, draws.normal()][draws.below(2) as usize];
    Linear::new(weights).with_bias(bias)
}
