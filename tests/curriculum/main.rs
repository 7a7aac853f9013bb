//! Schedules, curricula and the published CuSP. Nothing is computed on a device.

mod cusp;
mod errors;
mod given;
mod properties;
mod schedules;
mod text;
