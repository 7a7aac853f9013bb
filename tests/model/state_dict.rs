//! State dicts: files that PyTorch wrote, in and out of every network, and what is refused.
//!
//! Oracle: `tests/fixtures/make_state_dicts.py`: files and the logits that PyTorch gets from them.

use super::pytorch::{IMAGES, assert_near, numbers};
use crate::common::{On, values};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use fireproof::base::Classifier;
use fireproof::group::Group;
use fireproof::model::{
    CnnConfig, MadryCnnConfig, Published, ResNetConfig, SmallCnnConfig, StateDict, VggConfig,
    WideResNetConfig, Widths,
};
use fireproof::nn::{
    GroupBatchNorm, GroupBatchNormConfig, GroupConv2d, GroupConv2dConfig, LiftingConv2d,
    LiftingConv2dConfig, Linear, LinearConfig, NormalizeConfig,
};
use serde_json::Value;
use std::path::{Path, PathBuf};

// Reading files; what is new on tensors is where numbers are put: on the CPU alone.
on_this_device![
    value_logits_of_files_by_pytorch,
    value_written_and_read_again,
    value_every_network_in_and_out,
    value_clones_stay_as_they_are,
    error_tensors_that_do_not_fit_are_all_listed,
    error_files_that_are_none,
    convention_normalisation_of_the_file,
    convention_names_of_a_network_of_ones_own,
];

pub fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/state_dicts");
    folder.join(name)
}

pub fn vgg() -> VggConfig {
    VggConfig {
        widths: [3, 4, 4, 5, 6],
        depths: [1, 1, 1, 2, 1],
        ..VggConfig::vgg16(Group::P1, [3, 32, 32], 10)
    }
}

pub fn resnet(group: Group, widths: [usize; 4], depths: [usize; 4]) -> ResNetConfig {
    ResNetConfig {
        widths,
        depths,
        ..ResNetConfig::resnet18(group, [3, 32, 32], 10)
    }
}

pub fn wide_resnet() -> WideResNetConfig {
    WideResNetConfig {
        widths: [3, 3, 4, 5],
        blocks: 2,
        ..WideResNetConfig::wrn_34_10(Group::P1, [3, 32, 32], 10)
    }
}

pub fn cnn() -> CnnConfig {
    CnnConfig::new(Group::P4, [1, 16, 16], 10).with_widths(Widths::Given([3, 3, 4, 4]))
}

/// Does something with each file of the script and a network of its architecture.
macro_rules! with_each_file {
    ($on:expr, |$name:ident, $with:ident, $model:ident| $work:expr) => {
        with_each_file! { $on, |$name, $with, $model| $work;
            "vgg_p1.pt" => vgg(),
            "resnet_p1.pth" => resnet(Group::P1, [2, 3, 4, 5], [1, 2, 1, 1]),
            "resnet_p4m_groupy_net.pt" => resnet(Group::P4m, [2, 3, 3, 4], [1; 4]),
            "wide_resnet_p1.pt" => wide_resnet(),
            "small_cnn.pt" => SmallCnnConfig::new([1, 16, 16], 10),
            "madry_cnn.pt" => MadryCnnConfig::new([1, 8, 8], 10),
            "cnn_p4.pt" => cnn(),
        }
    };
    ($on:expr, |$name:ident, $with:ident, $model:ident| $work:expr; $($file:literal => $config:expr,)+) => {
        $({
            let ($name, $with) = ($file, $config);
            let $model = $with.init(&$on.device()).unwrap();
            $work
        })+
    };
}
pub(super) use with_each_file;

/// The logits that PyTorch gets from this file.
pub fn fixture_logits(name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(file("state_dicts.json")).unwrap();
    let fixture: Value = serde_json::from_str(&text).unwrap();
    let logits = fixture["logits"][name].as_array().unwrap().iter();
    logits.map(|logit| logit.as_f64().unwrap()).collect()
}

