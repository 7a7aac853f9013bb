use crate::base::{Error, Keys, config};
use crate::group::Group;
use crate::model::Head;
use crate::model::classifier::classifier;
use crate::model::plain::Step;
use crate::model::pooled::{Halving, Pooled};
use crate::model::scaled::scaled;
use crate::model::settings::{check_each, check_settings, check_size_over};
use crate::model::state_dict::{Published, numbered, staged};
use crate::nn::{
    Downsampling, GroupBatchNorm, GroupBatchNormConfig, InitialWeights, Layer, LayerConfig,
    LiftingConv2d, LiftingConv2dConfig, Linear, LinearConfig, Normalize, NormalizeConfig,
    PreActivationBlock, PreActivationBlockConfig, ResidualPath,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

type Body = (LiftingConv2dConfig, Vec<PreActivationBlockConfig>);

/// Configuration of a [`WideResNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct WideResNetConfig {
    /// The group: p1 for the ordinary network.
    pub group: Group,
    /// Size of the images, `[channel, height, width]`.
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Channels of the first convolution and of the three stages.
    pub widths: [usize; 4],
    /// Blocks of each of the three stages.
    pub blocks: usize,
    /// How the second and third stage halve the size.
    pub downsampling: Downsampling,
    /// What the fully connected layer sees: see [`ResNetConfig`](super::ResNetConfig).
    pub head: Head,
    /// Normalisation of the pixels, as the model's first layer.
    #[serde(default)]
    pub normalize: Option<NormalizeConfig>,
    /// Seed of the initial weights.
    #[serde(default)]
    pub seed: u64,
}

config!(WideResNetConfig);

impl WideResNetConfig {
    /// WRN-34-10, the network of the TRADES experiments on CIFAR: 16, 160, 320 and 640 channels, five
    /// blocks a stage; 46,160,474 parameters over p1 for colour images and ten classes. Over a group
    /// all widths are divided by √|G|.
    ///
    /// The published code stores 48,262,586, as it makes a block that it never calls. Over p4 and p4m it is
    /// *not* equivariant on even sizes, nor invariant on any: [`equivariant`](Self::equivariant) is.
    pub fn wrn_34_10(group: Group, image: [usize; 3], classes: usize) -> Self {
        Self {
            group,
            image,
            classes,
            widths: [16, 160, 320, 640].map(|width| scaled(width, group)),
            blocks: 5,
            downsampling: Downsampling::Strided,
            head: Head::Flattened,
            normalize: None,
            seed: 0,
        }
    }

    /// The same network, but exactly equivariant, and its logits invariant.
    pub fn equivariant(self) -> Self {
        self.with_downsampling(Downsampling::Pooled)
            .with_head(Head::Pooled)
    }

    /// The network with random weights that depend on the seed alone, as published:
    /// [`InitialWeights::fan_out`].
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if the image is too small, or if a pooling would break exact equivariance;
    /// [`Error::Setting`] for any other setting that makes no sense.
    pub fn init(&self, device: &Device) -> crate::base::Result<WideResNet> {
        check_settings(self.image, self.classes, 0.0, &self.normalize)?;
        check_each("widths", &self.widths, "channel")?;
        Error::unless(self.blocks > 0, "blocks", self.blocks, "at least 1")?;
        let body = self.body();
        check_size_over(self.group, "WideResNet", &body, self.image)?;
        let (lift, blocks) = body.init(device);
        let features = self.head.features(self.widths[3], self.group);
        let model = WideResNet {
            normalize: self.normalize.init(device),
            lift,
            blocks,
            norm: GroupBatchNormConfig::new(self.group, self.widths[3]).init(device),
            fc: LinearConfig::new([features, self.classes]).init(device),
            head: self.head,
        };
        Ok(model.map(&mut InitialWeights::fan_out(self.seed)))
    }

    fn body(&self) -> Body {
        let (group, [channels, ..]) = (self.group, self.image);
        let lift = LiftingConv2dConfig::new(group, [channels, self.widths[0]], 3)
            .with_padding(1)
            .with_bias(false);
        let mut blocks = Vec::new();
        for (stage, pair) in self.widths.windows(2).enumerate() {
            for block in 0..self.blocks {
                let first = block == 0;
                blocks.push(PreActivationBlockConfig(ResidualPath {
                    group,
                    channels: [if first { pair[0] } else { pair[1] }, pair[1]],
                    stride: if stage > 0 && first { 2 } else { 1 },
                    downsampling: self.downsampling,
                }));
            }
        }
        (lift, blocks)
    }

