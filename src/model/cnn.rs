use crate::base::{Error, Keys, Stages, View, config};
use crate::group::Group;
use crate::model::Widths;
use crate::model::classifier::classifier;
use crate::model::plain::Step;
use crate::model::pooled::Pooled;
use crate::model::settings::{check_settings, check_size_over};
use crate::model::stages;
use crate::model::state_dict::{Published, numbered};
use crate::nn::{
    BlockConfig, GroupBlock, GroupConv2dConfig, GroupDropout, GroupDropoutConfig, GroupPool,
    GroupPoolConfig, GroupReduction, InitialWeights, Layer, LayerConfig, LiftingBlock,
    LiftingConv2dConfig, Linear, LinearConfig, Normalize, NormalizeConfig,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use derive_new::new;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

type Body = (
    BlockConfig<LiftingConv2dConfig>,
    Vec<BlockConfig<GroupConv2dConfig>>,
);

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters, new)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct CnnConfig {
    /// The group: p1 for the conventional network.
    pub group: Group,
    /// Size of the images, `[channel, height, width]`.
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Channels of the four convolutions.
    #[new(value = "Widths::PUBLISHED")]
    pub widths: Widths,
    /// What the fully connected layers see.
    #[new(value = "Head::Flattened")]
    pub head: Head,
    /// Neurons between the two fully connected layers.
    #[new(value = "50")]
    pub hidden: usize,
    /// Probability of dropping such a neuron in training, at least 0 and below 1. If absent, 0.5
    /// for the flattened head, as published, and 0 for the pooled one: with as few features as
    /// that head has, dropout makes training several times slower and no better.
    #[new(default)]
    pub dropout: Option<f64>,
    /// Whether each convolution is followed by a batch normalisation. If absent, not with the
    /// flattened head, as published, but with the pooled one: a mean over all places differs so
    /// little from image to image at first that without it training hardly starts.
    #[new(default)]
    pub batch_norm: Option<bool>,
    /// Normalisation of the pixels, as the model's first layer.
    #[new(default)]
    pub normalize: Option<NormalizeConfig>,
    /// Seed of the initial weights and of dropout.
    #[new(value = "0")]
    pub seed: u64,
}

config!(CnnConfig);

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
        check_settings(self.image, self.classes, self.dropout(), &self.normalize)?;
        Error::unless(self.hidden > 0, "hidden", 0, "at least 1")?;
        let features = self.features()?;
        let widths = self.widths.resolve(|widths| {
            let head = self.head(widths, features).map(|layer| layer.num_params());
            self.body(widths).num_params() + head.iter().sum::<usize>()
        })?;
        let (lift, blocks) = self.body(widths).init(device);
        let [fc1, fc2] = self.head(widths, features).map(|layer| layer.init(device));
        let model = Cnn {
            normalize: self.normalize.init(device),
            lift,
            blocks,
            group_pool: GroupPoolConfig::new(GroupReduction::Max).init(),
            fc1,
            dropout: GroupDropoutConfig::new(self.dropout())
                .with_seed(self.seed)
                .init(),
            fc2,
            head: self.head,
        };
        Ok(model.map(&mut InitialWeights::uniform(self.seed)))
    }

    /// The convolutional layers.
    fn body(&self, [a, b, c, d]: [usize; 4]) -> Body {
        let (group, [channels, ..]) = (self.group, self.image);
        let block = |channels| {
            BlockConfig::new(GroupConv2dConfig::new(group, channels, 3))
                .with_batch_norm(self.batch_norm())
        };
        (
            BlockConfig::new(LiftingConv2dConfig::new(group, [channels, a], 3))
                .with_batch_norm(self.batch_norm()),
            vec![
                block([a, b]).with_max_pool(2),
                block([b, c]),
                block([c, d]).with_max_pool(2),
            ],
        )
    }

    /// The fully connected layers, given how many numbers per channel reach them.
    fn head(&self, [.., channels]: [usize; 4], features: usize) -> [LinearConfig; 2] {
        [
            LinearConfig::new([channels * features, self.hidden]),
            LinearConfig::new([self.hidden, self.classes]),
        ]
    }

    /// How many numbers per channel reach the fully connected layers.
    fn features(&self) -> crate::base::Result<usize> {
        let [height, width] = check_size_over(self.group, "Cnn", &self.body([1; 4]), self.image)?;
        Ok(match self.head {
            Head::Flattened => self.group.size() * height * width,
            Head::Pooled => 1,
        })
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

    /// What the network does in inference.
    pub(super) fn plain_steps(&self) -> Vec<Step> {
        let norm = |at| self.batch_norm().then(|| format!("bn{at}"));
        let conv = |at| Step::conv(format!("conv{at}"), norm(at));
        let mut steps = vec![
            conv(1),
            conv(2),
            Step::MaxPool { side: 2 },
            conv(3),
            conv(4),
            Step::MaxPool { side: 2 },
        ];
        steps.extend(self.head.steps(self.group));
        steps.extend([Step::linear("fc1", true), Step::linear("fc2", false)]);
        steps
    }
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
    lift: LiftingBlock,
    blocks: Vec<GroupBlock>,
    group_pool: GroupPool,
    fc1: Linear,
    dropout: GroupDropout,
    fc2: Linear,
    #[module(skip)]
    head: Head,
}

