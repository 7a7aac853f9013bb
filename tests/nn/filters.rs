//! Prepared filters: only where nothing is learnt, and never out of date.

use super::given::group_conv;
use crate::common::{On, values};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use fireproof::group::Group;

on_every_device![
    value_filters_are_prepared_only_for_models_that_do_not_learn,
    value_filters_are_never_out_of_date,
];

struct Double;

impl ModuleMapper for Double {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| value * 2.0)
    }
}

fn value_filters_are_prepared_only_for_models_that_do_not_learn(on: &On) {
    for &group in on.among(&Group::ALL, &[Group::P4]) {
        let features = on.pattern([1, 2, group.size(), 5, 5], 1);
        let layer = group_conv(on, group);
        assert!(!layer.filters().is_prepared());
        let expected = values(layer.forward(features.clone()));
        assert!(layer.filters().is_prepared());

        // Learning: nothing is kept, and the values are the same.
        let learning = layer.clone().train();
        let output = learning.forward(Tensor::from_inner(features.clone()));
        assert!(!learning.filters().is_prepared());
        assert_eq!(values(output.inner()), expected);

        // Frozen on the autodiff device, and in inference mode: kept.
        for frozen in [learning.clone().freeze(), learning.valid()] {
            assert!(!frozen.filters().is_prepared());
            for _ in 0..2 {
                let input = Tensor::from_inner(features.clone()).require_grad();
                let output = frozen.forward(input.clone());
                let gradients = output.clone().sum().backward();
                assert!(input.grad(&gradients).is_some());
                assert_eq!(values(output.inner()), expected);
                assert!(frozen.filters().is_prepared());
            }
        }
    }
}

fn value_filters_are_never_out_of_date(on: &On) {
    // Oracle: a new layer with the same weights.
    let group = Group::P4;
    let device = on.device();
    let features = on.pattern([1, 2, 4, 5, 5], 1);
    let fresh = |weight, bias| {
        let layer = group_conv(on, group).with_weight(weight).with_bias(bias);
        values(layer.forward(features.clone()))
    };
    let layer = group_conv(on, group);
    let (weight, bias) = (layer.weight(), layer.bias().unwrap());
    let start = values(layer.forward(features.clone()));

    // Mapped.
    let mapped = layer.clone().map(&mut Double);
    let doubled = fresh(weight.clone() * 2.0, bias.clone() * 2.0);
    assert_eq!(values(mapped.forward(features.clone())), doubled);
    assert_eq!(values(layer.forward(features.clone())), start);

    // Loaded.
    let loaded = layer.clone().load_record(mapped.clone().into_record());
    assert_eq!(values(loaded.forward(features.clone())), doubled);
    assert_eq!(values(layer.forward(features.clone())), start);

    // Set.
    let set = layer.clone().with_weight(weight.clone() * 3.0);
    let expected = fresh(weight.clone() * 3.0, bias.clone());
    assert_eq!(values(set.forward(features.clone())), expected);
    let set = layer.clone().with_bias(bias.clone() * 3.0);
    let expected = fresh(weight, bias * 3.0);
    assert_eq!(values(set.forward(features.clone())), expected);

    // Trained for a step, starting from a layer whose filters were prepared.
    use burn::optim::{GradientsParams, SgdConfig};
    let learning = layer.clone().train();
    let loss = learning.forward(Tensor::from_inner(features.clone())).sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &learning);
    let trained = SgdConfig::new()
        .init()
        .step(1.0, learning, gradients)
        .valid();
    let expected = fresh(trained.weight(), trained.bias().unwrap());
    assert_eq!(values(trained.forward(features.clone())), expected);
    assert_ne!(expected, start);

    // Whatever may change weights or device hands on nothing.
    assert!(layer.filters().is_prepared() && layer.clone().filters().is_prepared());
    for moved in [
        layer.clone().to_device(&device),
        layer.clone().fork(&device),
        layer.clone().materialize(),
        layer.clone().no_grad(),
        layer.valid(),
    ] {
        assert!(!moved.filters().is_prepared());
        assert_eq!(values(moved.forward(features.clone())), start);
    }
}
