//! Networks for small images. All of them return logits and are
//! [`Classifier`](crate::base::Classifier)s.
//!
//! To add one, write a file with a configuration that checks the image size when it is built, and a
//! module of layers from [`nn`](crate::nn) that implements `Classifier`: then it can be trained,
//! frozen, attacked and evaluated.

mod cnn;
mod initial;
mod linear;
mod small_cnn;
mod widths;

pub use cnn::{Cnn, CnnConfig, Head};
pub use small_cnn::{SmallCnn, SmallCnnConfig};
pub use widths::Widths;
