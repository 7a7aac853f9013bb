//! The trade-off in theory: closed forms, measured rules and trained networks under the bounds that hold
//! for every classifier, and networks for digits beside them.
//!
//! `cargo run --release --example theory -- --help` explains.

#[allow(dead_code)] // It measures no profiles.
#[path = "../common/mod.rs"]
mod common;
mod digits;
mod networks;
mod options;
mod plot;
mod rules;
mod sweep;
mod table;
mod training;
mod verdict;

use clap::Parser;
use fireproof::base::{Result, write_atomically};
use indicatif::{ProgressBar, ProgressStyle};
use options::{Options, Part};
use serde_json::{Map, Value, json};
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    common::exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    options.check()?;
    common::writable(&options.out)?;
    let started = Instant::now();
    let mut text = format!("# The trade-off in theory\n\n{}\n", options.words());
    println!("{text}");
    let (mut parts, mut rows) = (Map::new(), Vec::new());
    let mut say = |part: &str| {
        println!("{part}\n");
        text += &format!("\n{part}\n");
    };
    if options.has(Part::Table) {
        let found = table::rows(options)?;
        say(&table::text(&found));
        parts.insert("table".to_owned(), json!(found));
    }
    if options.has(Part::Sweep) {
        let found = sweep::rows(options)?;
        say(&sweep::text(&found));
        parts.insert("sweep".to_owned(), json!(found));
    }
    if options.has(Part::Networks) {
        let found = networks::measure(options)?;
        say(&networks::text(&found));
        say(&verdict::text(&found));
        rows.extend(plot::settings(options, &found)?);
        parts.insert("networks".to_owned(), json!(found));
    }
    if options.has(Part::Digits) {
        let found = digits::measure(options)?;
        say(&digits::text(&found));
        rows.push(plot::digits(&found));
        parts.insert("digits".to_owned(), json!(found));
    }
    let out = |name: &str| options.out.join(name);
    let report = json!({"settings": options.to_json(), "parts": Value::Object(parts)});
    let report = serde_json::to_string_pretty(&report).expect("plain values");
    write_atomically(&out("theory.json"), report.as_bytes())?;
    write_atomically(&out("theory.md"), text.as_bytes())?;
    if !rows.is_empty() {
        plot::figure(rows).plot_svg(out("theory.svg"))?;
    }
    let time = common::clock(started.elapsed());
    println!(
        "All of it took {time}. Tables, numbers and plot: {}",
        options.out.display()
    );
    Ok(())
}

/// How far a part has come, on a terminal.
fn bar(part: &str, count: usize) -> ProgressBar {
    let template = format!("  {part} {{bar:30}} {{pos}} of {{len}}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).expect("a valid template");
    let bar = ProgressBar::new(count as u64).with_style(style);
    bar.tick();
    bar
}

/// A share in percent.
fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}
