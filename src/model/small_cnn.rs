use crate::base::{Classifier, Error, Seed};
use crate::group::Group;
use crate::kernel::max_pool2d;
use crate::model::initial::{Initial, check_settings};
use crate::model::linear::linear;
use crate::nn::{
    Conv2d, Conv2dConfig, Footprint, GroupDropout, GroupDropoutConfig, Normalize, NormalizeConfig,
    nearest_sizes,
};
use burn::config::Config;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

const HIDDEN: usize = 200;

/// Configuration of a [`SmallCnn`].
#[derive(Config, Debug)]
pub struct SmallCnnConfig {
    /// Size of the images, `[channel, height, width]`.
    pub image: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Probability of dropping a neuron of the first hidden layer in training, at least 0 and
    /// below 1.
    #[config(default = 0.5)]
    pub dropout: f64,
    /// Normalisation of the pixels, as the model's first layer.
    pub normalize: Option<NormalizeConfig>,
    /// Seed of the initial weights and of dropout.
    #[config(default = 0)]
    pub seed: u64,
}

impl SmallCnnConfig {
    /// The network with random weights that depend on the seed alone: convolutions normal with
    /// deviation √(2/fan_in) and zero biases, linear layers uniform in ±1/√fan_in, and the last
    /// one zero, as published.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if the image is too small; [`Error::Setting`] for any other setting that
    /// makes no sense.
    pub fn init(&self, device: &Device) -> crate::base::Result<SmallCnn> {
        let [channels, height, width] = self.image;
        check_settings(
            self.image,
            self.classes,
            self.dropout,
            self.normalize.as_ref(),
        )?;
        let [rows, columns] = trace([height, width])?;

        let mut initial = Initial::new(self.seed, device);
        let mut conv = |[input, output]: [usize; 2]| {
            let deviation = (2.0 / (9 * input) as f64).sqrt();
            Conv2dConfig::new([input, output], 3)
                .init(device)
                .with_weight(initial.normal([output, input, 3, 3], deviation))
                .with_bias(initial.zeros([output]))
        };
        let conv1 = conv([channels, 32]);
        let conv2 = conv([32, 32]);
        let conv3 = conv([32, 64]);
        let conv4 = conv([64, 64]);
        let fc1 = initial.linear(64 * rows * columns, HIDDEN);
        let fc2 = initial.linear(HIDDEN, HIDDEN);
        let mut fc3 = initial.linear(HIDDEN, self.classes);
        fc3.weight = Param::from_tensor(Tensor::zeros([HIDDEN, self.classes], device));
        fc3.bias = Some(Param::from_tensor(Tensor::zeros([self.classes], device)));

        Ok(SmallCnn {
            normalize: self.normalize.as_ref().map(|config| config.init(device)),
            conv1,
            conv2,
            conv3,
            conv4,
            fc1,
            dropout: GroupDropoutConfig::new(self.dropout)
                .with_seed(self.seed)
                .init(),
            fc2,
            fc3,
        })
    }
}

/// The size that the last pooling gives.
fn trace(size: [usize; 2]) -> crate::base::Result<[usize; 2]> {
    let layer = |kernel, stride| Footprint {
        group: Group::P1,
        kernel,
        stride,
        padding: 0,
        dilation: 1,
        exact: true,
    };
    let (conv, pool) = (layer(3, 1), layer(2, 2));
    let end = |size| {
        [conv, conv, pool, conv, conv, pool]
            .into_iter()
            .try_fold(size, |size, footprint| footprint.check("layer", size))
    };
    end(size).map_err(|_| Error::Size {
        layer: "SmallCnn".to_owned(),
        height: size[0],
        width: size[1],
        reason: "nothing is left after its convolutions and poolings".to_owned(),
        works: nearest_sizes(size[0].max(size[1]), |side| end([side; 2]).is_ok()),
    })
}

/// The conventional network of the TRADES experiments on MNIST (Zhang et al. 2019), with 312,202
/// parameters on 28×28 digits: four 3×3 convolutions without padding with 32, 32, 64 and 64
/// channels, a 2×2 max pooling after the second and the fourth, and three fully connected layers.
#[derive(Module, Debug)]
pub struct SmallCnn {
    normalize: Option<Normalize>,
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    conv4: Conv2d,
    fc1: Linear,
    dropout: GroupDropout,
    fc2: Linear,
    fc3: Linear,
}

impl SmallCnn {
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
        self.head(self.dropout.forward(hidden))
    }

    /// Logits of images, with dropout, if active, a function of `(seed, image id, draw)` alone.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward), and unless there are as many ids as images.
    pub fn forward_with(&self, images: Tensor<4>, seed: Seed, ids: &[u64], draw: u64) -> Tensor<2> {
        let hidden = self.hidden(images);
        self.head(self.dropout.forward_with(hidden, seed, ids, draw))
    }

    fn hidden(&self, images: Tensor<4>) -> Tensor<2> {
        let x = match &self.normalize {
            Some(normalize) => normalize.forward(images),
            None => images,
        };
        let pool = |x| max_pool2d(x, MaxPoolOptions::new([2, 2]), true);
        let x = self.conv1.forward_relu(x);
        let x = pool(self.conv2.forward(x));
        let x = self.conv3.forward_relu(x);
        let x = pool(self.conv4.forward(x));
        linear(&self.fc1, x.flatten(1, 3), true)
    }

    fn head(&self, hidden: Tensor<2>) -> Tensor<2> {
        linear(&self.fc3, linear(&self.fc2, hidden, true), false)
    }
}

impl Classifier for SmallCnn {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.forward(images)
    }

    fn training_logits(&self, images: Tensor<4>, seed: Seed, ids: &[u64], draw: u64) -> Tensor<2> {
        self.forward_with(images, seed, ids, draw)
    }
}