pub fn logits(on: &On, model: &dyn Classifier, [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let shape = [2, channels, height, width];
    let images = numbers(shape.iter().product(), IMAGES, 0.0, 1.0);
    values(model.logits(on.tensor(images, shape)))
}

fn value_logits_of_files_by_pytorch(on: &On) {
    with_each_file!(on, |name, config, model| {
        let expected = fixture_logits(name);
        let fresh = logits(on, &model, config.image);
        let model = StateDict::read(file(name)).unwrap().load(model).unwrap();
        let found = logits(on, &model, config.image);
        assert_ne!(found, fresh, "{name}");
        assert_near(&found, &expected, 1e-5, name);
    });
}

fn value_written_and_read_again(on: &On) {
    let folder = tempfile::tempdir().unwrap();
    with_each_file!(on, |name, config, model| {
        let fresh = model.clone();
        // A network in training, whose weights take gradients, loads as one that is not.
        let state = StateDict::read(file(name)).unwrap();
        let model = state.load(model.train()).unwrap();
        let written = folder.path().join(format!("{name}.safetensors"));
        let own = StateDict::of(&model);
        own.write(&written).unwrap();
        let read = StateDict::read(&written).unwrap();
        assert!(own.names().eq(read.names()), "{name}");
        for tensor in own.names() {
            assert_eq!(own.shape(tensor), read.shape(tensor), "{name}, {tensor}");
            assert_eq!(own.values(tensor), read.values(tensor), "{name}, {tensor}");
        }
        let again = read.load(fresh).unwrap();
        let of_trained = logits(on, &model.valid(), config.image);
        assert_eq!(logits(on, &again, config.image), of_trained, "{name}");
        // By the file's own names and shapes, but for what it has before all of them.
        let theirs = StateDict::read(file(name)).unwrap();
        for tensor in theirs.names() {
            let known = [
                "sub_block1",
                "num_batches_tracked",
                "mu",
                "sigma",
                "0.mean",
                "0.std",
            ];
            if known.iter().any(|part| tensor.contains(part)) {
                continue;
            }
            let is_end = |own: &&str| tensor == *own || tensor.ends_with(&format!(".{own}"));
            let ours = own.names().filter(is_end).max_by_key(|own| own.len());
            let ours = ours.unwrap_or_else(|| panic!("{name}: {tensor}"));
            assert_eq!(own.shape(ours), theirs.shape(tensor), "{name}, {tensor}");
            assert_eq!(own.values(ours), theirs.values(tensor), "{name}, {tensor}");
        }
    });
}

fn value_every_network_in_and_out(on: &On) {
    // Oracle: the network itself, by other seeds.
    fn in_and_out<M: Published + Classifier>(on: &On, image: [usize; 3], [from, to]: [M; 2]) {
        let loaded = StateDict::of(&from).load(to).unwrap();
        assert_eq!(logits(on, &loaded, image), logits(on, &from, image));
    }
    macro_rules! both {
        ($config:expr) => {{
            let config = $config;
            let seeds = [1, 2].map(|seed| config.clone().with_seed(seed));
            in_and_out(
                on,
                config.image,
                seeds.map(|c| c.init(&on.device()).unwrap()),
            );
        }};
    }
    for group in [Group::P1, Group::P4, Group::P4m] {
        both!(cnn().with_batch_norm(Some(true)));
        both!(CnnConfig { group, ..cnn() });
        let wide = WideResNetConfig {
            group,
            ..wide_resnet()
        };
        both!(
            wide.with_normalize(Some(NormalizeConfig::cifar10()))
                .equivariant()
        );
        both!(VggConfig { group, ..vgg() });
        both!(resnet(group, [2, 3, 4, 4], [2, 1, 2, 1]).equivariant());
    }
}

fn value_clones_stay_as_they_are(on: &On) {
    // Burn's clones share their running statistics.
    let config = resnet(Group::P1, [2, 3, 4, 5], [1, 2, 1, 1]);
    let image = config.image;
    let model = config.init(&on.device()).unwrap();
    let fresh = logits(on, &model, image);
    let state = StateDict::read(file("resnet_p1.pth")).unwrap();
    let loaded = state.load(model.clone()).unwrap();
    let expected = logits(on, &loaded, image);
    assert_eq!(logits(on, &model, image), fresh);
    let other = StateDict::of(&config.with_seed(9).init(&on.device()).unwrap());
    let other = other.load(loaded.clone()).unwrap();
    assert_ne!(logits(on, &other, image), expected);
    assert_eq!(logits(on, &loaded, image), expected);

    // A loaded network learns as any other: every weight, with the batch's statistics.
    let shape = [2, image[0], image[1], image[2]];
    let images = on.tensor(numbers(shape.iter().product(), IMAGES, 0.0, 1.0), shape);
    let trained = loaded.train();
    let logits_in_training = trained.forward(Tensor::from_inner(images));
    assert_ne!(values(logits_in_training.clone()), expected);
    let gradients = logits_in_training.powi_scalar(2).sum().backward();
    let mut count = Gradients(&gradients, 0);
    trained.visit(&mut count);
    let statistics = |name: &&str| name.contains("running_");
    let own = StateDict::of(&trained);
    assert_eq!(
        count.1,
        own.names().len() - own.names().filter(statistics).count()
    );
    let reloaded = state.load(trained).unwrap();
    assert_eq!(logits(on, &reloaded.valid(), image), expected);
    let weight = StateDict::of(&reloaded);
    assert_eq!(
        weight.values("bn1.running_mean"),
        state.values("bn1.running_mean")
    );
}

/// How many parameters have a gradient.
struct Gradients<'a>(&'a burn::tensor::Gradients, usize);

