use crate::base::config;
use crate::group::Group;
use crate::kernel::{self, Affine, Statistics};
use crate::nn::layer::{forward, layer};
use crate::nn::planes::Planes;
use crate::nn::{Layer, LayerConfig};
use burn::module::{Module, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Tensor};
use derive_new::new;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Configuration of a [`GroupBatchNorm`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters, new)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct GroupBatchNormConfig {
    /// The group.
    pub group: Group,
    /// Channels of the features.
    pub channels: usize,
    /// Added to the variance; positive.
    #[new(value = "1e-5")]
    pub epsilon: f64,
    /// Share of the newest batch in the running statistics, 0 to 1.
    #[new(value = "0.1")]
    pub momentum: f64,
}

config!(GroupBatchNormConfig);

impl GroupBatchNormConfig {
    /// A layer with scale 1 and shift 0.
    ///
    /// # Panics
    ///
    /// Panics where [`BatchNormConfig::init`] does.
    pub fn init(&self, device: &Device) -> GroupBatchNorm {
        GroupBatchNorm {
            norm: BatchNormConfig::new(self.channels)
                .with_epsilon(self.epsilon)
                .with_momentum(self.momentum)
                .init(device),
            group: self.group,
        }
    }
}

/// Batch normalisation of features over a group.
///
/// A channel has one mean, variance, scale and shift for all its components: with one for each
/// component, moving the input would no longer just permute them. As in Burn, statistics are
/// those of the batch while training on an autodiff device, else the running ones.
#[derive(Module, Debug)]
pub struct GroupBatchNorm {
    /// Burn's layer, which sees group and space as one axis.
    pub norm: BatchNorm,
    #[module(skip)]
    group: Group,
}

impl GroupBatchNorm {
    forward! {
        /// Normalised features.
        ///
        /// # Shapes
        ///
        /// - input, output: `[batch, channel, group, height, width]`
        ///
        /// # Panics
        ///
        /// Panics if the number of channels or the group axis is wrong, or unless features and
        /// statistics are of one element type.
        Tensor<5> => Tensor<5>
    }

    fn respond(&self, features: Tensor<5>, relu: bool) -> Tensor<5> {
        let [_, channels, ..] = features.dims();
        assert_eq!(
            channels,
            self.norm.gamma.val().dims()[0],
            "channels of features"
        );
        let planes = normalised(&self.norm, features.into_planes(self.group), None, relu);
        Tensor::from_planes(planes, self.group)
    }

    /// The group.
    pub fn group(&self) -> Group {
        self.group
    }
}

/// What a layer multiplies by and adds, and the running statistics if it normalises by them: if it is
/// not training on an autodiff device.
pub(crate) fn given(norm: &BatchNorm, device: &Device) -> (Affine, Option<Statistics>) {
    let affine = Affine {
        scale: norm.gamma.val(),
        shift: norm.beta.val(),
    };
    let learns = device.is_autodiff() && norm.training.is_enabled();
    let statistics = (!learns).then(|| Statistics {
        mean: norm.running_mean.value().to_device(device),
        variance: norm.running_var.value().to_device(device),
    });
    (affine, statistics)
}

// Burn's layer by this crate's kernels, with its rules: the batch's own statistics if it is training
// on an autodiff device, which move the running ones; else those. What is beside is added behind it.
// Neighbouring planes share a channel where there are more of them than channels.
pub(super) fn normalised(
    norm: &BatchNorm,
    planes: Tensor<4>,
    beside: Option<Tensor<4>>,
    relu: bool,
) -> Tensor<4> {
    let shape @ [batch, count, height, width] = planes.dims();
    let [channels] = norm.gamma.val().dims();
    assert_eq!(count % channels, 0, "{count} planes of {channels} channels");
    if let Some(beside) = &beside {
        assert_eq!(beside.dims(), shape, "the shape of what is added");
    }
    let by_channel =
        |planes: Tensor<4>| planes.reshape([batch, channels, count / channels * height, width]);
    let (x, beside) = (by_channel(planes), beside.map(by_channel));
    normalised_channels(norm, x, beside, relu).reshape(shape)
}

fn normalised_channels(
    norm: &BatchNorm,
    x: Tensor<4>,
    beside: Option<Tensor<4>>,
    relu: bool,
) -> Tensor<4> {
    let device = x.device();
    let (affine, statistics) = given(norm, &device);
    if let Some(statistics) = statistics {
        let alone = beside.is_none();
        let y = kernel::batch_norm(x, affine, statistics, norm.epsilon, relu && alone);
        return match beside {
            None => y,
            Some(beside) if relu => kernel::relu(y + beside),
            Some(beside) => y + beside,
        };
    }
    let (y, found) = match beside {
        None => kernel::batch_norm_train(x, affine, norm.epsilon, relu),
        Some(beside) => kernel::batch_norm_train_add(x, affine, norm.epsilon, beside, relu),
    };
    let moved = |running: &RunningState<Tensor<1>>, found: Tensor<1>| {
        let before = running.value_sync().to_device(&device);
        let after = before * (1.0 - norm.momentum) + found * norm.momentum;
        running.update(after.detach());
    };
    moved(&norm.running_mean, found.mean);
    moved(&norm.running_var, found.variance);
    y
}

// Scale, shift, running mean and running variance.
layer! {
    GroupBatchNormConfig => GroupBatchNorm, 5 => 5, forward_relu;
    init: Self::init, params: |config| 4 * config.channels
}

// Burn's layer, for planes.
impl Layer for BatchNorm {
    type Input = Tensor<4>;
    type Output = Tensor<4>;

    fn forward(&self, planes: Tensor<4>) -> Tensor<4> {
        normalised(self, planes, None, false)
    }

    fn forward_relu(&self, planes: Tensor<4>) -> Tensor<4> {
        normalised(self, planes, None, true)
    }
}

impl LayerConfig for BatchNormConfig {
    type Layer = BatchNorm;

    fn num_params(&self) -> usize {
        4 * self.num_features
    }

    fn init(&self, device: &Device) -> BatchNorm {
        self.init(device)
    }
}
