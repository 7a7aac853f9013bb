use crate::base::{Keys, config};
use crate::model::classifier::classifier;
use crate::model::plain::Step;
use crate::model::settings::{check_settings, check_size};
use crate::model::state_dict::{Published, numbered};
use crate::nn::{
    BlockConfig, Conv2dConfig, InitialWeights, Layer, LayerConfig, Linear, LinearConfig, Normalize,
    NormalizeConfig, PlaneBlock,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use derive_new::new;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

const HIDDEN: usize = 1024;

/// Configuration of a [`MadryCnn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters, new)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct MadryCnnConfig {
    /// Size of the images, `[channel, height, width]`.
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Normalisation of the pixels, as the model's first layer.
    #[new(default)]
    #[serde(default)]
    pub normalize: Option<NormalizeConfig>,
    /// Seed of the initial weights.
    #[new(value = "0")]
    #[serde(default)]
    pub seed: u64,
}

config!(MadryCnnConfig);

impl MadryCnnConfig {
    /// The network with random weights that depend on the seed alone, as published:
    /// [`InitialWeights::truncated`].
    ///
    /// # Errors
    ///
    /// [`Error::Size`](crate::base::Error::Size) if the image is too small;
    /// [`Error::Setting`](crate::base::Error::Setting) for any other setting that makes no sense.
    pub fn init(&self, device: &Device) -> crate::base::Result<MadryCnn> {
        let [channels, height, width] = self.image;
        check_settings(self.image, self.classes, 0.0, &self.normalize)?;
        let block = |channels| {
            BlockConfig::new(Conv2dConfig::new(channels, 5).with_padding(2)).with_max_pool(2)
        };
        let blocks = vec![block([channels, 32]), block([32, 64])];
        let [rows, columns] = check_size("MadryCnn", &blocks, [height, width])?;
        let model = MadryCnn {
            normalize: self.normalize.init(device),
            blocks: blocks.init(device),
            fc1: LinearConfig::new([64 * rows * columns, HIDDEN]).init(device),
            fc2: LinearConfig::new([HIDDEN, self.classes]).init(device),
        };
        Ok(model.map(&mut InitialWeights::truncated(self.seed)))
    }

    /// What the network does in inference.
    pub(super) fn plain_steps(&self) -> Vec<Step> {
        let conv = |at| Step::conv(format!("conv{at}"), None).padded(2);
        let pool = Step::MaxPool { side: 2 };
        let mut steps = vec![conv(1), pool.clone(), conv(2), pool, Step::Flatten];
        steps.extend([Step::linear("fc1", true), Step::linear("fc2", false)]);
        steps
    }
}

/// The network of the MNIST challenge (A. Madry et al. 2017, "Towards Deep Learning Models Resistant to
/// Adversarial Attacks"), with 3,274,634 parameters on 28×28 digits: two 5×5 convolutions that keep the
/// size, with 32 and 64 channels, a 2×2 max pooling after each, and two fully connected layers.
///
/// ```
/// use burn::module::Module;
/// use fireproof::model::MadryCnnConfig;
///
/// let model = MadryCnnConfig::new([1, 28, 28], 10).init(&fireproof::device())?;
/// assert_eq!(model.num_params(), 3_274_634);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct MadryCnn {
    normalize: Option<Normalize>,
    blocks: Vec<PlaneBlock>,
    fc1: Linear,
    fc2: Linear,
}

impl MadryCnn {
    fn respond(&self, images: Tensor<4>, _: Option<&Keys>) -> Tensor<2> {
        let features = self.blocks.forward(self.normalize.forward(images));
        let hidden = self.fc1.forward_relu(features.flatten(1, 3));
        self.fc2.forward(hidden)
    }
}

classifier!(MadryCnn, fc1);

/// `conv1`, `conv2`, `fc1` and `fc2`. The original, of TensorFlow, has channels last where it is flattened.
impl Published for MadryCnn {
    fn names(&self, own: Vec<String>) -> Vec<String> {
        let rename = |name: &String| match numbered(name, "blocks.") {
            Some((block, rest)) => rest.replacen("conv.", &format!("conv{}.", block + 1), 1),
            None => name.clone(),
        };
        own.iter().map(rename).collect()
    }

    fn normalize(&mut self) -> Option<&mut Option<Normalize>> {
        Some(&mut self.normalize)
    }
}
