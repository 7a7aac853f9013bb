//! Studies from settings files: plan, run, share out, join, report.
//!
//! `cargo run --release --example study -- --help` explains; ready settings lie beside this file.

#[allow(dead_code)] // A part of it: the other studies use the rest.
#[path = "../common/mod.rs"]
mod common;

use clap::{Args, Parser, Subcommand};
use common::clock;
use fireproof::base::{Error, Result, write_atomically};
use fireproof::study::{Event, Made, Shard, Step, Study, Work, join};
use fireproof::train::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Studies of networks that are trained in several ways from several seeds, and measured alike.
///
/// A study is a settings file in JSON. It consists of cells, one network trained once and measured, each called
/// by the address of its settings. What is in the folder already is not done again, whoever stopped or was
/// killed when.
#[derive(Parser)]
#[command(name = "study", verbatim_doc_comment)]
struct Options {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Prints the cells in the order in which their turn comes, and how long they took or will take
    Plan {
        #[command(flatten)]
        place: Place,
    },
    /// Makes the cells that are not there, and then the report if none is missing
    Run {
        #[command(flatten)]
        place: Place,
        /// Only one of every n cells, dealt back and forth
        #[arg(long, value_name = "i/n", default_value = "1/1")]
        shard: Shard,
    },
    /// Makes one cell, by its number in the plan or by how its address begins
    Cell {
        #[command(flatten)]
        place: Place,
        /// Which
        cell: String,
        /// Only the measurement of a share of its images, in parts of 500 (and the training, if it is not done)
        #[arg(long, value_name = "i/n")]
        share: Option<Shard>,
    },
    /// Looks at the trained networks as the settings' `scans` say, and writes `scans.md` and `scans.csv`
    Scan {
        #[command(flatten)]
        place: Place,
    },
    /// Brings the cells of other folders into one
    Join {
        /// The folder that they come into
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// The folders that they are in
        #[arg(required = true)]
        from: Vec<PathBuf>,
    },
    /// Writes tables, plots and the page of what is there
    Report {
        #[command(flatten)]
        place: Place,
    },
}

/// Which study, and where.
#[derive(Args)]
struct Place {
    /// The settings file
    settings: PathBuf,
    /// Folder of the results; by default one of the settings' name in target/fireproof/study
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder of the images, in place of the one in the settings
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Device: one of the backends compiled in, e.g. flex or wgpu; chosen automatically otherwise
    #[arg(long)]
    device: Option<String>,
}

impl Place {
    fn begin(&self) -> Result<Work> {
        let mut study = Study::read(&self.settings)?;
        if let Some(folder) = &self.data {
            study.data = study.data.with_folder(folder)?;
        }
        let stem = self.settings.file_stem().unwrap_or_default();
        let usual = || PathBuf::from("target/fireproof/study").join(stem);
        let out = self.out.clone().unwrap_or_else(usual);
        let device = common::device(self.device.as_deref())?;
        // Into a file or a pipe goes one line for each cell.
        let progress = match std::io::stderr().is_terminal() {
            true => Progress::Auto,
            false => Progress::Quiet,
        };
        Ok(study.begin(out, &device)?.with_progress(progress))
    }
}

fn main() -> ExitCode {
    common::exit(run(&Options::parse().task))
}

fn run(task: &Task) -> Result<()> {
    match task {
        Task::Plan { place } => plan(&place.begin()?),
        Task::Run { place, shard } => make(&place.begin()?, *shard),
        Task::Cell { place, cell, share } => one(&place.begin()?, cell, *share),
        Task::Scan { place } => scan(&place.begin()?),
        Task::Join { out, from } => {
            let joined = join(out, from)?;
            say(format!(
                "{} cells, {} parts and {} scans came in, {} cells were there",
                joined.cells, joined.parts, joined.scans, joined.same
            ));
            Ok(())
        }
        Task::Report { place } => report(&place.begin()?),
    }
}

/// Prints a line. Who reads only the first lines closes the pipe: the work goes on.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn plan(work: &Work) -> Result<()> {
    let mut text = format!("{}\n\n", work.study().title);
    let (mut left, mut unknown, mut done) = (std::time::Duration::ZERO, 0, 0);
    for planned in work.plan()? {
        let cell = &planned.cell;
        let time = planned.time.map_or_else(|| "–".to_owned(), clock);
        text += &format!(
            "{:>4} {} priority {} {:>8} {:<5} {cell}\n",
            cell.number,
            cell.address,
            cell.priority,
            time,
            if planned.done { "done" } else { "" },
        );
        match (planned.done, planned.time) {
            (true, _) => done += 1,
            (false, Some(time)) => left += time,
            (false, None) => unknown += 1,
        }
    }
    let open = work.cells().len() - done;
    let times = match unknown {
        0 => format!(": about {}", clock(left)),
        _ => "; times are known once one is done".to_owned(),
    };
    text += &format!("\n{done} cells are done, {open} are not{times}\n");
    say(text.trim_end());
    Ok(())
}

