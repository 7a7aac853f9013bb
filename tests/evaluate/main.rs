//! Evaluation on hand-made classifiers: axes, rates, comparisons, and the files of a report.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod boundary;
mod clusters;
mod comparison;
mod components;
mod csv;
mod estimands;
mod files;
mod flaws;
mod given;
mod maps;
mod orbits;
mod outcomes;
mod pareto;
mod poses;
mod published;
mod rates;
mod schema;
mod settings;
mod surfaces;
mod tables;
mod tangents;
mod threats;
mod worst;
