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
        let rate = Rate::of_draws(&flags, 2);
        assert_eq!((rate.value, rate.count), (0.5, 3));
        assert_eq!(rate.interval, clustered(&[1.0, 0.5, 0.0], 2));
        // Counted as six independent trials the interval would be too narrow.
        let (naive, width) = (wilson(3, 6), |i: Interval| i.high - i.low);
        assert!(width(rate.interval) > width(naive));
    }

    #[test]
    fn value_unanimous_draws_do_not_claim_certainty() {
        let rate = Rate::of_draws(&[true; 40], 4);
        assert_eq!(rate, Rate::of(10, 10));
        assert!(rate.interval.low < 0.8);
    }
}