    /// What the network does in inference.
    pub(super) fn plain_steps(&self) -> Vec<Step> {
        let norm = |name: String| Step::Scale { name, relu: true };
        let mut steps = vec![Step::conv("conv1", None).padded(1).linearly()];
        let (_, blocks) = self.body();
        for (at, PreActivationBlockConfig(path)) in blocks.into_iter().enumerate() {
            let (stage, block) = (at / self.blocks + 1, at % self.blocks);
            let name = |part: &str| format!("block{stage}.layer.{block}.{part}");
            let (stride, pool) = path.halving();
            let conv1 = Step::conv(name("conv1"), Some(name("bn2")))
                .padded(1)
                .strided(stride);
            // The mean of what is normalised is the normalised mean; relu comes after both.
            let mut body = match &pool {
                None => vec![conv1],
                Some(pool) => vec![conv1.linearly(), pool.clone(), Step::Relu],
            };
            body.push(Step::conv(name("conv2"), None).padded(1).linearly());
            let (first, mut shortcut) = (norm(name("bn1")), Vec::new());
            if path.has_shortcut() {
                steps.push(first);
                shortcut.extend(pool);
                let conv = Step::conv(name("convShortcut"), None);
                shortcut.push(conv.strided(stride).linearly());
            } else {
                body.insert(0, first);
            }
            steps.push(Step::Residual {
                body,
                shortcut,
                relu: false,
            });
        }
        steps.push(norm("bn1".into()));
        steps.extend(self.head.mean_steps(self.group));
        steps.push(Step::linear("fc", false));
        steps
    }
}

/// A wide residual network of [`PreActivationBlock`]s: a 3×3 convolution, three stages of which the
/// second and third begin by halving the size, a batch normalisation with relu, and a fully connected
/// layer on means over all places.
///
/// (S. Zagoruyko, N. Komodakis 2016, "Wide Residual Networks", as published with H. Zhang et al. 2019,
/// "Theoretically Principled Trade-off between Robustness and Accuracy".)
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::{group::Group, model::WideResNetConfig};
///
/// let device = fireproof::device();
/// let published = WideResNetConfig::wrn_34_10(Group::P1, [3, 32, 32], 10);
/// let small = WideResNetConfig { widths: [4, 4, 8, 8], blocks: 1, ..published };
/// let model = small.init(&device)?;
/// assert_eq!(model.forward(Tensor::zeros([2, 3, 32, 32], &device)).dims(), [2, 10]);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct WideResNet {
    normalize: Option<Normalize>,
    lift: LiftingConv2d,
    blocks: Vec<PreActivationBlock>,
    norm: GroupBatchNorm,
    fc: Linear,
    #[module(skip)]
    head: Head,
}

impl WideResNet {
    /// What the convolutions make of images: features `[batch, channel, group, height, width]`, which
    /// move as the images do if the network is [equivariant](WideResNetConfig::equivariant).
    pub fn features(&self, images: Tensor<4>) -> Tensor<5> {
        let images = self.normalize.forward(images);
        let features = self.blocks.forward(self.lift.forward(images));
        self.norm.forward_relu(features)
    }

    fn respond(&self, images: Tensor<4>, _: Option<&Keys>) -> Tensor<2> {
        self.fc.forward(self.head.means(self.features(images)))
    }
}

classifier!(WideResNet, fc);

/// As published: `conv1`, `block1.layer.0.bn1` … `block3.layer.4.conv2`, `block1.layer.0.convShortcut`,
/// `bn1`, `fc`. Their `sub_block1`, which no pass of theirs uses, may be there.
impl Published for WideResNet {
    fn names(&self, own: Vec<String>) -> Vec<String> {
        let places = staged(&own);
        let rename = |name: &String| {
            let Some((block, rest)) = numbered(name, "blocks.") else {
                return name
                    .replacen("lift.", "conv1.", 1)
                    .replacen("norm.", "bn1.", 1);
            };
            let [stage, at] = places[block];
            let rest = rest.replacen("shortcut.1.", "convShortcut.", 1);
            let rest = rest.replacen("norm", "bn", 1);
            format!("block{}.layer.{at}.{rest}", stage + 1)
        };
        own.iter().map(rename).collect()
    }

    fn ignorable(&self) -> &'static [&'static str] {
        &["sub_block1."]
    }

    fn normalize(&mut self) -> Option<&mut Option<Normalize>> {
        Some(&mut self.normalize)
    }
}
