//! Trainings, attacks, evaluations and scopes as tasks of rayon pools: they come to an end, and give
//! what they give alone.
//!
//! On Flex, which computes on such pools itself.
#![cfg(all(feature = "flex", feature = "train"))]

#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod end;
mod given;
mod same;
