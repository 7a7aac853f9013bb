//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

/// The probability of a value of at most `x`: Φ(x), with a relative error of some units of the last
/// place, far out on the left as well.
///
/// ```
/// use fireproof::theory::normal;
///
/// assert_eq!(normal::cdf(0.0), 0.5);
/// assert!((normal::cdf(1.959_963_984_540_054) - 0.975).abs() < 1e-15);
/// ```
pub fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The density at `x`: φ(x).
pub fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// The value that is not exceeded with probability `p`: Φ⁻¹(p), −∞ at 0 and ∞ at 1. A positive `p` below
/// 10⁻³⁰⁰ counts as that.
///
/// ```
/// use fireproof::theory::normal;
///
/// assert!((normal::quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
/// assert_eq!(normal::quantile(0.0), f64::NEG_INFINITY);
/// ```
///
/// # Panics
///
/// Panics unless `p` is in `[0, 1]`.
pub fn quantile(p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "no quantile of {p}");
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    // Newton's method on ln Φ, which is concave: from the left of the root it never passes it. As
    // Φ(−t) ≤ e^(−t²/2) / 2, the start is on the left.
    let target = p.max(1e-300).ln();
    let mut x = -(-2.0 * (target + LN_2)).max(0.0).sqrt();
    for _ in 0..64 {
        let below = cdf(x);
        let step = (target - below.ln()) * below / density(x);
        if step.abs() <= 1e-16 * x.abs() {
            break;
        }
        x += step;
    }
    x
}
