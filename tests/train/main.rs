//! Training: the loader, the learning rate, the optimiser, the objectives and whole trainings.
//!
//! Whole trainings run on Flex: Burn's generator is one for all threads of a process, bits are
//! promised there alone, and elsewhere they would take minutes. `tests/portability` has one.
#![cfg(feature = "train")]

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod baselines;
mod budgets;
mod continued;
mod damaged;
mod devices;
mod dropouts;
mod fits;
mod fitting;
mod full;
mod given;
mod killed;
mod loader;
#[path = "../common/misspelt.rs"]
mod misspelt;
mod objectives;
mod overfitting;
mod pipelines;
mod progress;
mod pytorch;
mod refused;
mod resume;
mod robust;
mod settings;
mod steps;
mod warnings;
mod wrapped;
