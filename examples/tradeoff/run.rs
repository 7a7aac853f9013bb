//! Makes every cell of the study, with a line for each, and writes the report.

use crate::common::{self, clock};
use crate::options::Options;
use crate::plan::{self, ATTACK, Claim, EPSILON};
use burn::config::Config;
use fireproof::base::{Error, Result};
use fireproof::evaluate::{Level, Rate};
use fireproof::prelude::*;
use fireproof::study::{Cell, Event, Shard, Step, Work};
use fireproof::train::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

pub fn run(options: &Options) -> Result<()> {
    options.check()?;
    common::writable(&options.out)?;
    let started = Instant::now();
    let device = common::device(options.device.as_deref())?;
    let data = common::digits(options.data.as_deref())?;
    let networks = plan::networks(options, &data.train, &device)?;
    let study = plan::study(options, &networks);
    // Into a file or a pipe go the lines of the cells alone.
    let progress = match std::io::stderr().is_terminal() {
        true => Progress::Auto,
        false => Progress::Quiet,
    };
    let cells = options.out.join("study");
    let work = study.begin(&cells, &device)?.with_progress(progress);
    let sizes = options.sizes();
    println!(
        "Spatial and adversarial robustness on {}, on {device:?}\n\n\
         Every network learns from {} images for {} epochs ({} in (c)) in batches of {}, and is\n\
         measured on {} test images, attacked by PGD-{}; all networks meet the same poses and random\n\
         starts. {} networks; those that are in {} already are not made again.",
        data.train.name(),
        sizes.train.min(data.train.len()),
        sizes.epochs,
        sizes.epochs_of_both(),
        sizes.batch,
        sizes.test.min(data.test.len()),
        sizes.attack_steps,
        work.cells().len(),
        cells.display(),
    );
    let mut table = Table {
        options,
        work: &work,
        claim: None,
    };
    for cell in work.cells() {
        if work.result(cell)?.is_some() {
            table.row(cell, "there", "")?;
        }
    }
    let mut bar = Bar(None);
    let mut failed = None;
    let tally = work.run(Shard::ALL, |event| match event {
        Event::At(_, step) => bar.show(step),
        Event::Done {
            cell, times, left, ..
        } => {
            bar.clear();
            let time = clock(Duration::from_secs_f64(times.total()));
            let left = left.map_or_else(String::new, |left| format!(", {} left", clock(left)));
            let shown = table.row(cell, &time, &left);
            failed = failed.take().or(shown.err());
        }
        Event::Elsewhere(cell) => println!("{cell}: another process is at it"),
        Event::Failed(cell, error) => eprintln!("{cell}: {error}"),
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    if let Some((cell, error)) = tally.failed.into_iter().next() {
        return Err(Error::input(cell, error, "a network that can be trained"));
    }

    for cell in work.cells() {
        keep(&work, cell, &networks, &options.out)?;
    }
    let findings = work.findings()?;
    findings.write(&options.out)?;
    let report = findings.report();
    report.plot_svg(options.out.join("accuracy.svg"))?;
    let spatial = Claim::A.spatial(options);
    report.plot_trade_off_svg(options.out.join("tradeoff.svg"), spatial, (ATTACK, EPSILON))?;
    println!(
        "\nWhat the numbers say. Effects in points with 95 % intervals, on the same images; p-values after Holm \
         over each\nclaim. With one seed they speak of these networks, not of all seeds (--seeds)."
    );
    for paragraph in findings.paragraphs() {
        println!("\n{paragraph}");
    }
    println!(
        "\nThe whole study took {}. Report (index.html), plots and the networks, in `models`: {}",
        clock(started.elapsed()),
        options.out.display()
    );
    Ok(())
}

/// Weights, and the configuration that they belong to, as the example `attack` loads them.
fn keep(work: &Work, cell: &Cell, networks: &[(String, CnnConfig)], out: &Path) -> Result<()> {
    let (Some(weights), Some((_, config))) = (
        work.weights(cell)?,
        networks.iter().find(|(name, _)| *name == cell.network),
    ) else {
        return Ok(());
    };
    let folder = out.join("models");
    fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    let seed = match work
        .study()
        .trainings
        .iter()
        .all(|training| training.seeds.len() == 1)
    {
        true => String::new(),
        false => format!(", seed {}", cell.seed),
    };
    let name = file_name(&format!("{}, {}{seed}", cell.network, cell.training));
    let path = |ending| folder.join(format!("{name}.{ending}"));
    let config = config.clone().with_seed(cell.seed);
    config
        .save(path("json"))
        .map_err(|e| Error::io(path("json"), e))?;
    fs::copy(weights, path("bpk")).map_err(|e| Error::io(path("bpk"), e))?;
    Ok(())
}

/// The name as letters, digits, points and hyphens: `GCNN p4, ±45°` is `gcnn-p4-45-degrees`.
fn file_name(name: &str) -> String {
    let spelt = name.replace('°', "-degrees").replace('ε', "epsilon");
    let kept = spelt.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '.' | '-' => Some(c),
        c => c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase()),
    });
    kept.collect()
}

/// The lines of the cells, under a heading for each claim.
struct Table<'a> {
    options: &'a Options,
    work: &'a Work,
    claim: Option<Claim>,
}

impl Table<'_> {
    fn row(&mut self, cell: &Cell, time: &str, left: &str) -> Result<()> {
        let options = self.options;
        let mut claims = options.claims();
        let claim = claims.find(|claim| claim.trainings(options).0.contains(&cell.training));
        let Some(claim) = claim else {
            return Ok(());
        };
        let (axis, level) = claim.spatial(options);
        let profiles = self.work.profiles(cell)?.unwrap_or_default();
        let Some(profile) = profiles.first() else {
            return Ok(());
        };
        if self.claim != Some(claim) {
            self.claim = Some(claim);
            let label = |axis: &str, level: f64| {
                let curve = profile.curve(axis);
                curve.map_or_else(
                    |_| String::new(),
                    |curve| curve.label_at(&Level::from(level)),
                )
            };
            println!(
                "\n{}\n{:<10} {:<9} {:>4} {:>20} {:>20} {:>8} {:>20} {:>8} {:>6}",
                claim.title(options.shifts),
                "network",
                "trained",
                "seed",
                "clean",
                label(axis, level),
                "fooled",
                label(ATTACK, EPSILON),
                "fooled",
                "time"
            );
        }
        let fooled = |rate: Rate| format!("{:.1} %", 100.0 * rate.value);
        let moved = profile.at((axis, level))?;
        let attacked = profile.at((ATTACK, EPSILON))?;
        println!(
            "{:<10} {:<9} {:>4} {:>20} {:>20} {:>8} {:>20} {:>8} {time:>6}{left}",
            cell.network,
            cell.training,
            cell.seed,
            profile.clean.to_string(),
            moved.accuracy.to_string(),
            fooled(moved.fooling),
            attacked.accuracy.to_string(),
            fooled(attacked.fooling),
        );
        Ok(())
    }
}

/// How far a measurement has come; nothing unless somebody looks.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn show(&mut self, step: Step) {
        let Step::Measuring { done, total, .. } = step else {
            return;
        };
        let bar = self.0.get_or_insert_with(|| {
            let style = "  measuring {bar:30} {percent:>3} %, {eta} left";
            let style = ProgressStyle::with_template(style).expect("a valid template");
            ProgressBar::new(1).with_style(style)
        });
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
