//! Attacks a network on digits and prints what a robust accuracy is published with: who stands after
//! each part of the attack, with intervals, passes and seconds.
//!
//! `cargo run --release --example attack -- --attack auto --norm l2 --epsilon 1.5`

use burn::module::{Module, ModuleDisplay};
use burn::store::ModuleRecord;
use burn::tensor::Device;
use clap::Parser;
use fireproof::attack::{AutoAttack, NormSpec, Progress, Run, Version};
use fireproof::base::{Classifier, Error, Result, write_atomically};
use fireproof::prelude::*;
use fireproof::report::ContactSheet;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Parser)]
struct Options {
    /// Train on few digits and attack few: only to see that it works
    #[arg(long)]
    quick: bool,
    /// The network: gcnn (p4), stdcnn (p1) or small
    #[arg(long, default_value = "gcnn")]
    network: String,
    /// Load the weights from this file (.bpk); train and save them there if there is none yet
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The attack: auto, plus, rand, the name of any attack, or a JSON file with one
    #[arg(long, default_value = "auto")]
    attack: String,
    /// The norm of the ball: linf, l2 or l1
    #[arg(long, default_value = "linf")]
    norm: String,
    /// The radius of the ball, for pixels from 0 to 1
    #[arg(long, default_value_t = 0.1)]
    epsilon: f64,
    /// How many test images are attacked
    #[arg(long, value_name = "IMAGES")]
    images: Option<usize>,
    /// Seed of the attack
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Images at a time
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Keep here what is known after every batch; an interrupted run goes on from it
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Folder for attack.json and the contact sheet
    #[arg(long, default_value = "target/fireproof/attack")]
    out: PathBuf,
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let device = fireproof::try_device()?;
    let attack = options.attack()?;
    attack.check()?;
    std::fs::create_dir_all(&options.out).map_err(|e| Error::io(&options.out, e))?;
    let digits = embedded_mnist();
    let victim = options.victim(&digits, &device)?;
    let set = digits.test.take(options.images());
    println!("\n{attack}\non {} digits of {}\n", set.len(), set.name());

    let mut run = Run::new(options.seed).with_batch_size(options.batch);
    run.state = options.state.clone();
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:20} {pos}/{len} {msg} {elapsed}, {eta} left",
    )?);
    let show = |progress: Progress| {
        bar.set_length((progress.parts * progress.total.max(1)) as u64);
        bar.set_position((progress.number * progress.total + progress.done) as u64);
        bar.set_message(format!("{}: {} stand", progress.part, progress.standing));
    };
    let whole = run.attack_with_progress(&*attack, &victim, &set, &device, show)?;
    bar.finish_and_clear();
    println!("{whole}");
    let file = options.out.join("attack.json");
    write_atomically(&file, serde_json::to_string_pretty(&whole)?.as_bytes())?;
    println!("\nEvery image: {}", file.display());
    let file = options.out.join("digits.svg");
    picture(&*attack, &victim, &set.take(10), options.seed, &device)?.write_svg(&file)?;
    println!("Clean, attacked, what was changed: {}", file.display());
    Ok(())
}

impl Options {
    fn images(&self) -> usize {
        self.images.unwrap_or(if self.quick { 20 } else { 200 })
    }

    fn attack(&self) -> Result<AttackSpec> {
        let (epsilon, norm) = (self.epsilon, &self.norm);
        let read = |value| {
            serde_json::from_value::<AttackSpec>(value)
                .map_err(|error| Error::setting("attack", &self.attack, error.to_string()))
        };
        if Path::new(&self.attack).is_file() {
            let file = Path::new(&self.attack);
            let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
            let value = serde_json::from_str(&text)
                .map_err(|error| Error::setting("attack", &self.attack, error.to_string()))?;
            return read(value);
        }
        let versions = [("plus", Version::Plus), ("rand", Version::Rand)];
        if let Some((_, version)) = versions.into_iter().find(|(name, _)| *name == self.attack) {
            let norm: NormSpec = serde_json::from_value(json!(norm))
                .map_err(|error| Error::setting("norm", norm, error.to_string()))?;
            return Ok(AutoAttack::new(norm, epsilon, version).into());
        }
        // Some attacks are for one norm alone.
        read(json!({"attack": self.attack, "norm": norm, "epsilon": epsilon})).or_else(|error| {
            read(json!({"attack": self.attack, "epsilon": epsilon})).or(Err(error))
        })
    }

    fn victim(&self, digits: &Splits, device: &Device) -> Result<Frozen> {
        let shape = digits.train.shape();
        let cnn = |group| CnnConfig::new(group, shape, 10).init(device);
        match self.network.as_str() {
            "gcnn" => self.ready(cnn(Group::P4)?, digits),
            "stdcnn" => self.ready(cnn(Group::P1)?, digits),
            "small" => self.ready(SmallCnnConfig::new(shape, 10).init(device)?, digits),
            other => Err(Error::setting("network", other, "gcnn, stdcnn or small")),
        }
    }

    // With the weights of the file, or trained, and saved there if a file is named.
    fn ready<M>(&self, model: M, digits: &Splits) -> Result<Frozen>
    where
        M: Module + ModuleDisplay + Classifier + 'static,
    {
        let failed = |file: &Path, error: &dyn std::fmt::Display| {
            Error::setting("model", file.display(), error.to_string())
        };
        match &self.model {
            Some(file) if file.exists() => {
                let record = ModuleRecord::load(file).map_err(|e| failed(file, &e))?;
                let model = model
                    .try_load_record(record)
                    .map_err(|e| failed(file, &e))?;
                Ok(Frozen::new(&model))
            }
            file => {
                let model = train(model, digits, self.quick)?;
                if let Some(file) = file {
                    (model.clone().save_file(file)).map_err(|e| failed(file, &e))?;
                }
                Ok(Frozen::new(&model))
            }
        }
    }
}

fn train<M>(model: M, digits: &Splits, quick: bool) -> Result<M>
where
    M: Module + ModuleDisplay + Classifier + 'static,
{
    let (images, epochs) = if quick { (500, 2) } else { (4000, 3) };
    let curriculum = Curriculum::new(epochs).with_learning_rate(0.05);
    let training = Training::new(curriculum, Natural).with_batch_size(50);
    let (train, watch) = (digits.train.take(images), digits.test.take(200));
    training
        .fit(model, &train, &watch, &fireproof::device())
        .map(|trained| trained.model)
}

// Each digit with the classes it is taken for.
fn picture(
    attack: &dyn Attack,
    victim: &Frozen,
    set: &ImageSet,
    seed: u64,
    device: &Device,
) -> Result<ContactSheet> {
    let batch = set.batch(&Vec::from_iter(0..set.len()), device);
    let found = attack.attack(victim, &batch, Seed(seed))?;
    let clean = victim.predict(batch.images.clone());
    let taken = clean.iter().zip(&found.predicted);
    ContactSheet::new(batch.bounds)
        .with_row_labels(taken.map(|(before, after)| format!("{before} → {after}")))
        .with_column("clean", batch.images.clone())?
        .with_column("attacked", found.images.clone())?
        .with_difference("change × 3", found.images, batch.images, 3.0)
}
