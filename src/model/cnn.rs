use crate::base::{Classifier, Error, Seed};
use crate::group::Group;
use crate::kernel::relu;
use crate::model::Widths;
use crate::model::initial::{Initial, check_settings};
use crate::model::linear::linear;
use crate::nn::{
    Footprint, GroupBatchNorm, GroupBatchNormConfig, GroupConv2d, GroupConv2dConfig, GroupDropout,
    GroupDropoutConfig, GroupMaxPool2d, GroupMaxPool2dConfig, GroupPool, GroupPoolConfig,
    GroupReduction, LiftingConv2d, LiftingConv2dConfig, Normalize, NormalizeConfig, nearest_sizes,
};
use burn::config::Config;
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// What a [`Cnn`] hands to its fully connected layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    /// All features, as published. Turning the image permutes them: the network is not invariant.
    Flattened,
    /// Each channel's largest component in each place, and then its mean over all places. Turning
    /// the image (and mirroring it under p4m) changes nothing, so the network is invariant, and
    /// cannot tell a 6 from a turned 9.
    Pooled,
}

/// Configuration of a [`Cnn`].
#[derive(Config, Debug)]
pub struct CnnConfig {
    /// The group: p1 for the conventional network.
    pub group: Group,
    /// Size of the images, `[channel, height, width]`.
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Channels of the four convolutions.
    #[config(default = "Widths::PUBLISHED")]
    pub widths: Widths,
    /// What the fully connected layers see.
    #[config(default = "Head::Flattened")]
    pub head: Head,
    /// Neurons between the two fully connected layers.
    #[config(default = 50)]
    pub hidden: usize,
    /// Probability of dropping such a neuron in training, at least 0 and below 1. If absent, 0.5
    /// for the flattened head, as published, and 0 for the pooled one: with as few features as
    /// that head has, dropout makes training several times slower and no better.
    pub dropout: Option<f64>,
    /// Whether each convolution is followed by a batch normalisation. If absent, not with the
    /// flattened head, as published, but with the pooled one: a mean over all places differs so
    /// little from image to image at first that without it training hardly starts.
    pub batch_norm: Option<bool>,
    /// Normalisation of the pixels, as the model's first layer.
    pub normalize: Option<NormalizeConfig>,
    /// Seed of the initial weights and of dropout.
    #[config(default = 0)]
    pub seed: u64,
}

impl CnnConfig {
    /// The network with random weights that depend on the seed alone.
    ///
    /// Convolutions start uniform in ±√(6/fan_in), which keeps the size of activations through
    /// rectifiers (He et al. 2015), with zero biases; linear layers uniform in ±1/√fan_in.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if the image is too small, or if a pooling would break exact equivariance;
    /// [`Error::Setting`] for any other setting that makes no sense, or if no widths come within
    /// 5 % of a number of parameters to match.
    pub fn init(&self, device: &Device) -> crate::base::Result<Cnn> {
        self.check()?;
        let features = self.features()?;
        let widths = self.channels(features)?;
        let [channels, ..] = self.image;
        let mut initial = Initial::new(self.seed, device);

        let fan_in = channels * 9;
        let conv1 = LiftingConv2dConfig::new(self.group, [channels, widths[0]], 3)
            .init(device)
            .with_weight(initial.uniform([widths[0], channels, 3, 3], kaiming(fan_in)))
            .with_bias(initial.zeros([widths[0]]));
        let mut conv = |[input, output]: [usize; 2]| {
            let size = self.group.size();
            let bound = kaiming(input * size * 9);
            GroupConv2dConfig::new(self.group, [input, output], 3)
                .init(device)
                .with_weight(initial.uniform([output, input, size, 3, 3], bound))
                .with_bias(initial.zeros([output]))
        };
        let conv2 = conv([widths[0], widths[1]]);
        let conv3 = conv([widths[1], widths[2]]);
        let conv4 = conv([widths[2], widths[3]]);

        Ok(Cnn {
            normalize: self.normalize.as_ref().map(|config| config.init(device)),
            conv1,
            conv2,
            conv3,
            conv4,
            norms: match self.batch_norm() {
                true => widths
                    .map(|width| GroupBatchNormConfig::new(self.group, width).init(device))
                    .to_vec(),
                false => Vec::new(),
            },
            pool: GroupMaxPool2dConfig::new(self.group, 2).init(),
            group_pool: GroupPoolConfig::new(GroupReduction::Max).init(),
            fc1: initial.linear(widths[3] * features, self.hidden),
            dropout: GroupDropoutConfig::new(self.dropout())
                .with_seed(self.seed)
                .init(),
            fc2: initial.linear(self.hidden, self.classes),
            head: self.head,
        })
    }

