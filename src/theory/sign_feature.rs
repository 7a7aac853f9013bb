use super::detector::{Split, split};
use super::linear::{self, Linear, Seen, above};
use super::rule::Optimal;
use super::setting::{assert_meant, between, check_radius, check_weak, check_weight, log_sum};
use super::{Accuracies, Detector, Point, Setting, normal};
use crate::base::{Draws, Error, Result};
use derive_more::Display;
use serde::{Deserialize, Serialize};

/// Setting A: one feature says the class outright, and is right with probability p; all others hint at
/// it.
///
/// Y is +1 or −1 with equal probability; X₀ = Y with probability p and else −Y; Xₜ = ηY + noise of the
/// standard normal distribution for t = 1 … d−1, all independent. The attack leaves X₀ alone and moves
/// every other feature by ε against Y.
///
/// Of every classifier, at ε = 2η: R ≤ p/(1−p)·(1−S), S ≤ p/(1−p)·(1−R), hence S + R ≤ 2p. Proofs, where
/// they are tight, and other radii: `docs/theory.md`, theorem A.
///
/// ```
/// use fireproof::theory::{Detector, Setting, SignFeature};
///
/// let setting = SignFeature::new(100, 0.95, 0.2)?;
/// assert!((setting.bound(0.95, 0.4) - 0.95).abs() < 1e-12);
/// // Who finds the coordinate that is exactly ±1 meets the bound.
/// let found = setting.of_detector(&Detector::exact(), 0.4)?;
/// assert_eq!((found.spatial, found.adversarial), (0.95, 0.95));
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Display, PartialEq, Serialize, Deserialize)]
#[display("sign feature, d = {dimension}, p = {correlation}, η = {eta}")]
#[serde(deny_unknown_fields)]
pub struct SignFeature {
    /// The number d of features.
    pub dimension: usize,
    /// The probability p that the strong feature is right, in `[1/2, 1)`.
    pub correlation: f64,
    /// The mean η of a weak feature of class +1, above 0.
    pub eta: f64,
}

impl SignFeature {
    /// The setting of these parameters.
    ///
    /// # Errors
    ///
    /// As [`check`](Setting::check).
    pub fn new(dimension: usize, correlation: f64, eta: f64) -> Result<Self> {
        let setting = Self {
            dimension,
            correlation,
            eta,
        };
        setting.check()?;
        Ok(setting)
    }

    /// The accuracies of a detector in closed form.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a setting, a detector or a radius that makes no sense.
    pub fn of_detector(&self, rule: &Detector, epsilon: f64) -> Result<Accuracies> {
        self.check()?;
        rule.check()?;
        check_radius(epsilon)?;
        let (p, trust) = (self.correlation, rule.trust);
        let right =
            |mean: f64| p * normal::cdf(mean + trust) + (1.0 - p) * normal::cdf(mean - trust);
        let of = |eta: f64| match trust == f64::INFINITY {
            true => p,
            false => right(self.separation(eta)),
        };
        Ok(Accuracies::invariant(of(self.eta), of(self.eta - epsilon)))
    }

    /// The detector with the highest accuracy on points as they are: of all classifiers too.
    ///
    /// # Errors
    ///
    /// As [`check`](Setting::check).
    pub fn bayes(&self) -> Result<Detector> {
        self.check()?;
        let (p, separation) = (self.correlation, self.separation(self.eta));
        Ok(Detector::trusting(
            (p / (1.0 - p)).ln() / (2.0 * separation),
        ))
    }

    /// The pairs `[S, R]` at ε = 2η that no classifier exceeds in both, and that detectors have: `count`
    /// of them from the highest S down to S = R = p.
    ///
    /// From there on they go down again with S and R in each other's place, which is of no use to anyone
    /// who wants S.
    ///
    /// # Errors
    ///
    /// As [`check`](Setting::check).
    pub fn frontier(&self, count: usize) -> Result<Vec<[f64; 2]>> {
        let least = self.bayes()?.trust;
        let pair = |at: usize| {
            let part = at as f64 / (count.max(2) - 1) as f64;
            // Evenly from the least trust to infinity.
            let trust = least + 4.0 * part / (1.0 - part);
            let found = self.of_detector(&Detector::trusting(trust), 2.0 * self.eta)?;
            Ok([found.spatial, found.adversarial])
        };
        (0..count).map(pair).collect()
    }

