//! Effects, families and sentences by hand: on the host.

use fireproof::base::statistics::{Interval, mcnemar, paired};
use fireproof::evaluate::Outcomes;
use fireproof::study::verdicts::*;

/// Networks that get the first so many of `images` right.
fn networks(right: &[usize], images: usize) -> Scores {
    let network = |&right: &usize| (0..images).map(|image| f64::from(image < right)).collect();
    Scores::new(right.iter().map(network).collect(), 1).unwrap()
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} {expected}");
}

fn effect(value: f64, error: f64) -> Effect {
    let half = 1.959_963_984_540_054 * error;
    let p_value = 2.0 * fireproof::theory::normal::cdf(-value.abs() / error);
    Effect {
        value,
        interval: Interval {
            low: value - half,
            high: value + half,
        },
        p_value,
        centre: value,
        error,
        of_seeds: 0.0,
        freedom: None,
        seeds: 5,
        images: 10_000,
        unit: Unit::Points,
    }
}

#[test]
fn value_estimands_by_hand() {
    // Three images, two draws; the first two are right when clean.
    let bits = |flags: [u8; 6]| Outcomes::new(flags.map(|flag| flag == 1));
    let clean = Outcomes::new([true, true, false]);
    let (correct, fooled) = (bits([1, 1, 0, 1, 0, 1]), bits([0, 0, 1, 0, 1, 1]));
    let network = Bits {
        clean: &clean,
        correct: &correct,
        fooled: &fooled,
        draws: 2,
    };
    let values = Estimand::ALL.map(|estimand| estimand.scores(&[network]).unwrap().mean());
    for (found, expected) in values.into_iter().zip([4.0 / 6.0, 0.5, 0.0, 0.25]) {
        near(found, expected);
    }
    let gap = Estimand::Gap.scores(&[network]).unwrap();
    assert_eq!(gap.network(0), [0.0, 0.5, -0.5]);
}

// Oracle: the definition, network by network, and the delta method by finite differences.
#[test]
fn value_linearised_ratio_varies_as_the_ratio() {
    let clean = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0];
    let right = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0];
    let flags = |values: &[f64]| Outcomes::new(values.iter().map(|&v| v == 1.0));
    let (of_clean, correct) = (flags(&clean), flags(&right));
    let network = Bits {
        clean: &of_clean,
        correct: &correct,
        fooled: &correct,
        draws: 1,
    };
    let scores = Estimand::FoolingOfRight.scores(&[network]).unwrap();
    near(scores.mean(), 2.0 / 5.0);
    // An image that counts a little more moves the ratio by its score.
    let ratio = |more: usize, by: f64| {
        let weight = |image: usize| if image == more { 1.0 + by } else { 1.0 };
        let lost: f64 = (0..7)
            .map(|i| weight(i) * clean[i] * (1.0 - right[i]))
            .sum();
        lost / (0..7).map(|i| weight(i) * clean[i]).sum::<f64>()
    };
    for image in 0..7 {
        let moved = (ratio(image, 1e-6) - ratio(image, -1e-6)) / 2e-6;
        let score = scores.network(0)[image];
        assert!(((score - 0.4) / 7.0 - moved).abs() < 1e-8, "image {image}");
    }
}

#[test]
fn value_one_seed_is_tested_exactly() {
    // 9 images only by the first, 2 only by the second.
    let first: Vec<f64> = (0..500).map(|image| f64::from(image >= 2)).collect();
    let second: Vec<f64> = (0..500).map(|image| f64::from(image < 491)).collect();
    let pair = [&first, &second].map(|row| Scores::new(vec![row.clone()], 1).unwrap());
    let found = difference(&pair[0], &pair[1]).unwrap();
    near(found.value, 7.0 / 500.0);
    // Oracles: McNemar's test and the interval of paired differences, with 0 in it as p is above 0.05.
    near(found.p_value, mcnemar(9, 2));
    let differences: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a - b).collect();
    let interval = paired(&differences);
    assert!(interval.contains(found.interval.high) && found.interval.contains(0.0));
    near(found.interval.low, interval.low.min(0.0));
    assert_eq!((found.seeds, found.of_seeds, found.freedom), (1, 0.0, None));
}

#[test]
fn value_trends_and_interactions_by_hand() {
    let trainings =
        [[900, 902], [870, 872], [860, 858], [790, 792]].map(|right| networks(&right, 1000));
    let [a, b, c, d] = trainings.each_ref();
    let means = [0.901, 0.871, 0.859, 0.791];
    // Oracle: the least-squares slope of the four means times the range.
    let levels = [0.0, 0.1, 0.2, 0.3];
    let slope: f64 = levels
        .iter()
        .zip(means)
        .map(|(x, y)| (x - 0.15) * y)
        .sum::<f64>()
        / 0.05;
    let found = contrast(
        &Weights::trend(&levels).unwrap(),
        &[a, b, c, d],
        Pairing::Matched,
    )
    .unwrap();
    near(found.value, 0.3 * slope);
    let found = contrast(&Weights::interaction(), &[a, b, c, d], Pairing::Matched).unwrap();
    near(found.value, means[0] - means[1] - means[2] + means[3]);
    let apart = Weights::trends_apart(&[0.0, 1.0]).unwrap();
    assert_eq!(apart, Weights::interaction());
    // In ranks or in any unit.
    let ranks = Weights::trend(&[0.0, 1.0, 2.0, 3.0]).unwrap();
    let wide = Weights::trend(&[10.0, 30.0, 50.0, 70.0]).unwrap();
    for (rank, wide) in ranks.as_slice().iter().zip(wide.as_slice()) {
        near(*rank, *wide);
    }
}

