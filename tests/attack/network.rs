//! A small network with weights by formula.

use crate::common::On;
use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use fireproof::attack::{Attack, Found, Frozen};
use fireproof::base::{Batch, Classifier, Purpose, Seed};

#[derive(Module, Debug)]
pub struct Net {
    conv1: Conv2d,
    conv2: Conv2d,
    fc: Linear,
}

impl Classifier for Net {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let x = relu(self.conv1.forward(images));
        let x = relu(self.conv2.forward(x));
        self.fc.forward(x.flatten::<2>(1, 3))
    }
}

impl Net {
    // The network of make_torchattacks.py; `weights` hands out its tensors in that order.
    pub fn new(on: &On, mut weights: impl FnMut(usize) -> Vec<f32>) -> Self {
        let device = on.device();
        let mut conv = |config: Conv2dConfig, shape: [usize; 4]| {
            let mut layer = config.with_stride([2, 2]).init(&device);
            layer.weight = Param::from_tensor(on.tensor(weights(shape.iter().product()), shape));
            layer.bias = Some(Param::from_tensor(on.tensor(weights(shape[0]), [shape[0]])));
            layer
        };
        let conv1 = conv(Conv2dConfig::new([1, 16], [5, 5]), [16, 1, 5, 5]);
        let conv2 = conv(Conv2dConfig::new([16, 32], [5, 5]), [32, 16, 5, 5]);
        let mut fc = LinearConfig::new(512, 10).init(&device);
        // PyTorch stores [out, in].
        fc.weight = Param::from_tensor(on.tensor(weights(5120), [10, 512]).transpose());
        fc.bias = Some(Param::from_tensor(on.tensor(weights(10), [10])));
        Self { conv1, conv2, fc }
    }

    pub fn random(on: &On, seed: u64) -> Self {
        let mut index = 0;
        Self::new(on, |count| {
            index += 1;
            let mut draws = Seed(seed).draws(Purpose::Weights, index, 0);
            // Spread as a trained network's, so that attacks neither always fail nor succeed.
            let spread = if count > 1000 { 0.08 } else { 0.4 };
            (0..count)
                .map(|_| (draws.normal() * spread) as f32)
                .collect()
        })
    }
}

// Smooth random images whose labels are the network's predictions, but for every tenth.
pub fn random_batch(on: &On, victim: &Frozen, count: usize) -> Batch {
    let pixels = (0..count * 784).map(|i| {
        let (image, at) = (i / 784, i % 784);
        let (y, x) = ((at / 28) as f32, (at % 28) as f32);
        let phase = image as f32 * 1.7;
        0.5 + 0.5 * (0.31 * x * (1.0 + phase.sin()) + phase).sin() * (0.23 * y + 2.0 * phase).cos()
    });
    let images = on.tensor(pixels.collect(), [count, 1, 28, 28]);
    let mut classes = victim.predict(images.clone());
    classes
        .iter_mut()
        .step_by(10)
        .for_each(|class| *class = (*class + 1) % 10);
    let ids = (0..count as u64)
        .map(|position| 1000 + 7 * position)
        .collect();
    Batch::new(images, on.labels(&classes))
        .unwrap()
        .with_ids(ids)
        .unwrap()
}

pub fn network(on: &On) -> (Frozen, Batch) {
    let victim = Frozen::new(&Net::random(on, 1));
    let batch = random_batch(on, &victim, 40);
    (victim, batch)
}

pub fn attack(on: &On, attack: &dyn Attack, seed: u64) -> Found {
    let (victim, batch) = network(on);
    attack.attack(&victim, &batch, Seed(seed)).unwrap()
}
