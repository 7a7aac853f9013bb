//! Records, initial weights, display.

use super::given::{group_conv, lifting};
use crate::common::{On, values};
use burn::module::Module;
use fireproof::group::Group;
use fireproof::nn::*;

on_every_device![
    value_records_round_trip,
    value_initial_weights_know_the_true_fan_in,
    value_display_names_the_settings,
];

fn value_records_round_trip(on: &On) {
    let features = on.pattern([1, 2, 8, 5, 5], 1);
    let layer = group_conv(on, Group::P4m);
    assert_eq!(layer.clone().into_record().len(), 2);
    let bytes = layer.clone().into_record().into_bytes().unwrap();
    let record = burn::store::ModuleRecord::from_bytes(bytes).unwrap();
    let loaded = GroupConv2dConfig::new(Group::P4m, [2, 3], 3)
        .with_padding(1)
        .init(&on.device())
        .load_record(record);
    assert_eq!(
        values(loaded.forward(features.clone())),
        values(layer.forward(features))
    );
}

fn value_initial_weights_know_the_true_fan_in(on: &On) {
    // Oracle: the variance 1/(3·fan_in) of a uniform distribution in ±1/√fan_in.
    let device = on.device();
    for group in Group::ALL {
        let conv = GroupConv2dConfig::new(group, [16, 32], 3).init(&device);
        let lifting = LiftingConv2dConfig::new(group, [16, 32], 3).init(&device);
        let plain = Conv2dConfig::new([16, 32], 3).init(&device);
        for (weights, fan_in) in [
            (values(conv.weight()), 16 * group.size() * 9),
            (values(lifting.weight()), 16 * 9),
            (values(plain.weight()), 16 * 9),
        ] {
            let bound = 1.0 / (fan_in as f32).sqrt();
            assert!(weights.iter().all(|w| w.abs() <= bound * 1.000_001));
            let variance = weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32;
            let ratio = variance * 3.0 * fan_in as f32;
            assert!((0.93..1.07).contains(&ratio), "{group}: {ratio}");
        }
    }
}

fn value_display_names_the_settings(on: &On) {
    let shown = lifting(on, Group::P4m).to_string();
    assert!(
        shown.contains("2 -> 3") && shown.contains("p4m, k=3"),
        "{shown}"
    );
}
