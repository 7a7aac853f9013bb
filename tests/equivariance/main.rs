//! Exact equivariance of every layer under every element of p4 and p4m.
//!
//! Oracle: the definition. The layer's response to a moved input must be its response to the
//! input, moved. With whole numbers (and powers of two) whose sums stay below 2²⁴, every product
//! and sum is exact in f32, so the two must be equal bit for bit in whatever order a backend adds.
//! Under `FIREPROOF_NUMERICS=fast` filters are transformed with fractions, and the limit is 1e-5.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod convolutions;
mod given;
mod layers;
mod network;
mod sizes;
