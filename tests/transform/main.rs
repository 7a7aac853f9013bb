//! Exact and interpolated transforms against Pillow, PyTorch, numpy's borders, finite differences
//! and their own group laws.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod augment;
mod bilinear;
mod both;
mod exact;
mod given;
mod nearest;
mod settings;
