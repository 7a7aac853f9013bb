//! Attacks a network on digits and prints what a robust accuracy is published with: who stands after
//! each part of the attack, with intervals, passes and seconds. Writes all outcomes, what was found,
//! curves and a picture.
//!
//! `cargo run --release --example attack -- --attack auto --norm l2 --epsilon 1.5`; `--help` tells the
//! rest.

mod network;
mod options;
mod output;
mod poses;

use clap::Parser;
use fireproof::attack::diagnosis::Diagnose;
use fireproof::attack::{Progress, Run};
use fireproof::base::Result;
use fireproof::prelude::*;
use indicatif::{ProgressBar, ProgressStyle};
use options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let device = fireproof::try_device()?;
    let attack = options.attack()?;
    let digits = embedded_mnist();
    let victim = network::victim(options, &digits, &device)?.with_numerics(options.numerics);
    let set = digits.test.take(options.images());
    let shard = options.shard;
    println!("\n{attack}\non {} digits of {}\n", set.len(), set.name());

    let mut run = Run::new(options.seed)
        .with_batch_size(options.batch)
        .with_shard([shard.index, shard.count])
        .with_adversaries(output::adversaries(options, Some(shard)));
    run.state = options.state.clone();
    run.budget = options.budget;
    let style = "{bar:20} {pos}/{len} {msg} {elapsed}, {eta} left";
    let style = ProgressStyle::with_template(style).expect("a valid template");
    let bar = ProgressBar::new(0).with_style(style);
    let show = |progress: Progress| {
        bar.set_length((progress.parts * progress.total.max(1)) as u64);
        bar.set_position((progress.number * progress.total + progress.done) as u64);
        bar.set_message(format!("{}: {} stand", progress.part, progress.standing));
    };
    let whole = run.attack_with_progress(&*attack, &victim, &set, &device, show)?;
    bar.finish_and_clear();
    println!("{whole}");
    if options.diagnose {
        let few = Vec::from_iter(0..set.len().min(64));
        let few = set.batch(&few, &device);
        let whole = (shard.count == 1).then_some(&whole);
        let diagnosis = Diagnose::new(options.seed).examine(&*attack, &victim, &few, whole)?;
        println!("\n{diagnosis}");
        output::write_diagnosis(options, &diagnosis)?;
    }
    output::write(options, &attack, &whole, &victim, &set, &device)
}
