//! Every training objective side by side: how accurate networks are that were trained by it, under attacks on
//! pixels, on poses and on both, and what an epoch takes.
//!
//! `cargo run --release --example objectives -- --help` explains.

mod cell;
#[allow(dead_code)] // A part of it: the other studies use the rest.
#[path = "../common/mod.rs"]
mod common;
mod plan;
mod table;

use clap::Parser;
use fireproof::base::Result;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Trains StdCNN and GCNN by every objective, and measures them: on images as they are, under the fast
/// AutoAttack at two radii, in the worst pose of each image, and under an attack on poses and pixels together.
///
/// Each network's results are a file of their own, and its training has checkpoints: what is there already is
/// not done again, so that an interrupted run goes on. Other settings need another folder.
#[derive(Parser, Debug)]
#[command(name = "objectives", verbatim_doc_comment)]
struct Options {
    /// Everything at a small size, to see that it works
    #[arg(long)]
    quick: bool,

    /// Only this objective, by the name that the table gives it; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,

    /// Folder with the four MNIST files (plain or .gz) to use in place of the embedded digits
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Training images, as many of each class, so that the smallest class limits them; or the whole set
    #[arg(long, default_value_t = 10_000, value_name = "IMAGES")]
    train_size: usize,

    /// Epochs of every training
    #[arg(long, default_value_t = 12)]
    epochs: usize,

    /// Images of a training step
    #[arg(long, default_value_t = 50, value_name = "IMAGES")]
    batch: usize,

    /// Test images
    #[arg(long, default_value_t = 500, value_name = "IMAGES")]
    test_size: usize,

    /// Radius of the attacks in training, in L∞, reached in the first quarter of the epochs
    #[arg(long, default_value_t = 0.25)]
    epsilon: f64,

    /// Steps of the attacks in training
    #[arg(long, default_value_t = 10)]
    steps: usize,

    /// Weight of the divergence in TRADES, published as 1 for MNIST: with 6, as for CIFAR-10, trainings this
    /// short are not done learning
    #[arg(long, default_value_t = 2.0)]
    beta: f64,

    /// Radii of the fast AutoAttack, in L∞
    #[arg(long, default_values_t = [0.2, 0.3], value_name = "RADIUS", num_args = 1..)]
    radii: Vec<f64>,

    /// Radius of the attack on poses and pixels together, in L∞
    #[arg(long, default_value_t = 0.1, value_name = "RADIUS")]
    joint_epsilon: f64,

    /// Rotations go up to ± this many degrees
    #[arg(long, default_value_t = 30.0)]
    angle: f64,

    /// Shifts go up to ± this many pixels
    #[arg(long, default_value_t = 3.0)]
    shift: f64,

    /// Seed of the trainings
    #[arg(long, default_value_t = 7)]
    seed: u64,

    /// Device: one of the backends compiled in, e.g. flex or wgpu; chosen automatically otherwise
    #[arg(long)]
    device: Option<String>,

    /// Folder for results, checkpoints and the table
    #[arg(
        long,
        value_name = "DIR",
        default_value = "target/fireproof/objectives"
    )]
    out: PathBuf,
}

impl Options {
    fn sized(mut self) -> Self {
        if self.quick {
            (self.train_size, self.epochs, self.batch) = (100, 2, 20);
            self.test_size = 10;
            self.out = self.out.join("quick");
        }
        self
    }

    /// Before any time is spent.
    fn check(&self) -> Result<()> {
        common::above_zero([
            ("--train-size", self.train_size),
            ("--epochs", self.epochs),
            ("--batch", self.batch),
            ("--test-size", self.test_size),
            ("--steps", self.steps),
        ])?;
        common::writable(&self.out)?;
        for (_, attack) in plan::attacks(self)? {
            attack.check()?;
        }
        for cell in plan::cells(self)? {
            cell.curriculum.check()?;
            cell.objective.check()?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    common::exit(run(&Options::parse().sized()))
}

fn run(options: &Options) -> Result<()> {
    options.check()?;
    let started = Instant::now();
    let device = common::device(options.device.as_deref())?;
    let digits = common::digits(options.data.as_deref())?;
    let train = common::balanced(&digits.train, options.train_size, 1)?;
    let test = digits.test.take(options.test_size);
    println!(
        "Every objective for {} epochs on {} images of {}, measured on {} test images, on {device:?}\n",
        options.epochs,
        train.len(),
        train.name(),
        test.len(),
    );
    println!("{}", table::heading(options));
    let (mut rows, mut fresh) = (Vec::new(), 0);
    for cell in plan::cells(options)? {
        let (row, made) = cell.measured(&train, &test, options, &device)?;
        fresh += usize::from(made);
        println!("{}", table::row(&row));
        rows.push(row);
        // After every network, so that an interrupted study keeps what it has.
        table::write(options, &rows)?;
    }
    println!("\n{}", table::times(&rows));
    println!(
        "\n{} minutes, {fresh} of {} networks trained now. Results: {}",
        common::clock(started.elapsed()),
        rows.len(),
        options.out.display()
    );
    Ok(())
}
