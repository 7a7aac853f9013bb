//! Layers: shapes, sizes, values, prepared filters, records, initial weights.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod blocks;
mod conv;
mod dropout;
mod filters;
mod followed;
mod given;
mod records;
mod settings;
mod simple;
mod sizes;
