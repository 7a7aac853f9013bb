//! What every operation does with every element type: the table of docs/architecture.md, held to be
//! true.
//!
//! `operations` lists the operations and `table` compares what they do with the document; `doubles`
//! holds `f64` results against references in `f64`, `refused` says what is not taken and in which
//! words, `labels` what labels may be.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod attacks;
mod doubles;
mod given;
mod labels;
mod operations;
mod refused;
mod table;
