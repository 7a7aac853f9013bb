//! What the worst rotation and shift of an image adds to the average case that is usually reported,
//! alone and with pixels, for networks trained in four ways.
//!
//! `cargo run --release --example worst_pose -- --help` explains.

#[path = "../common/mod.rs"]
mod common;
mod networks;
mod table;

use clap::Parser;
use fireproof::attack::{JointPgd, RandomPose, RandomSearch};
use fireproof::base::Result;
use fireproof::evaluate::{self, Versions, WorstCase};
use fireproof::prelude::*;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Measures networks in random poses, in the worst of 10 random poses, in the worst of the published
/// grid of 775 poses, and under attacks on pixels in random poses and on poses and pixels together.
///
/// StdCNN and GCNN are trained on images as they are, in random poses, by PGD, and by the CuSP
/// curriculum over both. Every number comes with a 95 % interval; differences are on the same images.
#[derive(Parser, Debug)]
#[command(name = "worst_pose", verbatim_doc_comment)]
struct Options {
    /// Everything at a small size, to see that it works
    #[arg(long)]
    quick: bool,

    /// Folder with the four MNIST files (plain or .gz) to use in place of the embedded digits
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Training images, as many of each class, so that the smallest class limits them; or the whole set
    #[arg(long, default_value_t = 2200, value_name = "IMAGES")]
    train_size: usize,

    /// Epochs of every training; CuSP has twice as many
    #[arg(long, default_value_t = 6)]
    epochs: usize,

    /// Test images for poses
    #[arg(long, default_value_t = 400, value_name = "IMAGES")]
    test_size: usize,

    /// Test images for poses and pixels together: the first of those, or all of them
    #[arg(long, default_value_t = 200, value_name = "IMAGES")]
    joint_size: usize,

    /// Rotations go up to ± this many degrees
    #[arg(long, default_value_t = 30.0)]
    angle: f64,

    /// Shifts go up to ± this many pixels
    #[arg(long, default_value_t = 3.0)]
    shift: f64,

    /// Radius of the attacks on pixels, in L∞
    #[arg(long, default_value_t = 0.1)]
    epsilon: f64,

    /// Seed of the trainings
    #[arg(long, default_value_t = 7)]
    seed: u64,

    /// Device: one of the backends compiled in, e.g. flex or wgpu; chosen automatically otherwise
    #[arg(long)]
    device: Option<String>,

    /// Folder for the report
    #[arg(
        long,
        value_name = "DIR",
        default_value = "target/fireproof/worst_pose"
    )]
    out: PathBuf,
}

impl Options {
    fn sized(mut self) -> Self {
        if self.quick {
            (self.train_size, self.epochs) = (300, 2);
            (self.test_size, self.joint_size) = (40, 20);
        }
        self
    }

    /// Before any time is spent.
    fn check(&self) -> Result<()> {
        common::above_zero([
            ("--train-size", self.train_size),
            ("--epochs", self.epochs),
            ("--test-size", self.test_size),
            ("--joint-size", self.joint_size),
        ])?;
        common::writable(&self.out)?;
        networks::cells(self)
            .iter()
            .try_for_each(networks::Cell::check)?;
        self.evaluations()?.iter().try_for_each(Evaluation::check)
    }

    /// Of poses alone, and of poses and pixels. All sample bilinearly, the average case too, so that it and
    /// the worst case differ in nothing but who chooses the pose.
    fn evaluations(&self) -> Result<[Evaluation; 2]> {
        let poses = (Degrees(self.angle), Pixels(self.shift));
        let budget = PoseBudget::new(poses.0, poses.1)?;
        let random = evaluate::RandomPose::poses()
            .with_warp(Warp::bilinear())
            .with_draws(5);
        let average = Axis::poses([poses]).with_threat(random);
        let pixels = Pgd::linf(self.epsilon).with_steps(20);
        let dealt = RandomPose::new(budget)
            .with_warp(Warp::bilinear())
            .before(pixels.clone());
        let joint = JointPgd::linf(budget, self.epsilon).with_steps(20);
        let alone = Evaluation::new()
            .with_axis(average.clone())
            .with_axis(
                Axis::worst_poses(RandomSearch::new(budget, 10), [poses]).named("worst_of_10"),
            )
            .with_axis(Axis::worst_poses(GridSearch::new(budget), [poses]).named("grid"));
        let both = Evaluation::new()
            .with_axis(average)
            .with_axis(Axis::epsilons(pixels.clone(), [self.epsilon]))
            .with_axis(
                Axis::attacked_poses(pixels.clone(), [poses], [self.epsilon])
                    .with_threat(WorstCase::new(dealt)),
            )
            .with_axis(
                Axis::surface(
                    GridSearch::new(budget).then(pixels),
                    [poses],
                    [self.epsilon],
                )
                .named("grid_then_pgd"),
            )
            .with_axis(Axis::surface(joint, [poses], [self.epsilon]).named("joint"));
        Ok([alone, both].map(|evaluation| evaluation.with_batch_size(250).with_seed(2)))
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
    let few = test.take(options.joint_size);
    println!(
        "Poses up to ±{}° and ±{} px, ε = {} in L∞, on {device:?}: {} training images, {} test images for \
         poses, {} for poses and pixels\n",
        options.angle,
        options.shift,
        options.epsilon,
        train.len(),
        test.len(),
        few.len(),
    );
    let mut report = Report::new("Worst poses", Seed(options.seed), Versions::of(&device));
    println!("{}", table::heading());
    for cell in networks::cells(options) {
        let (victim, record) = cell.train(&train, &digits.test.take(100), options, &device)?;
        let [alone, both] = options.evaluations()?;
        for (section, evaluation, set) in
            [("poses", alone, &test), ("poses and pixels", both, &few)]
        {
            let profile = common::measured(&evaluation, &victim, set, &device)?;
            report.push(
                section,
                Some(record.clone()),
                profile.with_name(cell.name()),
            );
        }
        println!("{}", table::row(&report, &cell.name())?);
        // After every network, so that an interrupted study keeps what it has.
        report.write_json(options.out.join("report.json"))?;
        report.write_csv(options.out.join("report.csv"))?;
        report.write_markdown(options.out.join("report.md"))?;
    }
    println!("\n{}", table::sentences(&report)?);
    println!(
        "\nIn points, on the same images:\n{}",
        table::comparisons(&report)?
    );
    println!(
        "\n{} minutes. Report: {}",
        common::clock(started.elapsed()),
        options.out.display()
    );
    Ok(())
}
