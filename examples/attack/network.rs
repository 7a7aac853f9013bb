//! The network that is attacked: loaded, or trained.

use crate::options::Options;
use crate::weights;
use burn::config::Config;
use burn::module::{Module, ModuleDisplay};
use burn::store::ModuleRecord;
use burn::tensor::Device;
use fireproof::base::{Classifier, Error, Result};
use fireproof::prelude::*;
use std::path::{Path, PathBuf};

pub fn victim(options: &Options, digits: &Splits, device: &Device) -> Result<Frozen> {
    let shape = digits.train.shape();
    let cnn = |group| Built::Cnn(CnnConfig::new(group, shape, 10));
    let built = match (beside(options.model.as_deref())?, options.network.as_str()) {
        (Some(config), _) => config,
        (None, "gcnn") => cnn(Group::P4),
        (None, "stdcnn") => cnn(Group::P1),
        (None, "small") => Built::Small(SmallCnnConfig::new(shape, 10)),
        (None, other) => {
            return Err(Error::setting("--network", other, "gcnn, stdcnn or small"));
        }
    };
    match &built {
        Built::Cnn(config) => ready(options, config.init(device)?, config, digits),
        Built::Small(config) => ready(options, config.init(device)?, config, digits),
    }
}

enum Built {
    Cnn(CnnConfig),
    Small(SmallCnnConfig),
}

fn configuration(model: &Path) -> PathBuf {
    model.with_extension("json")
}

// The configuration beside a file of weights, if there are both.
fn beside(model: Option<&Path>) -> Result<Option<Built>> {
    let Some(model) = model.filter(|model| model.exists()) else {
        return Ok(None);
    };
    let file = configuration(model);
    if !file.exists() {
        return Ok(None);
    }
    let small = SmallCnnConfig::load(&file).map(Built::Small);
    let built = CnnConfig::load(&file)
        .map(Built::Cnn)
        .or_else(|error| small.or(Err(error)));
    built.map(Some).map_err(|error| failed(&file, &error))
}

fn failed(file: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::setting("--model", file.display(), error.to_string())
}

// With the weights of the file, or trained, and saved there if a file is named.
fn ready<M, C>(options: &Options, model: M, config: &C, digits: &Splits) -> Result<Frozen>
where
    M: Module + ModuleDisplay + Classifier + 'static,
    C: Config,
{
    let Some(file) = &options.model else {
        return Ok(Frozen::new(&train(model, digits, options.quick)?));
    };
    let is_safetensors = file
        .extension()
        .is_some_and(|ending| ending == "safetensors");
    if file.exists() {
        println!("The network of {}", file.display());
        if is_safetensors {
            return Ok(Frozen::new(&weights::load(model, file)?));
        }
        let record = ModuleRecord::load(file).map_err(|e| failed(file, &e))?;
        let model = model
            .try_load_record(record)
            .map_err(|e| failed(file, &e))?;
        return Ok(Frozen::new(&model));
    }
    let model = train(model, digits, options.quick)?;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    match is_safetensors {
        true => weights::save(&model, file)?,
        false => (model.clone().save_file(file)).map_err(|e| failed(file, &e))?,
    }
    let config_file = configuration(file);
    config
        .save(&config_file)
        .map_err(|e| Error::io(&config_file, e))?;
    println!("The network, trained: {}", file.display());
    Ok(Frozen::new(&model))
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