impl ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.1 += usize::from(param.val().grad(self.0).is_some());
    }
}

fn error_tensors_that_do_not_fit_are_all_listed(on: &On) {
    let model = || cnn().init(&on.device()).unwrap();
    let refused = |state: &StateDict| state.load(model()).unwrap_err().to_string();
    let has = |error: &str, parts: &[&str]| {
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    };
    let mut state = StateDict::read(file("cnn_p4.pt")).unwrap();
    assert!(state.remove("conv2.bias") && state.remove("fc2.weight"));
    state.insert("conv9.weight", &[2, 2], vec![0.0; 4]);
    state.insert("bn1.weight", &[3], vec![0.0; 3]);
    state.insert("conv1.weight", &[3, 1, 1, 5, 5], vec![0.0; 75]);
    state.insert("fc1.bias", &[1, 50], vec![0.0; 50]);
    let error = refused(&state);
    has(
        &error,
        &[
            "cnn_p4.pt",
            "missing: `conv2.bias` [3], `fc2.weight` [10, 50]",
        ],
    );
    has(
        &error,
        &["no weights of the network: `bn1.weight` [3], `conv9.weight` [2, 2]"],
    );
    has(
        &error,
        &["`conv1.weight` [3, 1, 1, 5, 5], not [3, 1, 1, 3, 3]"],
    );
    has(&error, &["`fc1.bias` [1, 50], not [50]"]);

    // A mean without a deviation is no normalisation, and no weight.
    let mut state = StateDict::read(file("cnn_p4.pt")).unwrap();
    state.insert("mu", &[1], vec![0.5]);
    has(&refused(&state), &["no weights of the network: `mu` [1]"]);
    state.insert("sigma", &[1], vec![0.0]);
    has(&refused(&state), &["normalize", "positive"]);

    // Of another network: everything.
    let other = StateDict::read(file("small_cnn.pt")).unwrap();
    has(
        &refused(&other),
        &[
            "`feature_extractor.conv1.weight` [32, 1, 3, 3]",
            "`fc1.weight`",
        ],
    );

    // What the published wide network never uses is no weight of any other.
    let wide = StateDict::read(file("wide_resnet_p1.pt")).unwrap();
    assert!(
        wide.names()
            .any(|name| name.starts_with("model.sub_block1."))
    );
    has(&refused(&wide), &["`sub_block1.layer.0.conv1.weight`"]);

    let same = StateDict::new().renamed(|_| "a".into());
    assert!(same.is_ok());
    let two = StateDict::read(file("cnn_p4.pt")).unwrap();
    has(
        &two.renamed(|_| "a".into()).unwrap_err().to_string(),
        &["two of the name `a`"],
    );
}

fn error_files_that_are_none(_: &On) {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = StateDict::read(&path).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        error
    };
    for name in ["vgg_p1.pt", "resnet_p1.pth", "resnet_p4m_groupy_net.pt"] {
        let whole = std::fs::read(file(name)).unwrap();
        for length in [0, 10, whole.len() / 2, whole.len() - 1] {
            let error = refused(name, &whole[..length]);
            assert!(
                error.contains("a state dict that `torch.save` wrote"),
                "{error}"
            );
        }
    }
    // A number of a tensor is another one: the archive keeps a checksum.
    let state = StateDict::read(file("vgg_p1.pt")).unwrap();
    let numbers = state.values("module.classifier.weight").unwrap();
    let mut bytes = std::fs::read(file("vgg_p1.pt")).unwrap();
    let at = bytes
        .windows(4)
        .position(|four| four == numbers[7].to_le_bytes());
    bytes[at.unwrap()] ^= 1;
    assert!(refused("vgg_p1.pt", &bytes).contains("module.classifier.weight"));
    assert!(refused("cut.safetensors", &[9, 0, 0]).contains("a whole SafeTensors file"));
    assert!(refused("cnn.onnx", &[]).contains(".pt, .pth or .safetensors"));
    let none = StateDict::read(folder.path().join("none.pt")).unwrap_err();
    assert!(none.to_string().contains("none.pt"), "{none}");
    let key = StateDict::read_under(file("vgg_p1.pt"), "ema").unwrap_err();
    assert!(
        key.to_string().contains("`ema`") || key.to_string().contains("'ema'"),
        "{key}"
    );
    let net = StateDict::read_under(file("vgg_p1.pt"), "net").unwrap();
    assert!(net.names().all(|name| name.starts_with("module.")));
}

