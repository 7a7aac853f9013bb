//! Networks for small images. All of them return logits and are
//! [`Classifier`](crate::base::Classifier)s.
//!
//! A model's configuration says its layers once, as a list of their configurations
//! ([`LayerConfig`](crate::nn::LayerConfig)): size checks, numbers of parameters and the forward
//! pass come from it. Its weights are drawn from the seed alone
//! ([`InitialWeights`](crate::nn::InitialWeights)).
//!
//! To add one, write a file with a configuration that checks the image size when it is built, and a
//! module of layers from [`nn`](crate::nn) that implements `Classifier`: then it can be trained,
//! frozen, attacked and evaluated.

mod classifier;
mod cnn;
mod madry_cnn;
mod num_learned;
mod pooled;
mod resnet;
mod scaled;
mod settings;
mod small_cnn;
mod state_dict;
mod vgg;
mod wide_resnet;
mod widths;

pub use cnn::{Cnn, CnnConfig, Head};
pub use madry_cnn::{MadryCnn, MadryCnnConfig};
pub use num_learned::num_learned;
pub use resnet::{ResNet, ResNetConfig};
pub use small_cnn::{SmallCnn, SmallCnnConfig};
pub use state_dict::{Published, StateDict};
pub use vgg::{Vgg, VggConfig};
pub use wide_resnet::{WideResNet, WideResNetConfig};
pub use widths::Widths;
