//! Configurations in files: of models, and of the layers that they are made of.

use burn::config::Config;
use burn::nn::Initializer;
use fireproof::group::Group;
use fireproof::model::{
    CnnConfig, Head, MadryCnnConfig, ResNetConfig, SmallCnnConfig, VggConfig, WideResNetConfig,
    Widths,
};
use fireproof::nn::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// A written file is read back equal; a misspelt setting, wherever in it, is refused by its name.
fn in_files<C: Config + PartialEq>(name: &str, config: C) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    config.save(&path).unwrap();
    assert_eq!(C::load(&path).unwrap(), config, "{name}");
    let written = serde_json::to_value(&config).unwrap();

    let places = objects(&written, String::new());
    assert!(places.contains(&String::new()), "{name}: {places:?}");
    for place in places {
        let mut value = written.clone();
        let object = value.pointer_mut(&place).unwrap().as_object_mut().unwrap();
        object.insert("misspelt".into(), json!(1));
        let refused = serde_json::from_value::<C>(value.clone()).unwrap_err();
        let said = |text: String| assert!(text.contains("`misspelt`"), "{name}{place}: {text}");
        said(refused.to_string());
        std::fs::write(&path, value.to_string()).unwrap();
        said(C::load(&path).unwrap_err().to_string());
        said(
            C::load_binary(value.to_string().as_bytes())
                .unwrap_err()
                .to_string(),
        );

        // Inside settings of one's own, and in a list.
        #[derive(Deserialize, Debug)]
        #[serde(bound = "C: Config")]
        #[expect(dead_code)]
        struct Outer<C> {
            networks: Vec<C>,
        }
        let outer = json!({ "networks": [written, value] });
        said(
            serde_json::from_value::<Outer<C>>(outer)
                .unwrap_err()
                .to_string(),
        );
    }
}

/// Where in a value there is an object whose fields are settings, and not the name of a variant.
fn objects(value: &Value, place: String) -> Vec<String> {
    let Value::Object(fields) = value else {
        return Vec::new();
    };
    let variant = |name: &String| name.starts_with(char::is_uppercase) || name == "matched";
    let own = (!fields.keys().any(variant)).then(|| place.clone());
    let inner = fields
        .iter()
        .flat_map(|(name, value)| objects(value, format!("{place}/{name}")));
    own.into_iter().chain(inner).collect()
}

macro_rules! configurations {
    ($($name:ident: $value:expr),+ $(,)?) => {
        const NAMES: &[&str] = &[$(stringify!($name)),+];

        #[test]
        fn error_misspelt_configurations() {
            $(
                let value: $name = $value;
                in_files(stringify!($name), value.clone());
                // Shown as the file it would be.
                let shown: $name = serde_json::from_str(&value.to_string()).unwrap();
                assert_eq!(shown, value);
            )+
        }
    };
}

fn initializer() -> Initializer {
    Initializer::Normal {
        mean: 0.5,
        std: 2.0,
    }
}

configurations![
    CnnConfig: CnnConfig::new(Group::P4m, [3, 32, 32], 10)
        .with_widths(Widths::Matched(20_000))
        .with_head(Head::Pooled)
        .with_dropout(Some(0.25))
        .with_batch_norm(Some(true))
        .with_normalize(Some(NormalizeConfig::cifar10()))
        .with_seed(7),
    SmallCnnConfig: SmallCnnConfig::new([1, 28, 28], 10)
        .with_dropout(0.25)
        .with_normalize(Some(NormalizeConfig::mnist())),
    ResNetConfig: ResNetConfig::resnet18(Group::P4m, [3, 32, 32], 10).equivariant(),
    WideResNetConfig: WideResNetConfig::wrn_34_10(Group::P1, [3, 32, 32], 10).with_seed(3),
    VggConfig: VggConfig::vgg16(Group::P4, [3, 32, 32], 10)
        .with_normalize(Some(NormalizeConfig::cifar10())),
    MadryCnnConfig: MadryCnnConfig::new([1, 28, 28], 10).with_seed(5),
    Conv2dConfig: Conv2dConfig::new([2, 3], 5).with_padding(1).with_initializer(initializer()),
    LiftingConv2dConfig: LiftingConv2dConfig::new(Group::P4, [2, 3], 3).with_exact(false),
    GroupConv2dConfig: GroupConv2dConfig::new(Group::P4m, [2, 3], 3).with_bias(false),
    LinearConfig: LinearConfig::new([4, 5]).with_initializer(initializer()),
    NormalizeConfig: NormalizeConfig::cifar10(),
    GroupBatchNormConfig: GroupBatchNormConfig::new(Group::P4, 8).with_momentum(0.3),
    GroupDropoutConfig: GroupDropoutConfig::new(0.5).with_seed(u64::MAX),
    GroupPoolConfig: GroupPoolConfig::new(GroupReduction::Mean),
    MaxPool2dConfig: MaxPool2dConfig::new(3).with_padding(1),
    GroupMaxPool2dConfig: GroupMaxPool2dConfig::new(Group::P4, 2).with_stride(1),
    GroupAvgPool2dConfig: GroupAvgPool2dConfig::new(Group::P4m, 2).with_exact(false),
];

/// What models put together, and no file holds.
const BLOCKS: [&str; 3] = [
    "BlockConfig",
    "BasicBlockConfig",
    "PreActivationBlockConfig",
];

#[test]
fn convention_every_configuration_is_listed() {
    // Oracle: the sources. Burn's derive would read past unknown fields.
    let mut folders = vec![format!("{}/src", env!("CARGO_MANIFEST_DIR")).into()];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir::<std::path::PathBuf>(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text.lines() {
                let burns = line.contains("derive(") && line.contains("Config");
                assert!(!burns, "{}: {line}", path.display());
            }
            for line in text.lines().filter(|line| line.starts_with("pub struct ")) {
                let name = line["pub struct ".len()..]
                    .split([' ', '<', '('])
                    .next()
                    .unwrap();
                if name.ends_with("Config") && !BLOCKS.contains(&name) {
                    assert!(NAMES.contains(&name), "{name} is not listed");
                    found += 1;
                }
            }
        }
    }
    // The others are made by macros.
    assert_eq!(found, NAMES.len() - 6);
}

#[test]
fn error_unknown_variants() {
    let read = |text: &str| serde_json::from_str::<GroupReduction>(text);
    assert_eq!(read("\"Mean\"").unwrap(), GroupReduction::Mean);
    assert!(
        read("\"Median\"")
            .unwrap_err()
            .to_string()
            .contains("`Median`")
    );
    let linear = json!({"features": [1, 2], "bias": true, "initializer": {"Norm": {}}});
    let refused = serde_json::from_value::<LinearConfig>(linear).unwrap_err();
    assert!(refused.to_string().contains("`Norm`"), "{refused}");
}
