//! The operations in which attacks spend their time, with kernels of this crate's own where there
//! are any.
//!
//! Layers call these operations; each looks at the device, the element type and the sizes, runs its
//! kernel if there is one, and else Burn's operations, with the same result up to rounding.
//! [`record`] tells which path ran, [`composed`] forbids kernels, [`Numerics`] chooses the
//! arithmetic.
//!
//! Kernels exist for Burn's CPU backend Flex (`kernel::cpu`, on slices), for `f32`, by the widest vectors that
//! the processor has, unless the environment variable `FIREPROOF_ISA` says which.
//!
//! To add an operation, write a file with a function of tensors that chooses its path and has Burn's
//! operations as the other one; the kernel is a value with a forward and a backward pass
//! (`kernel::flex::Kernel`), its arithmetic a file in `kernel::cpu`.

mod add_scaled;
mod batch_norm;
mod border;
mod conv2d;
#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "flex")]
pub(crate) mod flex;
mod group_max;
mod linear;
mod linf_step;
mod numerics;
mod path;
mod pool2d;
mod relu;
mod warp;

pub use add_scaled::add_scaled;
pub use batch_norm::{Affine, Statistics, batch_norm, batch_norm_train, batch_norm_train_add};
pub use border::Border;
pub use conv2d::{Filters, conv2d, conv2d_add};
#[cfg(feature = "flex")]
pub use cpu::isa::ISA_VARIABLE;
#[cfg(feature = "flex")]
pub use flex::buffer::release_memory;
#[cfg(feature = "flex")]
pub(crate) use flex::suits;
pub use group_max::group_max;
pub use linear::linear;
pub use linf_step::{LinfStep, linf_step};
pub use numerics::{NUMERICS_VARIABLE, Numerics};
pub use path::{Path, Ran, composed, record};
pub(crate) use path::{choose, is_composed};
pub use pool2d::{avg_pool2d, max_pool2d};
pub use relu::relu;
pub use warp::{warp_bilinear, warp_nearest};

/// Whether a tensor is one that kernels work on: none without the CPU backend.
#[cfg(not(feature = "flex"))]
pub(crate) fn suits<const D: usize>(_: &burn::tensor::Tensor<D>) -> bool {
    false
}
