//! Rates of several draws per image: on the host.

use fireproof::base::statistics::{Interval, clustered, wilson};
use fireproof::evaluate::Rate;

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
    // What one draw of each says, but for rounding.
    let one = Rate::of(10, 10);
    assert_eq!((rate.value, rate.count), (one.value, one.count));
    assert!(
        (rate.interval.low - one.interval.low).abs() < 1e-12,
        "{rate:?}"
    );
    assert!(rate.interval.low < 0.8);
}
