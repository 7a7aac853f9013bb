//! The operations with kernels, through the public face, against Burn's operations and against
//! definitions in f64: values, gradients, sizes, errors, and what ran.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "flex")]
mod batch_norm;
mod definition;
mod far;
#[cfg(feature = "flex")]
mod flex;
mod given;
#[cfg(feature = "flex")]
mod networks;
mod operations;
#[cfg(feature = "flex")]
mod over;
