use crate::base::{Keys, config};
use crate::group::Group;
use crate::model::Head;
use crate::model::classifier::classifier;
use crate::model::plain::Step;
use crate::model::pooled::Pooled;
use crate::model::scaled::scaled;
use crate::model::settings::{check_each, check_settings, check_size_over};
use crate::model::state_dict::{Published, numbered};
use crate::nn::{
    BlockConfig, GroupBlock, GroupConv2dConfig, InitialWeights, Layer, LayerConfig, LiftingBlock,
    LiftingConv2dConfig, Linear, LinearConfig, Normalize, NormalizeConfig,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

type Body = (
    BlockConfig<LiftingConv2dConfig>,
    Vec<BlockConfig<GroupConv2dConfig>>,
);

/// Configuration of a [`Vgg`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct VggConfig {
    /// The group: p1 for the ordinary network.
    pub group: Group,
    /// Size of the images, `[channel, height, width]`.
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Channels of the five stages.
    pub widths: [usize; 5],
    /// Convolutions of each stage.
    pub depths: [usize; 5],
    /// What the fully connected layer sees: all features, or the mean over all places of each
    /// channel's largest component.
    pub head: Head,
    /// Normalisation of the pixels, as the model's first layer.
    #[serde(default)]
    pub normalize: Option<NormalizeConfig>,
    /// Seed of the initial weights.
    #[serde(default)]
    pub seed: u64,
}

config!(VggConfig);

impl VggConfig {
    /// VGG16 with batch normalisation and one fully connected layer, the paper's "StdCNN" for colour
    /// images: 14,728,266 parameters over p1 for ten classes. Over a group all widths are divided by
    /// √|G|; it is exactly equivariant as it is, and invariant with a [pooled head](Head::Pooled).
    pub fn vgg16(group: Group, image: [usize; 3], classes: usize) -> Self {
        Self {
            group,
            image,
            classes,
            widths: [64, 128, 256, 512, 512].map(|width| scaled(width, group)),
            depths: [2, 2, 3, 3, 3],
            head: Head::Flattened,
            normalize: None,
            seed: 0,
        }
    }

    /// The network with random weights that depend on the seed alone, as published:
    /// [`InitialWeights::pytorch`].
    ///
    /// # Errors
    ///
    /// [`Error::Size`](crate::base::Error::Size) if the image is too small (32×32 is not), or if a
    /// pooling would break exact equivariance; [`Error::Setting`](crate::base::Error::Setting) for
    /// any other setting that makes no sense.
    pub fn init(&self, device: &Device) -> crate::base::Result<Vgg> {
        check_settings(self.image, self.classes, 0.0, &self.normalize)?;
        check_each("widths", &self.widths, "channel")?;
        check_each("depths", &self.depths, "convolution")?;
        let body = self.body();
        let [rows, columns] = check_size_over(self.group, "Vgg", &body, self.image)?;
        let (lift, blocks) = body.init(device);
        let places = match self.head {
            Head::Flattened => rows * columns,
            Head::Pooled => 1,
        };
        let features = self.head.features(self.widths[4], self.group) * places;
        let model = Vgg {
            normalize: self.normalize.init(device),
            lift,
            blocks,
            fc: LinearConfig::new([features, self.classes]).init(device),
            head: self.head,
        };
        Ok(model.map(&mut InitialWeights::pytorch(self.seed)))
    }

    fn body(&self) -> Body {
        let (group, [channels, ..]) = (self.group, self.image);
        let stages = self.widths.iter().zip(&self.depths);
        let mut widths = stages.flat_map(|(&width, &depth)| {
            (1..=depth).map(move |layer| (width, (layer == depth).then_some(2)))
        });
        let (first, pool) = widths.next().expect("depths were checked");
        let lift = LiftingConv2dConfig::new(group, [channels, first], 3).with_padding(1);
        let mut before = first;
        let blocks = widths.map(|(width, max_pool)| {
            let conv = GroupConv2dConfig::new(group, [before, width], 3).with_padding(1);
            before = width;
            BlockConfig {
                conv,
                batch_norm: true,
                max_pool,
            }
        });
        let lift = BlockConfig {
            conv: lift,
            batch_norm: true,
            max_pool: pool,
        };
        (lift, blocks.collect())
    }

