//! Networks for small images. All of them return logits and are
//! [`Classifier`](crate::base::Classifier)s.
//!
//! A model's configuration says its layers once, as a list of their configurations
//! ([`LayerConfig`](crate::nn::LayerConfig)): size checks, numbers of parameters and the forward
//! pass come from it. Its weights are drawn from the seed alone
//! ([`InitialWeights`](crate::nn::InitialWeights)).
//!
//! Weights come from and go to files as PyTorch has them ([`StateDict`]), by the names under which each
//! network is published ([`Published`]). In files and on command lines a network is its name with its
//! settings ([`ModelSpec`]).
//!
//! To add one, write a file with a configuration that checks the image size when it is built, and a
//! module of layers from [`nn`](crate::nn) that implements `Classifier`: then it can be trained,
//! frozen, attacked and evaluated. With `Published` its weights are loaded and written, and with
//! [`Network`] for its configuration files may name it.

mod any;
mod classifier;
mod cnn;
mod madry_cnn;
mod num_learned;
mod plain;
mod pooled;
mod resnet;
mod scaled;
mod settings;
mod small_cnn;
mod spec;
mod stages;
mod state_dict;
mod vgg;
mod wide_resnet;
mod widths;

pub use any::Model;
pub use cnn::{Cnn, CnnConfig, Head};
pub use madry_cnn::{MadryCnn, MadryCnnConfig};
pub use num_learned::num_learned;
pub use plain::{Plain, Step};
pub use resnet::{ResNet, ResNetConfig};
pub use small_cnn::{SmallCnn, SmallCnnConfig};
pub use spec::{ModelSpec, Network};
pub use state_dict::{Published, StateDict};
pub use vgg::{Vgg, VggConfig};
pub use wide_resnet::{WideResNet, WideResNetConfig};
pub use widths::Widths;
