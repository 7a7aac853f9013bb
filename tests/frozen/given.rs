//! A network with everything that inference changes, and images for it.

use crate::common::{On, values};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::tanh;
use burn::tensor::{Device, Int, Tensor};
use fireproof::attack::Frozen;
use fireproof::base::{Batch, Classifier};

#[derive(Module, Debug)]
pub struct Net {
    pub conv: Conv2d,
    pub norm: BatchNorm,
    pub dropout: Dropout,
    pub linear: Linear,
}

impl Net {
    // Burn initialises these parameters lazily: nothing is drawn before the first use.
    pub fn new(device: &Device) -> Self {
        Self {
            conv: Conv2dConfig::new([1, 4], [3, 3]).init(device),
            norm: BatchNormConfig::new(4).init(device),
            dropout: DropoutConfig::new(0.5).init(),
            linear: LinearConfig::new(4 * 6 * 6, 3).init(device),
        }
    }
}

// Smooth, since weights are drawn anew each time: now and then every rectifier would be dead, and no change of the
// network would show.
impl Classifier for Net {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let features = tanh(self.norm.forward(self.conv.forward(images)));
        self.linear
            .forward(self.dropout.forward(features.flatten::<2>(1, 3)))
    }
}

pub fn images(on: &On, seed: f32) -> Tensor<4> {
    let ramp = Tensor::<1, Int>::arange(0..5 * 64, &on.device()).float();
    ((ramp * 0.37 + seed).sin() * 0.5 + 0.5).reshape([5, 1, 8, 8])
}

pub fn batch(on: &On) -> Batch {
    Batch::new(images(on, 0.0), on.labels(&[0, 1, 2, 0, 1])).unwrap()
}

pub fn frozen_logits(on: &On, victim: &Frozen) -> Vec<f32> {
    values(victim.logits(images(on, 0.0)))
}

// Training-mode passes move batch norm's running statistics.
pub fn warm_up(on: &On, model: &Net) {
    for pass in 0..3 {
        model
            .logits((images(on, pass as f32) * 3.0).autodiff())
            .inner()
            .to_data();
    }
}
