use crate::base::{Keys, config};
use crate::group::Group;
use crate::model::Head;
use crate::model::classifier::classifier;
use crate::model::plain::Step;
use crate::model::pooled::{Halving, Pooled};
use crate::model::scaled::scaled;
use crate::model::settings::{check_each, check_settings, check_size_over};
use crate::model::state_dict::{Published, numbered, staged};
use crate::nn::{
    BasicBlock, BasicBlockConfig, BlockConfig, Downsampling, InitialWeights, Layer, LayerConfig,
    LiftingBlock, LiftingConv2dConfig, Linear, LinearConfig, Normalize, NormalizeConfig,
    ResidualPath,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

type Body = (BlockConfig<LiftingConv2dConfig>, Vec<BasicBlockConfig>);

/// Configuration of a [`ResNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct ResNetConfig {
    /// The group: p1 for the ordinary network.
    pub group: Group,
    /// Size of the images, `[channel, height, width]`.
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Channels of the four stages.
    pub widths: [usize; 4],
    /// Blocks of each stage.
    pub depths: [usize; 4],
    /// How all stages but the first halve the size.
    pub downsampling: Downsampling,
    /// What the fully connected layer sees: of each component of each channel the mean over all places,
    /// or the mean over all places of each channel's largest component.
    pub head: Head,
    /// Normalisation of the pixels, as the model's first layer.
    #[serde(default)]
    pub normalize: Option<NormalizeConfig>,
    /// Seed of the initial weights.
    #[serde(default)]
    pub seed: u64,
}

config!(ResNetConfig);

impl ResNetConfig {
    /// ResNet18 for small images, as published: over p1 with 64, 128, 256 and 512 channels
    /// (11,173,962 parameters for colour images and ten classes), over a group with as many divided by
    /// √|G|; over p4m that is the paper's "GCNN" (23, 45, 91 and 181 channels; 11,201,415 parameters).
    ///
    /// Over p4 and p4m it is *not* equivariant on even sizes, nor invariant on any:
    /// [`equivariant`](Self::equivariant) is.
    pub fn resnet18(group: Group, image: [usize; 3], classes: usize) -> Self {
        Self {
            group,
            image,
            classes,
            widths: [64, 128, 256, 512].map(|width| scaled(width, group)),
            depths: [2; 4],
            downsampling: Downsampling::Strided,
            head: Head::Flattened,
            normalize: None,
            seed: 0,
        }
    }

    /// The same network, but exactly equivariant, and its logits invariant: with [pooled
    /// downsampling](Downsampling::Pooled) and a [pooled head](Head::Pooled).
    pub fn equivariant(self) -> Self {
        self.with_downsampling(Downsampling::Pooled)
            .with_head(Head::Pooled)
    }

