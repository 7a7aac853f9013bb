//! Parameters, widths, image sizes and settings.

use super::given::{cnn, images, init};
use crate::common::On;
use burn::module::Module;
use fireproof::base::{Classifier, Error};
use fireproof::group::Group;
use fireproof::model::{CnnConfig, Head, SmallCnnConfig, Widths};
use fireproof::nn::NormalizeConfig;

on_every_device![
    value_published_parameter_counts,
    value_matched_parameter_counts,
    shape_of_logits,
    error_inexact_image_size,
    error_settings,
];

fn value_published_parameter_counts(on: &On) {
    // Oracle: the counts of the published networks.
    assert_eq!(init(on, &cnn(Group::P4)).num_params(), 89_910);
    assert_eq!(init(on, &cnn(Group::P1)).num_params(), 23_010);
    let small = SmallCnnConfig::new([1, 28, 28], 10);
    assert_eq!(small.init(&on.device()).unwrap().num_params(), 312_202);
}

fn value_matched_parameter_counts(on: &On) {
    // Oracle: the parameters that the built network has.
    for &target in on.among(&[23_010, 30_000, 89_910, 250_000], &[23_010]) {
        for head in [Head::Flattened, Head::Pooled] {
            for group in Group::ALL {
                let config = cnn(group)
                    .with_head(head)
                    .with_widths(Widths::Matched(target));
                let count = init(on, &config).num_params();
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
        assert_eq!(init(on, &config).num_params(), 89_910 + extra);
        assert_eq!(
            init(on, &config.with_widths(Widths::Matched(89_910 + extra))).num_params(),
            89_910 + extra
        );
    }
    // What the published widths have is matched by the published widths.
    let same = init(on, &cnn(Group::P4).with_widths(Widths::Matched(89_910)));
    assert_eq!(same.num_params(), 89_910);
}

fn shape_of_logits(on: &On) {
    for (group, head, image) in [
        (Group::P4m, Head::Pooled, [1, 28, 28]),
        (Group::P4, Head::Flattened, [3, 32, 32]),
        (Group::P4, Head::Pooled, [2, 24, 28]),
        (Group::P1, Head::Flattened, [1, 29, 31]),
    ] {
        // 32 → 30 → 28 → 14 → 12 → 10 → 5; over p1 odd sizes do too.
        let [channels, height, width] = image;
        let model = init(on, &CnnConfig::new(group, image, 7).with_head(head));
        let logits = model.logits(images(on, [2, channels, height, width]));
        assert_eq!(logits.dims(), [2, 7], "{group}, {image:?}");
        assert_eq!(model.group(), group);
    }
    let small = SmallCnnConfig::new([3, 32, 30], 5)
        .init(&on.device())
        .unwrap();
    assert_eq!(small.logits(images(on, [2, 3, 32, 30])).dims(), [2, 5]);
}

fn error_inexact_image_size(on: &On) {
    for group in [Group::P4, Group::P4m] {
        // 30 → 28 → 26 → 13 → 11 → 9, which a 2×2 pooling cannot halve.
        let error = CnnConfig::new(group, [1, 30, 28], 10)
            .init(&on.device())
            .unwrap_err();
        let text = error.to_string();
        let (size, works) = ((30, 28), [28, 32]);
        assert!(
            matches!(error, Error::Size { height, width, works: found, .. }
                if (height, width) == size && found == works),
            "{text}"
        );
        assert!(
            text.contains("GroupMaxPool2d") && text.contains("would see 9×8"),
            "{text}"
        );
        for side in works {
            assert!(
                CnnConfig::new(group, [1, side, side], 10)
                    .init(&on.device())
                    .is_ok()
            );
        }
    }
    let error = CnnConfig::new(Group::P1, [1, 12, 12], 10)
        .init(&on.device())
        .unwrap_err();
    assert!(error.to_string().contains("Cnn over p1"), "{error}");
    let error = SmallCnnConfig::new([1, 9, 28], 10)
        .init(&on.device())
        .unwrap_err();
    assert!(
        error.to_string().starts_with("SmallCnn on 9×28 images: "),
        "{error}"
    );
}

fn error_settings(on: &On) {
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
        let error = config.init(&on.device()).unwrap_err();
        assert!(error.to_string().starts_with(setting), "{error}");
    }
    let small = SmallCnnConfig::new([1, 28, 28], 10);
    for (config, setting) in [
        (SmallCnnConfig::new([0, 28, 28], 10), "image"),
        (SmallCnnConfig::new([1, 28, 28], 0), "classes"),
        (small.clone().with_dropout(-0.1), "dropout"),
        (small.with_normalize(normalize(vec![], vec![])), "normalize"),
    ] {
        let error = config.init(&on.device()).unwrap_err();
        assert!(error.to_string().starts_with(setting), "{error}");
    }
}
