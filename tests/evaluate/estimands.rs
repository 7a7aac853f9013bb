//! Accuracy, fooling rate, accuracy lost, and fooling rate of those right as they are.
//!
//! On the device of this build alone: what they are made of has its tests elsewhere.

use super::given::{SIDE, bright, brighter_half, over, run, set};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{AttackSpec, Pgd, RandomPose};
use fireproof::base::{Degrees, Pixels, Seed};
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Difference, Estimand, Mean, Outcomes, Profile, Rate, WorstCase};

on_this_device![
    value_four_estimands_of_an_attack_follow_from_brightness,
    value_a_dealt_pose_is_attacked_from_the_prediction_too,
    value_the_rate_of_a_dealt_pose_is_of_two_attacks,
];

const BYTES: [u8; 10] = [10, 60, 100, 110, 120, 135, 140, 160, 200, 250];
const RIGHT: [bool; 10] = [
    true, true, false, true, false, true, false, true, true, false,
];

/// Greys of which some are labelled as the other class.
fn mislabelled() -> ImageSet {
    let images = BYTES.iter().zip(RIGHT).map(|(&byte, right)| {
        let class = u8::from(byte > 127);
        (
            vec![byte; SIDE * SIDE],
            if right { class } else { 1 - class },
        )
    });
    set(images.collect())
}

fn bits(outcomes: &Option<Outcomes>) -> Vec<bool> {
    outcomes.as_ref().unwrap().iter().collect()
}

// Whether a ball of radius ε about a grey reaches one half.
fn near(byte: u8, epsilon: f64) -> bool {
    (f64::from(byte) / 255.0 - 0.5).abs() < epsilon
}

// Oracle: an L∞ ball about a grey holds every brightness up to ε away, whatever its label.
fn value_four_estimands_of_an_attack_follow_from_brightness(on: &On) {
    let axis = Axis::epsilons(Pgd::linf(0.0).with_steps(4), [0.0, 0.06, 0.2]);
    let profile = run(on, &over(axis), &bright(), &mislabelled());
    for epsilon in [0.0, 0.06, 0.2] {
        let point = profile.at(("epsilons", epsilon)).unwrap();
        let fooled = BYTES.map(|byte| epsilon > 0.0 && near(byte, epsilon));
        let correct: Vec<bool> = (0..10).map(|at| RIGHT[at] && !fooled[at]).collect();
        assert_eq!(bits(&point.fooled), fooled, "{epsilon}");
        assert_eq!(bits(&point.correct), correct, "{epsilon}");
        let of_right = (0..10).filter(|&at| RIGHT[at] && fooled[at]).count();
        assert_eq!(point.fooling_of_right, Some(Rate::of(of_right, 6)));
        let lost = (0..10).map(|at| f64::from(u8::from(RIGHT[at] && fooled[at])));
        let gap = point.gap.unwrap();
        let expected = Difference::of(&lost.collect::<Vec<_>>());
        assert_eq!((gap.value, gap.count), (expected.value, 10));
        let all = Estimand::ALL.map(|estimand| estimand.of(point).unwrap());
        assert_eq!(all[0], (point.accuracy.value, point.accuracy.interval));
        assert_eq!(all[1], (point.fooling.value, point.fooling.interval));
        assert_eq!(all[2], (gap.value, gap.interval));
        assert!((profile.clean.value - point.accuracy.value - gap.value).abs() < 1e-12);
        if epsilon > 0.0 {
            assert_eq!(gap, expected);
        } else {
            // One measurement and itself.
            assert_eq!((gap.interval.low, gap.interval.high), (0.0, 0.0));
        }
    }
    let table = profile.to_markdown();
    assert!(table.contains("| accuracy lost (points) |"), "{table}");
    // A profile from before it was measured is read all the same.
    let mut json: serde_json::Value = serde_json::from_str(&profile.to_json()).unwrap();
    for point in json["curves"][0]["points"].as_array_mut().unwrap() {
        assert!(point.as_object_mut().unwrap().remove("gap").is_some());
    }
    let old: Profile = serde_json::from_value(json).unwrap();
    assert_eq!(Estimand::Gap.of(&old.curves[0].points[1]), None);
    assert!(old.to_markdown().contains("| – |"));
}

