//! The network that is attacked: loaded, or trained.

use crate::options::Options;
use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;
use fireproof::base::{Classifier, Error, Kind, Result, write_atomically};
use fireproof::model::{Model, ModelSpec, Network};
use fireproof::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub fn victim(options: &Options, digits: &Splits, device: &Device) -> Result<Frozen> {
    let spec = match beside(options.model.as_deref())? {
        Some(spec) => spec,
        None => named(&options.network, digits)?,
    };
    let fits = spec.image() == digits.train.shape() && spec.classes() == digits.train.classes();
    if !fits {
        let takes = format!("images {:?} of {} classes", spec.image(), spec.classes());
        let (shape, classes) = (digits.train.shape(), digits.train.classes());
        let expected = format!("a network for the digits: images {shape:?} of {classes} classes");
        return Err(Error::setting("--network", takes, expected));
    }
    let Some(file) = &options.model else {
        let network = trained(spec.init(device)?, digits, options.quick)?;
        return Ok(Frozen::from_shared(network.inference()));
    };
    if file.exists() {
        println!("The network of {}", file.display());
        return Ok(Frozen::from_shared(spec.load(file, device)?.inference()));
    }
    // Before it is trained.
    if !ends(file, &["bpk", "safetensors"]) {
        let expected = "a file that exists, or one to be written: .bpk or .safetensors";
        return Err(Error::setting("--model", file.display(), expected));
    }
    let network = trained(spec.init(device)?, digits, options.quick)?;
    network.save(file)?;
    let text = serde_json::to_string_pretty(&spec).expect("plain values");
    write_atomically(&configuration(file), text.as_bytes())?;
    println!("The network, trained: {}", file.display());
    Ok(Frozen::from_shared(network.inference()))
}

fn ends(file: &Path, endings: &[&str]) -> bool {
    let ending = file.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

fn configuration(model: &Path) -> PathBuf {
    model.with_extension("json")
}

// The network of a name, or of a file that describes one.
fn named(network: &str, digits: &Splits) -> Result<ModelSpec> {
    if Path::new(network).is_file() {
        return described(Path::new(network), "--network");
    }
    let (name, group) = match network {
        "gcnn" => ("cnn", Some("p4")),
        "stdcnn" => ("cnn", None),
        "small" => ("small_cnn", None),
        other => (other, None),
    };
    let names = <dyn Network as Kind>::registry().names();
    if !names.iter().any(|known| known == name) {
        let names = names.join(", ");
        let expected = format!("gcnn, stdcnn, small, {names}, or a JSON file with a network");
        return Err(Error::setting("--network", network, expected));
    }
    let (image, classes) = (digits.train.shape(), digits.train.classes());
    let mut settings = json!({"model": name, "image": image, "classes": classes});
    if let Some(group) = group {
        settings["group"] = group.into();
    }
    <dyn Network as Kind>::registry()
        .build(settings)
        .map(fireproof::base::Spec)
}

// The configuration beside a file of weights, if there are both.
fn beside(model: Option<&Path>) -> Result<Option<ModelSpec>> {
    let file = model.filter(|model| model.exists()).map(configuration);
    let file = file.filter(|file| file.exists());
    file.map(|file| described(&file, "--model")).transpose()
}

// A network, or the configuration of a digit network as the example `tradeoff` saves it.
fn described(file: &Path, flag: &str) -> Result<ModelSpec> {
    let text = std::fs::read_to_string(file).map_err(|error| Error::io(file, error))?;
    let refused = |error| Error::setting(flag, file.display(), format!("a network: {error}"));
    let value: Value = serde_json::from_str(&text).map_err(refused)?;
    if value.get("model").is_some() {
        return serde_json::from_value(value).map_err(refused);
    }
    let small = serde_json::from_value::<SmallCnnConfig>(value.clone());
    match serde_json::from_value::<CnnConfig>(value) {
        Ok(config) => Ok(config.into()),
        Err(error) => small.map(ModelSpec::from).map_err(|_| refused(error)),
    }
}

// One of this crate's networks, trained.
fn trained(network: Box<dyn Model>, digits: &Splits, quick: bool) -> Result<Box<dyn Model>> {
    let mut network = network.into_any();
    macro_rules! of_one_type {
        ($($model:ty),+) => {
            $(
                network = match network.downcast::<$model>() {
                    Ok(model) => return Ok(Box::new(train(*model, digits, quick)?)),
                    Err(other) => other,
                };
            )+
        };
    }
    of_one_type!(Cnn, SmallCnn, MadryCnn, ResNet, Vgg, WideResNet);
    drop(network);
    Err(Error::setting(
        "--network",
        "no weights",
        "--model with a file, for a network of one's own",
    ))
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
