//! Accuracy and fooling rate, and how their intervals come about.

use super::given::{
    SIDE, always, bright, brighter_half, drawn, full, greys, halves, over, point, run, set,
};
use crate::common::On;
use fireproof::attack::Pgd;
use fireproof::base::Degrees;
use fireproof::base::statistics::{clustered, paired, sign_flip};
use fireproof::evaluate::{Axis, Rate, compare};

on_every_device![
    convention_fooling_is_disagreement_with_the_own_prediction,
    value_accuracy_over_radii_is_the_margin,
    convention_robust_images_are_right_on_the_clean_image,
    convention_level_zero_is_the_clean_measurement,
    convention_numbers_do_not_depend_on_the_batch_size,
    value_several_draws_are_clustered_by_image,
    convention_fooling_under_attack_is_disagreement_with_the_own_prediction,
    smoke_progress_grows_to_its_total,
];

// Oracle: by definition. A constant classifier is never fooled, however wrong; a classifier that
// answers the opposite of the label is fooled exactly where its twin is.
fn convention_fooling_is_disagreement_with_the_own_prediction(on: &On) {
    let data = halves(100);
    let evaluation = over(Axis::angles([Degrees(180.0)]));
    let constant = run(on, &evaluation, &always(1), &data);
    assert_eq!(constant.clean, Rate::of(50, 100));
    assert_eq!(point(&constant, "angles", 0).accuracy, Rate::of(50, 100));
    assert_eq!(point(&constant, "angles", 0).fooling, Rate::of(0, 100));

    let right = run(on, &evaluation, &brighter_half(false), &data);
    let wrong = run(on, &evaluation, &brighter_half(true), &data);
    assert_eq!(wrong.clean, Rate::of(0, 100));
    assert_eq!(
        point(&right, "angles", 0).fooling,
        point(&wrong, "angles", 0).fooling
    );
    let sum = point(&right, "angles", 0).accuracy.value + point(&right, "angles", 0).fooling.value;
    assert!((sum - 1.0).abs() < 1e-12, "right on clean: fooled is wrong");
    let (accuracy, fooling) = (
        point(&wrong, "angles", 0).accuracy,
        point(&wrong, "angles", 0).fooling,
    );
    assert_eq!(
        accuracy.value, fooling.value,
        "wrong on clean: fooled is right"
    );
}

// Oracle: an L∞ ball of radius ε moves the mean of a plain image by at most ε.
fn value_accuracy_over_radii_is_the_margin(on: &On) {
    let bytes: Vec<u8> = (0..=255).step_by(3).collect();
    let data = greys(&bytes);
    // None of them is a margin of one of the images.
    let epsilons = [0.0, 0.051, 0.101, 0.301, 0.6];
    let evaluation = over(Axis::epsilons(Pgd::linf(0.0), epsilons));
    let profile = run(on, &evaluation, &bright(), &data);
    for (level, epsilon) in profile
        .curve("epsilons")
        .unwrap()
        .points
        .iter()
        .zip(epsilons)
    {
        let margin = |b: u8| (f64::from(b) / 255.0 - 0.5).abs();
        let robust = bytes.iter().filter(|&&b| margin(b) > epsilon).count();
        assert_eq!(
            level.accuracy,
            Rate::of(robust, bytes.len()),
            "ε = {epsilon}"
        );
        assert_eq!(level.fooling, Rate::of(bytes.len() - robust, bytes.len()));
        assert_eq!(level.queries > 0.0, epsilon > 0.0);
    }
}

// An image that is misclassified as it is cannot be robust, whatever the attack makes of it.
fn convention_robust_images_are_right_on_the_clean_image(on: &On) {
    let bytes: Vec<u8> = (0..64).map(|k| k * 4).collect();
    let images = bytes
        .iter()
        .map(|&b| (vec![b; SIDE * SIDE], u8::from(b <= 127)));
    let data = set(images.collect());
    // Targeted at the label's neighbour, the attack would even repair these predictions.
    let attack = Pgd::linf(0.0).with_targets(fireproof::attack::NextClass);
    let evaluation = over(Axis::epsilons(attack, [0.7]));
    let profile = run(on, &evaluation, &bright(), &data);
    assert_eq!(profile.clean, Rate::of(0, 64));
    assert_eq!(point(&profile, "epsilons", 0).accuracy, Rate::of(0, 64));
}

fn convention_level_zero_is_the_clean_measurement(on: &On) {
    let profile = run(on, &drawn(3), &brighter_half(false), &halves(40));
    assert_eq!(profile.curves.len(), 4);
    for curve in &profile.curves {
        let (axis, point) = (&curve.axis, curve.at(0.0).unwrap());
        assert_eq!(point.accuracy, profile.clean, "{axis}");
        assert_eq!(point.fooling, Rate::of(0, 40), "{axis}");
        assert_eq!(point.correct, profile.clean_correct, "{axis}");
        assert_eq!((point.draws, point.queries), (1, 0.0), "{axis}");
    }
}

