//! f32 CPU kernels: convolution with its gradients, pooling, image warping, and the attack's step.
//!
//! Tensors are slices in `[batch][channel][height][width]` order (NCHW) and results are written to
//! slices given by the caller. The kernels run on rayon's current pool and take scratch memory
//! from their threads, so that a steady state allocates nothing. Results do not depend on the
//! batch around an image, on the order of images, or on the number of threads, bit for bit; they
//! may differ between instruction sets ([`Isa`]) by rounding.
//!
//! A new kernel is a file of functions on slices, written once over a token of the instruction set;
//! a new instruction set is a file in `isa`.

// Loops over register tiles count, so that they unroll.
#![allow(clippy::needless_range_loop)]

mod adjoint;
mod bank;
pub mod batch_norm;
pub mod conv;
mod correlate;
mod direct;
pub mod elementwise;
mod few;
mod filters;
mod gemm;
pub mod group_max;
pub mod isa;
mod lanes;
mod map;
pub mod matmul;
pub(crate) mod memory;
mod method;
mod mirrors;
mod pass;
mod plain;
mod plan;
pub mod pool;
pub(crate) mod scratch;
mod shared;
mod space;
pub(crate) mod strand;
mod tied;
mod tile;
mod transforms;
pub mod warp;
mod window;
mod winograd;

pub use bank::Bank;
pub use conv::Prepared;
pub use isa::Isa;
pub use pass::After;
pub use window::Window;

/// How many numbers there are along all these axes. Lengths are checked against it before anything
/// is read or written without further checks, so it must not wrap.
///
/// # Panics
/// If it is more than a `usize` holds.
pub(crate) fn count<const N: usize>(sizes: [usize; N]) -> usize {
    let product = sizes
        .into_iter()
        .try_fold(1, |product: usize, size| product.checked_mul(size));
    product.unwrap_or_else(|| panic!("sizes {sizes:?} are too large"))
}

#[cfg(test)]
mod tests;
