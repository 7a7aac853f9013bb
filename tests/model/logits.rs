//! Logits: invariance, normalisation, dropout, records.

use super::given::{cnn, images, init};
use crate::common::{On, values};
use burn::module::Module;
use burn::tensor::Tensor;
use fireproof::base::Keys;
use fireproof::group::Group;
use fireproof::model::{CnnConfig, Head, SmallCnnConfig, Widths};
use fireproof::nn::NormalizeConfig;

on_every_device![
    equivariance_pooled_head_is_invariant,
    equivariance_features_in_training,
    value_normalize_is_part_of_the_model,
    value_small_cnn_starts_with_zero_logits,
    value_dropout_is_reproducible,
    value_records_and_settings_round_trip,
];

fn equivariance_pooled_head_is_invariant(on: &On) {
    for &group in on.among(&Group::ALL, &[Group::P4]) {
        let model = init(on, &cnn(group).with_head(Head::Pooled));
        let x = images(on, [on.pick(16, 2), 1, 28, 28]);
        let upright = model.forward(x.clone());
        let scale = values(upright.clone().abs().max())[0];
        for g in group.elements() {
            let moved = model.forward(group.act_on_planes(x.clone(), g));
            let error = values((moved.clone() - upright.clone()).abs().max())[0];
            assert!(error <= 1e-5 * scale, "{group}, {g}: {error} of {scale}");
            assert_eq!(
                values(moved.argmax(1).float()),
                values(upright.clone().argmax(1).float())
            );
        }
    }
    // The flattened head is not, which is why the pooled one exists.
    let model = init(on, &cnn(Group::P4));
    let x = images(on, [on.pick(16, 2), 1, 28, 28]);
    let turned = Group::P4.act_on_planes(x.clone(), fireproof::group::Element::new(false, 1));
    let change = (model.forward(turned) - model.forward(x.clone()))
        .abs()
        .max();
    assert!(values(change)[0] > 0.01 * values(model.forward(x).abs().max())[0]);
}

fn equivariance_features_in_training(on: &On) {
    // Batch norm takes the statistics of the batch: moving the whole batch changes none.
    let x = images(on, [on.pick(8, 2), 1, 28, 28]);
    for &group in on.among(&[Group::P4, Group::P4m], &[Group::P4]) {
        let features = |x: Tensor<4>| {
            let model = init(on, &cnn(group).with_head(Head::Pooled)).train();
            model.features(Tensor::from_inner(x)).inner()
        };
        let upright = features(x.clone());
        let scale = values(upright.clone().abs().max())[0];
        for g in group.elements() {
            let of_moved = features(group.act_on_planes(x.clone(), g));
            let moved = group.act_on_features(upright.clone(), g);
            let error = values((of_moved - moved).abs().max())[0];
            assert!(error <= 1e-5 * scale, "{group}, {g}: {error} of {scale}");
        }
    }
}

fn value_normalize_is_part_of_the_model(on: &On) {
    // Oracle: the model without it, on images normalised by hand.
    let x = images(on, [2, 1, 28, 28]);
    let with = init(
        on,
        &cnn(Group::P4).with_normalize(Some(NormalizeConfig::mnist())),
    );
    let without = init(on, &cnn(Group::P4));
    assert_eq!(
        values(with.forward(x.clone())),
        values(without.forward((x - 0.1307) / 0.3081))
    );
}

fn value_small_cnn_starts_with_zero_logits(on: &On) {
    // Oracle: the published initialisation, whose last layer is zero.
    let device = on.device();
    let model = SmallCnnConfig::new([1, 28, 28], 10).init(&device).unwrap();
    let logits = values(model.forward(images(on, [2, 1, 28, 28])));
    assert!(logits.iter().all(|&logit| logit == 0.0));
}

fn value_dropout_is_reproducible(on: &On) {
    let x = images(on, [4, 1, 28, 28]);
    let learning = || init(on, &cnn(Group::P4)).train();
    let autodiff = Tensor::from_inner(x.clone());
    let first = learning();
    let run: Vec<_> = (0..2)
        .map(|_| values(first.forward(autodiff.clone()).inner()))
        .collect();
    assert_ne!(run[0], run[1]);
    let second = learning();
    for first in &run {
        let again = values(second.forward(autodiff.clone()).inner());
        on.assert_same(&again, first, "passes in the same order");
    }

    // The pooled head has no dropout unless asked for.
    let pooled = cnn(Group::P4).with_head(Head::Pooled);
    let twice = |config: &CnnConfig| {
        let model = init(on, config).train();
        [0, 1].map(|_| values(model.forward(autodiff.clone()).inner()))
    };
    let [first_pass, second_pass] = twice(&pooled);
    on.assert_same(&first_pass, &second_pass, "no dropout");
    let [first_pass, second_pass] = twice(&pooled.with_dropout(Some(0.5)));
    assert_ne!(first_pass, second_pass);

    // By id: an image's logits do not depend on its place.
    let by_id = |ids: [u64; 4]| {
        let keys = Keys::new(2, ids);
        values(first.forward_with(autodiff.clone(), &keys).inner())
    };
    on.assert_same(&by_id([1, 2, 3, 4]), &by_id([1, 2, 3, 4]), "the same ids");
    assert_ne!(by_id([1, 2, 3, 4]), by_id([5, 6, 7, 8]));

    // Inference drops nothing.
    let frozen = first.valid();
    let [once, again] = [x.clone(), x].map(|x| values(frozen.forward(x)));
    on.assert_same(&once, &again, "inference");
}

fn value_records_and_settings_round_trip(on: &On) {
    let x = images(on, [2, 1, 28, 28]);
    let config = cnn(Group::P4m)
        .with_head(Head::Pooled)
        .with_widths(Widths::Matched(30_000))
        .with_normalize(Some(NormalizeConfig::mnist()));
    let json = serde_json::to_string(&config).unwrap();
    let again: CnnConfig = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), json);

    let model = init(on, &config);
    let bytes = model.clone().into_record().into_bytes().unwrap();
    let record = burn::store::ModuleRecord::from_bytes(bytes).unwrap();
    let loaded = init(on, &again.with_seed(99)).load_record(record);
    assert_eq!(values(loaded.forward(x.clone())), values(model.forward(x)));
}