    /// The network with random weights that depend on the seed alone, as published:
    /// [`InitialWeights::pytorch`].
    ///
    /// # Errors
    ///
    /// [`Error::Size`](crate::base::Error::Size) if the image is too small, or if a pooling
    /// would break exact equivariance; [`Error::Setting`](crate::base::Error::Setting) for any
    /// other setting that makes no sense.
    pub fn init(&self, device: &Device) -> crate::base::Result<ResNet> {
        check_settings(self.image, self.classes, 0.0, &self.normalize)?;
        check_each("widths", &self.widths, "channel")?;
        check_each("depths", &self.depths, "block")?;
        let body = self.body();
        check_size_over(self.group, "ResNet", &body, self.image)?;
        let (lift, blocks) = body.init(device);
        let features = self.head.features(self.widths[3], self.group);
        let model = ResNet {
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
        let lift = LiftingConv2dConfig::new(group, [channels, self.widths[0]], 3)
            .with_padding(1)
            .with_bias(false);
        let mut before = self.widths[0];
        let mut blocks = Vec::new();
        for (stage, (&width, &depth)) in self.widths.iter().zip(&self.depths).enumerate() {
            for block in 0..depth {
                blocks.push(BasicBlockConfig(ResidualPath {
                    group,
                    channels: [before, width],
                    stride: if stage > 0 && block == 0 { 2 } else { 1 },
                    downsampling: self.downsampling,
                }));
                before = width;
            }
        }
        (BlockConfig::new(lift).with_batch_norm(true), blocks)
    }

    /// What the network does in inference.
    pub(super) fn plain_steps(&self) -> Vec<Step> {
        let (_, blocks) = self.body();
        let stages = self.depths.iter().enumerate();
        let names = stages.flat_map(|(stage, &depth)| {
            (0..depth).map(move |block| format!("layer{}.{block}", stage + 1))
        });
        let mut steps = vec![Step::conv("conv1", Some("bn1".into())).padded(1)];
        steps.extend(names.zip(blocks).map(|(block, BasicBlockConfig(path))| {
            let conv = |name: &str, norm: &str| {
                Step::conv(format!("{block}.{name}"), Some(format!("{block}.{norm}")))
            };
            let (stride, pool) = path.halving();
            let mut body = vec![conv("conv1", "bn1").padded(1).strided(stride)];
            body.extend(pool.clone());
            body.push(conv("conv2", "bn2").padded(1).linearly());
            let mut shortcut = Vec::new();
            if path.has_shortcut() {
                shortcut.extend(pool);
                let conv = conv("shortcut.0", "shortcut.1");
                shortcut.push(conv.strided(stride).linearly());
            }
            Step::Residual {
                body,
                shortcut,
                relu: true,
            }
        }));
        steps.extend(self.head.mean_steps(self.group));
        steps.push(Step::linear("linear", false));
        steps
    }
}

/// A residual network of [`BasicBlock`]s: a 3×3 convolution, four stages of which all but the first
/// begin by halving the size, and a fully connected layer on means over all places.
///
/// (K. He, X. Zhang, S. Ren, J. Sun 2015, "Deep Residual Learning for Image Recognition", in the form
/// for 32×32 images that most of the field uses, and the paper; over p4m as published with T. Cohen, M.
/// Welling 2016, "Group Equivariant Convolutional Networks", by A. Bielski.)
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::group::Group;
/// use fireproof::model::{ResNetConfig, num_learned};
///
/// let device = fireproof::device();
/// let published = ResNetConfig::resnet18(Group::P4m, [3, 32, 32], 10);
/// assert_eq!(published.widths, [23, 45, 91, 181]);
/// let exact = ResNetConfig { widths: [4, 4, 8, 8], ..published }.equivariant();
/// let model = exact.init(&device)?;
/// assert_eq!(model.forward(Tensor::zeros([1, 3, 32, 32], &device)).dims(), [1, 10]);
/// assert!(num_learned(&model) < 100_000);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct ResNet {
    normalize: Option<Normalize>,
    lift: LiftingBlock,
    blocks: Vec<BasicBlock>,
    fc: Linear,
    #[module(skip)]
    head: Head,
}

impl ResNet {
    /// What the convolutions make of images: features `[batch, channel, group, height, width]`, which
    /// move as the images do if the network is [equivariant](ResNetConfig::equivariant).
    pub fn features(&self, images: Tensor<4>) -> Tensor<5> {
        let images = self.normalize.forward(images);
        self.blocks.forward(self.lift.forward(images))
    }

    fn respond(&self, images: Tensor<4>, _: Option<&Keys>) -> Tensor<2> {
        self.fc.forward(self.head.means(self.features(images)))
    }
}

classifier!(ResNet, fc);

/// As published: `conv1`, `bn1`, `layer1.0.conv1` … `layer4.1.bn2`, `layer2.0.shortcut.0` and `.1`,
/// `linear`.
impl Published for ResNet {
    fn names(&self, own: Vec<String>) -> Vec<String> {
        let places = staged(&own);
        let rename = |name: &String| {
            if let Some(rest) = name.strip_prefix("lift.") {
                return rest
                    .replacen("conv.", "conv1.", 1)
                    .replacen("norm.", "bn1.", 1);
            }
            let Some((block, rest)) = numbered(name, "blocks.") else {
                return name.replacen("fc.", "linear.", 1);
            };
            let [stage, at] = places[block];
            let rest = match rest.strip_prefix("shortcut.") {
                Some(rest) => format!(
                    "shortcut.{}",
                    rest.replacen("conv.", "0.", 1).replacen("norm.", "1.", 1)
                ),
                None => rest.replacen("norm", "bn", 1),
            };
            format!("layer{}.{at}.{rest}", stage + 1)
        };
        own.iter().map(rename).collect()
    }

    fn normalize(&mut self) -> Option<&mut Option<Normalize>> {
        Some(&mut self.normalize)
    }
}