#[test]
fn value_seeds_may_be_separate() {
    let (first, second) = (
        networks(&[900, 910, 905], 1000),
        networks(&[880, 870], 1000),
    );
    let weights = Weights::difference();
    let found = contrast(&weights, &[&first, &second], Pairing::Separate).unwrap();
    near(found.value, 0.03);
    assert_eq!((found.freedom, found.seeds), (Some(1.0), 2));
    let refused = contrast(&weights, &[&first, &second], Pairing::Matched).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("seeds of training 1: found 2, expected 3"),
        "{refused}"
    );
}

// Oracle: accuracies that lie on a plane.
#[test]
fn value_slope_of_a_plane() {
    let images = 100_000;
    let places = [
        (0.95, 0.05),
        (0.93, 0.35),
        (0.86, 0.04),
        (0.84, 0.70),
        (0.90, 0.5),
    ];
    let spatial = |clean: f64, adversarial: f64| 0.9 * clean - 0.2 * adversarial - 0.05;
    // Right images are spread alike in all measures, so that only their number matters.
    let rate = |share: f64, seed: usize| -> Vec<f64> {
        let right = (share * images as f64).round() as usize + 100 * seed;
        (0..images)
            .map(|image| f64::from(image * 7919 % images < right))
            .collect()
    };
    let both = |share: f64| Scores::new((0..2).map(|seed| rate(share, seed)).collect(), 1).unwrap();
    let scores: Vec<[Scores; 3]> = (places.iter())
        .map(|&(clean, adversarial)| {
            [
                both(clean),
                both(spatial(clean, adversarial)),
                both(adversarial),
            ]
        })
        .collect();
    let arms: Vec<Arm<'_>> = (scores.iter())
        .map(|[clean, spatial, adversarial]| Arm {
            name: "it",
            clean,
            spatial,
            adversarial,
        })
        .collect();
    let found = slope(&arms).unwrap();
    assert!((found.value + 0.2).abs() < 1e-3, "{found:?}");
    assert!(found.interval.contains(-0.2) && found.interval.high < -0.19);
    assert_eq!(found.to_string().split(' ').next(), Some("-0.20"));
    let alike = [
        arms[0],
        Arm {
            name: "again",
            ..arms[0]
        },
        arms[0],
    ];
    let refused = slope(&alike).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("too little spread beyond clean accuracy and chance"),
        "{refused}"
    );
}

#[test]
fn value_fronts_repeat_and_rank() {
    let trainings = [
        ([952, 953], [101, 103]),
        ([803, 803], [694, 696]),
        ([701, 702], [304, 306]),
    ];
    let scores: Vec<[Scores; 2]> = (trainings.iter())
        .map(|(spatial, adversarial)| [networks(spatial, 1000), networks(adversarial, 1000)])
        .collect();
    let arms: Vec<Arm<'_>> = (["natural", "robust", "neither"].iter().zip(&scores))
        .map(|(name, [spatial, adversarial])| Arm {
            name,
            clean: spatial,
            spatial,
            adversarial,
        })
        .collect();
    let bootstrap = Bootstrap::new(5).with_repetitions(300);
    let front = bootstrap.front(&arms).unwrap();
    assert_eq!(front, bootstrap.front(&arms).unwrap());
    let on_front: Vec<bool> = front.places.iter().map(|place| place.on_front).collect();
    assert_eq!(on_front, [true, true, false]);
    assert!(front.places[0].share > 0.95 && front.places[2].share < 0.05);
    near(
        front.hypervolume.value,
        0.803 * 0.695 + (0.9525 - 0.803) * 0.102,
    );
    let dominated = dominance(&arms[1], &arms[2], Pairing::Matched).unwrap();
    assert!(dominated.p_value < 0.05 && dominated.spatial.value > 0.1);
    assert!(
        dominance(&arms[1], &arms[0], Pairing::Matched)
            .unwrap()
            .p_value
            > 0.9
    );
    let refused = Bootstrap::new(5)
        .with_repetitions(10)
        .front(&arms)
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "repetitions = 10: expected at least 100"
    );
}