    /// What the network does in inference.
    pub(super) fn plain_steps(&self) -> Vec<Step> {
        let (lift, blocks) = self.body();
        let pools = blocks.iter().map(|block| block.max_pool);
        let (mut steps, mut at) = (Vec::new(), 0);
        for pool in std::iter::once(lift.max_pool).chain(pools) {
            let norm = format!("features.{}", at + 1);
            steps.push(Step::conv(format!("features.{at}"), Some(norm)).padded(1));
            // A convolution, its norm and relu.
            at += 3;
            if let Some(side) = pool {
                steps.push(Step::MaxPool { side });
                at += 1;
            }
        }
        steps.extend(self.head.steps(self.group));
        steps.push(Step::linear("classifier", false));
        steps
    }
}

/// Stages of 3×3 convolutions, each with a batch normalisation, that end with a 2×2 max pooling, and a
/// fully connected layer.
///
/// (K. Simonyan, A. Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image
/// Recognition", in the form for 32×32 images that the paper uses.)
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::{group::Group, model::VggConfig};
///
/// let device = fireproof::device();
/// let published = VggConfig::vgg16(Group::P1, [3, 32, 32], 10);
/// let small = VggConfig { widths: [4; 5], depths: [1; 5], ..published };
/// let model = small.init(&device)?;
/// assert_eq!(model.forward(Tensor::zeros([2, 3, 32, 32], &device)).dims(), [2, 10]);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct Vgg {
    normalize: Option<Normalize>,
    lift: LiftingBlock,
    blocks: Vec<GroupBlock>,
    fc: Linear,
    #[module(skip)]
    head: Head,
}

impl Vgg {
    /// What the convolutions make of images: features `[batch, channel, group, height, width]`, which
    /// move as the images do.
    pub fn features(&self, images: Tensor<4>) -> Tensor<5> {
        let images = self.normalize.forward(images);
        self.blocks.forward(self.lift.forward(images))
    }

    fn respond(&self, images: Tensor<4>, _: Option<&Keys>) -> Tensor<2> {
        let features = self.features(images);
        self.fc.forward(match self.head {
            Head::Flattened => features.flatten(1, 4),
            Head::Pooled => self.head.means(features),
        })
    }
}

classifier!(Vgg, fc);

/// As published: `features.N`, counted with relu and poolings, and `classifier`.
impl Published for Vgg {
    fn names(&self, own: Vec<String>) -> Vec<String> {
        // Where each block begins: convolution, normalisation, relu, and a pooling after some.
        let pooled = [self.lift.pool.is_some()].into_iter();
        let pooled = pooled.chain(self.blocks.iter().map(|block| block.pool.is_some()));
        let mut next = 0;
        let starts = Vec::from_iter(pooled.map(|pooled| {
            let start = next;
            next += if pooled { 4 } else { 3 };
            start
        }));
        let rename = |name: &String| {
            let (block, rest) = match name.strip_prefix("lift.") {
                Some(rest) => (0, rest),
                None => match numbered(name, "blocks.") {
                    Some((block, rest)) => (block + 1, rest),
                    None => return name.replacen("fc.", "classifier.", 1),
                },
            };
            let at = starts[block];
            rest.replacen("conv.", &format!("features.{at}."), 1)
                .replacen("norm.", &format!("features.{}.", at + 1), 1)
        };
        own.iter().map(rename).collect()
    }

    fn normalize(&mut self) -> Option<&mut Option<Normalize>> {
        Some(&mut self.normalize)
    }
}
