//! Weights to PyTorch: as SafeTensors under the names that the network is published by, or folded into a
//! network of plain layers, which `examples/plain_network.py` runs with PyTorch alone.
//!
//! `cargo run --release --example export -- --network NETWORK.json --model WEIGHTS --folded --out plain.safetensors`

#[allow(dead_code)] // A part of it.
mod common;

use burn::tensor::{Device, Tensor, TensorData};
use clap::Parser;
use fireproof::base::{Error, Purpose, Result, Seed, read};
use fireproof::model::{ModelSpec, Plain, StateDict};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Writes the weights of a network for PyTorch.
#[derive(Parser)]
struct Options {
    /// JSON file with the network, such as {"model": "cnn", "group": "p4", "image": [1, 28, 28], "classes": 10}
    #[arg(long, value_name = "FILE")]
    network: PathBuf,
    /// Its weights: a record (.bpk), .safetensors, .pt or .pth [default: those that its seed draws]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Fold the network: group convolutions become ordinary ones, batch norms part of those before them
    #[arg(long)]
    folded: bool,
    /// Write so many images of noise, and the network's logits of them, beside the weights, to check by
    #[arg(long, default_value_t = 8)]
    images: usize,
    /// The file that is written, .safetensors; what to check by goes to a file .check.safetensors
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn main() -> ExitCode {
    common::exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    if options
        .out
        .extension()
        .is_none_or(|ending| ending != "safetensors")
    {
        return Err(Error::setting(
            "--out",
            options.out.display(),
            "a name that ends with .safetensors",
        ));
    }
    let device = fireproof::try_device()?;
    let spec = described(&options.network)?;
    let mut network = spec.init(&device)?;
    if let Some(file) = &options.model {
        network.load(file)?;
    }
    let weights = network.state_dict();
    if options.folded {
        let plain = Plain::fold(&*spec, &weights)?;
        plain.write(&options.out)?;
        for step in &plain.steps {
            println!("{}", serde_json::to_string(step).expect("plain values"));
        }
    } else {
        weights.write(&options.out)?;
        for name in weights.names() {
            println!("{name} {:?}", weights.shape(name).expect("a tensor of it"));
        }
    }
    println!("\nWeights: {}", options.out.display());
    if options.images > 0 {
        let images = noise(spec.image(), options.images, &device);
        let logits = network.inference().logits(images.clone());
        let mut check = StateDict::new();
        check.insert("images", &images.dims(), read(&images));
        check.insert("logits", &logits.dims(), read(&logits));
        let file = options.out.with_extension("check.safetensors");
        check.write(&file)?;
        println!("Images and logits: {}", file.display());
    }
    Ok(())
}

fn described(file: &Path) -> Result<ModelSpec> {
    let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, error))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::setting("--network", file.display(), format!("a network: {error}")))
}

fn noise([channels, height, width]: [usize; 3], count: usize, device: &Device) -> Tensor<4> {
    let mut draws = Seed(1).draws(Purpose::Subset, 0, 0);
    let shape = [count, channels, height, width];
    let pixels = (0..shape.iter().product()).map(|_| draws.uniform(0.0, 1.0) as f32);
    Tensor::from_data(TensorData::new(Vec::from_iter(pixels), shape), device)
}
