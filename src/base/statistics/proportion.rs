use super::Interval;

// The 0.975 quantile of the standard normal distribution.
pub(super) const Z95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % score interval of `successes` in `count` independent trials, with the ends for up
/// to three successes or failures from the Poisson distribution.
///
/// (E. B. Wilson 1927, "Probable inference, the law of succession, and statistical inference";
/// the ends: L. D. Brown, T. T. Cai and A. DasGupta 2001, "Interval estimation for a binomial
/// proportion", section 4.1.1.)
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
    score(successes as f64, count as f64, Z95)
}

// The interval for a number of trials that need not be whole, `quantile` errors wide.
pub(super) fn score(successes: f64, n: f64, quantile: f64) -> Interval {
    let (p, z2) = (successes / n, quantile * quantile);
    let centre = p + z2 / (2.0 * n);
    let half = quantile * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Interval {
        low: ((centre - half) / scale).min(rare(successes) / n).max(0.0),
        high: ((centre + half) / scale)
            .max(1.0 - rare(n - successes) / n)
            .min(1.0),
    }
}

// The lower 95 % bound of the mean of a Poisson distribution of which so few events were seen, up to three; for four
// that of the score. Between whole numbers, between their bounds. No bound for more.
fn rare(events: f64) -> f64 {
    const BOUNDS: [f64; 5] = [
        0.0,
        0.051_293_294,
        0.355_361_511,
        0.817_691_447,
        1.555_512_7,
    ];
    let below = events.floor();
    match BOUNDS.get(below as usize..) {
        Some([low, high, ..]) => low + (high - low) * (events - below),
        _ => f64::INFINITY,
    }
}

/// A 95 % interval of the mean over images of which each has several outcomes: Wilson's for the
/// number of independent outcomes that they are worth.
///
/// `per_image` holds the mean of each image's `draws` outcomes. An outcome is worth less, the more
/// alike those of one image are: the design effect (L. Kish 1965, "Survey sampling"), estimated with
/// two more images all right and two all wrong, so that it is not taken for small where outcomes are
/// rare. All draws together are never worth less than one.
///
/// ```
/// use fireproof::base::statistics::{clustered, wilson};
///
/// // Five draws that never differ say no more than one.
/// let alike: Vec<f64> = (0..100).map(|image| f64::from(image < 90)).collect();
/// let (of_five, of_one) = (clustered(&alike, 5), wilson(90, 100));
/// assert!((of_five.low - of_one.low).abs() < 1e-12 && (of_five.high - of_one.high).abs() < 1e-12);
/// ```
///
/// # Panics
///
/// Panics if there is no image or no draw.
pub fn clustered(per_image: &[f64], draws: usize) -> Interval {
    assert!(
        !per_image.is_empty() && draws > 0,
        "{} images, {draws} draws",
        per_image.len()
    );
    let n = per_image.len() as f64;
    let (mean, variance) = spread(per_image, &[0.0, 0.0, 1.0, 1.0]);
    let worth = (mean * (1.0 - mean) / variance).clamp(1.0, draws as f64);
    let mean = per_image.iter().sum::<f64>() / n;
    score(mean * n * worth, n * worth, Z95)
}

/// A 95 % interval of the mean of differences, one for each image, from -1 to 1: the normal one with
/// two more images, one for either model.
///
/// (D. G. Bonett and R. M. Price 2012, "Adjusted Wald confidence interval for a difference of
/// binomial proportions based on paired data".)
///
/// # Panics
///
/// Panics if there is no image.
pub fn paired(differences: &[f64]) -> Interval {
    assert!(!differences.is_empty(), "no image");
    let n = differences.len() as f64 + 2.0;
    let (mean, variance) = spread(differences, &[-1.0, 1.0]);
    let half = Z95 * (variance / n).sqrt();
    Interval {
        low: (mean - half).max(-1.0),
        high: (mean + half).min(1.0),
    }
}

/// Mean and variance with some more values.
pub(super) fn spread(values: &[f64], more: &[f64]) -> (f64, f64) {
    let n = (values.len() + more.len()) as f64;
    let sum = |values: &[f64], power: i32| -> f64 { values.iter().map(|v| v.powi(power)).sum() };
    let mean = (sum(values, 1) + sum(more, 1)) / n;
    let square = (sum(values, 2) + sum(more, 2)) / n;
    (mean, (square - mean * mean).max(0.0))
}
