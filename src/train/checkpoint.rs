use crate::base::{Error, Result, write_atomically};
use crate::train::checked::{Checked, verify};
use crate::train::{Course, EpochRecord, resume};
use burn::lr_scheduler::LrSchedulerRecord;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

// What a checkpoint consists of, as `{name}-{epoch}.bpk` in `checkpoint`, each with its checksum.
const PARTS: [&str; 3] = ["model", "optim", "scheduler"];

// How names end that Burn and `write_atomically` give to files while they write them.
const UNFINISHED: &str = ".tmp";

/// The folder of a training: `training.json` (its settings), `history.json` (its epochs) and
/// `checkpoint` (burn-train's checkpoints).
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Makes the folder, or takes up one that a training left. Nothing in it changes before
    /// [`begin`](Self::begin).
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be made; [`Error::Setting`] if it holds a training that is not to
    /// be resumed.
    pub fn open(root: &Path, resume: bool) -> Result<Self> {
        let folder = Self {
            root: root.to_owned(),
        };
        let checkpoints = folder.checkpoints();
        std::fs::create_dir_all(&checkpoints).map_err(|e| Error::io(&checkpoints, e))?;
        let begun = !folder.epochs()?.is_empty();
        let expected =
            "a folder without a training in it, or `with_resume(true)` to go on with that one";
        Error::unless(
            !begun || resume,
            "training directory",
            root.display(),
            expected,
        )?;
        Ok(folder)
    }

    fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoint")
    }

    /// What writes the parts of checkpoints.
    pub fn checkpointers(&self) -> [Checked; 3] {
        let failed = Arc::default();
        PARTS.map(|part| Checked {
            folder: self.clone(),
            part,
            failed: Arc::clone(&failed),
        })
    }

    /// One part of the checkpoint of an epoch.
    pub fn part(&self, name: &str, epoch: usize) -> PathBuf {
        self.checkpoints().join(format!("{name}-{epoch}.bpk"))
    }

    // Files of checkpoints with their epochs and what follows the first dot of their names; also
    // those that a writer, killed before it gave them their names, has left.
    fn files(&self) -> Result<Vec<(PathBuf, usize, String)>> {
        let path = self.checkpoints();
        let failed = |e| Error::io(&path, e);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let parsed = name.to_str().and_then(|name| {
                let (stem, rest) = name.strip_prefix('.').unwrap_or(name).split_once('.')?;
                let (part, epoch) = stem.rsplit_once('-')?;
                let epoch = epoch.parse().ok().filter(|&epoch: &usize| epoch > 0)?;
                let known = ["bpk", "crc"].contains(&rest) || rest.ends_with(UNFINISHED);
                let known = known && PARTS.contains(&part);
                known.then(|| (path.join(name), epoch, rest.to_owned()))
            });
            files.extend(parsed);
        }
        Ok(files)
    }

    /// Epochs of which there is any record.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn epochs(&self) -> Result<BTreeSet<usize>> {
        let files = self.files()?.into_iter();
        let records = files.filter(|(_, _, rest)| rest == "bpk");
        Ok(records.map(|(_, epoch, _)| epoch).collect())
    }

    /// The last epoch whose checkpoint is complete; 0 if there is none yet.
    ///
    /// A checkpoint is several files, written in the background: it is complete when all of them
    /// are as they were written and load. An incomplete one is passed over in favour of the one
    /// before. Before the first one there is only the beginning: of a training that was killed
    /// while it wrote its first checkpoint, nothing is left that could be gone on with.
    ///
    /// # Errors
    ///
    /// [`Error::Training`] if there are checkpoints of later epochs but none is complete: no kill
    /// leaves that, and to start afresh would overwrite what may still be mended. [`Error::Io`] if a
    /// file is there and cannot be read: another time it may.
    pub fn latest(&self) -> Result<usize> {
        let mut reasons = Vec::new();
        let epochs = self.epochs()?;
        for &epoch in epochs.iter().rev() {
            match self.loads(epoch) {
                Ok(()) => return Ok(epoch),
                Err(Error::Io { path, source }) if source.kind() != ErrorKind::NotFound => {
                    return Err(Error::io(path, source));
                }
                Err(reason) => {
                    log::warn!("the checkpoint of epoch {epoch} is incomplete: {reason}");
                    reasons.push(format!("epoch {epoch}: {reason}"));
                }
            }
        }
        if epochs.iter().any(|&epoch| epoch > 1) {
            return Err(Error::Training(format!(
                "no checkpoint in {} is complete ({})",
                self.checkpoints().display(),
                reasons.join("; ")
            )));
        }
        if !epochs.is_empty() {
            log::warn!(
                "the training in {} was interrupted in its first checkpoint: it starts afresh",
                self.root.display()
            );
        }
        Ok(0)
    }

    fn loads(&self, epoch: usize) -> Result<()> {
        let [model, optim, scheduler] = PARTS.map(|part| self.part(part, epoch));
        let because =
            |path: &Path, error: String| Error::Training(format!("{}: {error}", path.display()));
        for path in [&model, &optim, &scheduler] {
            verify(path)?;
        }
        ModuleRecord::load(&model).map_err(|e| because(&model, e.to_string()))?;
        OptimizerRecord::load(&optim).map_err(|e| because(&optim, e.to_string()))?;
        LrSchedulerRecord::load(&scheduler).map_err(|e| because(&scheduler, e.to_string()))?;
        Ok(())
    }

    /// Refuses to go on after the `done` epochs of `course`, unless a training with these settings
    /// would have done them; see [`resume::check`].
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] or [`Error::Training`], for checkpoints of other settings, or of settings
    /// that `training.json` does not tell.
    pub fn check(&self, settings: &Value, course: &Course, done: usize) -> Result<()> {
        if self.epochs()?.is_empty() {
            return Ok(());
        }
        let path = self.settings();
        let text = std::fs::read_to_string(&path).map_err(|e| match e.kind() {
            ErrorKind::NotFound => Error::Training(format!(
                "{} is missing: without it nobody knows what the checkpoints beside it are of; put \
                 it back, or train in another folder",
                path.display()
            )),
            _ => Error::io(&path, e),
        })?;
        let found = serde_json::from_str(&text)
            .map_err(|e| Error::Training(format!("{}: {e}", path.display())))?;
        resume::check(&path, &found, settings, course, done)
    }

    /// Writes the settings down and takes away what is left of epochs that are still to come: of
    /// two trainings' files no checkpoint may be made up.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn begin(&self, settings: &Value, done: usize) -> Result<()> {
        for (path, epoch, rest) in self.files()? {
            if epoch > done || rest.ends_with(UNFINISHED) {
                std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
            }
        }
        let text = serde_json::to_string_pretty(settings).expect("plain values");
        write_atomically(&self.settings(), text.as_bytes())
    }

    fn settings(&self) -> PathBuf {
        self.root.join("training.json")
    }

    /// The epochs up to this one, as far as they were written down.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Training`] if the file is there but cannot be read.
    pub fn history(&self, until: usize) -> Result<Vec<EpochRecord>> {
        let path = self.root.join("history.json");
        // What an epoch left that must be done again does not matter.
        if until == 0 || !path.exists() {
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