fn convention_numbers_do_not_depend_on_the_batch_size(on: &On) {
    let (data, victim) = (halves(50), brighter_half(false));
    let evaluation = drawn(2);
    let whole = run(on, &evaluation.clone().with_batch_size(128), &victim, &data);
    for size in [1, 7] {
        let mut parts = run(
            on,
            &evaluation.clone().with_batch_size(size),
            &victim,
            &data,
        );
        parts.settings["batch_size"] = 128.into();
        assert_eq!(parts, whole, "batch size {size}");
    }
}

// Oracle: the documented estimators on the outcomes that the profile keeps.
fn value_several_draws_are_clustered_by_image(on: &On) {
    let evaluation = drawn(4);
    let profile = run(on, &evaluation, &brighter_half(false), &halves(50));
    let level = &point(&profile, "angles", 2);
    let outcomes: Vec<bool> = level.correct.as_ref().unwrap().iter().collect();
    assert_eq!((outcomes.len(), level.draws), (200, 4));
    let per_image: Vec<f64> = outcomes
        .chunks(4)
        .map(|draws| draws.iter().filter(|&&c| c).count() as f64 / 4.0)
        .collect();
    let mean = per_image.iter().sum::<f64>() / 50.0;
    assert!((level.accuracy.value - mean).abs() < 1e-12);
    let interval = clustered(&per_image, 4);
    assert_eq!(
        (level.accuracy.interval, level.accuracy.count),
        (interval, 50)
    );
    // Oracle: the test on all draws.
    let other = run(on, &evaluation, &always(0), &halves(50));
    let pair = &compare(&profile, &other).unwrap().curves[0].points[1];
    let other: Vec<bool> = other.curves[0].points[2]
        .correct
        .as_ref()
        .unwrap()
        .iter()
        .collect();
    let right = |draws: &[bool]| draws.iter().filter(|&&c| c).count() as i64;
    let differences: Vec<i64> = (outcomes.chunks(4).zip(other.chunks(4)))
        .map(|(a, b)| right(a) - right(b))
        .collect();
    assert_eq!(pair.accuracy.p_value, sign_flip(&differences));
    let means: Vec<f64> = differences.iter().map(|&d| d as f64 / 4.0).collect();
    assert_eq!(pair.accuracy.interval, paired(&means));
    assert_eq!(
        pair.accuracy.only_second,
        differences.iter().filter(|&&d| d < 0).count()
    );
    // Attacks run once, with Wilson's interval.
    let level = &point(&profile, "epsilons", 1);
    let robust = level
        .correct
        .as_ref()
        .unwrap()
        .iter()
        .filter(|&c| c)
        .count();
    assert_eq!(level.accuracy, Rate::of(robust, 50));
}

// Oracle: by definition, from the outcomes. A classifier that is wrong on every image is attacked away
// from its own predictions all the same.
fn convention_fooling_under_attack_is_disagreement_with_the_own_prediction(on: &On) {
    let bytes: Vec<u8> = (0..=255).step_by(3).collect();
    let right = greys(&bytes);
    let swapped = bytes
        .iter()
        .map(|&b| (vec![b; SIDE * SIDE], u8::from(b <= 127)));
    let wrong = set(swapped.collect());
    let evaluation = over(Axis::epsilons(Pgd::linf(0.0), [0.101, 0.301]));
    let [right, wrong] = [right, wrong].map(|data| run(on, &evaluation, &bright(), &data));
    for (right, wrong) in right.curves[0].points.iter().zip(&wrong.curves[0].points) {
        assert_eq!(right.fooling, wrong.fooling);
        assert_eq!(right.fooled, wrong.fooled);
        assert_eq!(wrong.accuracy, Rate::of(0, bytes.len()));
        assert_eq!(wrong.fooling_of_right, None);
        assert_eq!(right.fooling_of_right, Some(right.fooling), "all are right");
    }
    // Half right: the rate among those right is over them alone.
    let mixed = run(on, &evaluation, &always(1), &halves(40));
    let rate = mixed.curves[0].points[0].fooling_of_right.unwrap();
    assert_eq!(rate, Rate::of(0, 20));
}

fn smoke_progress_grows_to_its_total(on: &On) {
    let mut seen = Vec::new();
    let (data, device) = (halves(20), on.device());
    let evaluation = full().with_batch_size(6);
    evaluation
        .run_with_progress(&brighter_half(false), &data, &device, |done, total| {
            seen.push((done, total));
        })
        .unwrap();
    assert!(seen.len() > 10 && seen.is_sorted());
    let (done, total) = *seen.last().unwrap();
    assert_eq!(done, total);
    assert!(seen.iter().all(|&(_, t)| t == total));
}
