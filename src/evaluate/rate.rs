use crate::base::Seed;
use crate::base::statistics::{Interval, clustered_bootstrap, wilson};
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

    /// The mean of `flags`, which hold `draws` outcomes of each image side by side.
    ///
    /// One draw: Wilson's interval. Several: the outcomes of one image are not independent, so
    /// the interval is a percentile bootstrap over images. Where every outcome is the same, a
    /// bootstrap would claim certainty; the interval is then Wilson's over the images.
    ///
    /// # Panics
    ///
    /// Panics if there is no outcome, or not the same number of each image.
    pub fn of_draws(flags: &[bool], draws: usize, resamples: usize, seed: Seed) -> Self {
        assert!(
            draws > 0 && !flags.is_empty() && flags.len().is_multiple_of(draws),
            "{} outcomes in {draws} draws per image",
            flags.len()
        );
        let right = |flags: &[bool]| flags.iter().filter(|&&f| f).count();
        let (successes, count) = (right(flags), flags.len() / draws);
        if draws == 1 || successes == 0 || successes == flags.len() {
            return Self::of(successes / draws, count);
        }
        let share = |image| right(image) as f64 / draws as f64;
        let per_image: Vec<f64> = flags.chunks(draws).map(share).collect();
        Self {
            value: successes as f64 / flags.len() as f64,
            interval: clustered_bootstrap(&per_image, resamples, seed),
            count,
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
