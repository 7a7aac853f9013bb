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
        let count = flags.len() / draws;
        let successes = flags.iter().filter(|&&f| f).count();
        if draws == 1 || successes == 0 || successes == flags.len() {
            return Self::of(successes / draws, count);
        }
        let per_image: Vec<f64> = flags
            .chunks(draws)
            .map(|image| image.iter().filter(|&&f| f).count() as f64 / draws as f64)
            .collect();
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
        write!(
            f,
            "{:.1} % ({:.1}–{:.1})",
            100.0 * self.value,
            100.0 * self.interval.low,
            100.0 * self.interval.high
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Oracle: by hand; three images with 2, 1 and 0 of 2 draws right.
    #[test]
    fn value_draws_of_one_image_are_one_cluster() {
        let flags = [true, true, true, false, false, false];
        let rate = Rate::of_draws(&flags, 2, 500, Seed(3));
        assert_eq!((rate.value, rate.count), (0.5, 3));
        assert_eq!(
            rate.interval,
            clustered_bootstrap(&[1.0, 0.5, 0.0], 500, Seed(3))
        );
        // Counted as six independent trials the interval would be too narrow.
        let naive = wilson(3, 6);
        assert!(rate.interval.high - rate.interval.low > naive.high - naive.low);
    }

    #[test]
    fn value_unanimous_draws_do_not_claim_certainty() {
        let rate = Rate::of_draws(&[true; 40], 4, 100, Seed(0));
        assert_eq!(rate, Rate::of(10, 10));
        assert!(rate.interval.low < 0.8);
    }
}
