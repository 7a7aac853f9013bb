use crate::base::statistics::Interval;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A mean over images of a number that need not be a share, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Its 95 % confidence interval: Student's, by image.
    pub interval: Interval,
    /// The number of images measured.
    pub count: usize,
}

impl Mean {
    /// The mean of one number for each image, with Student's interval ("Student" 1908, "The probable
    /// error of a mean"); none for fewer than two images, which tell nothing of how they vary.
    ///
    /// Where each image has several numbers, which are not independent, it has their mean here.
    ///
    /// ```
    /// use fireproof::evaluate::Mean;
    ///
    /// let mean = Mean::of(&[1.0, 2.0, 3.0]).unwrap();
    /// assert_eq!(mean.value, 2.0);
    /// // 4.3027 · 1/√3 on either side.
    /// assert!((mean.interval.high - 4.4841).abs() < 1e-4);
    /// assert!(Mean::of(&[1.0]).is_none());
    /// ```
    pub fn of(per_image: &[f64]) -> Option<Self> {
        let count = per_image.len();
        if count < 2 {
            return None;
        }
        let n = count as f64;
        let value = per_image.iter().sum::<f64>() / n;
        let squares: f64 = per_image.iter().map(|x| (x - value).powi(2)).sum();
        let half = t_quantile(count - 1) * (squares / (n - 1.0) / n).sqrt();
        Some(Self {
            value,
            interval: Interval {
                low: value - half,
                high: value + half,
            },
            count,
        })
    }
}

// The 0.975 quantile of Student's distribution.
fn t_quantile(freedom: usize) -> f64 {
    const FEW: [f64; 10] = [
        12.706_204_736,
        4.302_652_730,
        3.182_446_305,
        2.776_445_105,
        2.570_581_836,
        2.446_911_851,
        2.364_624_252,
        2.306_004_135,
        2.262_157_163,
        2.228_138_852,
    ];
    if let Some(quantile) = FEW.get(freedom - 1) {
        return *quantile;
    }
    // R. A. Fisher and E. A. Cornish 1960, "The percentile points of distributions having known
    // cumulants": the normal quantile and five corrections.
    let z: f64 = 1.959_963_984_540_054;
    let (n, power) = (freedom as f64, |k: i32| z.powi(k));
    z + (power(3) + z) / (4.0 * n)
        + (5.0 * power(5) + 16.0 * power(3) + 3.0 * z) / (96.0 * n.powi(2))
        + (3.0 * power(7) + 19.0 * power(5) + 17.0 * power(3) - 15.0 * z) / (384.0 * n.powi(3))
        + (79.0 * power(9) + 776.0 * power(7) + 1482.0 * power(5) - 1920.0 * power(3) - 945.0 * z)
            / (92_160.0 * n.powi(4))
        + (27.0 * power(11) + 339.0 * power(9) + 930.0 * power(7)
            - 1782.0 * power(5)
            - 765.0 * power(3)
            + 17_955.0 * z)
            / (368_640.0 * n.powi(5))
}

/// To four digits: `0.3127 (0.2987–0.3267)`.
impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high } = self.interval;
        let [value, low, high] = [self.value, low, high].map(digits);
        let between = if low.starts_with('-') || high.starts_with('-') {
            " to "
        } else {
            "–"
        };
        write!(f, "{value} ({low}{between}{high})")
    }
}

/// A number to four digits.
pub(crate) fn digits(value: f64) -> String {
    let before = value.abs().log10().floor().clamp(-12.0, 12.0);
    match value == 0.0 || !value.is_finite() {
        true => value.to_string(),
        false => format!("{value:.*}", (3.0 - before).max(0.0) as usize),
    }
}
