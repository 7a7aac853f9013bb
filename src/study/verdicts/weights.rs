use crate::base::{Error, Result};

/// How the means of several trainings are combined into one number, which is 0 if they do not differ
/// in the way that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights(Vec<f64>);

impl Weights {
    /// The first training minus the second.
    pub fn difference() -> Self {
        Self(vec![1.0, -1.0])
    }

    /// The change along the least-squares line over all levels of a factor, from its lowest level to its
    /// highest one. What trainings lie at are values, or, if only their order counts, 0, 1, 2 and so on.
    ///
    /// ```
    /// use fireproof::study::verdicts::Weights;
    ///
    /// // Two levels: the difference.
    /// assert_eq!(Weights::trend(&[0.0, 0.3])?.as_slice(), [-1.0, 1.0]);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] unless there are two different levels, all of them finite.
    pub fn trend(levels: &[f64]) -> Result<Self> {
        let [low, high] = [f64::INFINITY, f64::NEG_INFINITY];
        let low = levels.iter().copied().fold(low, f64::min);
        let high = levels.iter().copied().fold(high, f64::max);
        Error::unless(
            low < high && levels.iter().all(|level| level.is_finite()),
            "levels of a trend",
            format!("{levels:?}"),
            "at least two different finite numbers",
        )?;
        let mean = levels.iter().sum::<f64>() / levels.len() as f64;
        let square: f64 = levels.iter().map(|level| (level - mean).powi(2)).sum();
        let weight = |level: &f64| (high - low) * (level - mean) / square;
        Ok(Self(levels.iter().map(weight).collect()))
    }

    /// Of two factors with two levels each, how much more the second one changes where the first one is
    /// high than where it is low: of trainings in the order neither, second, first, both.
    pub fn interaction() -> Self {
        Self(vec![1.0, -1.0, -1.0, 1.0])
    }

    /// How much more the trend over `levels` is where a factor is high than where it is low: of
    /// the trainings where it is low in the order of the levels, then those where it is high.
    ///
    /// # Errors
    ///
    /// As of [`trend`](Self::trend).
    pub fn trends_apart(levels: &[f64]) -> Result<Self> {
        let Self(high) = Self::trend(levels)?;
        let low = high.iter().map(|weight| -weight);
        Ok(Self(low.chain(high.iter().copied()).collect()))
    }

    /// Weights of one's own.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] unless they are finite, of both signs, and sum up to 0.
    pub fn new(weights: impl Into<Vec<f64>>) -> Result<Self> {
        let weights = weights.into();
        let sum: f64 = weights.iter().sum();
        let size: f64 = weights.iter().map(|weight| weight.abs()).sum();
        Error::unless(
            size > 0.0 && size.is_finite() && sum.abs() <= 1e-9 * size,
            "weights of a contrast",
            format!("{weights:?}"),
            "finite numbers that are not all 0 and sum up to 0",
        )?;
        Ok(Self(weights))
    }

    /// The weight of each training.
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    /// How large the combination is on an image where it is not 0, if that is rare: relative to the
    /// difference of two.
    pub(super) fn scale(&self) -> f64 {
        (self.0.iter().map(|weight| weight * weight).sum::<f64>() / 2.0).sqrt()
    }
}
