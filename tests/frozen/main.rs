//! `Frozen` and the model it was made from are independent of each other.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod apart;
mod each;
mod given;
mod passes;
