//! Folded networks: the same logits from plain layers alone.
//!
//! Oracles: the logits that PyTorch gets from the files of `tests/fixtures/make_state_dicts.py`, and the
//! networks themselves; the steps are run here on Burn's own operations.

use super::pytorch::{assert_near, numbers};
use super::state_dict::{cnn, fixture_logits, logits, resnet, vgg, wide_resnet, with_each_file};
use crate::common::On;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, TensorData};
use fireproof::base::Classifier;
use fireproof::group::Group;
use fireproof::model::{
    CnnConfig, Head, MadryCnnConfig, Network, Plain, SmallCnnConfig, StateDict, Step, VggConfig,
    WideResNetConfig,
};
use fireproof::nn::NormalizeConfig;
use serde_json::Value;

// What is new on tensors is on the host: on the CPU alone.
on_this_device![
    value_folded_files_of_pytorch,
    value_folded_networks_over_groups,
    convention_steps_in_files,
    error_what_cannot_be_folded,
];

/// A network of steps, run as its documentation says.
struct Run(Plain);

impl Run {
    fn weight<const D: usize>(&self, name: &str, like: &Tensor<4>) -> Tensor<D> {
        let values = self
            .0
            .weights
            .values(name)
            .unwrap_or_else(|| panic!("{name}"));
        let shape = self.0.weights.shape(name).unwrap();
        let shape: [usize; D] = shape.try_into().unwrap();
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &like.device())
    }

    /// One number for each channel.
    fn each(&self, name: &str, like: &Tensor<4>) -> Tensor<4> {
        let numbers: Tensor<1> = self.weight(name, like);
        let [channels] = numbers.dims();
        numbers.reshape([1, channels, 1, 1])
    }

    fn steps(&self, steps: &[Step], x: Tensor<4>) -> Tensor<4> {
        steps.iter().fold(x, |x, step| self.step(step, x))
    }

    /// Rows are planes of one pixel.
    fn step(&self, step: &Step, x: Tensor<4>) -> Tensor<4> {
        let [batch, channels, height, width] = x.dims();
        let relu_if = |x: Tensor<4>, relu: &bool| if *relu { x.clamp_min(0.0) } else { x };
        let windows = |x: Tensor<4>, side: usize| -> Tensor<6> {
            let (rows, columns) = (height / side, width / side);
            let x = x.narrow(2, 0, rows * side).narrow(3, 0, columns * side);
            x.reshape([batch, channels, rows, side, columns, side])
        };
        match step {
            Step::Normalize { mean, std } => {
                let each = |values: &[f32]| {
                    let data = TensorData::new(values.to_vec(), [1, values.len(), 1, 1]);
                    Tensor::<4>::from_data(data, &x.device())
                };
                (x.clone() - each(mean)) / each(std)
            }
            Step::Conv {
                name,
                norm,
                stride,
                padding,
                relu,
            } => {
                assert!(norm.is_none());
                let weight = self.weight(&format!("{name}.weight"), &x);
                let bias = self.weight(&format!("{name}.bias"), &x);
                let options = ConvOptions::new([*stride; 2], [*padding; 2], [1; 2], 1);
                relu_if(conv2d(x, weight, Some(bias), options), relu)
            }
            Step::Scale { name, relu } => {
                let scale = self.each(&format!("{name}.weight"), &x);
                let shift = self.each(&format!("{name}.bias"), &x);
                relu_if(x * scale + shift, relu)
            }
            Step::Relu => x.clamp_min(0.0),
            Step::MaxPool { side } => windows(x, *side)
                .max_dim(5)
                .max_dim(3)
                .squeeze_dim::<5>(5)
                .squeeze_dim(3),
            Step::AvgPool { side } => windows(x, *side)
                .mean_dim(5)
                .mean_dim(3)
                .squeeze_dim::<5>(5)
                .squeeze_dim(3),
            Step::Residual {
                body,
                shortcut,
                relu,
            } => {
                let beside = self.steps(shortcut, x.clone());
                relu_if(self.steps(body, x) + beside, relu)
            }
            Step::ChannelMax { size } => x
                .reshape([batch, channels / size, *size, height, width])
                .max_dim(2)
                .squeeze_dim(2),
            Step::Mean => x.mean_dims(&[2, 3]),
            Step::Flatten => x.reshape([batch, channels * height * width, 1, 1]),
            Step::Linear { name, relu } => {
                let weight: Tensor<2> = self.weight(&format!("{name}.weight"), &x);
                let bias: Tensor<1> = self.weight(&format!("{name}.bias"), &x);
                let rows = x.reshape([batch, channels]).matmul(weight.transpose());
                let [_, outputs] = rows.dims();
                let rows = rows + bias.reshape([1, outputs]);
                relu_if(rows.reshape([batch, outputs, 1, 1]), relu)
            }
        }
    }
}

