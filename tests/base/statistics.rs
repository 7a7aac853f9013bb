//! Intervals and tests against SciPy: on the host.

use fireproof::base::statistics::{mcnemar, wilson};

#[test]
fn value_wilson_table() {
    // Oracle: SciPy 1.17.1, binomtest(...).proportion_ci(method="wilson").
    for (successes, count, low, high) in [
        (0, 10, 0.0, 0.277_532_799_862_889_26),
        (5, 10, 0.236_593_090_512_564, 0.763_406_909_487_436),
        (970, 1000, 0.957_496_585_852_412_8, 0.978_906_261_171_165_3),
        (10, 10, 0.722_467_200_137_110_9, 1.0),
    ] {
        let interval = wilson(successes, count);
        assert!((interval.low - low).abs() < 1e-12, "{interval:?} {low}");
        assert!((interval.high - high).abs() < 1e-12, "{interval:?} {high}");
    }
}

#[test]
fn value_mcnemar_binomial_table() {
    // Oracle: SciPy 1.17.1, binomtest(...).pvalue; large counts must not underflow.
    for (first, second, p) in [
        (0, 5, 0.0625),
        (2, 8, 0.109375),
        (900, 1100, 8.457_089_535_503_81e-6),
        (2000, 3000, 1.300_231_000_520_532_6e-45),
    ] {
        assert!((mcnemar(first, second) / p - 1.0).abs() < 1e-9);
        assert_eq!(mcnemar(first, second), mcnemar(second, first));
    }
    assert_eq!(mcnemar(7, 7), 1.0);
}
