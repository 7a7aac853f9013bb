use crate::base::statistics::{Interval, clustered, wilson};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A proportion of images with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// The proportion, from 0 to 1.
    pub value: f64,
    /// Its 95 % confidence interval.
    pub interval: Interval,
    /// The number of images measured.
    pub count: usize,
}

impl Rate {
    /// The share of `successes` among `count` images, with Wilson's interval.
    ///
    /// # Panics
    ///
    /// Panics if there is no image, or more successes than images.
    pub fn of(successes: usize, count: usize) -> Self {
        Self {
            value: successes as f64 / count as f64,
            interval: wilson(successes, count),
            count,
        }
    }

    /// The mean of `flags`, which hold `draws` outcomes of each image side by side, with the
    /// interval [`clustered`] by image: the outcomes of one image are not independent.
    ///
    /// # Panics
    ///
    /// Panics if there is no outcome, or not the same number of each image.
    pub fn of_draws(flags: &[bool], draws: usize) -> Self {
        assert!(
            draws > 0 && !flags.is_empty() && flags.len().is_multiple_of(draws),
            "{} outcomes in {draws} draws per image",
            flags.len()
        );
        let right = |flags: &[bool]| flags.iter().filter(|&&f| f).count();
        if draws == 1 {
            return Self::of(right(flags), flags.len());
        }
        let images = flags.chunks(draws);
        let per_image: Vec<f64> = images.map(|i| right(i) as f64 / draws as f64).collect();
        Self {
            value: right(flags) as f64 / flags.len() as f64,
            interval: clustered(&per_image, draws),
            count: per_image.len(),
        }
    }
}

/// As percentages: `97.0 % (95.7–97.9)`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high } = self.interval;
        let [value, low, high] = [self.value, low, high].map(|share| 100.0 * share);
        write!(f, "{value:.1} % ({low:.1}–{high:.1})")
    }
}
