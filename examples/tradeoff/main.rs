//! The trade-off between spatial and adversarial robustness, measured on handwritten digits.
//!
//! `cargo run --release --example tradeoff -- --help` explains.

mod claims;
mod options;
mod plan;
mod study;
mod table;

use clap::Parser;
use options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    match study::run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