fn make(work: &Work, shard: Shard) -> Result<()> {
    let (mut bar, all) = (Bar::default(), work.cells().len());
    let tally = work.run(shard, |event| match event {
        Event::At(_, step) => bar.show(step),
        Event::Done {
            cell,
            result,
            times,
            left,
        } => {
            bar.clear();
            let clean = result.measured.first().map_or(0.0, |measured| {
                let right = measured.clean().iter().filter(|&&right| right).count();
                100.0 * right as f64 / measured.clean().len() as f64
            });
            let left = left.map_or_else(String::new, |left| format!(", {} left", clock(left)));
            let time = std::time::Duration::from_secs_f64(times.total());
            say(format!(
                "{:>4}/{all} {} {cell}: clean {clean:.1} %, {}{left}",
                cell.number,
                cell.address.short(),
                clock(time)
            ));
        }
        Event::Elsewhere(cell) => say(format!(
            "{:>4}/{all} {cell}: another process is at it",
            cell.number
        )),
        Event::Failed(cell, error) => {
            bar.clear();
            eprintln!("{:>4}/{all} {cell}: {error}", cell.number);
        }
    })?;
    say(format!(
        "{} cells made, {} were there, {} with another process, {} failed",
        tally.now,
        tally.before,
        tally.elsewhere,
        tally.failed.len()
    ));
    if let Some((cell, error)) = tally.failed.into_iter().next() {
        return Err(Error::input(cell, error, "a cell that can be made"));
    }
    if work.plan()?.iter().all(|planned| planned.done) {
        report(work)?;
    }
    Ok(())
}

fn one(work: &Work, which: &str, share: Option<Shard>) -> Result<()> {
    let (cell, mut bar) = (work.cell(which)?, Bar::default());
    let said = match share {
        Some(share) => match work.measure_share(cell, share, |step| bar.show(step))? {
            true => format!("share {share} is measured"),
            false => "another process trains it".to_owned(),
        },
        None => match work.run_cell(cell, |step| bar.show(step))? {
            Made::Now(_, times) => {
                let time = std::time::Duration::from_secs_f64(times.total());
                format!("made in {}", clock(time))
            }
            Made::Before(_) => "was there".to_owned(),
            Made::Elsewhere => "another process is at it".to_owned(),
        },
    };
    bar.clear();
    say(format!("{} {} {cell}: {said}", cell.number, cell.address));
    Ok(())
}

fn scan(work: &Work) -> Result<()> {
    if work.study().scans.is_none() {
        return Err(Error::setting("scans", "none", "some in the settings"));
    }
    let bar = ProgressBar::new(work.cells().len() as u64);
    let style = "  scanning {msg} {bar:30} {pos}/{len}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
    let table = work.scan_all(|cell| {
        bar.set_message(cell.to_string());
        bar.inc(1);
    });
    bar.finish_and_clear();
    let (folder, markdown) = (work.folder(), table.to_markdown());
    write_atomically(&folder.join("scans.md"), markdown.as_bytes())?;
    write_atomically(&folder.join("scans.csv"), table.to_csv().as_bytes())?;
    say(markdown);
    let (rows, all) = (table.rows().len(), work.cells().len());
    say(format!("{rows} of {all} networks are scanned"));
    for (cell, error) in table.failed() {
        eprintln!("{cell}: {error}");
    }
    match table.failed().first() {
        None => Ok(()),
        Some((cell, error)) => Err(Error::input(
            cell.to_string(),
            error,
            "a network that can be scanned",
        )),
    }
}

fn report(work: &Work) -> Result<()> {
    let findings = work.findings()?;
    findings.write(work.folder())?;
    for paragraph in findings.paragraphs() {
        say(format!("\n{paragraph}"));
    }
    say(format!("\n{}", findings.provisional()));
    say(format!(
        "Report: {}",
        work.folder().join("index.html").display()
    ));
    Ok(())
}

/// How far measurements have come; nothing unless somebody looks.
#[derive(Default)]
struct Bar(Option<ProgressBar>);

impl Bar {
    fn show(&mut self, step: Step) {
        let Step::Measuring {
            measurement,
            done,
            total,
        } = step
        else {
            return;
        };
        let bar = self.0.get_or_insert_with(|| {
            let style = "  measuring {msg} {bar:30} {percent:>3} %, {eta} left";
            let style = ProgressStyle::with_template(style).expect("a valid template");
            ProgressBar::new(1).with_style(style)
        });
        bar.set_message(measurement.to_owned());
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}
