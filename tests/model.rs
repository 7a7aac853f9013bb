//! Models: parameters, sizes, widths, seeds, invariance, records.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use fireproof::base::{Classifier, Error, Keys, Purpose, Seed};
use fireproof::group::Group;
use fireproof::model::{Cnn, CnnConfig, Head, SmallCnnConfig, Widths};
use fireproof::nn::NormalizeConfig;

fn cnn(group: Group) -> CnnConfig {
    CnnConfig::new(group, [1, 28, 28], 10).with_seed(7)
}

fn init(config: &CnnConfig) -> Cnn {
    config
        .init(&fireproof::device())
        .expect("a sound configuration")
}

fn images(shape: [usize; 4]) -> Tensor<4> {
    let mut draws = Seed(1).draws(Purpose::Subset, 0, 0);
    let count = shape.iter().product();
    let pixels: Vec<f32> = (0..count).map(|_| draws.uniform(0.0, 1.0) as f32).collect();
    Tensor::from_data(TensorData::new(pixels, shape), &fireproof::device())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

#[test]
fn value_published_parameter_counts() {
    // Oracle: the counts of the published networks.
    assert_eq!(init(&cnn(Group::P4)).num_params(), 89_910);
    assert_eq!(init(&cnn(Group::P1)).num_params(), 23_010);
    let small = SmallCnnConfig::new([1, 28, 28], 10);
    assert_eq!(
        small.init(&fireproof::device()).unwrap().num_params(),
        312_202
    );
}

#[test]
fn value_matched_parameter_counts() {
    // Oracle: the parameters that the built network has.
    for target in [23_010, 30_000, 89_910, 250_000] {
        for head in [Head::Flattened, Head::Pooled] {
            for group in Group::ALL {
                let config = cnn(group)
                    .with_head(head)
                    .with_widths(Widths::Matched(target));
                let count = init(&config).num_params();
                assert!(
                    20 * count.abs_diff(target) <= target,
                    "{group} {head:?}: {count}"
                );
            }
        }
    }
    // With and without batch norm, whatever the head.
    for batch_norm in [false, true] {
        let config = cnn(Group::P4).with_batch_norm(Some(batch_norm));
        let extra = if batch_norm { 4 * 60 } else { 0 };
        assert_eq!(init(&config).num_params(), 89_910 + extra);
        assert_eq!(
            init(&config.with_widths(Widths::Matched(89_910 + extra))).num_params(),
            89_910 + extra
        );
    }
    // What the published widths have is matched by the published widths.
    let same = init(&cnn(Group::P4).with_widths(Widths::Matched(89_910)));
    assert_eq!(same.num_params(), 89_910);
}

#[test]
fn shape_of_logits() {
    for (group, head, image) in [
        (Group::P4m, Head::Pooled, [1, 28, 28]),
        (Group::P4, Head::Flattened, [3, 32, 32]),
        (Group::P4, Head::Pooled, [2, 24, 28]),
        (Group::P1, Head::Flattened, [1, 29, 31]),
    ] {
        // 32 → 30 → 28 → 14 → 12 → 10 → 5; over p1 odd sizes do too.
        let [channels, height, width] = image;
        let model = init(&CnnConfig::new(group, image, 7).with_head(head));
        let logits = model.logits(images([2, channels, height, width]));
        assert_eq!(logits.dims(), [2, 7], "{group}, {image:?}");
        assert_eq!(model.group(), group);
    }
    let small = SmallCnnConfig::new([3, 32, 30], 5)
        .init(&fireproof::device())
        .unwrap();
    assert_eq!(small.logits(images([2, 3, 32, 30])).dims(), [2, 5]);
}

#[test]
fn error_inexact_image_size() {
    for group in [Group::P4, Group::P4m] {
        // 30 → 28 → 26 → 13 → 11 → 9, which a 2×2 pooling cannot halve.
        let error = CnnConfig::new(group, [1, 30, 28], 10)
            .init(&fireproof::device())
            .unwrap_err();
        let text = error.to_string();
        let Error::Size {
            height,
            width,
            works,
            ..
        } = error
        else {
            panic!("{text}");
        };
        assert_eq!([height, width], [30, 28]);
        assert_eq!(works, [28, 32], "{text}");
        assert!(
            text.contains("GroupMaxPool2d") && text.contains("would see 9×8"),
            "{text}"
        );
        for side in works {
            assert!(
                CnnConfig::new(group, [1, side, side], 10)
                    .init(&fireproof::device())
                    .is_ok()
            );
        }
    }
    let error = CnnConfig::new(Group::P1, [1, 12, 12], 10)
        .init(&fireproof::device())
        .unwrap_err();
    assert!(error.to_string().contains("Cnn over p1"), "{error}");
    let error = SmallCnnConfig::new([1, 9, 28], 10)
        .init(&fireproof::device())
        .unwrap_err();
    assert!(
        error.to_string().starts_with("SmallCnn on 9×28 images: "),
        "{error}"
    );
}

#[test]
fn error_settings() {
    let normalize = |mean: Vec<f32>, std: Vec<f32>| Some(NormalizeConfig::new(mean, std));
    for (config, setting) in [
        (CnnConfig::new(Group::P4, [0, 28, 28], 10), "image"),
        (CnnConfig::new(Group::P4, [1, 28, 28], 1), "classes"),
        (cnn(Group::P4).with_hidden(0), "hidden"),
        (cnn(Group::P4).with_dropout(Some(1.0)), "dropout"),
        (cnn(Group::P4).with_dropout(Some(f64::NAN)), "dropout"),
        (
            cnn(Group::P4).with_widths(Widths::Given([1, 2, 0, 4])),
            "widths",
        ),
        (cnn(Group::P4).with_widths(Widths::Matched(100)), "widths"),
        (
            cnn(Group::P4).with_normalize(normalize(vec![0.1; 3], vec![1.0; 3])),
            "normalize",
        ),
        (
            cnn(Group::P4).with_normalize(normalize(vec![0.1], vec![-1.0])),
            "normalize",
        ),
    ] {
        let error = config.init(&fireproof::device()).unwrap_err();
        assert!(error.to_string().starts_with(setting), "{error}");
    }
    let small = SmallCnnConfig::new([1, 28, 28], 10);
    for (config, setting) in [
        (SmallCnnConfig::new([0, 28, 28], 10), "image"),
        (SmallCnnConfig::new([1, 28, 28], 0), "classes"),
        (small.clone().with_dropout(-0.1), "dropout"),
        (small.with_normalize(normalize(vec![], vec![])), "normalize"),
    ] {
        let error = config.init(&fireproof::device()).unwrap_err();
        assert!(error.to_string().starts_with(setting), "{error}");
    }
}

#[test]
fn value_weights_depend_on_the_seed_alone() {
    let device = fireproof::device();
    let x = images([2, 1, 28, 28]);
    let first = values(init(&cnn(Group::P4)).forward(x.clone()));
    // Whatever Burn's own generator does.
    device.seed(123);
    Tensor::<1>::random([100], burn::tensor::Distribution::Default, &device);
    assert_eq!(values(init(&cnn(Group::P4)).forward(x.clone())), first);
    assert_ne!(values(init(&cnn(Group::P4).with_seed(8)).forward(x)), first);
}

/// The FNV-1a digest of the bits of all weights and biases, in the order of the walk; and the paths
/// of all parameters.
struct Digest {
    path: Vec<String>,
    names: Vec<String>,
    bits: u64,
}

impl Digest {
    fn of(model: &impl Module) -> Self {
        let mut digest = Self {
            path: Vec::new(),
            names: Vec::new(),
            bits: 0xcbf2_9ce4_8422_2325,
        };
        model.visit(&mut digest);
        digest
    }
}

impl ModuleVisitor for Digest {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.names.push(self.path.join("."));
        if !["weight", "bias"].contains(&self.path.last().unwrap().as_str()) {
            return;
        }
        for value in values(param.val()) {
            for byte in value.to_bits().to_le_bytes() {
                self.bits = (self.bits ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
    }
}

#[test]
fn convention_initial_weights_are_pinned() {
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
        let found = Digest::of(&init(&config)).bits;
        assert_eq!(
            found, bits,
            "{} {:?}: {found:#x}",
            config.group, config.head
        );
    }
    let small = SmallCnnConfig::new([3, 32, 30], 5).with_seed(7);
    let small = small.init(&fireproof::device()).unwrap();
    assert_eq!(Digest::of(&small).bits, 0x438e_90ea_0972_2830);
}

#[test]
fn convention_parameter_names() {
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
    let found = Digest::of(&init(&cnn(Group::P4))).names;
    assert_eq!(found, [plain, linear(&["fc1", "fc2"])].concat());

    let normed = of_layers(
        &convs,
        "conv.weight conv.bias norm.norm.gamma norm.norm.beta norm.norm.running_mean \
         norm.norm.running_var",
    );
    let found = Digest::of(&init(&cnn(Group::P4).with_head(Head::Pooled))).names;
    assert_eq!(found, [normed, linear(&["fc1", "fc2"])].concat());

    let blocks = ["blocks.0", "blocks.1", "blocks.2", "blocks.3"];
    let small = SmallCnnConfig::new([1, 28, 28], 10).init(&fireproof::device());
    let plain = of_layers(&blocks, "conv.weight conv.bias");
    let found = Digest::of(&small.unwrap()).names;
    assert_eq!(found, [plain, linear(&["fc1", "fc2", "fc3"])].concat());
}

#[test]
fn value_initial_features_keep_their_size() {
    // Oracle: He et al. 2015: through rectifiers, features keep the mean square of the pixels.
    for group in Group::ALL {
        let config = cnn(group).with_widths(Widths::Given([32; 4]));
        let x = images([8, 1, 28, 28]) * 2.0 - 1.0;
        let input = values(x.clone().powi_scalar(2).mean())[0];
        let output = values(init(&config).features(x).powi_scalar(2).mean())[0];
        // Max poolings choose the larger ones, hence the upper limit.
        let ratio = output / input;
        assert!((0.3..12.0).contains(&ratio), "{group}: {ratio}");
    }
}

#[test]
fn equivariance_pooled_head_is_invariant() {
    for group in Group::ALL {
        let model = init(&cnn(group).with_head(Head::Pooled));
        let x = images([16, 1, 28, 28]);
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
    let model = init(&cnn(Group::P4));
    let x = images([16, 1, 28, 28]);
    let turned = Group::P4.act_on_planes(x.clone(), fireproof::group::Element::new(false, 1));
    let change = (model.forward(turned) - model.forward(x.clone()))
        .abs()
        .max();
    assert!(values(change)[0] > 0.01 * values(model.forward(x).abs().max())[0]);
}

#[test]
fn equivariance_features_in_training() {
    // Batch norm takes the statistics of the batch: moving the whole batch changes none.
    let x = images([8, 1, 28, 28]);
    for group in [Group::P4, Group::P4m] {
        let features = |x: Tensor<4>| {
            let model = init(&cnn(group).with_head(Head::Pooled)).train();
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

#[test]
fn value_normalize_is_part_of_the_model() {
    // Oracle: the model without it, on images normalised by hand.
    let x = images([2, 1, 28, 28]);
    let with = init(&cnn(Group::P4).with_normalize(Some(NormalizeConfig::mnist())));
    let without = init(&cnn(Group::P4));
    assert_eq!(
        values(with.forward(x.clone())),
        values(without.forward((x - 0.1307) / 0.3081))
    );
}

#[test]
fn value_small_cnn_starts_with_zero_logits() {
    // Oracle: the published initialisation, whose last layer is zero.
    let device = fireproof::device();
    let model = SmallCnnConfig::new([1, 28, 28], 10).init(&device).unwrap();
    let logits = values(model.forward(images([2, 1, 28, 28])));
    assert!(logits.iter().all(|&logit| logit == 0.0));
}

#[test]
fn value_dropout_is_reproducible() {
    let x = images([4, 1, 28, 28]);
    let learning = || init(&cnn(Group::P4)).train();
    let autodiff = Tensor::from_inner(x.clone());
    let first = learning();
    let run: Vec<_> = (0..2)
        .map(|_| values(first.forward(autodiff.clone()).inner()))
        .collect();
    assert_ne!(run[0], run[1]);
    let second = learning();
    assert_eq!(values(second.forward(autodiff.clone()).inner()), run[0]);
    assert_eq!(values(second.forward(autodiff.clone()).inner()), run[1]);

    // The pooled head has no dropout unless asked for.
    let pooled = cnn(Group::P4).with_head(Head::Pooled);
    let twice = |config: &CnnConfig| {
        let model = init(config).train();
        [0, 1].map(|_| values(model.forward(autodiff.clone()).inner()))
    };
    let [first_pass, second_pass] = twice(&pooled);
    assert_eq!(first_pass, second_pass);
    let [first_pass, second_pass] = twice(&pooled.with_dropout(Some(0.5)));
    assert_ne!(first_pass, second_pass);

    // By id: an image's logits do not depend on its place.
    let by_id = |ids: [u64; 4]| {
        let keys = Keys::new(2, ids);
        values(first.forward_with(autodiff.clone(), &keys).inner())
    };
    assert_eq!(by_id([1, 2, 3, 4]), by_id([1, 2, 3, 4]));
    assert_ne!(by_id([1, 2, 3, 4]), by_id([5, 6, 7, 8]));

    // Inference drops nothing.
    let frozen = first.valid();
    assert_eq!(values(frozen.forward(x.clone())), values(frozen.forward(x)));
}

#[test]
fn value_records_and_settings_round_trip() {
    let x = images([2, 1, 28, 28]);
    let config = cnn(Group::P4m)
        .with_head(Head::Pooled)
        .with_widths(Widths::Matched(30_000))
        .with_normalize(Some(NormalizeConfig::mnist()));
    let json = serde_json::to_string(&config).unwrap();
    let again: CnnConfig = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), json);

    let model = init(&config);
    let bytes = model.clone().into_record().into_bytes().unwrap();
    let record = burn::store::ModuleRecord::from_bytes(bytes).unwrap();
    let loaded = init(&again.with_seed(99)).load_record(record);
    assert_eq!(values(loaded.forward(x.clone())), values(model.forward(x)));
}
