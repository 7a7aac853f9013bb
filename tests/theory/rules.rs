//! Rules of a user's own, and networks.

use crate::common::On;
use burn::tensor::{Tensor, TensorData};
use fireproof::base::{Classifier, Seed};
use fireproof::theory::{GaussianFeature, Linear, Logits, Rule, Setting, Survey};

// The rules' arithmetic is the host's, and a network's that of its own tests.
on_this_device![
    value_logits_are_a_rule,
    value_network_is_surveyed_as_its_rule
];

// Logits ∓wᵀx/2 of images [1, 1, 3].
fn network(images: Tensor<4>) -> Tensor<2> {
    let device = images.device();
    let weights = Tensor::<2>::from_data(TensorData::new(vec![1.0f32, -2.0, 0.5], [3, 1]), &device);
    let sum = images.flatten::<2>(1, 3).matmul(weights);
    Tensor::cat(vec![sum.clone() * -0.5, sum * 0.5], 1)
}

fn value_logits_are_a_rule(on: &On) {
    // Oracle: the sum by hand.
    let rule = Logits::of(network, &on.device());
    let points = [[1.0, 0.0, 4.0], [0.0, 1.0, 0.0], [2.0, 1.0, 0.0]];
    let seen = Vec::from_iter(points.iter().map(|point| point.as_slice()));
    assert_eq!(rule.scores(&seen), [3.0, -2.0, 0.0]);
    assert_eq!(rule.score(&points[1]), -2.0);
    assert!(rule.scores(&[]).is_empty());
}

fn value_network_is_surveyed_as_its_rule(on: &On) {
    let setting = GaussianFeature::new(3, 1.5, 0.5).unwrap();
    let survey = Survey::new(700, 1.0).with_seed(3);
    let found = survey
        .of(&setting, &Logits::of(network, &on.device()))
        .unwrap();
    let linear = survey.of(&setting, &Linear::new([1.0, -2.0, 0.5])).unwrap();
    // But for points within rounding of the edge, of which there is none.
    assert_eq!(found, linear);
}

#[test]
fn convention_closures_are_rules() {
    let setting = GaussianFeature::new(4, 1.5, 0.5).unwrap();
    let median = |features: &[f64]| {
        let mut features = features.to_vec();
        features.sort_by(f64::total_cmp);
        features[1] + features[2]
    };
    let found = Survey::new(500, 0.5).of(&setting, &median).unwrap();
    // No shift changes it.
    assert_eq!(found.natural, found.spatial);
    assert_eq!(found.in_place, found.adversarial);
    assert!(found.natural.value() > 0.7 && found.sum.low < found.sum.high);
    assert!(
        format!("{:?}", setting.optimal(1.0, 0.5).unwrap()).contains("Gaussian feature, d = 4")
    );
    assert_eq!(setting.point(Seed(0), 1).features.len(), 4);
    fn is_classifier(_: impl Classifier) {}
    is_classifier(network);
}
