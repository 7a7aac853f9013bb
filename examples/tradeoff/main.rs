//! The trade-off between spatial and adversarial robustness, measured on handwritten digits.
//!
//! `cargo run --release --example tradeoff -- --help` explains.

mod claims;
#[path = "../common/mod.rs"]
mod common;
mod options;
mod plan;
mod study;
mod table;

use clap::Parser;
use options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    common::exit(study::run(&Options::parse()))
}
