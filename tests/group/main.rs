//! The groups p1, p4 and p4m: laws, tables and actions, against GrouPy and numpy's definitions.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod actions;
mod laws;
