//! A network of one's own with weights from PyTorch: from the file to its robust accuracy.
//!
//! The network is the one for MNIST of uiuc-arc/CGT (<https://github.com/uiuc-arc/CGT>), whose folder
//! `networks/mnist` has four files of weights:
//!
//! `cargo run --release --example pytorch_weights -- CGT/networks/mnist/*.pt`; `--help` tells the rest.
//! `benches/peer/pytorch_weights.py` does the same in PyTorch and compares.

#[allow(dead_code)] // A part of it.
mod common;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use clap::Parser;
use fireproof::attack::{AutoAttack, Linf};
use fireproof::base::statistics::wilson;
use fireproof::base::{Precision, Result, read, write_atomically};
use fireproof::model::{Published, StateDict};
use fireproof::nn::{CastWeights, Conv2d, Conv2dConfig, Layer, Linear, LinearConfig, Normalize};
use fireproof::prelude::*;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// The fields have the names of the original's attributes, which are those in the files.
#[derive(Module, Debug)]
struct Net {
    normalize: Option<Normalize>,
    conv1: Conv2d,
    conv2: Conv2d,
    fc1: Linear,
    fc2: Linear,
}

impl Net {
    fn new(device: &Device) -> Self {
        let conv = |channels| {
            Conv2dConfig::new(channels, 4)
                .with_stride(2)
                .with_padding(1)
        };
        Self {
            normalize: None, // comes from the file
            conv1: conv([1, 32]).init(device),
            conv2: conv([32, 64]).init(device),
            fc1: LinearConfig::new([3136, 200]).init(device),
            fc2: LinearConfig::new([200, 10]).init(device),
        }
    }
}

impl Published for Net {
    fn normalize(&mut self) -> Option<&mut Option<Normalize>> {
        Some(&mut self.normalize)
    }
}

impl Classifier for Net {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let features = self.conv1.forward_relu(self.normalize.forward(images));
        let features = self.conv2.forward_relu(features).flatten(1, 3);
        self.fc2.forward(self.fc1.forward_relu(features))
    }
}

/// Clean and robust accuracy, with 95 % intervals, of weights that PyTorch saved.
#[derive(Parser)]
struct Options {
    /// Files of weights: .pt, .pth or .safetensors
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Folder with MNIST's files [default: the digits that the crate has]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many test images, from the first
    #[arg(long, default_value_t = 1000)]
    images: usize,
    /// Radius in L∞, for pixels from 0 to 1
    #[arg(long, default_value_t = 0.1)]
    epsilon: f64,
    /// Steps of the attack, projected gradient descent without a random start
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// AutoAttack, its fast and its standard version, on so many of the images, from the first
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    auto: usize,
    /// Double precision
    #[arg(long)]
    double: bool,
    /// Write logits and verdicts of every image here, as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How many stand AutoAttack's two versions, after how many passes, and which of them differ.
fn auto(victim: &Frozen, batch: &Batch, epsilon: f64) -> Result<()> {
    let run = |attack: AutoAttack| -> Result<Found> {
        let found = attack.attack(victim, batch, Seed(1))?;
        let passes: u32 = found.queries.iter().chain(&found.gradients).sum();
        println!(
            "  {:3} of {} stand {attack}, {:.0} passes an image",
            found.len() - found.fooled_count(),
            found.len(),
            f64::from(passes) / found.len() as f64
        );
        Ok(found)
    };
    let fast = run(AutoAttack::fast(Linf, epsilon))?;
    let standard = run(AutoAttack::standard(Linf, epsilon))?;
    for (what, here, there) in [("fast", &fast, &standard), ("standard", &standard, &fast)] {
        let alone = (0..here.len()).filter(|&at| here.fooled[at] && !there.fooled[at]);
        println!(
            "      fooled by the {what} version alone: {:?}",
            Vec::from_iter(alone)
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    common::exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    common::above_zero([("--images", options.images)])?;
    let device = fireproof::try_device()?;
    let set = common::digits(options.data.as_deref())?
        .test
        .take(options.images);
    let precision = if options.double {
        Precision::F64
    } else {
        Precision::F32
    };
    let batch = set
        .batch(&Vec::from_iter(0..set.len()), &device)
        .with_precision(precision);
    let pgd = Pgd::linf(options.epsilon)
        .with_steps(options.steps)
        .with_random_start(false);
    println!("{pgd}\non {} digits of {}\n", set.len(), set.name());
    let labels: Vec<i64> = read(&batch.labels);
    let mut results = Vec::new();
    for file in &options.files {
        let net = StateDict::read(file)?.load(Net::new(&device))?;
        let victim = Frozen::new(&net.map(&mut CastWeights(precision)));
        let logits = victim.logits(batch.images.clone());
        let right = victim
            .predict(batch.images.clone())
            .iter()
            .zip(&labels)
            .filter(|(a, b)| a == b)
            .count();
        let found = pgd.attack(&victim, &batch, Seed(1))?;
        let stand = found.fooled.iter().filter(|fooled| !**fooled).count();
        println!("{}", file.display());
        for (what, count) in [("clean", right), ("robust", stand)] {
            let interval = wilson(count, set.len());
            let [share, low, high] = [count as f64 / set.len() as f64, interval.low, interval.high]
                .map(|share| 100.0 * share);
            println!("  {what:<6} {share:5.1} % ({low:.1} to {high:.1})");
        }
        if options.auto > 0 {
            let some = batch.select(&Vec::from_iter(0..options.auto.min(batch.len())));
            auto(&victim, &some, options.epsilon)?;
        }
        results.push(json!({
            "file": file.file_name().expect("a file").to_string_lossy(),
            "labels": labels,
            "logits": read::<f64, _, _>(&logits),
            "fooled": found.fooled,
        }));
    }
    if let Some(out) = &options.out {
        let whole = json!({
            "epsilon": options.epsilon,
            "steps": options.steps,
            "double": options.double,
            "results": results,
        });
        write_atomically(out, whole.to_string().as_bytes())?;
    }
    Ok(())
}
