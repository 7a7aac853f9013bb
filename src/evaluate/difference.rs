use crate::base::statistics::{Interval, paired};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A difference of two rates on the same images with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The difference, from -1 to 1.
    pub value: f64,
    /// Its 95 % confidence interval, [`paired`] by image.
    pub interval: Interval,
    /// The number of images measured.
    pub count: usize,
}

impl Difference {
    /// The mean of differences, one for each image, from -1 to 1.
    ///
    /// ```
    /// use fireproof::evaluate::Difference;
    ///
    /// let lost = Difference::of(&[1.0, 0.0, 0.0, 0.0, -1.0, 1.0, 0.0, 0.0]);
    /// assert_eq!(lost.value, 0.125);
    /// assert!(lost.interval.contains(0.0));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is no image.
    pub fn of(per_image: &[f64]) -> Self {
        Self {
            value: per_image.iter().sum::<f64>() / per_image.len() as f64,
            interval: paired(per_image),
            count: per_image.len(),
        }
    }

    /// No difference, because the two are one measurement.
    pub(super) fn none(count: usize) -> Self {
        Self {
            value: 0.0,
            interval: Interval {
                low: 0.0,
                high: 0.0,
            },
            count,
        }
    }
}

/// In points: `+1.2 (-0.3 to +2.7)`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high } = self.interval;
        let [value, low, high] = [self.value, low, high].map(|share| 100.0 * share);
        write!(f, "{value:+.1} ({low:+.1} to {high:+.1})")
    }
}
