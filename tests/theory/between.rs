//! Bounds at radii other than twice η.

use super::given::{draws, gaussian_feature, sign_feature};
use fireproof::theory::normal::{cdf, quantile};
use fireproof::theory::{Detector, Setting, SignFeature};

#[test]
fn value_bound_between_is_that_of_the_test_between_two_normals() {
    // Oracle: the formula written out.
    let a = SignFeature::new(26, 0.9, 0.1).unwrap();
    let at_full = 9.0 * (1.0 - 0.95);
    let expected = cdf(quantile(at_full) + 5.0 * 0.05);
    assert!((a.bound(0.95, 0.15) - expected).abs() < 1e-12);
    // Beyond, the attack is another one than that of the theorem; the same far away.
    assert!((a.bound(0.95, 0.25) - expected).abs() < 1e-12);
}

#[test]
fn convention_bound_falls_with_the_radius_and_with_s() {
    let mut draws = draws(5);
    for _ in 0..50 {
        let (a, b) = (
            sign_feature(&mut draws, 300.0),
            gaussian_feature(&mut draws, 300.0),
        );
        for setting in [&a as &dyn Setting, &b] {
            let eta = setting.eta();
            let mut before = 1.0;
            for k in 0..=20 {
                let bound = setting.bound(0.9, f64::from(k) / 10.0 * eta);
                assert!(bound <= before + 1e-12 && (0.0..=1.0).contains(&bound));
                before = bound;
            }
            let mut before = 1.0;
            for k in 0..=20 {
                let bound = setting.bound(f64::from(k) / 20.0, 1.5 * eta);
                assert!(bound <= before + 1e-12);
                before = bound;
            }
            assert_eq!(setting.bound(0.0, 2.0 * eta), 1.0);
        }
    }
}

#[test]
fn value_optimal_rules_stay_under_at_every_radius() {
    // Oracle: the closed accuracies of detectors, which are the best rules.
    let mut draws = draws(6);
    for _ in 0..300 {
        let setting = sign_feature(&mut draws, 300.0);
        let detector = Detector::trusting(draws.uniform(0.0, 5.0));
        let epsilon = draws.uniform(0.0, 4.0) * setting.eta;
        let found = setting.of_detector(&detector, epsilon).unwrap();
        let bound = setting.bound(found.spatial, epsilon);
        assert!(
            found.adversarial <= bound + 1e-12,
            "{setting} {detector:?} {epsilon}"
        );
    }
}
