//! The normal distribution against quadrature of its density.

use super::given::{density, integral};
use fireproof::theory::normal::{self, cdf, quantile};

#[test]
fn value_cdf_is_the_integral_of_the_density() {
    // Oracle: Simpson's rule on the density written out.
    for x in [-8.0, -3.5, -1.0, -0.1, 0.0, 0.3, 1.96, 5.0] {
        let expected = integral(-14.0, x, density);
        assert!(
            (cdf(x) - expected).abs() < 1e-13,
            "{x}: {} {expected}",
            cdf(x)
        );
        assert_eq!(normal::density(x), density(x));
    }
    // Far out by its asymptotic series, φ(x)/x·(1 − 1/x² + 3/x⁴ − 15/x⁶ + 105/x⁸).
    let x: f64 = 20.0;
    let series = 1.0 - x.powi(-2) + 3.0 * x.powi(-4) - 15.0 * x.powi(-6) + 105.0 * x.powi(-8);
    assert!((cdf(-x) / (density(x) / x * series) - 1.0).abs() < 1e-9);
    assert_eq!((cdf(f64::NEG_INFINITY), cdf(f64::INFINITY)), (0.0, 1.0));
}

#[test]
fn value_quantile_inverts() {
    for k in 1..400 {
        let p = f64::from(k) / 400.0;
        assert!((cdf(quantile(p)) - p).abs() < 1e-15, "{p}");
        assert_eq!(quantile(1.0 - p), -quantile(1.0 - (1.0 - p)));
    }
    for exponent in [5, 20, 100, 299] {
        let p = 10f64.powi(-exponent);
        assert!((cdf(quantile(p)) / p - 1.0).abs() < 1e-11, "{p}");
    }
    assert_eq!(quantile(0.5), 0.0);
    assert_eq!(
        (quantile(0.0), quantile(1.0)),
        (f64::NEG_INFINITY, f64::INFINITY)
    );
    assert!(quantile(1e-310).is_finite());
}

#[test]
#[should_panic(expected = "no quantile of NaN")]
fn error_quantile_of_no_probability() {
    quantile(f64::NAN);
}
