//! Networks in files, by name.

use super::pytorch::{IMAGES, numbers};
use super::state_dict::{cnn, file, fixture_logits, logits};
use crate::common::{On, values};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use fireproof::attack::Frozen;
use fireproof::base::{Classifier, Error, Kind, Result, named};
use fireproof::group::Group;
use fireproof::model::{
    Cnn, CnnConfig, Head, Model, ModelSpec, Network, Plain, Published, ResNetConfig, VggConfig,
    num_learned,
};
use fireproof::nn::{Linear, LinearConfig, NormalizeConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

// Settings, and weights that other tests measure: on the CPU alone.
on_this_device![
    value_networks_by_name,
    convention_written_settings_are_whole,
    error_settings_that_are_none,
    value_weights_by_ending,
    convention_a_network_of_ones_own,
];

fn read(json: Value) -> serde_json::Result<ModelSpec> {
    serde_json::from_value(json)
}

fn value_networks_by_name(on: &On) {
    // Oracle: the configurations' own constructors, and numbers of parameters as published.
    let digit = json!({"image": [1, 28, 28], "classes": 10});
    let image = json!({"image": [3, 32, 32], "classes": 10});
    for (name, group, sizes, count) in [
        ("cnn", Some("p4"), &digit, 89_910),
        ("cnn", None, &digit, 23_010),
        ("small_cnn", None, &digit, 312_202),
        ("madry_cnn", None, &digit, 3_274_634),
        ("vgg16", None, &image, 14_728_266),
        ("resnet18", None, &image, 11_173_962),
        ("resnet18", Some("p4m"), &image, 11_201_415),
    ] {
        let mut json = sizes.clone();
        json["model"] = name.into();
        if let Some(group) = group {
            json["group"] = group.into();
        }
        let spec = read(json).unwrap();
        assert_eq!(spec.name(), name);
        assert_eq!(
            spec.init(&on.device()).unwrap().num_learned(),
            count,
            "{name}"
        );
    }
    let wide = read(json!({"model": "wrn_34_10", "image": [3, 32, 32], "classes": 10})).unwrap();
    assert_eq!(wide.settings()["widths"], json!([16, 160, 320, 640]));
    let spec = read(
        json!({"model": "cnn", "group": "p4", "image": [1, 28, 28], "classes": 10,
        "head": "pooled", "seed": 7}),
    )
    .unwrap();
    let config = CnnConfig::new(Group::P4, [1, 28, 28], 10)
        .with_head(Head::Pooled)
        .with_seed(7);
    assert_eq!(spec, ModelSpec::from(config.clone()));
    let network = spec.init(&on.device()).unwrap();
    let images = |config: &CnnConfig| {
        let model = config.init(&on.device()).unwrap();
        logits(on, &model, config.image)
    };
    assert_eq!(logits(on, &*network, config.image), images(&config));
    let known: Box<Cnn> = network.into_any().downcast().unwrap();
    assert_eq!(
        num_learned(&*known),
        spec.init(&on.device()).unwrap().num_learned()
    );
}

fn convention_written_settings_are_whole(_: &On) {
    let image = [3, 32, 32];
    let specs: [ModelSpec; 3] = [
        VggConfig::vgg16(Group::P4m, image, 10)
            .with_normalize(Some(NormalizeConfig::cifar10()))
            .into(),
        ResNetConfig::resnet18(Group::P4, image, 100)
            .equivariant()
            .into(),
        cnn().with_seed(3).into(),
    ];
    for spec in specs {
        let written = serde_json::to_value(&spec).unwrap();
        assert_eq!(read(written.clone()).unwrap(), spec);
        assert_eq!(written["model"], spec.name());
        // Without its name, the file of a configuration.
        let mut shown: Value = serde_json::from_str(&spec.to_string()).unwrap();
        assert_eq!(shown.get("model"), None);
        shown["model"] = spec.name().into();
        assert_eq!(read(shown).unwrap(), spec);
    }
}

fn error_settings_that_are_none(on: &On) {
    let right = json!({"model": "cnn", "group": "p4", "image": [1, 28, 28], "classes": 10});
    let refused = |field: &str, value: Value| {
        let mut wrong = right.clone();
        wrong[field] = value;
        read(wrong).unwrap_err().to_string()
    };
    for (field, value, part) in [
        ("model", json!("lenet"), "one of: cnn, "),
        ("misspelt", json!(1), "`misspelt`"),
        ("group", json!("p6"), "`p6`"),
        ("image", json!([28, 28]), "length 2"),
        ("classes", json!(-1), "-1"),
        ("widths", json!([1, 2]), "widths"),
    ] {
        let error = refused(field, value);
        assert!(error.contains(part) || part == "widths", "{field}: {error}");
    }
    let small = json!({"model": "small_cnn", "group": "p4", "image": [1, 28, 28], "classes": 10});
    assert!(read(small).unwrap_err().to_string().contains("`group`"));
    let missing = read(json!({"model": "vgg16", "classes": 10})).unwrap_err();
    assert!(missing.to_string().contains("`image`"), "{missing}");
    let odd = read(json!({"model": "cnn", "group": "p4", "image": [1, 29, 29], "classes": 10}));
    let odd = odd.unwrap().init(&on.device()).err().unwrap();
    assert!(matches!(odd, Error::Size { .. }), "{odd}");
}

fn value_weights_by_ending(on: &On) {
    let spec = ModelSpec::from(cnn());
    let by_pytorch = spec.load(file("cnn_p4.pt"), &on.device()).unwrap();
    let found = logits(on, &*by_pytorch, spec.image());
    let expected = fixture_logits("cnn_p4.pt");
    for (a, b) in found.iter().zip(expected) {
        assert!((f64::from(*a) - b).abs() <= 1e-5, "{a} {b}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cnn.safetensors");
    by_pytorch.state_dict().write(&path).unwrap();
    let again = spec.load(&path, &on.device()).unwrap();
    assert_eq!(logits(on, &*again, spec.image()), found);
    let record = folder.path().join("cnn.bpk");
    let known: Box<Cnn> = again.into_any().downcast().unwrap();
    known.save_file(&record).unwrap();
    let mut again = spec.load(&record, &on.device()).unwrap();
    assert_eq!(logits(on, &*again, spec.image()), found);

    // A frozen copy stays as it is; what does not fit changes nothing.
    let frozen = Frozen::from_shared(again.inference());
    let images = on.tensor(numbers(2 * 256, IMAGES, 0.0, 1.0), [2, 1, 16, 16]);
    let kept = values(frozen.logits(images.clone()));
    assert!(again.load(file("small_cnn.pt")).is_err());
    std::fs::write(&record, "no record").unwrap();
    let error = again.load(&record).unwrap_err().to_string();
    assert!(error.contains("cnn.bpk"), "{error}");
    assert_eq!(logits(on, &*again, spec.image()), found);
    again
        .load_state_dict(&spec.init(&on.device()).unwrap().state_dict())
        .unwrap();
    assert_ne!(logits(on, &*again, spec.image()), found);
    assert_eq!(values(frozen.logits(images)), kept);
}

/// One linear layer.
#[derive(Module, Debug)]
struct Line {
    fc: Linear,
}

impl Classifier for Line {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.fc.forward(images.flatten(1, 3))
    }
}

impl Published for Line {}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineSettings {
    classes: usize,
}

impl std::fmt::Display for LineSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a line to {} classes", self.classes)
    }
}

impl Network for LineSettings {
    fn init(&self, device: &Device) -> Result<Box<dyn Model>> {
        let fc = LinearConfig::new([4, self.classes]).init(device);
        Ok(Box::new(Line { fc }))
    }

    fn image(&self) -> [usize; 3] {
        [1, 2, 2]
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn settings(&self) -> Value {
        named::<dyn Network>("line", self)
    }
}

fn convention_a_network_of_ones_own(on: &On) {
    let names = <dyn Network as Kind>::registry();
    names
        .add("line", |line: LineSettings| Arc::new(line))
        .unwrap();
    let spec = read(json!({"model": "line", "classes": 3})).unwrap();
    assert_eq!(
        (spec.image(), spec.to_string()),
        ([1, 2, 2], "a line to 3 classes".into())
    );
    assert!(read(json!({"model": "line", "classes": 3, "seed": 1})).is_err());
    let network = spec.init(&on.device()).unwrap();
    assert_eq!(network.state_dict().shape("fc.weight"), Some(&[3, 4][..]));
    let error = Plain::fold(&*spec, &network.state_dict())
        .unwrap_err()
        .to_string();
    assert!(error.contains("says its steps"), "{error}");
}
