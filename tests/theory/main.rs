//! The statistical settings: distributions, rules, closed forms, bounds.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod between;
mod bounds;
mod closed;
mod given;
mod images;
mod normal;
mod plane;
mod points;
mod refused;
mod rules;
#[cfg(feature = "train")]
mod training;
mod violations;
