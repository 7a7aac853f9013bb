use super::rule::Optimal;
use super::{Accuracies, Linear, Point, normal};
use crate::base::{Draws, Error, Purpose, Result, Seed};
use std::fmt;

/// A distribution of labelled points on which the cyclic group acts by shifting their features, with an
/// attack on them and what it proves about every classifier.
///
/// A setting of one's own gives what is required here, and is then surveyed as the built-in ones are.
pub trait Setting: fmt::Debug + fmt::Display + Send + Sync {
    /// The number of features, and of the group's elements.
    fn dimension(&self) -> usize;

    /// The mean η of a weak feature of class +1. The attack that the bounds are about has twice this
    /// radius: it makes the weak features look like those of the other class.
    fn eta(&self) -> f64;

    /// Refuses parameters for which the setting makes no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`].
    fn check(&self) -> Result<()>;

    /// The next point of a generator, unshifted.
    fn draw(&self, draws: &mut Draws) -> Point;

    /// The point with its features moved by `epsilon` against its class: a perturbation whose L∞ norm is
    /// `epsilon`, and which knows the class but no classifier. `point` is unshifted.
    fn attacked(&self, point: &Point, epsilon: f64) -> Point;

    /// What no classifier of this accuracy S on randomly shifted points exceeds on points that are
    /// attacked with radius `epsilon` and then randomly shifted: R.
    ///
    /// An adversary who may choose among *all* perturbations of a radius may also choose this attack, at
    /// that radius or any smaller one, so that the bound holds for it too; from twice [`eta`](Self::eta)
    /// on it is at its lowest there, as `bound(spatial, epsilon.min(2.0 * eta))`.
    ///
    /// # Panics
    ///
    /// Panics unless S is in `[0, 1]` and the radius a finite number, 0 or more.
    fn bound(&self, spatial: f64, epsilon: f64) -> f64;

    /// The accuracies of a linear rule in closed form.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a setting, a rule or a radius that makes no sense.
    fn linear(&self, rule: &Linear, epsilon: f64) -> Result<Accuracies>;

    /// The accuracy of a linear rule on randomly shifted points against *every* perturbation of the
    /// radius, in closed form: at most its [adversarial](Accuracies::adversarial) one.
    ///
    /// # Errors
    ///
    /// As [`linear`](Self::linear).
    fn linear_worst_case(&self, rule: &Linear, epsilon: f64) -> Result<f64>;

    /// The rule that no shift changes and that has the highest `weight`·S + (1 − `weight`)·R of all
    /// classifiers whatever, R at radius `epsilon`: at 1 the Bayes-optimal one for randomly shifted
    /// points, at ½ the one with the highest sum.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a setting or a radius that makes no sense, or a weight outside `[0, 1]`.
    fn optimal(&self, weight: f64, epsilon: f64) -> Result<Optimal>;

    /// Point number `id`, unshifted: a function of the seed and `id` alone. A point with more features
    /// begins with those of one with fewer.
    fn point(&self, seed: Seed, id: u64) -> Point {
        self.draw(&mut seed.draws(Purpose::Sample, id, 0))
    }

    /// The first `count` points as images `[1, 1, dimension]`, one after the other, and their labels:
    /// what an image set of numbers without bounds is made of.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a setting that makes no sense.
    fn images(&self, seed: Seed, count: usize) -> Result<(Vec<f32>, Vec<u8>)> {
        self.check()?;
        let mut numbers = Vec::with_capacity(count * self.dimension());
        let labels = (0..count as u64).map(|id| {
            let point = self.point(seed, id);
            numbers.extend(point.features.iter().map(|&feature| feature as f32));
            point.label()
        });
        let labels = labels.collect();
        Ok((numbers, labels))
    }
}

/// Refuses, by name, less than two features or a mean of the weak ones that is not above 0.
pub(super) fn check_weak(dimension: usize, eta: f64) -> Result<()> {
    let expected = "at least 2";
    Error::unless(dimension >= 2, "dimension", dimension, expected)?;
    let sane = eta.is_finite() && eta > 0.0;
    Error::unless(sane, "eta", eta, "a finite number above 0")
}

pub(super) fn check_radius(epsilon: f64) -> Result<()> {
    let sane = epsilon.is_finite() && epsilon >= 0.0;
    Error::unless(sane, "epsilon", epsilon, "a finite number, 0 or more")
}

pub(super) fn check_weight(weight: f64) -> Result<()> {
    let sane = (0.0..=1.0).contains(&weight);
    Error::unless(sane, "weight", weight, "a number in [0, 1]")
}

/// What the bound at radius 2η, `at_full`, leaves at another radius, where the means of `features`
/// features with unit variance are off by `off` each.
///
/// The most powerful test between two normal distributions whose means are a distance δ apart accepts
/// with probabilities b and Φ(Φ⁻¹(b) + δ). That is concave in b, so that it also holds on average over
/// shifts and strong features.
pub(super) fn between(at_full: f64, features: usize, off: f64) -> f64 {
    let at_full = at_full.clamp(0.0, 1.0);
    match off == 0.0 {
        true => at_full,
        false => normal::cdf(normal::quantile(at_full) + (features as f64).sqrt() * off.abs()),
    }
}

pub(super) fn assert_meant(spatial: f64, epsilon: f64) {
    assert!((0.0..=1.0).contains(&spatial), "S = {spatial}");
    assert!(epsilon.is_finite() && epsilon >= 0.0, "ε = {epsilon}");
}

/// ln(eᵃ + eᵇ + …), −∞ of none.
pub(super) fn log_sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    match most.is_finite() {
        true => most + logs.map(|log| (log - most).exp()).sum::<f64>().ln(),
        false => most,
    }
}
