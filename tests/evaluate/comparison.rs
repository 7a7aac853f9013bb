//! Two profiles on the same images.

use super::given::{always, brighter_half, halves, over, point, run};
use crate::common::On;
use fireproof::base::statistics::{holm, mcnemar};
use fireproof::base::{Degrees, Seed};
use fireproof::evaluate::{Axis, Profile, compare};
use fireproof::kernel::Numerics;

on_every_device![
    value_comparison_is_mcnemar_with_holm_in_each_axis,
    error_profiles_that_do_not_pair,
];

// Oracle: counted by hand on the outcomes, and the tests of `base::statistics`.
fn value_comparison_is_mcnemar_with_holm_in_each_axis(on: &On) {
    let data = halves(90);
    let evaluation = over(Axis::angles([0.0, 120.0, 180.0].map(Degrees)));
    let first = run(on, &evaluation, &brighter_half(false), &data).with_name("halves");
    let second = run(on, &evaluation, &always(0), &data).with_name("constant");
    let comparison = compare(&first, &second).unwrap();
    assert_eq!(comparison.clean.only_first, 45);
    assert_eq!(comparison.clean.only_second, 0);
    assert_eq!(comparison.clean.p_value, mcnemar(45, 0));
    assert_eq!(comparison.clean.difference, 0.5);
    assert_eq!(comparison.curve("angles").unwrap().points.len(), 2);
    let mut p_values = Vec::new();
    for (pair, at) in comparison
        .curve("angles")
        .unwrap()
        .points
        .iter()
        .zip([1, 2])
    {
        let a: Vec<bool> = point(&first, "angles", at)
            .correct
            .as_ref()
            .unwrap()
            .iter()
            .collect();
        let b: Vec<bool> = point(&second, "angles", at)
            .correct
            .as_ref()
            .unwrap()
            .iter()
            .collect();
        let only = |x: &[bool], y: &[bool]| x.iter().zip(y).filter(|(x, y)| **x && !**y).count();
        assert_eq!(
            (pair.accuracy.only_first, pair.accuracy.only_second),
            (only(&a, &b), only(&b, &a))
        );
        let difference = point(&first, "angles", at).accuracy.value
            - point(&second, "angles", at).accuracy.value;
        assert!((pair.accuracy.difference - difference).abs() < 1e-12);
        assert!(pair.accuracy.interval.contains(pair.accuracy.difference));
        p_values.push(mcnemar(pair.accuracy.only_first, pair.accuracy.only_second));
    }
    let adjusted: Vec<f64> = comparison
        .curve("angles")
        .unwrap()
        .points
        .iter()
        .map(|pair| pair.accuracy.adjusted)
        .collect();
    assert_eq!(adjusted, holm(&p_values));
    let text = comparison.to_markdown();
    assert!(
        text.contains("## halves against constant") && text.contains("| ±120° |"),
        "{text}"
    );
    assert_eq!(
        compare(&first, &first).unwrap().curves[0].points[1]
            .accuracy
            .p_value,
        1.0
    );
}

fn error_profiles_that_do_not_pair(on: &On) {
    let victim = brighter_half(false);
    let evaluation = over(Axis::angles([Degrees(90.0)]));
    let profile = run(on, &evaluation, &victim, &halves(20));
    let refused = |other: &Profile, why: &str| {
        let error = compare(&profile, other).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused(
        &run(on, &evaluation, &victim, &halves(22)),
        "different images",
    );
    let other = evaluation.clone().with_seed(Seed(5));
    refused(&run(on, &other, &victim, &halves(20)), "different settings");
    let other = evaluation.clone().with_outcomes(false);
    refused(&run(on, &other, &victim, &halves(20)), "no outcomes");
    let mut other = profile.clone();
    other.numerics = match profile.numerics {
        Numerics::Exact => Numerics::Fast,
        Numerics::Fast => Numerics::Exact,
    };
    refused(&other, "different numerics");
    // The batch size does not change what is measured.
    let other = run(on, &evaluation.with_batch_size(3), &victim, &halves(20));
    assert!(compare(&profile, &other).is_ok());
}