#[test]
fn value_findings_and_sentences() {
    let measured = [
        (Endpoint::new("A").falls(), effect(-0.072, 0.01)),
        (Endpoint::new("B").rises(), effect(-0.072, 0.01)),
        (Endpoint::new("C").falls(), effect(0.001, 0.004)),
        (Endpoint::new("D").falls(), effect(-0.012, 0.008)),
        (
            Endpoint::new("E"),
            Effect {
                seeds: 1,
                ..effect(0.012, 0.002)
            },
        ),
        (
            Endpoint::new("F").falls().with_margin(0.05),
            Effect {
                unit: Unit::PointsPerPoint,
                ..effect(-0.31, 0.03)
            },
        ),
    ];
    let verdicts = Family::new().verdicts(&measured).unwrap();
    let texts: Vec<String> = verdicts.iter().map(Verdict::to_string).collect();
    let adjusted = "adjusted over 6 endpoints; 5 seeds, 10000 images).";
    let expected = [
        format!("A: shows a fall of 7.2 points (95 % interval -9.2 to -5.2; p < 0.001 {adjusted}"),
        format!(
            "B: shows the opposite of the claim, a fall of 7.2 points (95 % interval -9.2 to -5.2; \
             p < 0.001 {adjusted}"
        ),
        format!(
            "C: no change of 2 points or more: +0.1 (95 % interval -0.7 to +0.9; p < 0.001 {adjusted}"
        ),
        format!(
            "D: undecided: -1.2 points (95 % interval -2.8 to +0.4; no effect: p = 0.67, one of 2 points \
             or more: p = 0.79 {adjusted}"
        ),
        "E: shows a rise of 1.2 points, less than 2 points (95 % interval +0.8 to +1.6; p < 0.001 adjusted \
         over 6 endpoints; 10000 images, one seed: of these networks only)."
            .to_owned(),
        format!(
            "F: shows a loss of 0.31 points per point (95 % interval -0.37 to -0.25; p < 0.001 {adjusted}"
        ),
    ];
    assert_eq!(texts, expected);
    let findings: Vec<String> = verdicts
        .iter()
        .map(|verdict| verdict.finding.to_string())
        .collect();
    let words = [
        "shows",
        "shows the opposite",
        "absent",
        "undecided",
        "shows",
        "shows",
    ];
    assert_eq!(findings, words);
    let text = serde_json::to_string(&verdicts).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<Verdict>>(&text).unwrap(),
        verdicts
    );
}

#[test]
fn convention_absence_needs_its_interval_within_the_margin() {
    // One endpoint: two one-sided tests at 5 % alone would say so, but the 95 % interval reaches beyond.
    let close = effect(0.0, 0.011);
    assert!(close.equivalence(0.02) < 0.05 && close.interval.high > 0.02);
    let verdicts = Family::new()
        .verdicts(&[(Endpoint::new("it"), close)])
        .unwrap();
    assert_eq!(verdicts[0].finding, Finding::Undecided);
    assert!(
        verdicts[0]
            .to_string()
            .starts_with("it: undecided: +0.0 points")
    );
}

#[test]
fn error_what_no_verdict_can_be_made_of() {
    let message = |result: fireproof::base::Result<Scores>| result.unwrap_err().to_string();
    assert_eq!(
        message(Scores::new(vec![vec![1.0], vec![0.3]], 2)),
        "the score of image 0 by network 1: found 0.3, expected the mean of 2 outcomes that are 0 or 1"
    );
    assert_eq!(
        message(Scores::new(vec![vec![1.0, 0.0], vec![1.0]], 1)),
        "scores of network 1: found 1, expected 2 images, as of network 0"
    );
    assert_eq!(
        message(Scores::new(Vec::new(), 1)),
        "scores of network 0: found 0, expected at least one network and one image"
    );
    let outcomes = Outcomes::new([true; 5]);
    assert_eq!(
        message(Scores::of_outcomes([&outcomes], 2)),
        "outcomes: found 5, expected 2 for each image, and at least one"
    );
    let message = |result: fireproof::base::Result<Weights>| result.unwrap_err().to_string();
    assert!(message(Weights::trend(&[1.0, 1.0])).starts_with("levels of a trend = [1.0, 1.0]"));
    assert!(message(Weights::new([1.0, 1.0])).starts_with("weights of a contrast = [1.0, 1.0]"));
    let family = Family::new().with_level(0.1).check().unwrap_err();
    assert_eq!(
        family.to_string(),
        "level = 0.1: expected a probability above 0 and at most 0.05"
    );
    let strict = serde_json::from_str::<Endpoint>(r#"{"name": "it", "margins": 0.1}"#).unwrap_err();
    assert!(
        strict.to_string().contains("unknown field `margins`"),
        "{strict}"
    );
    let none = Outcomes::new([false; 5]);
    let network = Bits {
        clean: &none,
        correct: &outcomes,
        fooled: &none,
        draws: 1,
    };
    let refused = Estimand::FoolingOfRight.scores(&[network]).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("images that are right when clean: found 0"),
        "{refused}"
    );
}
