use super::rule::Rule;
use super::setting::check_radius;
use super::{Accuracies, Setting, normal};
use crate::base::{Error, Result};

/// The sign of a weighted sum of the features.
///
/// ```
/// use fireproof::theory::{Linear, Rule};
///
/// assert!(Linear::coordinate(3, 0).score(&[0.5, -2.0, -2.0]) > 0.0);
/// assert!(Linear::mean(3).score(&[0.5, -2.0, -2.0]) < 0.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// One weight for each feature.
    pub weights: Vec<f64>,
    /// What is added to the sum.
    pub bias: f64,
}

impl Linear {
    /// The sign of the sum with these weights, and nothing added.
    pub fn new(weights: impl Into<Vec<f64>>) -> Self {
        Self {
            weights: weights.into(),
            bias: 0.0,
        }
    }

    /// The same with this number added to the sum.
    pub fn with_bias(mut self, bias: f64) -> Self {
        self.bias = bias;
        self
    }

    /// The sign of the feature at this place, of `dimension`: at place 0 the strong one, before any
    /// shift.
    ///
    /// # Panics
    ///
    /// Panics if there is no such place.
    pub fn coordinate(dimension: usize, place: usize) -> Self {
        let mut weights = vec![0.0; dimension];
        weights[place] = 1.0;
        Self::new(weights)
    }

    /// The sign of the mean, which no shift changes.
    pub fn mean(dimension: usize) -> Self {
        Self::new(vec![1.0; dimension])
    }

    /// Refuses weights that are not one finite number for each feature.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`].
    pub fn check(&self, dimension: usize) -> Result<()> {
        let (count, bias) = (self.weights.len(), self.bias);
        let expected = format_args!("one for each of {dimension} features");
        Error::unless(count == dimension, "linear rule: weights", count, expected)?;
        let wrong = self.weights.iter().find(|weight| !weight.is_finite());
        if let Some(weight) = wrong {
            return Err(Error::setting(
                "linear rule: weight",
                weight,
                "a finite number",
            ));
        }
        let sane = bias.is_finite();
        Error::unless(sane, "linear rule: bias", bias, "a finite number")
    }
}

impl Rule for Linear {
    fn score(&self, features: &[f64]) -> f64 {
        let products = self.weights.iter().zip(features).map(|(w, x)| w * x);
        products.sum::<f64>() + self.bias
    }
}

/// What a linear rule sees of a point whose strong feature is at one place.
pub(super) struct Seen {
    /// The weight of the strong feature.
    pub strong: f64,
    /// The sum of the other weights.
    pub others: f64,
    /// The sum of the squares of the other weights.
    pub others_squared: f64,
}

/// The accuracies of a linear rule on points of this setting, attacked by this radius.
/// `right(seen, mean, bias)` is the probability, if the weak features' mean is `mean`, that the weighted
/// sum and `bias` are together above 0 for a point of class +1.
///
/// # Errors
///
/// Those of [`Setting::linear`].
pub(super) fn accuracies(
    setting: &dyn Setting,
    rule: &Linear,
    epsilon: f64,
    right: impl Fn(&Seen, f64, f64) -> f64,
) -> Result<Accuracies> {
    check(setting, rule, epsilon)?;
    let mean = setting.eta();
    let places = places(&rule.weights);
    // Class −1 is class +1 mirrored, with the bias against it.
    let at = |place: &Seen, mean: f64| {
        0.5 * (right(place, mean, rule.bias) + right(place, mean, -rule.bias))
    };
    let shifted = |mean: f64| {
        let each = places.iter().map(|place| at(place, mean));
        each.sum::<f64>() / places.len() as f64
    };
    Ok(Accuracies {
        natural: at(&places[0], mean),
        spatial: shifted(mean),
        in_place: at(&places[0], mean - epsilon),
        adversarial: shifted(mean - epsilon),
    })
}

/// The accuracy of a linear rule on randomly shifted points against everything in the L∞ ball: the
/// worst that can happen to the weighted sum is ε times the sum of the weights' magnitudes. `right` is that
/// of [`accuracies`].
///
/// # Errors
///
/// Those of [`Setting::linear`].
pub(super) fn worst_case(
    setting: &dyn Setting,
    rule: &Linear,
    epsilon: f64,
    right: impl Fn(&Seen, f64, f64) -> f64,
) -> Result<f64> {
    check(setting, rule, epsilon)?;
    let mean = setting.eta();
    let most = epsilon * rule.weights.iter().map(|weight| weight.abs()).sum::<f64>();
    let places = places(&rule.weights);
    let at = |place: &Seen| {
        let biased = |bias: f64| right(place, mean, bias - most);
        0.5 * (biased(rule.bias) + biased(-rule.bias))
    };
    Ok(places.iter().map(at).sum::<f64>() / places.len() as f64)
}

fn check(setting: &dyn Setting, rule: &Linear, epsilon: f64) -> Result<()> {
    setting.check()?;
    rule.check(setting.dimension())?;
    check_radius(epsilon)
}

/// The probability of more than 0 under a normal distribution, or of its mean if it has no width.
pub(super) fn above(mean: f64, variance: f64) -> f64 {
    match variance > 0.0 {
        true => normal::cdf(mean / variance.sqrt()),
        false => f64::from(u8::from(mean > 0.0)),
    }
}

fn places(weights: &[f64]) -> Vec<Seen> {
    // Sums from either end: a difference of sums would lose small weights beside a large one.
    let sums = |weights: &mut dyn Iterator<Item = &f64>| {
        let mut sums = vec![(0.0, 0.0)];
        for weight in weights {
            let (sum, squares) = sums[sums.len() - 1];
            sums.push((sum + weight, squares + weight * weight));
        }
        sums
    };
    let (before, after) = (sums(&mut weights.iter()), sums(&mut weights.iter().rev()));
    let place = |(at, &strong): (usize, &f64)| {
        let (before, after) = (before[at], after[weights.len() - 1 - at]);
        Seen {
            strong,
            others: before.0 + after.0,
            others_squared: before.1 + after.1,
        }
    };
    weights.iter().enumerate().map(place).collect()
}
