//! Blocks of residual networks, over a group: p1 gives the ordinary ones.

mod basic;
mod path;
mod pre_activation;

pub use basic::{BasicBlock, BasicBlockConfig};
pub use path::{Downsampling, ResidualPath};
pub use pre_activation::{PreActivationBlock, PreActivationBlockConfig};
