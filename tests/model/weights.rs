//! Initial weights: what they depend on, their bits, their names and their size.

use super::given::{cnn, images, init};
use crate::common::{On, bits, fnv1a, values};
use burn::tensor::Tensor;
use fireproof::group::Group;
use fireproof::model::{Head, SmallCnnConfig, Widths};
use fireproof::nn::NormalizeConfig;
use fireproof::train::Student;

on_every_device![
    value_weights_depend_on_the_seed_alone,
    convention_initial_weights_are_pinned,
    convention_parameter_names,
    value_initial_features_keep_their_size,
];

fn value_weights_depend_on_the_seed_alone(on: &On) {
    let device = on.device();
    let x = images(on, [2, 1, 28, 28]);
    let first = values(init(on, &cnn(Group::P4)).forward(x.clone()));
    // Whatever Burn's own generator does.
    device.seed(123);
    Tensor::<1>::random([100], burn::tensor::Distribution::Default, &device);
    assert_eq!(values(init(on, &cnn(Group::P4)).forward(x.clone())), first);
    assert_ne!(
        values(init(on, &cnn(Group::P4).with_seed(8)).forward(x)),
        first
    );
}

/// The FNV-1a digest of the bits of all weights and biases, in the order of the walk; and the paths
/// of all parameters.
struct Digest {
    names: Vec<String>,
    bits: u64,
}

impl Digest {
    fn of(model: &impl Student) -> Self {
        let weights = model.weights();
        let drawn = |name: &str| name.ends_with("weight") || name.ends_with("bias");
        let drawn = weights.iter().filter(|weight| drawn(&weight.name));
        let bytes = drawn.flat_map(|weight| bits(&weight.values));
        Self {
            bits: fnv1a(bytes.flat_map(u32::to_le_bytes)),
            names: weights.into_iter().map(|weight| weight.name).collect(),
        }
    }
}

fn convention_initial_weights_are_pinned(on: &On) {
    // Changing how weights are drawn, or their order, changes every published number: this says so.
    // Oracle: the weights of the first version of this crate.
    let wide = cnn(Group::P4m)
        .with_widths(Widths::Matched(30_000))
        .with_normalize(Some(NormalizeConfig::mnist()))
        .with_batch_norm(Some(true));
    for (config, bits) in [
        (cnn(Group::P1), 0x7482_e48d_a6d0_cdd9),
        (
            cnn(Group::P1).with_head(Head::Pooled),
            0x295d_98c2_77bc_17ff,
        ),
        (cnn(Group::P4), 0x57a1_d4be_48d7_753c),
        (
            cnn(Group::P4).with_head(Head::Pooled),
            0x489a_d129_81af_f299,
        ),
        (cnn(Group::P4m), 0x0a1b_ce76_2916_200c),
        (
            cnn(Group::P4m).with_head(Head::Pooled),
            0x56ff_d7f0_b50d_e800,
        ),
        (wide, 0xaca7_a900_2228_55a8),
    ] {
        let found = Digest::of(&init(on, &config)).bits;
        assert_eq!(
            found, bits,
            "{} {:?}: {found:#x}",
            config.group, config.head
        );
    }
    let small = SmallCnnConfig::new([3, 32, 30], 5).with_seed(7);
    let small = small.init(&on.device()).unwrap();
    assert_eq!(Digest::of(&small).bits, 0x438e_90ea_0972_2830);
}

fn convention_parameter_names(on: &On) {
    let of_layers = |layers: &[&str], parameters: &str| {
        let names = layers.iter().flat_map(|layer| {
            let layer = layer.to_string();
            parameters
                .split(' ')
                .map(move |name| format!("{layer}.{name}"))
        });
        names.collect::<Vec<_>>()
    };
    let convs = ["lift", "blocks.0", "blocks.1", "blocks.2"];
    let linear = |layers: &[&str]| of_layers(layers, "weight bias");
    let plain = of_layers(&convs, "conv.weight conv.bias");
    let found = Digest::of(&init(on, &cnn(Group::P4))).names;
    assert_eq!(found, [plain, linear(&["fc1", "fc2"])].concat());

    let normed = of_layers(
        &convs,
        "conv.weight conv.bias norm.norm.gamma norm.norm.beta norm.norm.running_mean \
         norm.norm.running_var",
    );
    let found = Digest::of(&init(on, &cnn(Group::P4).with_head(Head::Pooled))).names;
    assert_eq!(found, [normed, linear(&["fc1", "fc2"])].concat());

    let blocks = ["blocks.0", "blocks.1", "blocks.2", "blocks.3"];
    let small = SmallCnnConfig::new([1, 28, 28], 10).init(&on.device());
    let plain = of_layers(&blocks, "conv.weight conv.bias");
    let found = Digest::of(&small.unwrap()).names;
    assert_eq!(found, [plain, linear(&["fc1", "fc2", "fc3"])].concat());
}

fn value_initial_features_keep_their_size(on: &On) {
    // Oracle: He et al. 2015: through rectifiers, features keep the mean square of the pixels.
    for &group in on.among(&Group::ALL, &[Group::P4]) {
        let config = cnn(group).with_widths(Widths::Given([32; 4]));
        let x = images(on, [on.pick(8, 1), 1, 28, 28]) * 2.0 - 1.0;
        let input = values(x.clone().powi_scalar(2).mean())[0];
        let output = values(init(on, &config).features(x).powi_scalar(2).mean())[0];
        // Max poolings choose the larger ones, hence the upper limit.
        let ratio = output / input;
        assert!((0.3..12.0).contains(&ratio), "{group}: {ratio}");
    }
}
