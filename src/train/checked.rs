use crate::base::{Error, Result, write_atomically};
use crate::train::checkpoint::Folder;
use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};
use flate2::Crc;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Writes one part of checkpoints, with the checksum of each file in a file beside it: a record that
/// loads may still hold other numbers than were written.
pub(super) struct Checked {
    pub folder: Folder,
    pub part: &'static str,
    /// Whether a part of any checkpoint could not be written: what there is of others then stays, as a
    /// training may have no better to go on from.
    pub failed: Arc<AtomicBool>,
}

/// Whether a file of a checkpoint holds what was written.
///
/// # Errors
///
/// [`Error::Io`] if it or its checksum cannot be read, [`Error::Training`] if they do not agree.
pub(super) fn verify(path: &Path) -> Result<()> {
    let beside = path.with_extension("crc");
    let expected = std::fs::read_to_string(&beside).map_err(|e| Error::io(&beside, e))?;
    let found = checksum(path)?;
    match found == expected {
        true => Ok(()),
        false => Err(Error::Training(format!(
            "{}: its checksum is {found}, not {expected}",
            path.display()
        ))),
    }
}

fn checksum(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let mut crc = Crc::new();
    crc.update(&bytes);
    Ok(format!("{:08x}", crc.sum()))
}

fn unknown(error: Error) -> CheckpointerError {
    CheckpointerError::Unknown(error.to_string())
}

impl Checked {
    fn write<R: Checkpoint>(
        &self,
        epoch: usize,
        record: R,
    ) -> std::result::Result<(), CheckpointerError> {
        let path = self.folder.part(self.part, epoch);
        record.save(path.clone())?;
        let sum = checksum(&path).map_err(unknown)?;
        write_atomically(&path.with_extension("crc"), sum.as_bytes()).map_err(unknown)
    }
}

impl<R: Checkpoint> Checkpointer<R> for Checked {
    fn save(&self, epoch: usize, record: R) -> std::result::Result<(), CheckpointerError> {
        let saved = self.write(epoch, record);
        if saved.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        saved
    }

    fn restore(&self, epoch: usize) -> std::result::Result<R, CheckpointerError> {
        R::load(self.folder.part(self.part, epoch))
    }

    fn delete(&self, epoch: usize) -> std::result::Result<(), CheckpointerError> {
        if self.failed.load(Ordering::SeqCst) {
            return Ok(());
        }
        let path = self.folder.part(self.part, epoch);
        for file in [path.with_extension("crc"), path] {
            if file.exists() {
                std::fs::remove_file(file).map_err(CheckpointerError::IOError)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::lr_scheduler::LrSchedulerRecord;

    #[test]
    fn convention_nothing_is_deleted_after_what_could_not_be_written() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::open(root.path(), false).unwrap();
        let [model, _, scheduler] = folder.checkpointers();
        let record = || LrSchedulerRecord::default();
        for epoch in 1..=3 {
            scheduler.save(epoch, record()).unwrap();
        }
        let is_there = |epoch| folder.part("scheduler", epoch).exists();
        Checkpointer::<LrSchedulerRecord>::delete(&scheduler, 1).unwrap();
        assert!(!is_there(1));
        // A folder is in the way of another part.
        std::fs::create_dir_all(folder.part("model", 4).join("kept")).unwrap();
        model.save(4, record()).unwrap_err();
        Checkpointer::<LrSchedulerRecord>::delete(&scheduler, 2).unwrap();
        assert!(is_there(2));
    }
}
