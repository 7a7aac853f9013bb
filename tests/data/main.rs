//! Image sets and the readers that fill them.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod batch;
mod cifar;
mod digits;
mod files;
mod folders;
mod given;
mod gzip;
mod idx;
mod sets;
