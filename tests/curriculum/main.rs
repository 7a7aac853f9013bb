//! Schedules, curricula and the published CuSP. Nothing is computed on a device.

mod cusp;
mod errors;
mod given;
#[path = "../common/misspelt.rs"]
mod misspelt;
mod properties;
mod schedules;
mod text;
