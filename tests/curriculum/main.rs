//! Schedules, curricula and the published CuSP. Nothing is computed on a device.

mod ablations;
mod cusp;
mod errors;
mod given;
#[path = "../common/misspelt.rs"]
mod misspelt;
mod properties;
mod ramps;
mod schedules;
mod text;
