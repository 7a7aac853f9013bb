//! One network: trained, measured, kept.

use crate::plan::{self, Cell};
use crate::{Options, common};
use burn::module::Module;
use burn::tensor::Device;
use fireproof::base::{Error, Result, write_atomically};
use fireproof::data::DataSummary;
use fireproof::evaluate::Rate;
use fireproof::prelude::*;
use fireproof::train::{EpochRecord, Progress};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

// Base channels of the GCNN.
const WIDTH: usize = 5;

/// What came of a network.
#[derive(Serialize, Deserialize)]
pub struct Row {
    /// StdCNN or GCNN.
    pub network: String,
    /// By its name in the table.
    pub objective: String,
    /// Learnt numbers and running statistics.
    pub parameters: usize,
    /// Mean wall time of a training epoch.
    pub seconds_per_epoch: f64,
    /// Accuracy on images as they are.
    pub clean: Rate,
    /// Accuracy under each attack, in the order of the columns.
    pub attacked: Vec<Rate>,
    /// Every epoch.
    pub history: Vec<EpochRecord>,
    /// All that determines the above but the wall time.
    pub settings: Value,
}

impl Cell {
    fn file_name(&self) -> String {
        let network = common::network_name(self.group).to_lowercase();
        format!("{}-{}", network.replace(' ', "-"), self.name)
    }

    fn training(&self, options: &Options) -> Training {
        let progress = match std::io::stderr().is_terminal() {
            true => Progress::Auto,
            false => Progress::Quiet,
        };
        let network = common::network_name(self.group);
        Training::new(self.curriculum.clone(), self.objective.clone())
            .with_augmentation(Augmentation::new(Warp::bilinear()))
            .with_batch_size(options.batch)
            .with_seed(options.seed)
            .with_progress(progress)
            .with_label(format!("{network}, {}", self.name))
            .with_directory(options.out.join("trainings").join(self.file_name()))
            .with_resume(true)
    }

    /// The network's results: those that are there, or new ones; and whether they are new.
    pub fn measured(
        &self,
        train: &ImageSet,
        test: &ImageSet,
        options: &Options,
        device: &Device,
    ) -> Result<(Row, bool)> {
        let gcnn = (Group::P4, WIDTH);
        let config = common::network(self.group, gcnn, options.seed, train, device)?;
        let (training, attacks) = (self.training(options), plan::attacks(options)?);
        let settings = json!({
            "training": training,
            "network": config,
            "train set": DataSummary::of(train),
            "test set": DataSummary::of(test),
            "attacks": attacks.iter().map(|(_, attack)| attack).collect::<Vec<_>>(),
        });
        let path = options.out.join("cells").join(self.file_name() + ".json");
        if let Some(row) = kept(&path, &settings)? {
            return Ok((row, false));
        }
        // burn-train measures after every epoch; nothing is chosen by it, so few images do.
        let watch = test.take(100);
        let trained = training.fit(config.init(device)?, train, &watch, device)?;
        let victim = Frozen::new(&trained.model);
        let mut clean = 0;
        let mut attacked = Vec::new();
        for (_, attack) in &attacks {
            let whole = attack.run(&victim, test, device)?;
            clean = whole.clean_correct();
            attacked.push(Rate::of(whole.standing(), test.len()));
        }
        let seconds: f64 = trained.history.iter().map(|epoch| epoch.seconds).sum();
        let row = Row {
            network: common::network_name(self.group),
            objective: self.name.to_owned(),
            parameters: trained.model.num_params(),
            seconds_per_epoch: seconds / trained.history.len() as f64,
            clean: Rate::of(clean, test.len()),
            attacked,
            history: trained.history,
            settings,
        };
        let text = serde_json::to_string_pretty(&row).expect("plain values");
        write_atomically(&path, text.as_bytes())?;
        Ok((row, true))
    }
}

/// The results in this file, if there is one.
fn kept(path: &Path, settings: &Value) -> Result<Option<Row>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let expected = || "results of these settings; choose another --out, or remove it".to_owned();
    let found = |reason: String| {
        Error::setting(
            PathBuf::from(path).display().to_string(),
            reason,
            expected(),
        )
    };
    let row: Row = serde_json::from_str(&text).map_err(|e| found(e.to_string()))?;
    match row.settings == *settings {
        true => Ok(Some(row)),
        false => Err(found("results of other settings".to_owned())),
    }
}
