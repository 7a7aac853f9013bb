use super::linear::{self, Linear, Seen, above};
use super::rule::Optimal;
use super::setting::{assert_meant, between, check_radius, check_weak, check_weight, log_sum};
use super::{Accuracies, Point, Setting};
use crate::base::{Draws, Error, Result};
use derive_more::Display;
use serde::{Deserialize, Serialize};

/// Setting B: one feature is a stronger hint at the class than all others, and can be told from them by
/// nothing else.
///
/// Y is +1 or −1 with equal probability; X₀ = κY + noise, Xₜ = ηY + noise for t = 1 … d−1, the noise
/// independent and standard normal. The attack moves every feature by ε against Y.
///
/// Of every classifier, at ε = 2η: S + R ≤ 1 + √(sinh((κ−η)²)/d) ≤ 1 + τ with τ = √((exp((κ−η)²)−1)/d).
/// Proofs, where they are tight, and other radii: `docs/theory.md`, theorem B.
///
/// ```
/// use fireproof::theory::{GaussianFeature, Linear, Setting};
///
/// let setting = GaussianFeature::new(1000, 1.0, 0.06)?;
/// let mean = setting.linear(&Linear::mean(1000), 0.12)?;
/// assert!(mean.spatial > 0.97 && mean.adversarial < 0.04);
/// assert!(mean.spatial + mean.adversarial <= 1.0 + setting.tau());
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Display, PartialEq, Serialize, Deserialize)]
#[display("Gaussian feature, d = {dimension}, κ = {kappa}, η = {eta}")]
#[serde(deny_unknown_fields)]
pub struct GaussianFeature {
    /// The number d of features.
    pub dimension: usize,
    /// The mean κ of the strong feature of class +1.
    pub kappa: f64,
    /// The mean η of a weak feature of class +1, above 0.
    pub eta: f64,
}

impl GaussianFeature {
    /// The setting of these parameters.
    ///
    /// # Errors
    ///
    /// As [`check`](Setting::check).
    pub fn new(dimension: usize, kappa: f64, eta: f64) -> Result<Self> {
        let setting = Self {
            dimension,
            kappa,
            eta,
        };
        setting.check()?;
        Ok(setting)
    }

    /// τ = √((exp((κ−η)²)−1)/d): S + R ≤ 1 + τ at ε = 2η, by the distance of a shifted point from one
    /// without a strong feature.
    pub fn tau(&self) -> f64 {
        (self.gap().powi(2).exp_m1() / self.dimension as f64).sqrt()
    }

    /// √(sinh((κ−η)²)/d), never above [`tau`](Self::tau): S + R ≤ 1 + this at ε = 2η, by the distance of
    /// a shifted point from an attacked and shifted one of the other class.
    pub fn sharper(&self) -> f64 {
        (self.gap().powi(2).sinh() / self.dimension as f64).sqrt()
    }

    // How much the strong feature stands out.
    fn gap(&self) -> f64 {
        self.kappa - self.eta
    }

    fn right(&self, seen: &Seen, mean: f64, bias: f64) -> f64 {
        let strong = (self.gap() + mean) * seen.strong;
        let variance = seen.strong * seen.strong + seen.others_squared;
        above(strong + mean * seen.others + bias, variance)
    }
}

impl Setting for GaussianFeature {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn eta(&self) -> f64 {
        self.eta
    }

    /// # Errors
    ///
    /// [`Error::Setting`] unless there are at least 2 features, κ is a finite number and η a finite
    /// number above 0.
    fn check(&self) -> Result<()> {
        check_weak(self.dimension, self.eta)?;
        let sane = self.kappa.is_finite();
        Error::unless(sane, "kappa", self.kappa, "a finite number")
    }

    fn draw(&self, draws: &mut Draws) -> Point {
        let positive = draws.chance(0.5);
        let sign = if positive { 1.0 } else { -1.0 };
        let mean = |at: usize| if at == 0 { self.kappa } else { self.eta };
        let features = (0..self.dimension).map(|at| mean(at) * sign + draws.normal());
        Point {
            features: features.collect(),
            positive,
        }
    }

    fn attacked(&self, point: &Point, epsilon: f64) -> Point {
        let step = epsilon * point.sign();
        Point {
            features: point.features.iter().map(|x| x - step).collect(),
            positive: point.positive,
        }
    }

    fn bound(&self, spatial: f64, epsilon: f64) -> f64 {
        assert_meant(spatial, epsilon);
        let at_full = 1.0 - spatial + self.sharper();
        between(at_full, self.dimension, 2.0 * self.eta - epsilon)
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
        let (d, gap) = (self.dimension as f64, self.gap());
        let means = [(weight, self.eta), (1.0 - weight, self.eta - epsilon)];
        let score = move |features: &[f64]| {
            let sum: f64 = features.iter().sum();
            // Which feature is the strong one is not known: a sum over all of them.
            let stands_out = |gap: f64| log_sum(features.iter().map(move |x| gap * x));
            let stands_out = [stands_out(gap), stands_out(-gap)];
            // ln of weight × density, but for what both classes have in common.
            let class = |sign: f64, stands_out: f64| {
                log_sum(means.into_iter().map(move |(weight, mean)| {
                    weight.ln() + sign * mean * sum - 0.5 * d * mean * mean + stands_out
                        - gap * mean
                }))
            };
            class(1.0, stands_out[0]) - class(-1.0, stands_out[1])
        };
        Ok(Optimal::new(
            format!("{self}, {weight}, ε = {epsilon}"),
            score,
        ))
    }
}
