//! Errors, bounds, batches, seeds, statistics and devices.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod batch;
mod device;
mod draws;
mod intervals;
mod statistics;
mod student;