    fn check(&self) -> crate::base::Result<()> {
        check_settings(
            self.image,
            self.classes,
            self.dropout(),
            self.normalize.as_ref(),
        )?;
        if self.hidden == 0 {
            return Err(Error::setting("hidden", 0, "at least 1"));
        }
        if let Widths::Given(widths) = self.widths
            && widths.contains(&0)
        {
            return Err(Error::setting(
                "widths",
                format!("{widths:?}"),
                "at least one channel each",
            ));
        }
        Ok(())
    }

    fn batch_norm(&self) -> bool {
        self.batch_norm.unwrap_or(self.head == Head::Pooled)
    }

    fn dropout(&self) -> f64 {
        self.dropout.unwrap_or(match self.head {
            Head::Flattened => 0.5,
            Head::Pooled => 0.0,
        })
    }

    /// How many numbers per channel reach the fully connected layers.
    fn features(&self) -> crate::base::Result<usize> {
        let [_, height, width] = self.image;
        let [height, width] = self.trace([height, width]).map_err(|error| match error {
            Error::Size {
                layer,
                height: h,
                width: w,
                reason,
                ..
            } => Error::Size {
                layer: format!("Cnn over {}", self.group),
                height,
                width,
                reason: format!("{layer} would see {h}×{w}: {reason}"),
                works: nearest_sizes(height.max(width), |side| self.trace([side; 2]).is_ok()),
            },
            other => other,
        })?;
        Ok(match self.head {
            Head::Flattened => self.group.size() * height * width,
            Head::Pooled => 1,
        })
    }

    /// The size that the last pooling gives.
    fn trace(&self, size: [usize; 2]) -> crate::base::Result<[usize; 2]> {
        let layer = |kernel, stride| Footprint {
            group: self.group,
            kernel,
            stride,
            padding: 0,
            dilation: 1,
            exact: true,
        };
        let (conv, pool) = (("convolution", layer(3, 1)), ("pooling", layer(2, 2)));
        [conv, conv, pool, conv, conv, pool]
            .into_iter()
            .try_fold(size, |size, (name, footprint)| footprint.check(name, size))
    }

    /// The widths, found or given.
    fn channels(&self, features: usize) -> crate::base::Result<[usize; 4]> {
        let parameters = |widths: [usize; 4]| {
            let weights = 9 * self.image[0] * widths[0]
                + 9 * self.group.size() * widths.windows(2).map(|w| w[0] * w[1]).sum::<usize>();
            let channels: usize = widths.iter().sum();
            // A bias; scale, shift, running mean and running variance.
            let per_channel = if self.batch_norm() { 5 } else { 1 };
            let fc1 = (widths[3] * features + 1) * self.hidden;
            let fc2 = (self.hidden + 1) * self.classes;
            weights + per_channel * channels + fc1 + fc2
        };
        self.widths.resolve(parameters).ok_or_else(|| {
            let found = match self.widths {
                Widths::Matched(target) => target,
                Widths::Given(widths) => parameters(widths),
            };
            Error::setting(
                "widths, parameters to match",
                found,
                format!(
                    "a number that some widths come within 5 % of (the narrowest network over {} \
                     has {})",
                    self.group,
                    parameters([1, 1, 1, 1])
                ),
            )
        })
    }
}

fn kaiming(fan_in: usize) -> f64 {
    (6.0 / fan_in as f64).sqrt()
}

