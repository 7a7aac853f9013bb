//! Parameters that make no sense are errors by name.

use fireproof::base::{Error, Result, Seed};
use fireproof::theory::{Detector, GaussianFeature, Linear, Rule, Setting, SignFeature, Survey};

fn refused<T: std::fmt::Debug>(result: Result<T>, text: &str) {
    match result {
        Err(error @ Error::Setting { .. }) => {
            assert!(error.to_string().starts_with(text), "{error}")
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn error_parameters_by_name() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for dimension in [0, 1] {
        refused(SignFeature::new(dimension, 0.9, 0.1), "dimension = ");
        refused(GaussianFeature::new(dimension, 1.0, 0.1), "dimension = ");
    }
    for p in [0.499, 1.0, -0.5, 1.5, nan, inf] {
        refused(SignFeature::new(10, p, 0.1), "correlation = ");
    }
    for eta in [0.0, -0.1, nan, inf] {
        refused(SignFeature::new(10, 0.9, eta), "eta = ");
        refused(GaussianFeature::new(10, 1.0, eta), "eta = ");
    }
    for kappa in [nan, inf, -inf] {
        refused(GaussianFeature::new(10, kappa, 0.1), "kappa = ");
    }
    assert!(SignFeature::new(2, 0.5, 1e-9).is_ok());
}

#[test]
fn error_from_files_too() {
    // What a file says is checked where it is used.
    let text = r#"{"dimension": 10, "correlation": 1.0, "eta": 0.1}"#;
    let setting: SignFeature = serde_json::from_str(text).unwrap();
    let first = Linear::coordinate(10, 0);
    refused(setting.linear(&first, 0.2), "correlation = 1");
    refused(setting.bayes(), "correlation = 1");
    refused(setting.frontier(3), "correlation = 1");
    refused(setting.optimal(0.5, 0.2), "correlation = 1");
    refused(Survey::new(10, 0.2).of(&setting, &first), "correlation = 1");
    refused(setting.images(Seed(1), 2), "correlation = 1");
    let text = r#"{"dimension": 10, "correlation": 0.9, "eta": 0.1, "etta": 0.2}"#;
    assert!(serde_json::from_str::<SignFeature>(text).is_err());
}

#[test]
fn error_rules_radii_and_surveys() {
    let sign = SignFeature::new(10, 0.9, 0.1).unwrap();
    let gaussian = GaussianFeature::new(10, 1.0, 0.1).unwrap();
    let settings: [&dyn Setting; 2] = [&sign, &gaussian];
    let mean = Linear::mean(10);
    for setting in settings {
        for epsilon in [-0.1, f64::NAN, f64::INFINITY] {
            refused(setting.linear(&mean, epsilon), "epsilon = ");
            refused(setting.linear_worst_case(&mean, epsilon), "epsilon = ");
            refused(setting.optimal(0.5, epsilon), "epsilon = ");
            refused(Survey::new(10, epsilon).of(setting, &mean), "epsilon = ");
        }
        refused(
            setting.linear(&Linear::mean(9), 0.1),
            "linear rule: weights = 9",
        );
        let wrong = Linear::new([1.0, f64::NAN].repeat(5));
        refused(setting.linear(&wrong, 0.1), "linear rule: weight = NaN");
        let wrong = mean.clone().with_bias(f64::INFINITY);
        refused(
            setting.linear_worst_case(&wrong, 0.1),
            "linear rule: bias = inf",
        );
        for weight in [-0.1, 1.1, f64::NAN] {
            refused(setting.optimal(weight, 0.1), "weight = ");
        }
        refused(Survey::new(0, 0.1).of(setting, &mean), "points = 0");
    }
    for trust in [f64::NAN, f64::NEG_INFINITY] {
        refused(
            sign.of_detector(&Detector::trusting(trust), 0.1),
            "trust = ",
        );
    }
    refused(sign.of_detector(&Detector::exact(), -1.0), "epsilon = -1");
}

#[test]
fn error_what_says_nothing_is_wrong_for_both_classes() {
    for score in [0.0, -0.0, f64::NAN] {
        let rule = move |_: &[f64]| score;
        assert!(!rule.is_right(&[1.0], true) && !rule.is_right(&[1.0], false));
    }
    assert_eq!(Detector::exact().score(&[0.5, 1.5]), 0.0);
}

#[test]
#[should_panic(expected = "S = NaN")]
fn error_bound_of_no_accuracy_panics() {
    SignFeature::new(10, 0.9, 0.1).unwrap().bound(f64::NAN, 0.1);
}