fn convention_normalisation_of_the_file(on: &On) {
    let constants = |on: &On, config: WideResNetConfig| {
        let state = StateDict::read(file("wide_resnet_p1.pt")).unwrap();
        let mut model = state.load(config.init(&on.device()).unwrap()).unwrap();
        model.normalize().unwrap().as_ref().unwrap().constants()
    };
    let theirs = NormalizeConfig::new(vec![0.4914, 0.4822, 0.4465], vec![0.2471, 0.2435, 0.2616]);
    assert_eq!(constants(on, wide_resnet()), theirs);
    // In the place of the configuration's.
    let other = wide_resnet().with_normalize(Some(NormalizeConfig::cifar10()));
    assert_eq!(constants(on, other), theirs);

    // One number for all channels.
    let mut state = StateDict::of(&wide_resnet().init(&on.device()).unwrap());
    state.insert("normalizer.new_mean", &[], vec![0.5]);
    state.insert("normalizer.new_std", &[], vec![0.25]);
    let mut model = state
        .load(wide_resnet().init(&on.device()).unwrap())
        .unwrap();
    let found = model.normalize().unwrap().as_ref().unwrap().constants();
    assert_eq!(found, NormalizeConfig::new(vec![0.5; 3], vec![0.25; 3]));
    assert_eq!(
        StateDict::of(&model).values("normalize.mean"),
        Some(&[0.5; 3][..])
    );

    // Without one in the file, the configuration's stays.
    let plain = StateDict::of(&wide_resnet().init(&on.device()).unwrap());
    let kept = wide_resnet().with_normalize(Some(NormalizeConfig::cifar10()));
    let mut model = plain.load(kept.init(&on.device()).unwrap()).unwrap();
    let found = model.normalize().unwrap().as_ref().unwrap().constants();
    assert_eq!(found, NormalizeConfig::cifar10());
}

#[derive(Module, Debug)]
struct Own {
    lift: LiftingConv2d,
    bn: GroupBatchNorm,
    conv: GroupConv2d,
    norm: burn::nn::BatchNorm,
    heads: Vec<Linear>,
}

impl Published for Own {}

fn convention_names_of_a_network_of_ones_own(on: &On) {
    let device = on.device();
    let own = |group| Own {
        lift: LiftingConv2dConfig::new(group, [1, 2], 3).init(&device),
        bn: GroupBatchNormConfig::new(group, 2).init(&device),
        conv: GroupConv2dConfig::new(group, [2, 3], 3)
            .with_bias(false)
            .init(&device),
        norm: burn::nn::BatchNormConfig::new(4).init(&device),
        heads: vec![LinearConfig::new([2, 3]).init(&device)],
    };
    let state = StateDict::of(&own(Group::P4));
    let found = Vec::from_iter(state.names().map(|name| (name, state.shape(name).unwrap())));
    let expected: [(&str, &[usize]); 13] = [
        ("bn.bias", &[2]),
        ("bn.running_mean", &[2]),
        ("bn.running_var", &[2]),
        ("bn.weight", &[2]),
        ("conv.weight", &[3, 2, 4, 3, 3]),
        ("heads.0.bias", &[3]),
        ("heads.0.weight", &[3, 2]),
        ("lift.bias", &[2]),
        ("lift.weight", &[2, 1, 1, 3, 3]),
        ("norm.bias", &[4]),
        ("norm.running_mean", &[4]),
        ("norm.running_var", &[4]),
        ("norm.weight", &[4]),
    ];
    assert_eq!(found, expected);
    let plain = StateDict::of(&own(Group::P1));
    assert_eq!(plain.shape("lift.weight"), Some(&[2, 1, 3, 3][..]));
    assert_eq!(plain.shape("conv.weight"), Some(&[3, 2, 3, 3][..]));

    // A linear weight is turned over, and back.
    let mut state = state;
    state.insert(
        "heads.0.weight",
        &[3, 2],
        vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
    );
    let loaded = state.load(own(Group::P4)).unwrap();
    let weight: Tensor<2> = loaded.heads[0].weight.val();
    assert_eq!(values(weight), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    assert_eq!(
        StateDict::of(&loaded),
        StateDict::of(&state.load(own(Group::P4)).unwrap())
    );
    let again = StateDict::of(&loaded);
    assert_eq!(
        again.values("heads.0.weight"),
        state.values("heads.0.weight")
    );
}