/// Four 3×3 convolutions without padding, a 2×2 max pooling after the second and the fourth, and
/// two fully connected layers.
///
/// The network of the paper's MNIST experiments: over p4 its "GCNN" (Cohen and Welling's
/// architecture), over p1 its "StdCNN". As published, on 28×28 digits, p4 has 89,910 parameters
/// and p1 23,010; [`Widths::Matched`] gives groups the same number.
///
/// ```
/// use burn::{module::Module, tensor::Tensor};
/// use fireproof::{group::Group, model::{CnnConfig, Widths}};
///
/// let device = fireproof::device();
/// let config = CnnConfig::new(Group::P4, [1, 28, 28], 10).with_seed(7);
/// let model = config.init(&device)?;
/// assert_eq!(model.num_params(), 89_910);
/// assert_eq!(model.forward(Tensor::zeros([2, 1, 28, 28], &device)).dims(), [2, 10]);
///
/// let plain = CnnConfig::new(Group::P1, [1, 28, 28], 10).with_widths(Widths::Matched(89_910));
/// assert!(plain.init(&device)?.num_params().abs_diff(89_910) < 4_496);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[doc(alias = "GCNN")]
#[doc(alias = "StdCNN")]
#[derive(Module, Debug)]
pub struct Cnn {
    normalize: Option<Normalize>,
    conv1: LiftingConv2d,
    conv2: GroupConv2d,
    conv3: GroupConv2d,
    conv4: GroupConv2d,
    norms: Vec<GroupBatchNorm>,
    pool: GroupMaxPool2d,
    group_pool: GroupPool,
    fc1: Linear,
    dropout: GroupDropout,
    fc2: Linear,
    #[module(skip)]
    head: Head,
}

impl Cnn {
    /// Logits of images. In training, dropout counts its own passes; see
    /// [`GroupDropout::forward`].
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channel, height, width]`
    /// - output: `[batch, classes]`
    ///
    /// # Panics
    ///
    /// Panics if the images have not the size the network was made for.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let hidden = self.hidden(images);
        linear(&self.fc2, self.dropout.forward(hidden), false)
    }

    /// Logits of images, with dropout, if active, a function of `(seed, image id, draw)` alone.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), and unless there are as many ids as images.
    pub fn forward_with(&self, images: Tensor<4>, seed: Seed, ids: &[u64], draw: u64) -> Tensor<2> {
        let hidden = self.hidden(images);
        let hidden = self.dropout.forward_with(hidden, seed, ids, draw);
        linear(&self.fc2, hidden, false)
    }

    /// What the convolutions make of images: features `[batch, channel, group, height, width]`,
    /// which move as the images do.
    pub fn features(&self, images: Tensor<4>) -> Tensor<5> {
        let x = match &self.normalize {
            Some(normalize) => normalize.forward(images),
            None => images,
        };
        let x = match self.norms.is_empty() {
            true => self.conv1.forward_relu(x),
            false => relu(self.normed(0, self.conv1.forward(x))),
        };
        let x = self.normed(1, self.conv2.forward(x));
        let x = self.pool.forward_relu(x);
        let x = match self.norms.is_empty() {
            true => self.conv3.forward_relu(x),
            false => relu(self.normed(2, self.conv3.forward(x))),
        };
        let x = self.normed(3, self.conv4.forward(x));
        self.pool.forward_relu(x)
    }

    fn normed(&self, layer: usize, features: Tensor<5>) -> Tensor<5> {
        match self.norms.get(layer) {
            Some(norm) => norm.forward(features),
            None => features,
        }
    }

    /// The group.
    pub fn group(&self) -> Group {
        self.conv1.footprint().group
    }

    fn hidden(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.features(images);
        let features: Tensor<2> = match self.head {
            Head::Flattened => features.flatten(1, 4),
            Head::Pooled => self
                .group_pool
                .forward(features)
                .flatten::<3>(2, 3)
                .mean_dim(2)
                .squeeze_dim(2),
        };
        linear(&self.fc1, features, true)
    }
}

impl Classifier for Cnn {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images)
    }

    fn training_logits(&self, images: Tensor<4>, seed: Seed, ids: &[u64], draw: u64) -> Tensor<2> {
        self.forward_with(images, seed, ids, draw)
    }
}
