use super::cell::{self, Cell, Images};
use super::folder::Folder;
use super::measured::Measured;
use super::result::CellResult;
use crate::base::{Error, Result};
use crate::evaluate::{Profile, Versions};
use crate::study::settings::Study;
use crate::train::Progress;
use burn::tensor::Device;
use std::path::{Path, PathBuf};

/// A study at work in a folder.
///
/// | in the folder | |
/// |---|---|
/// | `cells/<address>.json` | what came of each cell |
/// | `times/<address>.json` | how long it took, and where |
/// | `models/<address>.bpk`, `.json` | weights and training of each network |
/// | `scans/<address>.json` | what scans found in it |
/// | `trainings/`, `parts/`, `claims/` | what is not done yet; empty once all is |
///
/// Processes may work in one folder at the same time, and may be killed at any moment: a network is trained by
/// one of them only (an advisory lock that ends with its process says by whom), goes on from its last
/// checkpoint, and is measured in parts, none of them twice.
pub struct Work {
    pub(super) study: Study,
    pub(super) folder: Folder,
    pub(super) device: Device,
    pub(super) images: Images,
    cells: Vec<Cell>,
    pub(super) progress: Progress,
}

impl Study {
    /// The study at work in a folder, which is made if there is none: its images are read, its cells known.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check), for images that cannot be read or that networks do not take, and
    /// [`Error::Io`] if the folder cannot be written.
    pub fn begin(&self, folder: impl AsRef<Path>, device: &Device) -> Result<Work> {
        self.check()?;
        let images = self.images()?;
        Ok(Work {
            cells: cell::cells(self, &images)?,
            folder: Folder::open(folder.as_ref())?,
            study: self.clone(),
            device: device.clone(),
            images,
            progress: Progress::Quiet,
        })
    }

    /// The cells of the study in the order in which their turn comes. Reads the images, whose contents are
    /// part of what a cell is called by.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin).
    pub fn cells(&self) -> Result<Vec<Cell>> {
        self.check()?;
        cell::cells(self, &self.images()?)
    }
}

impl Work {
    /// With trainings that report themselves so; by default they do not.
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// The study.
    pub fn study(&self) -> &Study {
        &self.study
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.root()
    }

    /// The cells, in the order in which their turn comes.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The cell of this number in the plan, or whose address begins with these digits; if they look like a
    /// number, eight of them at least.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is none, or more than one.
    pub fn cell(&self, which: &str) -> Result<&Cell> {
        if let Some(cell) = (self.cells.iter()).find(|cell| cell.number.to_string() == which) {
            return Ok(cell);
        }
        // Or an array that counts from 0 would make another cell than the one it means.
        let number = which.len() < 8 && which.chars().all(|c| c.is_ascii_digit());
        let named = |cell: &&Cell| !number && cell.address.starts_with(which);
        match &Vec::from_iter(self.cells.iter().filter(named))[..] {
            [cell] => Ok(cell),
            _ => {
                let expected = format!(
                    "1 to {}, or how the address of one cell begins",
                    self.cells.len()
                );
                Err(Error::setting("cell", which, expected))
            }
        }
    }

    /// The result of a cell, if it is there.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Input`], naming the file, if it cannot be used.
    pub fn result(&self, cell: &Cell) -> Result<Option<CellResult>> {
        self.folder.cell(&cell.address)
    }

    /// What was measured of a cell, if it is there: a profile for each of its measurements, with the cell's
    /// name.
    ///
    /// # Errors
    ///
    /// As [`result`](Self::result).
    pub fn profiles(&self, cell: &Cell) -> Result<Option<Vec<Profile>>> {
        let Some(result) = self.result(cell)? else {
            return Ok(None);
        };
        let (seed, versions) = (self.study.evaluation_seed, Versions::of(&self.device));
        let each = cell.measurements.iter().zip(&result.measured);
        let profile = |((at, _), measured): (&(usize, _), &Measured)| {
            let profile = measured.profile(&self.study.measurements[*at], seed, &versions)?;
            Ok(profile.with_name(cell.to_string()))
        };
        each.map(profile).collect::<Result<_>>().map(Some)
    }

    /// The file of a cell's weights, if it is trained.
    ///
    /// # Errors
    ///
    /// As [`result`](Self::result).
    pub fn weights(&self, cell: &Cell) -> Result<Option<PathBuf>> {
        Ok(self
            .folder
            .trained(&cell.trained)?
            .map(|(_, weights)| weights))
    }

    /// The software and the device.
    pub(crate) fn versions(&self) -> Versions {
        Versions::of(&self.device)
    }

    /// The ids of a measurement's images.
    pub(crate) fn ids(&self, measurement: usize) -> Vec<u64> {
        self.images.tests[measurement].ids()
    }

    pub(crate) fn train_images(&self) -> usize {
        self.images.train.len()
    }

    pub(super) fn test_images(&self, measurement: usize) -> usize {
        self.images.tests[measurement].len()
    }
}
