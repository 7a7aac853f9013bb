//! The published evaluation, its mistakes included.
//!
//! On the device of this build alone: what they are made of has its tests elsewhere.

use super::given::{greys, over, run};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::Frozen;
use fireproof::base::{Purpose, Seed};
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Evaluation, Outcomes, Profile, PublishedPgd, RandomPose};

on_this_device![
    value_the_published_attack_has_a_closed_form_on_linear_classifiers,
    convention_the_published_evaluation_stands_beside_the_corrected_one,
    error_published_attacks_that_make_no_sense,
];

const MEAN: [f64; 3] = [0.4914, 0.4822, 0.4465];
const STD: [f64; 3] = [0.2023, 0.1994, 0.2010];
const PLANE: usize = 9;
const SIZE: usize = 3 * PLANE;
const COUNT: usize = 60;

fn weights() -> Vec<f64> {
    let mut draws = Seed(11).draws(Purpose::Sample, 0, 0);
    (0..SIZE).map(|_| draws.normal()).collect()
}

fn bytes() -> Vec<u8> {
    let mut draws = Seed(12).draws(Purpose::Sample, 0, 0);
    (0..COUNT * SIZE).map(|_| draws.below(256) as u8).collect()
}

// The image as it is normalised.
fn normalised(image: &[u8]) -> Vec<f64> {
    let pixel =
        |(at, byte): (usize, &u8)| (f64::from(*byte) / 255.0 - MEAN[at / PLANE]) / STD[at / PLANE];
    image.iter().enumerate().map(pixel).collect()
}

fn score(z: &[f64]) -> f64 {
    weights().iter().zip(z).map(|(w, z)| w * z).sum()
}

// Class 1 if the weighted sum of the normalised pixels is above 0.
fn linear(on: &On) -> Frozen {
    let weights = weights().iter().map(|&w| w as f32).collect();
    let weights = on.tensor(weights, [1, 3, 3, 3]);
    let channel = |numbers: [f64; 3]| on.tensor(numbers.map(|x| x as f32).to_vec(), [1, 3, 1, 1]);
    let (mean, std) = (channel(MEAN), channel(STD));
    Frozen::from_fn(move |images: Tensor<4>| {
        let z = (images - mean.clone()) / std.clone();
        let score = (z * weights.clone())
            .sum_dims(&[1, 2, 3])
            .flatten::<2>(1, 3);
        Tensor::cat(vec![-score.clone(), score], 1)
    })
}

fn data() -> ImageSet {
    // Two of three labels are right.
    let bytes = bytes();
    let labels = bytes.chunks(SIZE).enumerate().map(|(at, image)| {
        let class = u8::from(score(&normalised(image)) > 0.0);
        if at % 3 == 0 { 1 - class } else { class }
    });
    let labels = labels.collect();
    ImageSet::new("noise", [3, 3, 3], 2, bytes, labels).unwrap()
}

fn bits(outcomes: &Option<Outcomes>) -> Vec<bool> {
    outcomes.as_ref().unwrap().iter().collect()
}

// Oracle: in normalised units, without a start or a step. Ten steps of 2/255 cross a ball of 8/255 from
// wherever they start; every pixel then is at the ball's edge, and from there brought into [-1, 1].
fn value_the_published_attack_has_a_closed_form_on_linear_classifiers(on: &On) {
    let (data, victim) = (data(), linear(on));
    let radii = [0.0, 2.0 / 255.0, 8.0 / 255.0];
    for (threat, predicted) in [
        (PublishedPgd::std_cnn(), false),
        (PublishedPgd::gcnn(), true),
    ] {
        let axis = Axis::new("attack", "", threat, radii);
        let profile = run(on, &over(axis).with_seed(5), &victim, &data);
        for epsilon in radii {
            let (mut correct, mut fooled) = (Vec::new(), Vec::new());
            for (at, image) in bytes().chunks(SIZE).enumerate() {
                let z = normalised(image);
                let clean = u8::from(score(&z) > 0.0);
                let away = if predicted { clean } else { data.label(at) };
                let sign = if away == 1 { -1.0 } else { 1.0 };
                let pixel =
                    |(z, w): (&f64, f64)| (z + epsilon * sign * w.signum()).clamp(-1.0, 1.0);
                let z = Vec::from_iter(z.iter().zip(weights()).map(pixel));
                assert!(score(&z).abs() > 1e-4, "too near to tell");
                let class = u8::from(score(&z) > 0.0);
                correct.push(class == data.label(at));
                fooled.push(class != clean);
            }
            let point = profile.at(("attack", epsilon)).unwrap();
            assert_eq!(bits(&point.correct), correct, "{epsilon} {predicted}");
            assert_eq!(bits(&point.fooled), fooled, "{epsilon} {predicted}");
            assert_eq!(point.queries, 11.0);
            // The clip alone fools.
            assert!(epsilon > 0.0 || point.fooling.value > 0.0);
        }
    }
}

fn convention_the_published_evaluation_stands_beside_the_corrected_one(on: &On) {
    let evaluation = Evaluation::published();
    let profile = run(on, &evaluation, &linear(on), &data().take(6));
    assert_eq!(profile.curves.len(), 5);
    let text = profile.to_markdown();
    assert!(
        text.contains("batch norm in training mode left out"),
        "{text}"
    );
    assert!(text.contains("clipped to [-1, 1]"), "{text}");
    assert_eq!(profile.evaluation().unwrap(), evaluation);
    let read: Profile = serde_json::from_str(&profile.to_json()).unwrap();
    assert_eq!(read.to_json(), profile.to_json());
    // The pose is the published one in the one axis, and one sampling in the other.
    let threats = [0, 1].map(|at| serde_json::to_value(&evaluation.axes[at].threat).unwrap());
    let of = |threat: RandomPose| serde_json::to_value(Axis::new("", "", threat, [0.0]).threat);
    let expected = [RandomPose::published(), RandomPose::joint()].map(|t| of(t).unwrap());
    assert_eq!(threats, expected);
    let unknown = serde_json::json!({ "threat": "published_pgd", "stepz": 3 });
    let axis = serde_json::json!({ "name": "a", "unit": "", "threat": unknown, "levels": [0.1] });
    let error = serde_json::from_value::<Axis>(axis)
        .unwrap_err()
        .to_string();
    assert!(error.contains("stepz"), "{error}");
}

fn error_published_attacks_that_make_no_sense(on: &On) {
    let failure = |threat: PublishedPgd, level: f64| {
        let evaluation = over(Axis::new("attack", "", threat, [level]));
        let found = evaluation.run(&linear(on), &data().take(2), &on.device());
        found.unwrap_err().to_string()
    };
    let new = PublishedPgd::std_cnn;
    assert!(failure(new(), -0.1).contains("radius"));
    assert!(failure(new().with_step_size(0.0), 0.1).contains("step size"));
    assert!(failure(new().with_normalisation([0.5], [0.0]), 0.1).contains("std"));
    assert!(failure(new().with_normalisation([0.5], [0.2]), 0.1).contains("channels"));
    let grey = Evaluation::published().run(&super::given::bright(), &greys(&[0]), &on.device());
    assert!(
        grey.unwrap_err()
            .to_string()
            .contains("channels of the images")
    );
}
