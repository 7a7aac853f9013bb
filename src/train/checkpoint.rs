use crate::base::{Error, Result, write_atomically};
use crate::train::EpochRecord;
use burn::lr_scheduler::LrSchedulerRecord;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

// What `with_default_checkpointers` writes, as `{name}-{epoch}.bpk` in `checkpoint`.
const PARTS: [&str; 3] = ["model", "optim", "scheduler"];

/// The folder of a training: `training.json` (its settings), `history.json` (its epochs) and
/// `checkpoint` (burn-train's checkpoints).
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Makes the folder, or takes up one that a training with these settings left.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be written; [`Error::Setting`] if it holds a training that is
    /// not to be resumed, or one with other settings.
    pub fn open(root: &Path, settings: &Value, resume: bool) -> Result<Self> {
        let folder = Self {
            root: root.to_owned(),
        };
        let checkpoints = folder.checkpoints();
        std::fs::create_dir_all(&checkpoints).map_err(|e| Error::io(&checkpoints, e))?;
        let begun = !folder.epochs()?.is_empty();
        let path = root.join("training.json");
        let expected =
            "a folder without a training in it, or `with_resume(true)` to go on with that one";
        Error::unless(
            !begun || resume,
            "training directory",
            root.display(),
            expected,
        )?;
        if begun && path.exists() {
            let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
            same_settings(&path, &text, settings)?;
        }
        let text = serde_json::to_string_pretty(settings).expect("plain values");
        write_atomically(&path, text.as_bytes())?;
        Ok(folder)
    }

    fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoint")
    }

    /// One part of the checkpoint of an epoch.
    pub fn part(&self, name: &str, epoch: usize) -> PathBuf {
        self.checkpoints().join(format!("{name}-{epoch}.bpk"))
    }

    // Epochs of which there is any file.
    fn epochs(&self) -> Result<BTreeSet<usize>> {
        let path = self.checkpoints();
        let entries = std::fs::read_dir(&path).map_err(|e| Error::io(&path, e))?;
        let mut epochs = BTreeSet::new();
        for entry in entries {
            let name = entry.map_err(|e| Error::io(&path, e))?.file_name();
            let epoch = name.to_str().and_then(|name| {
                let (part, epoch) = name.strip_suffix(".bpk")?.rsplit_once('-')?;
                PARTS.contains(&part).then(|| epoch.parse::<usize>().ok())?
            });
            epochs.extend(epoch);
        }
        Ok(epochs)
    }

    /// The last epoch whose checkpoint is complete, if the training has begun.
    ///
    /// A checkpoint is several files, written in the background: it is complete when all of them
    /// load. An incomplete one is passed over in favour of the one before.
    ///
    /// # Errors
    ///
    /// [`Error::Training`] if there are checkpoints but none is complete.
    pub fn latest(&self) -> Result<Option<usize>> {
        let mut reasons = Vec::new();
        for epoch in self.epochs()?.into_iter().rev() {
            match self.loads(epoch) {
                Ok(()) => return Ok(Some(epoch)),
                Err(reason) => {
                    log::warn!("the checkpoint of epoch {epoch} is incomplete: {reason}");
                    reasons.push(format!("epoch {epoch}: {reason}"));
                }
            }
        }
        if reasons.is_empty() {
            return Ok(None);
        }
        Err(Error::Training(format!(
            "no checkpoint in {} is complete ({})",
            self.checkpoints().display(),
            reasons.join("; ")
        )))
    }

    fn loads(&self, epoch: usize) -> std::result::Result<(), String> {
        let [model, optim, scheduler] = PARTS.map(|part| self.part(part, epoch));
        let because = |path: &Path, error: String| format!("{}: {error}", path.display());
        ModuleRecord::load(&model).map_err(|e| because(&model, e.to_string()))?;
        OptimizerRecord::load(&optim).map_err(|e| because(&optim, e.to_string()))?;
        LrSchedulerRecord::load(&scheduler).map_err(|e| because(&scheduler, e.to_string()))?;
        Ok(())
    }

    /// The epochs up to this one, as far as they were written down.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Training`] if the file is there but cannot be read.
    pub fn history(&self, until: usize) -> Result<Vec<EpochRecord>> {
        let path = self.root.join("history.json");
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
        let mut history: Vec<EpochRecord> = serde_json::from_str(&text)
            .map_err(|e| Error::Training(format!("{}: {e}", path.display())))?;
        history.retain(|record| record.epoch <= until);
        Ok(history)
    }

    /// Writes the history down, in whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn write_history(&self, history: &[EpochRecord]) -> Result<()> {
        let text = serde_json::to_string_pretty(history).expect("plain values");
        write_atomically(&self.root.join("history.json"), text.as_bytes())
    }
}

fn same_settings(path: &Path, found: &str, expected: &Value) -> Result<()> {
    if found == serde_json::to_string_pretty(expected).expect("plain values") {
        return Ok(());
    }
    let found: Value = serde_json::from_str(found)
        .map_err(|e| Error::Training(format!("{}: {e}", path.display())))?;
    let differing: Vec<String> = expected
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, value)| found.get(key) != Some(value))
        .map(|(key, _)| key.clone())
        .collect();
    Err(Error::setting(
        "resumed training",
        path.display(),
        format!(
            "the settings of the interrupted training; these differ: {}",
            differing.join(", ")
        ),
    ))
}
