use crate::base::{Classifier, Error, Result};
use crate::model::{Published, StateDict, num_learned};
use burn::module::Module;
use burn::store::ModuleRecord;
use std::any::Any;
use std::path::Path;
use std::sync::Arc;

/// A network whatever its type: what a [`ModelSpec`](super::ModelSpec) builds. Every Burn module that is a
/// [`Classifier`] and [`Published`] is one.
pub trait Model: Classifier {
    /// A copy in inference mode, apart from this network, for
    /// [`Frozen::from_shared`](crate::attack::Frozen::from_shared).
    fn inference(&self) -> Arc<dyn Classifier>;

    /// As [`StateDict::of`].
    fn state_dict(&self) -> StateDict;

    /// As [`StateDict::load`]; the network stays as it was if that fails.
    ///
    /// # Errors
    ///
    /// As [`StateDict::load`].
    fn load_state_dict(&mut self, state: &StateDict) -> Result<()>;

    /// Loads a record, as Burn writes it (`.bpk`).
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if the file is none, or one of another network.
    fn load_record(&mut self, file: &Path) -> Result<()>;

    /// Saves a record, as Burn writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if that fails.
    fn save_record(&self, file: &Path) -> Result<()>;

    /// As [`num_learned`].
    fn num_learned(&self) -> usize;

    /// The network itself, for who knows its type.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl dyn Model {
    /// Loads weights by the file's ending: a record (`.bpk`), or a [state dict](StateDict::read) (`.pt`,
    /// `.pth`, `.safetensors`).
    ///
    /// # Errors
    ///
    /// As [`StateDict::read`], [`StateDict::load`] and [`load_record`](Model::load_record); nothing is
    /// loaded then.
    pub fn load(&mut self, file: impl AsRef<Path>) -> Result<()> {
        let file = file.as_ref();
        match is_record(file) {
            true => self.load_record(file),
            false => self.load_state_dict(&StateDict::read(file)?),
        }
    }

    /// Saves weights as a record (`.bpk`), or as SafeTensors. Missing folders are made.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and as [`save_record`](Model::save_record).
    pub fn save(&self, file: impl AsRef<Path>) -> Result<()> {
        let file = file.as_ref();
        match is_record(file) {
            true => self.save_record(file),
            false => self.state_dict().write(file),
        }
    }
}

fn is_record(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "bpk")
}

impl<M: Module + Classifier + Published + 'static> Model for M {
    fn inference(&self) -> Arc<dyn Classifier> {
        Arc::new(self.valid())
    }

    fn state_dict(&self) -> StateDict {
        StateDict::of(self)
    }

    fn load_state_dict(&mut self, state: &StateDict) -> Result<()> {
        *self = state.load(self.clone())?;
        Ok(())
    }

    fn load_record(&mut self, file: &Path) -> Result<()> {
        let refused = |error: &dyn std::fmt::Display| {
            Error::input(
                file.display().to_string(),
                error,
                "a record of this network",
            )
        };
        let record = ModuleRecord::load(file).map_err(|error| refused(&error))?;
        let learns = self.devices().iter().any(|device| device.is_autodiff());
        // A copy of its own: clones share running statistics.
        let loaded = self.valid().try_load_record(record);
        let loaded = loaded.map_err(|error| refused(&error))?;
        *self = if learns { loaded.train() } else { loaded };
        Ok(())
    }

    fn save_record(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        let saved = self.clone().save_file(file);
        saved.map_err(|error| Error::input(file.display().to_string(), error, "a file to write"))
    }

    fn num_learned(&self) -> usize {
        num_learned(self)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