impl Classifier for Run {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.steps(&self.0.steps, images);
        let [batch, classes, ..] = x.dims();
        x.reshape([batch, classes])
    }
}

fn value_folded_files_of_pytorch(on: &On) {
    with_each_file!(on, |name, config, model| {
        let state = StateDict::read(super::state_dict::file(name)).unwrap();
        let model = state.load(model).unwrap();
        let plain = Plain::fold(&config, &StateDict::of(&model)).unwrap();
        let found = logits(on, &Run(plain), config.image);
        assert_near(&found, &fixture_logits(name), 1e-5, name);
    });
}

fn value_folded_networks_over_groups(on: &On) {
    let folded = |network: &dyn Network, what: &str| {
        let mut model = network.init(&on.device()).unwrap();
        // Weights and statistics as learnt, not as drawn: none of them 0 or 1.
        let mut state = StateDict::new();
        let fresh = model.state_dict();
        for (salt, name) in fresh.names().enumerate() {
            let shape = fresh.shape(name).unwrap();
            let (low, high) = match name {
                "normalize.mean" => (0.3, 0.5),
                name if name.ends_with("running_var") || name == "normalize.std" => (0.5, 1.5),
                _ if shape.len() > 1 => (-0.3, 0.3),
                _ => (0.2, 0.8),
            };
            let count = shape.iter().product();
            let salt = 100 + salt as u32;
            state.insert(name, shape, numbers(count, salt, low, high));
        }
        model.load_state_dict(&state).unwrap();
        let plain = Plain::fold(network, &model.state_dict()).unwrap();
        let expected = logits(on, &*model, network.image());
        let expected = Vec::from_iter(expected.into_iter().map(f64::from));
        assert_near(
            &logits(on, &Run(plain), network.image()),
            &expected,
            1e-5,
            what,
        );
    };
    for group in [Group::P1, Group::P4, Group::P4m] {
        for head in [Head::Flattened, Head::Pooled] {
            let cnn = CnnConfig { group, ..cnn() }.with_head(head);
            folded(&cnn, &format!("cnn {group} {head:?}"));
            let normalize = Some(NormalizeConfig::mnist());
            let cnn = cnn.with_batch_norm(Some(true)).with_normalize(normalize);
            folded(&cnn, &format!("cnn {group} {head:?}, normalised"));
            let vgg = VggConfig {
                group,
                head,
                ..vgg()
            };
            folded(&vgg, &format!("vgg {group} {head:?}"));
        }
        let wide = WideResNetConfig {
            group,
            ..wide_resnet()
        };
        folded(&wide, &format!("wide_resnet {group}"));
        folded(
            &wide.equivariant(),
            &format!("wide_resnet {group} equivariant"),
        );
        let resnet = resnet(group, [2, 3, 4, 4], [2, 1, 2, 1]);
        folded(&resnet, &format!("resnet {group}"));
        folded(
            &resnet.equivariant(),
            &format!("resnet {group} equivariant"),
        );
    }
}

fn convention_steps_in_files(on: &On) {
    let config = cnn().with_normalize(Some(NormalizeConfig::mnist()));
    let model = config.init(&on.device()).unwrap();
    let plain = Plain::fold(&config, &StateDict::of(&model)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.safetensors");
    plain.write(&path).unwrap();
    // What any other program reads.
    let bytes = std::fs::read(&path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let texts = &header["__metadata__"];
    assert_eq!(texts["image"], "[1,16,16]");
    let steps = texts["steps"].as_str().unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<Step>>(steps).unwrap(),
        plain.steps
    );
    let start = r#"[{"op":"normalize","mean":[0.1307],"std":[0.3081]},{"op":"conv","name":"conv1","stride":1,"padding":0,"relu":true},"#;
    assert!(steps.starts_with(start), "{steps}");
    let read = StateDict::read(&path).unwrap();
    assert_eq!(read.shape("conv1.weight"), Some(&[12, 1, 3, 3][..]));
    assert_eq!(
        read.values("conv4.bias"),
        plain.weights.values("conv4.bias")
    );
}

fn error_what_cannot_be_folded(on: &On) {
    let state = StateDict::of(&cnn().init(&on.device()).unwrap());
    let error = Plain::fold(&vgg(), &state).unwrap_err().to_string();
    assert!(error.contains("no `features.0.weight`"), "{error}");
}