// Oracle: in the pose that changes nothing the attack is the one without a pose, image by image.
fn value_a_dealt_pose_is_attacked_from_the_prediction_too(on: &On) {
    let (still, attack) = ((Degrees(0.0), Pixels(0.0)), Pgd::linf(0.0).with_steps(4));
    let evaluation = over(Axis::attacked_poses(attack.clone(), [still], [0.06, 0.2]))
        .with_axis(Axis::epsilons(attack, [0.06, 0.2]));
    let profile = run(on, &evaluation, &bright(), &mislabelled());
    for epsilon in [0.06, 0.2] {
        let [dealt, plain] = [
            profile.at(("attacked_poses", [0.0, 0.0, epsilon])).unwrap(),
            profile.at(("epsilons", epsilon)).unwrap(),
        ];
        assert_eq!(bits(&dealt.correct), bits(&plain.correct));
        assert_eq!(bits(&dealt.fooled), bits(&plain.fooled));
        assert!(bits(&dealt.fooled).iter().zip(RIGHT).any(|(f, r)| *f && !r));
    }
}

// Oracle: the attack by hand, away from labels and away from predictions, in two draws.
fn value_the_rate_of_a_dealt_pose_is_of_two_attacks(on: &On) {
    let images = (0..12).map(|number: usize| {
        let right = number % 2 == 1;
        let lit = |at: usize| (at % SIDE >= SIDE / 2) == right;
        let pixels = (0..SIDE * SIDE).map(|at| if lit(at) { 200 } else { 0 });
        // Every third has the other label.
        (
            pixels.collect(),
            u8::from(right != number.is_multiple_of(3)),
        )
    });
    let (data, victim) = (set(images.collect()), brighter_half(false));
    let attack = RandomPose::default().before(Pgd::linf(0.0).with_steps(2));
    let twice = WorstCase::new(attack.clone()).with_draws(2);
    let axis = Axis::attacked_poses(Pgd::linf(0.0), [(Degrees(120.0), Pixels(2.0))], [0.1]);
    let evaluation = over(axis.with_threat(twice)).with_seed(7);
    let profile = run(on, &evaluation, &victim, &data);
    let point = profile.at(("attacked_poses", [120.0, 2.0, 0.1])).unwrap();

    let attack = AttackSpec::from(attack)
        .at_level(&[120.0, 2.0, 0.1])
        .unwrap();
    let batch = data.batch(&Vec::from_iter(0..12), &on.device());
    let (labels, clean) = (batch.labels_to_vec(), victim.predict(batch.images.clone()));
    let mut away = batch.clone();
    away.labels = Tensor::from_data(&clean[..], &on.device());
    let (mut correct, mut fooled) = (vec![false; 24], vec![false; 24]);
    let mut both = 0;
    for (draw, seed) in [Seed(7), Seed(7).derive(1)].into_iter().enumerate() {
        let from_labels = attack.attack(&victim, &batch, seed).unwrap().predicted;
        let from_clean = attack.attack(&victim, &away, seed).unwrap().predicted;
        for at in 0..12 {
            correct[2 * at + draw] = from_labels[at] == labels[at];
            fooled[2 * at + draw] = from_labels[at] != clean[at] || from_clean[at] != clean[at];
            both += usize::from(from_labels[at] == clean[at] && from_clean[at] != clean[at]);
        }
    }
    assert!(both > 0, "no image that only the second attack fools");
    assert_eq!(bits(&point.correct), correct);
    assert_eq!(bits(&point.fooled), fooled);
    assert_eq!(point.fooling, Rate::of_draws(&fooled, 2));
}

// Oracle: quantiles of Student's distribution from R's qt(0.975, n).
#[test]
fn value_intervals_of_means_are_students() {
    let quantiles = [
        (1, 12.706_204_736_174_7),
        (4, 2.776_445_105_197_79),
        (10, 2.228_138_851_964_94),
        (11, 2.200_985_160_082_95),
        (20, 2.085_963_447_265_86),
        (30, 2.042_272_456_301_24),
        (100, 1.983_971_518_523_55),
        (1000, 1.962_339_080_826_41),
    ];
    for (freedom, quantile) in quantiles {
        let values = Vec::from_iter((0..=freedom).map(|at| (at * at % 17) as f64));
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let found = Mean::of(&values).unwrap();
        assert!((found.value - mean).abs() < 1e-12);
        let half = (found.interval.high - found.interval.low) / 2.0;
        let expected = quantile * (variance / n).sqrt();
        assert!(
            (half / expected - 1.0).abs() < 2e-7,
            "{freedom}: {half} {expected}"
        );
    }
    assert_eq!(Mean::of(&[]), None);
    let text = Mean::of(&[0.25, 0.25]).unwrap().to_string();
    assert_eq!(text, "0.2500 (0.2500–0.2500)");
}
