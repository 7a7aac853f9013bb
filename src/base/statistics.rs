//! Intervals and tests for proportions measured on images.
//!
//! One random draw per image makes the images independent: [`wilson`]. Several draws of the same
//! image are not independent of each other: [`clustered_bootstrap`]. Two models on the same
//! images: [`mcnemar`], with [`holm`] over a family of such tests.

use crate::base::{Purpose, Seed};
use serde::{Deserialize, Serialize};

/// A two-sided confidence interval: of a proportion, within `[0, 1]`, or of a difference of two,
/// within `[-1, 1]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether the interval holds this value.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

// The 0.975 quantile of the standard normal distribution.
const Z95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % score interval of `successes` in `count` independent trials.
///
/// (E. B. Wilson 1927, "Probable inference, the law of succession, and statistical inference".)
///
/// ```
/// use fireproof::base::statistics::wilson;
///
/// let interval = wilson(970, 1000);
/// assert!((interval.low - 0.9575).abs() < 1e-4 && (interval.high - 0.9789).abs() < 1e-4);
/// assert_eq!(wilson(0, 10).low, 0.0);
/// ```
///
/// # Panics
///
/// Panics if there are no trials, or more successes than trials.
pub fn wilson(successes: usize, count: usize) -> Interval {
    assert!(
        count > 0 && successes <= count,
        "{successes} successes in {count} trials"
    );
    let (n, p, z2) = (count as f64, successes as f64 / count as f64, Z95 * Z95);
    let centre = p + z2 / (2.0 * n);
    let half = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // At the ends the formula gives exactly 0 or 1 but for rounding.
    Interval {
        low: if successes == 0 {
            0.0
        } else {
            (centre - half) / scale
        },
        high: if successes == count {
            1.0
        } else {
            (centre + half) / scale
        },
    }
}

/// A 95 % percentile-bootstrap interval of the mean over images, resampling whole images.
///
/// `per_image` holds one mean per image over that image's draws.
///
/// # Panics
///
/// Panics if there is no image or no resample.
pub fn clustered_bootstrap(per_image: &[f64], resamples: usize, seed: Seed) -> Interval {
    assert!(
        !per_image.is_empty() && resamples > 0,
        "{} images, {resamples} resamples",
        per_image.len()
    );
    let count = per_image.len() as u64;
    let mut means: Vec<f64> = (0..resamples as u64)
        .map(|resample| {
            let mut draws = seed.draws(Purpose::Bootstrap, resample, 0);
            let sum: f64 = (0..count)
                .map(|_| per_image[draws.below(count) as usize])
                .sum();
            sum / count as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let quantile = |q: f64| means[((q * resamples as f64) as usize).min(resamples - 1)];
    Interval {
        low: quantile(0.025),
        high: quantile(0.975),
    }
}

/// McNemar's exact two-sided test: the probability, if two models were equally good, of a split
/// at least as uneven as `only_first` images that only the first model gets right against
/// `only_second` that only the second does.
///
/// ```
/// use fireproof::base::statistics::mcnemar;
///
/// assert_eq!(mcnemar(0, 0), 1.0);
/// assert!((mcnemar(1, 9) - 22.0 / 1024.0).abs() < 1e-12);
/// ```
pub fn mcnemar(only_first: usize, only_second: usize) -> f64 {
    let (count, fewer) = (only_first + only_second, only_first.min(only_second));
    // Sum of C(count, k) / 2^count for k up to `fewer`, in logarithms: 2^-count underflows.
    let mut log_term = -(count as f64) * std::f64::consts::LN_2;
    let mut tail = log_term.exp();
    for k in 1..=fewer {
        log_term += ((count - k + 1) as f64 / k as f64).ln();
        tail += log_term.exp();
    }
    (2.0 * tail).min(1.0)
}

/// Holm's step-down adjustment: p-values that may each be held against the level wanted for the
/// whole family. (S. Holm 1979.)
///
/// ```
/// use fireproof::base::statistics::holm;
///
/// assert_eq!(holm(&[0.01, 0.04, 0.03]), vec![0.03, 0.06, 0.06]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, &at) in order.iter().enumerate() {
        let scaled = (p_values.len() - rank) as f64 * p_values[at];
        largest = largest.max(scaled.min(1.0));
        adjusted[at] = largest;
    }
    adjusted
}
