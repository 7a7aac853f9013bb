//! Models: parameters, sizes, widths, seeds, invariance, records.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use fireproof::base::{Classifier, Error, Purpose, Seed};
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
            text.contains("pooling") && text.contains("would see 9×8"),
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
    assert!(error.to_string().contains("nothing is left"), "{error}");
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

#[test]
fn convention_initial_weights_are_pinned() {
    // Changing how weights are drawn changes every published number: this says so.
    let model = init(&cnn(Group::P1));
    let record = model.into_record();
    assert_eq!(record.len(), 12);
    let mut draws = Seed(7).draws(Purpose::Weights, 0, 0);
    let bound = (6.0f64 / 9.0).sqrt();
    let expected: Vec<f32> = (0..90)
        .map(|_| draws.uniform(-bound, bound) as f32)
        .collect();
    struct First(Vec<f32>);
    impl burn::module::ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
            if self.0.is_empty() {
                self.0 = values(param.val());
            }
        }
    }
    let mut first = First(Vec::new());
    init(&cnn(Group::P1)).visit(&mut first);
    assert_eq!(first.0, expected);
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
    let by_id = |ids: &[u64]| {
        values(
            first
                .forward_with(autodiff.clone(), Seed(2), ids, 0)
                .inner(),
        )
    };
    assert_eq!(by_id(&[1, 2, 3, 4]), by_id(&[1, 2, 3, 4]));
    assert_ne!(by_id(&[1, 2, 3, 4]), by_id(&[5, 6, 7, 8]));

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
