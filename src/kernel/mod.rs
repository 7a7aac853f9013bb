//! The operations in which attacks spend their time, with kernels of this crate's own where there
//! are any.
//!
//! Layers call these operations; each looks at the device, the element type and the sizes, runs its
//! kernel if there is one, and else Burn's operations, with the same result up to rounding.
//! [`record`] tells which path ran, [`composed`] forbids kernels, [`Numerics`] chooses the
//! arithmetic.
//!
//! Kernels exist for Burn's CPU backend Flex (`kernel::cpu`, on slices), for `f32`.

#[cfg(feature = "flex")]
pub mod cpu;
mod mode;

pub(crate) use mode::choose;
pub use mode::{Numerics, Path, Ran, composed, record};
