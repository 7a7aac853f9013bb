//! The trade-off between spatial and adversarial robustness, measured on handwritten digits.
//!
//! `cargo run --release --example tradeoff -- --help` explains.

#[allow(dead_code)] // A part of it: the other studies use the rest.
#[path = "../common/mod.rs"]
mod common;
mod options;
mod plan;
mod run;

use clap::Parser;
use options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    common::exit(run::run(&Options::parse()))
}
