//! Trains a GCNN on digits (or loads it), attacks it, and draws what the attacks found.

use burn::module::Module;
use burn::store::ModuleRecord;
use clap::Parser;
use fireproof::base::{Error, Result};
use fireproof::prelude::*;
use fireproof::report::ContactSheet;
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    /// Train on few digits: only to see that it works
    #[arg(long)]
    quick: bool,
    /// Load the weights from this file (.bpk); train and save them there if there is none yet
    #[arg(long)]
    weights: Option<PathBuf>,
    /// Folder for the contact sheet
    #[arg(long, default_value = "target/fireproof/attack")]
    out: PathBuf,
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let device = fireproof::try_device()?;
    let digits = embedded_mnist();
    let model = CnnConfig::new(Group::P4, digits.train.shape(), 10).init(&device)?;
    let model = match &options.weights {
        Some(file) if file.exists() => model.try_load_record(ModuleRecord::load(file)?)?,
        _ => train(model, &digits, options.quick)?,
    };
    if let Some(file) = options.weights.filter(|file| !file.exists()) {
        model.clone().save_file(&file)?;
    }
    let victim = Frozen::new(&model);
    let batch = digits.test.batch(&(0..100).collect::<Vec<_>>(), &device);
    println!("\nattack on 100 digits {:>38} {:>9}", "accuracy", "queries");
    let attacks: [Box<dyn Attack>; 5] = [
        Box::new(Pgd::linf(0.0)),
        Box::new(Fgsm::linf(0.1)),
        Box::new(Pgd::linf(0.1)),
        Box::new(Pgd::linf(0.1).with_steps(20).restarts(3)),
        Box::new(Pgd::l2(1.5).with_steps(20)),
    ];
    let mut attacked = batch.images.clone();
    for attack in &attacks {
        let found = attack.attack(&victim, &batch, Seed(1))?;
        let spec: AttackSpec = serde_json::from_value(attack.settings())?;
        let accuracy = 100.0 * found.robust_accuracy();
        let queries: u32 = found.queries.iter().sum();
        println!("{:<50} {accuracy:>6.1} % {queries:>9}", spec.to_string());
        attacked = found.images;
    }

    let (clean, attacked) = (batch.images.narrow(0, 0, 10), attacked.narrow(0, 0, 10));
    let moves = PoseBudget::new(Degrees(90.0), Pixels(3.0))?;
    let poses = moves.draw(&Keys::new(1, 0..10));
    let sheet = ContactSheet::new(Bounds::default())
        .with_column("clean", clean.clone())?
        .with_column("attacked", attacked.clone())?
        .with_difference("change × 2", attacked, clean.clone(), 2.0)?
        .with_column("moved", Warp::bilinear().apply(clean, &poses))?;
    std::fs::create_dir_all(&options.out).map_err(|e| Error::io(&options.out, e))?;
    let file = options.out.join("digits.png");
    println!("\nclean, attacked, moved: {}", file.display());
    Ok(sheet.write_png(&file)?)
}

fn train(model: Cnn, digits: &Splits, quick: bool) -> Result<Cnn> {
    let (images, epochs) = if quick { (500, 2) } else { (4000, 3) };
    let curriculum = Curriculum::new(epochs).with_learning_rate(0.05);
    let training = Training::new(curriculum, Natural).with_batch_size(50);
    let (train, watch) = (digits.train.take(images), digits.test.take(200));
    training
        .fit(model, &train, &watch, &fireproof::device())
        .map(|t| t.model)
}
