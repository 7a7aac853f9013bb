use crate::base::{Keys, Stages, View, config};
use crate::model::classifier::classifier;
use crate::model::plain::Step;
use crate::model::settings::{check_settings, check_size};
use crate::model::stages;
use crate::model::state_dict::{Published, numbered};
use crate::nn::{
    BlockConfig, Conv2dConfig, GroupDropout, GroupDropoutConfig, InitialWeights, Layer,
    LayerConfig, Linear, LinearConfig, Normalize, NormalizeConfig, PlaneBlock,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use derive_new::new;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

const HIDDEN: usize = 200;

/// Configuration of a [`SmallCnn`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters, new)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct SmallCnnConfig {
    /// Size of the images, `[channel, height, width]`.
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Probability of dropping a neuron of the first hidden layer in training, at least 0 and
    /// below 1.
    #[new(value = "0.5")]
    pub dropout: f64,
    /// Normalisation of the pixels, as the model's first layer.
    #[new(default)]
    pub normalize: Option<NormalizeConfig>,
    /// Seed of the initial weights and of dropout.
    #[new(value = "0")]
    pub seed: u64,
}

config!(SmallCnnConfig);

impl SmallCnnConfig {
    /// The network with random weights that depend on the seed alone: convolutions normal with
    /// deviation √(2/fan_in) and zero biases, linear layers uniform in ±1/√fan_in, and the last
    /// one zero, as published.
    ///
    /// # Errors
    ///
    /// [`Error::Size`](crate::base::Error::Size) if the image is too small;
    /// [`Error::Setting`](crate::base::Error::Setting) for any other setting that makes no sense.
    pub fn init(&self, device: &Device) -> crate::base::Result<SmallCnn> {
        let [channels, height, width] = self.image;
        check_settings(self.image, self.classes, self.dropout, &self.normalize)?;
        let block = |channels| BlockConfig::new(Conv2dConfig::new(channels, 3));
        let blocks = vec![
            block([channels, 32]),
            block([32, 32]).with_max_pool(2),
            block([32, 64]),
            block([64, 64]).with_max_pool(2),
        ];
        let [rows, columns] = check_size("SmallCnn", &blocks, [height, width])?;
        let linear = |features| LinearConfig::new(features).init(device);
        let model = SmallCnn {
            normalize: self.normalize.init(device),
            blocks: blocks.init(device),
            fc1: linear([64 * rows * columns, HIDDEN]),
            dropout: GroupDropoutConfig::new(self.dropout)
                .with_seed(self.seed)
                .init(),
            fc2: linear([HIDDEN, HIDDEN]),
            fc3: linear([HIDDEN, self.classes]),
        };
        Ok(model.map(&mut InitialWeights::normal(self.seed).with_zero("fc3")))
    }

    /// What the network does in inference.
    pub(super) fn plain_steps(&self) -> Vec<Step> {
        let conv = |at| Step::conv(format!("feature_extractor.conv{at}"), None);
        let pool = Step::MaxPool { side: 2 };
        let mut steps = vec![conv(1), conv(2), pool.clone(), conv(3), conv(4), pool];
        steps.push(Step::Flatten);
        let linear = |at| Step::linear(format!("classifier.fc{at}"), at < 3);
        steps.extend((1..=3).map(linear));
        steps
    }
}

/// The conventional network of the TRADES experiments on MNIST (Zhang et al. 2019), with 312,202
/// parameters on 28×28 digits: four 3×3 convolutions without padding with 32, 32, 64 and 64
/// channels, a 2×2 max pooling after the second and the fourth, and three fully connected layers.
#[derive(Module, Debug)]
pub struct SmallCnn {
    normalize: Option<Normalize>,
    blocks: Vec<PlaneBlock>,
    fc1: Linear,
    dropout: GroupDropout,
    fc2: Linear,
    fc3: Linear,
}

impl SmallCnn {
    fn respond(&self, images: Tensor<4>, keys: Option<&Keys>) -> Tensor<2> {
        let features = self.blocks.forward(self.normalize.forward(images));
        self.answer(features, keys)
    }

    fn is_staged(&self) -> bool {
        stages::suit(self.blocks[0].conv.weight().dims()[1])
    }

    fn answer(&self, features: Tensor<4>, keys: Option<&Keys>) -> Tensor<2> {
        let hidden = self.fc1.forward_relu(features.flatten(1, 3));
        let hidden = self.fc2.forward_relu(self.dropout.respond(hidden, keys));
        self.fc3.forward(hidden)
    }
}

classifier!(SmallCnn, fc1, is_staged);

impl Stages for SmallCnn {
    fn views(&self) -> Vec<View> {
        let [_, images, ..] = self.blocks[0].conv.weight().dims();
        let made = |block: usize| self.blocks[block].conv.weight().dims()[0];
        stages::views([images, made(0), made(1), made(2), made(3)])
    }

    fn stage(&self, number: usize, features: Tensor<4>) -> Tensor<4> {
        match number {
            0 => {
                let features = self.blocks[0].forward(self.normalize.forward(features));
                self.blocks[1].forward(features)
            }
            _ => self.blocks[number + 1].forward(features),
        }
    }

    fn rest(&self, features: Tensor<4>) -> Tensor<2> {
        self.answer(features, None)
    }
}

/// As published: `feature_extractor.conv1` to `conv4`, `classifier.fc1` to `fc3`.
impl Published for SmallCnn {
    fn names(&self, own: Vec<String>) -> Vec<String> {
        let rename = |name: &String| match numbered(name, "blocks.") {
            Some((block, rest)) => {
                let conv = format!("feature_extractor.conv{}.", block + 1);
                rest.replacen("conv.", &conv, 1)
            }
            None => format!("classifier.{name}"),
        };
        own.iter().map(rename).collect()
    }

    fn normalize(&mut self) -> Option<&mut Option<Normalize>> {
        Some(&mut self.normalize)
    }
}
