//! Student's t distribution, with any number of degrees of freedom above 0: infinitely many make it
//! the standard normal one.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

// Above, the distribution is the normal one to all that the fraction below could tell.
const NORMAL: f64 = 1e8;

/// The probability of a value above `t`, with a small relative error far out too.
///
/// ```
/// use fireproof::base::statistics::student;
///
/// // One degree of freedom: Cauchy's distribution.
/// assert!((student::tail(1.0, 1.0) - 0.25).abs() < 1e-14);
/// assert!((student::tail(1.959_963_984_540_054, f64::INFINITY) - 0.025).abs() < 1e-15);
/// ```
///
/// # Panics
///
/// Panics unless there are more than 0 degrees of freedom.
pub fn tail(t: f64, freedom: f64) -> f64 {
    assert!(freedom > 0.0, "{freedom} degrees of freedom");
    if t < 0.0 {
        return 1.0 - tail(-t, freedom);
    }
    if freedom > NORMAL {
        return 0.5 * libm::erfc(t * FRAC_1_SQRT_2);
    }
    if t.is_infinite() {
        return 0.0;
    }
    // Half the regularised incomplete beta function I_x(a, 1/2) at x = ν/(ν + t²), a = ν/2.
    let (a, b) = (0.5 * freedom, 0.5);
    let square = t * t / freedom;
    let (log_x, log_rest) = (-square.ln_1p(), square.ln() - square.ln_1p());
    let (x, rest) = (log_x.exp(), log_rest.exp());
    let front = (log_gamma_ratio(a) - 0.5 * PI.ln() + a * log_x + b * log_rest).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        0.5 * front * fraction(a, b, x) / a
    } else {
        0.5 * (1.0 - front * fraction(b, a, rest) / b)
    }
}

/// The value that is exceeded with probability `p`.
///
/// ```
/// use fireproof::base::statistics::student;
///
/// // As in every table: 2.776 with 4 degrees of freedom.
/// assert!((student::quantile(0.025, 4.0) - 2.776_445_105_197_793).abs() < 1e-12);
/// ```
///
/// # Panics
///
/// Panics unless `p` is in `(0, 1)` and there are more than 0 degrees of freedom.
pub fn quantile(p: f64, freedom: f64) -> f64 {
    assert!(p > 0.0 && p < 1.0, "no quantile of {p}");
    if p > 0.5 {
        return -quantile(1.0 - p, freedom);
    }
    if p == 0.5 {
        return 0.0;
    }
    // Newton's method for the logarithm of the tail as a function of that of t, which falls ever
    // more steeply: once it has passed the root it comes back to it from one side.
    let mut log_t: f64 = 0.0;
    for _ in 0..2000 {
        let t = log_t.exp();
        let above = tail(t, freedom);
        let step = ((above / p).ln() * above / (t * density(t, freedom))).clamp(-1.0, 1.0);
        log_t += step;
        if step.abs() < 1e-15 {
            break;
        }
    }
    log_t.exp()
}

fn density(t: f64, freedom: f64) -> f64 {
    if freedom > NORMAL {
        return (-0.5 * t * t).exp() / (2.0 * PI).sqrt();
    }
    let log = log_gamma_ratio(0.5 * freedom)
        - 0.5 * (freedom * PI).ln()
        - 0.5 * (freedom + 1.0) * (t * t / freedom).ln_1p();
    log.exp()
}

// ln Γ(a + 1/2) − ln Γ(a); for large a by its series, as the difference has no digits left there.
fn log_gamma_ratio(a: f64) -> f64 {
    if a < 50.0 {
        return libm::lgamma(a + 0.5) - libm::lgamma(a);
    }
    let r = 1.0 / a;
    0.5 * a.ln() - r / 8.0 + r.powi(3) / 192.0 - r.powi(5) / 640.0 + 17.0 * r.powi(7) / 14336.0
}

// The continued fraction of the incomplete beta function (Abramowitz and Stegun 1964, 26.5.8) from
// the front on, by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut value = d;
    for m in 1..100_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away(1.0 + coefficient * d);
            c = away(1.0 + coefficient / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    value
}
