use std::fmt;

/// A classifier of the setting's points: this module's, a user's own, or a closure of the features.
///
/// ```
/// use fireproof::theory::Rule;
///
/// let first = |features: &[f64]| features[0];
/// assert!(first.is_right(&[-0.3, 7.0], false));
/// assert!(!first.is_right(&[f64::NAN, 7.0], true));
/// ```
pub trait Rule: Send + Sync {
    /// A number above 0 where the rule says +1, and below 0 where it says −1. Where it is 0 or not a
    /// number, the rule says neither, and is wrong.
    fn score(&self, features: &[f64]) -> f64;

    /// The scores of several points: for rules that are faster at many points together.
    fn scores(&self, points: &[&[f64]]) -> Vec<f64> {
        points.iter().map(|features| self.score(features)).collect()
    }

    /// Whether the rule says the class, +1 if `positive` and else −1.
    fn is_right(&self, features: &[f64], positive: bool) -> bool {
        says(self.score(features), positive)
    }
}

impl<F: Fn(&[f64]) -> f64 + Send + Sync> Rule for F {
    fn score(&self, features: &[f64]) -> f64 {
        self(features)
    }
}

/// Whether a score says this class.
pub(super) fn says(score: f64, positive: bool) -> bool {
    match positive {
        true => score > 0.0,
        false => score < 0.0,
    }
}

/// A rule made by a setting, of which one knows no more than what it is best at.
pub struct Optimal {
    name: String,
    rule: Box<dyn Rule>,
}

impl Optimal {
    pub(super) fn new(name: String, rule: impl Rule + 'static) -> Self {
        Self {
            name,
            rule: Box::new(rule),
        }
    }
}

impl Rule for Optimal {
    fn score(&self, features: &[f64]) -> f64 {
        self.rule.score(features)
    }
}

impl fmt::Debug for Optimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Optimal({})", self.name)
    }
}
