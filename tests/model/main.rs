//! Models: parameters, sizes, widths, seeds, invariance, records.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod deep;
mod files;
mod given;
mod logits;
mod plain;
mod pytorch;
mod sizes;
mod spec;
mod state_dict;
#[cfg(feature = "train")]
mod weights;