    // The mean, in units of its deviation, of the mean of the weak features of class +1 whose means are
    // `eta`.
    fn separation(&self, eta: f64) -> f64 {
        eta * ((self.dimension - 1) as f64).sqrt()
    }

    fn right(&self, seen: &Seen, mean: f64, bias: f64) -> f64 {
        let p = self.correlation;
        let strong = |sign: f64| {
            let mean = sign * seen.strong + mean * seen.others + bias;
            above(mean, seen.others_squared)
        };
        p * strong(1.0) + (1.0 - p) * strong(-1.0)
    }
}

impl Setting for SignFeature {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn eta(&self) -> f64 {
        self.eta
    }

    /// # Errors
    ///
    /// [`Error::Setting`] unless there are at least 2 features, p is in `[1/2, 1)` and η a finite number
    /// above 0.
    fn check(&self) -> Result<()> {
        check_weak(self.dimension, self.eta)?;
        let p = self.correlation;
        let sane = (0.5..1.0).contains(&p);
        Error::unless(sane, "correlation", p, "a number in [1/2, 1)")
    }

    fn draw(&self, draws: &mut Draws) -> Point {
        let positive = draws.chance(0.5);
        let sign = if positive { 1.0 } else { -1.0 };
        let strong = match draws.chance(self.correlation) {
            true => sign,
            false => -sign,
        };
        let weak = (1..self.dimension).map(|_| self.eta * sign + draws.normal());
        Point {
            features: [strong].into_iter().chain(weak).collect(),
            positive,
        }
    }

    fn attacked(&self, point: &Point, epsilon: f64) -> Point {
        let mut attacked = point.clone();
        let step = epsilon * point.sign();
        attacked.features[1..].iter_mut().for_each(|x| *x -= step);
        attacked
    }

    fn bound(&self, spatial: f64, epsilon: f64) -> f64 {
        assert_meant(spatial, epsilon);
        let odds = self.correlation / (1.0 - self.correlation);
        // Either is the other with S and R in each other's place; they meet where both are p.
        let at_full = match spatial >= self.correlation {
            true => odds * (1.0 - spatial),
            false => 1.0 - spatial / odds,
        };
        between(at_full, self.dimension - 1, 2.0 * self.eta - epsilon)
    }

    fn linear(&self, rule: &Linear, epsilon: f64) -> Result<Accuracies> {
        linear::accuracies(self, rule, epsilon, |seen, mean, bias| {
            self.right(seen, mean, bias)
        })
    }

    fn linear_worst_case(&self, rule: &Linear, epsilon: f64) -> Result<f64> {
        linear::worst_case(self, rule, epsilon, |seen, mean, bias| {
            self.right(seen, mean, bias)
        })
    }

    fn optimal(&self, weight: f64, epsilon: f64) -> Result<Optimal> {
        self.check()?;
        check_weight(weight)?;
        check_radius(epsilon)?;
        let p = self.correlation;
        let clean = self.separation(self.eta);
        let attacked = self.separation(self.eta - epsilon);
        let score = move |features: &[f64]| {
            let Some(Split { strong, others }) = split(features) else {
                return 0.0;
            };
            let agreement = strong * others;
            // ln of weight × probability × density of the others' mean, if it is around `mean`.
            let log = |weight: f64, mean: f64| weight.ln() + mean * agreement - 0.5 * mean * mean;
            let right = [log(weight * p, clean), log((1.0 - weight) * p, attacked)];
            let wrong = [
                log(weight * (1.0 - p), -clean),
                log((1.0 - weight) * (1.0 - p), -attacked),
            ];
            strong * (log_sum(right.into_iter()) - log_sum(wrong.into_iter()))
        };
        Ok(Optimal::new(
            format!("{self}, {weight}, ε = {epsilon}"),
            score,
        ))
    }
}