impl Cnn {
    /// What the convolutions make of images: features `[batch, channel, group, height, width]`,
    /// which move as the images do.
    pub fn features(&self, images: Tensor<4>) -> Tensor<5> {
        let images = self.normalize.forward(images);
        self.blocks.forward(self.lift.forward(images))
    }

    /// The group.
    pub fn group(&self) -> Group {
        self.lift.conv.footprint().group
    }

    fn respond(&self, images: Tensor<4>, keys: Option<&Keys>) -> Tensor<2> {
        self.answer(self.features(images), keys)
    }

    fn is_staged(&self) -> bool {
        stages::suit(self.lift.conv.weight().dims()[1])
    }

    fn answer(&self, features: Tensor<5>, keys: Option<&Keys>) -> Tensor<2> {
        let features = match self.head {
            Head::Flattened => features.flatten(1, 4),
            Head::Pooled => self.group_pool.forward_global(features),
        };
        let hidden = self.fc1.forward_relu(features);
        self.fc2.forward(self.dropout.respond(hidden, keys))
    }
}

classifier!(Cnn, fc1, is_staged);

/// Planes are channels with all of the group's components.
impl Stages for Cnn {
    fn views(&self) -> Vec<View> {
        let group = self.group().size();
        let [lifted, images, ..] = self.lift.conv.weight().dims();
        let made = |block: usize| self.blocks[block].conv.weight().dims()[0] * group;
        stages::views([images, lifted * group, made(0), made(1), made(2)])
    }

    fn stage(&self, number: usize, features: Tensor<4>) -> Tensor<4> {
        let features = match number {
            0 => self.lift.forward(self.normalize.forward(features)),
            _ => self.over_the_group(features),
        };
        self.blocks[number].forward(features).flatten(1, 2)
    }

    fn rest(&self, features: Tensor<4>) -> Tensor<2> {
        self.answer(self.over_the_group(features), None)
    }
}

impl Cnn {
    fn over_the_group(&self, planes: Tensor<4>) -> Tensor<5> {
        let [batch, count, height, width] = planes.dims();
        let group = self.group().size();
        planes.reshape([batch, count / group, group, height, width])
    }
}

/// `conv1` to `conv4`, `fc1` and `fc2`, as in Bielski's p4 network of digits; `bn1` to `bn4`.
impl Published for Cnn {
    fn names(&self, own: Vec<String>) -> Vec<String> {
        let rename = |name: &String| {
            let (block, rest) = match name.strip_prefix("lift.") {
                Some(rest) => (1, rest),
                None => match numbered(name, "blocks.") {
                    Some((block, rest)) => (block + 2, rest),
                    None => return name.clone(),
                },
            };
            rest.replacen("conv.", &format!("conv{block}."), 1)
                .replacen("norm.", &format!("bn{block}."), 1)
        };
        own.iter().map(rename).collect()
    }

    fn normalize(&mut self) -> Option<&mut Option<Normalize>> {
        Some(&mut self.normalize)
    }
}
