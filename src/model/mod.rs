//! Networks for small images. All of them return logits and are
//! [`Classifier`](crate::base::Classifier)s.

mod cnn;
mod initial;
mod linear;
mod small_cnn;
mod widths;

pub use cnn::{Cnn, CnnConfig, Head};
pub use small_cnn::{SmallCnn, SmallCnnConfig};
pub use widths::Widths;
