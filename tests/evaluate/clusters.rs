//! Rates of several draws per image: on the host.

use fireproof::base::Seed;
use fireproof::base::statistics::{clustered_bootstrap, wilson};
use fireproof::evaluate::Rate;

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
