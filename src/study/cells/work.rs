use super::address::Address;
use super::cell::{self, Cell, Images};
use super::folder::{CELL_SCHEMA, CellResult, CellTimes, Claim, Folder, Part, TrainedRecord};
use super::measured::Measured;
use super::shard::Shard;
use crate::attack::Frozen;
use crate::base::{Error, Result};
use crate::data::{DataSummary, ImageSet};
use crate::evaluate::{Profile, Versions};
use crate::model::{Model, ModelSpec};
use crate::study::settings::Study;
use crate::train::{EpochRecord, Progress};
use burn::tensor::Device;
use std::path::{Path, PathBuf};
use std::time::Instant;

// Images that are measured at once: what is lost at most if a process is killed, and the smallest share of a
// measurement.
const PART: usize = 500;

/// A study at work in a folder.
///
/// | in the folder | |
/// |---|---|
/// | `cells/<address>.json` | what came of each cell |
/// | `times/<address>.json` | how long it took, and where |
/// | `models/<address>.bpk`, `.json` | weights and training of each network |
/// | `trainings/`, `parts/`, `claims/` | what is not done yet; empty once all is |
///
/// Processes may work in one folder at the same time, and may be killed at any moment: a network is trained by
/// one of them only (an advisory lock that ends with its process says by whom), goes on from its last
/// checkpoint, and is measured in parts, none of them twice.
pub struct Work {
    pub(super) study: Study,
    pub(super) folder: Folder,
    pub(super) device: Device,
    images: Images,
    cells: Vec<Cell>,
    progress: Progress,
}

/// What a [`Work`] has to tell while it is at a cell.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// It trains the network.
    Training,
    /// It measures it: so much of so much is done, in units of about one forward pass of one image.
    Measuring {
        /// The measurement's name.
        measurement: &'a str,
        /// What is done.
        done: usize,
        /// What there is to do.
        total: usize,
    },
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// It is made now.
    Now(CellResult, CellTimes),
    /// It was there already.
    Before(CellResult),
    /// Another process is at it.
    Elsewhere,
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

    /// The cell of this number in the plan, or whose address begins with these digits.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is none, or more than one.
    pub fn cell(&self, which: &str) -> Result<&Cell> {
        let number: Option<usize> = which.parse().ok();
        if let Some(cell) = self.cells.iter().find(|cell| Some(cell.number) == number) {
            return Ok(cell);
        }
        let named = |cell: &&Cell| !which.is_empty() && cell.address.starts_with(which);
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

    /// Trains and measures a cell, or what is left of it to do.
    ///
    /// # Errors
    ///
    /// What training and measuring fail with, [`Error::Io`], and [`Error::Input`] for files in the folder that
    /// cannot be used.
    pub fn run_cell(&self, cell: &Cell, mut tell: impl FnMut(Step)) -> Result<Made> {
        if let Some(result) = self.result(cell)? {
            return Ok(Made::Before(result));
        }
        let Some(claim) = self.folder.claim(&cell.trained)? else {
            return Ok(Made::Elsewhere);
        };
        // Somebody may have made it before it was claimed.
        if let Some(result) = self.result(cell)? {
            claim.fulfilled();
            return Ok(Made::Before(result));
        }
        let (record, network) = self.network(cell, &claim, &mut tell)?;
        let victim = Frozen::from_shared(network.inference());
        let (mut measured, mut measuring) = (Vec::new(), 0.0);
        for (at, of) in &cell.measurements {
            if let Some(known) = self.known(cell, of)? {
                measured.push(known);
                continue;
            }
            let (found, seconds) = self.measure(cell, *at, of, &victim, Shard::ALL, &mut tell)?;
            measured.push(found.expect("all of its parts"));
            measuring += seconds;
        }
        let seconds = record.history.iter().map(|epoch| epoch.seconds);
        let times = CellTimes {
            epochs: seconds.collect(),
            measuring,
            versions: Versions::of(&self.device),
            machine: machine(),
        };
        let untimed = |epoch: EpochRecord| EpochRecord {
            seconds: 0.0,
            ..epoch
        };
        let result = CellResult {
            schema: CELL_SCHEMA,
            settings: cell.settings.clone(),
            trained: cell.trained.clone(),
            parameters: record.parameters,
            history: record.history.into_iter().map(untimed).collect(),
            measured,
        };
        self.folder
            .write_cell(&cell.address, &result, Some(&times))?;
        for (at, of) in &cell.measurements {
            for from in (0..self.images.tests[*at].len()).step_by(PART) {
                self.folder.remove_part(&cell.trained, of, from);
            }
        }
        claim.fulfilled();
        Ok(Made::Now(result, times))
    }

    /// Measures one share of a cell's images, and trains its network first if that is not done: so several
    /// processes may measure one network. Whoever runs the cell afterwards, in this folder or in one that the
    /// shares were [joined](crate::study::join) in, finds them.
    ///
    /// Gives whether the share is there: it is not while another process trains the network.
    ///
    /// # Errors
    ///
    /// As [`run_cell`](Self::run_cell).
    pub fn measure_share(
        &self,
        cell: &Cell,
        share: Shard,
        mut tell: impl FnMut(Step),
    ) -> Result<bool> {
        if self.folder.has_cell(&cell.address) {
            return Ok(true);
        }
        if self.folder.trained(&cell.trained)?.is_none() {
            let Some(claim) = self.folder.claim(&cell.trained)? else {
                return Ok(false);
            };
            self.network(cell, &claim, &mut tell)?;
        }
        let Some((_, weights)) = self.folder.trained(&cell.trained)? else {
            return Ok(false);
        };
        let network = self.spec(cell)?.load(weights, &self.device)?;
        let victim = Frozen::from_shared(network.inference());
        for (at, of) in &cell.measurements {
            if self.known(cell, of)?.is_none() {
                self.measure(cell, *at, of, &victim, share, &mut tell)?;
            }
        }
        Ok(true)
    }

    fn spec(&self, cell: &Cell) -> Result<ModelSpec> {
        let (network, _) = self.study.plans(cell).expect("a cell of this study");
        network.seeded(cell.seed)
    }

    /// The trained network: the one that is there, or a new one.
    fn network(
        &self,
        cell: &Cell,
        claim: &Claim,
        tell: &mut dyn FnMut(Step),
    ) -> Result<(TrainedRecord, Box<dyn Model>)> {
        let spec = self.spec(cell)?;
        if let Some((record, weights)) = self.folder.trained(&cell.trained)? {
            return Ok((record, spec.load(weights, &self.device)?));
        }
        tell(Step::Training);
        let (network, training) = self.study.plans(cell).expect("a cell of this study");
        let begun = match &network.weights {
            Some(weights) => spec.load(weights, &self.device)?,
            None => spec.init(&self.device)?,
        };
        let directory = self.folder.training(&cell.trained, claim);
        let (network, history) = match training.training(cell.seed) {
            None => (begun, Vec::new()),
            Some(training) => {
                let training = training
                    .with_directory(&directory)
                    .with_resume(true)
                    .with_progress(self.progress)
                    .with_label(cell.to_string());
                let (train, watched) = (&self.images.train, &self.images.watched);
                let trained = training.fit_any(&spec, begun, train, watched, &self.device)?;
                let best = trained.best.map(|best| best.model);
                (best.unwrap_or(trained.model), trained.history)
            }
        };
        let record = TrainedRecord {
            parameters: parameters(&*network),
            history,
        };
        self.folder
            .keep(&cell.trained, &record, |path| network.save_record(path))?;
        // What is left of it only takes room.
        let _ = std::fs::remove_dir_all(&directory);
        Ok((record, network))
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

    /// What another cell of the same trained network has of this measurement.
    fn known(&self, cell: &Cell, of: &Address) -> Result<Option<Measured>> {
        for address in self.folder.all_cells()? {
            if address == cell.address {
                continue;
            }
            // A damaged file of another study is not this cell's business.
            let Ok(Some(other)) = self.folder.cell(&address) else {
                continue;
            };
            if other.trained == cell.trained
                && let Some(found) = other
                    .measured
                    .into_iter()
                    .find(|measured| measured.of == *of)
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// A share of a measurement, part by part; the whole of it if the share is all of it.
    fn measure(
        &self,
        cell: &Cell,
        at: usize,
        of: &Address,
        victim: &Frozen,
        share: Shard,
        tell: &mut dyn FnMut(Step),
    ) -> Result<(Option<Measured>, f64)> {
        let (measurement, set) = (&self.study.measurements[at], &self.images.tests[at]);
        let evaluation = measurement.evaluation(self.study.evaluation_seed);
        let victim = victim.clone().with_numerics(measurement.numerics);
        let (mut parts, mut seconds) = (Vec::new(), 0.0);
        for (place, from) in (0..set.len()).step_by(PART).enumerate() {
            if !share.has(place) {
                continue;
            }
            let part = match self.folder.read_part(&cell.trained, of, from)? {
                Some(part) => part,
                None => {
                    let some = part_of(set, from);
                    let started = Instant::now();
                    let before = from * 1000;
                    let profile = evaluation.run_with_progress(
                        &victim,
                        &some,
                        &self.device,
                        |done, all| {
                            let here = 1000 * some.len() * done / all.max(1);
                            tell(Step::Measuring {
                                measurement: &measurement.name,
                                done: before + here,
                                total: 1000 * set.len(),
                            });
                        },
                    )?;
                    let part = Part {
                        trained: cell.trained.clone(),
                        from,
                        measured: Measured::of(&profile, of.clone())?,
                        seconds: started.elapsed().as_secs_f64(),
                    };
                    self.folder.write_part(&part)?;
                    part
                }
            };
            seconds += part.seconds;
            parts.push(part.measured);
        }
        let whole = (share == Shard::ALL).then(|| Measured::joined(parts, DataSummary::of(set)));
        Ok((whole.transpose()?, seconds))
    }
}

fn part_of(set: &ImageSet, from: usize) -> ImageSet {
    set.subset(&Vec::from_iter(from..set.len().min(from + PART)))
}

fn parameters(network: &dyn Model) -> usize {
    let state = network.state_dict();
    let sizes = state
        .names()
        .filter_map(|name| Some(state.shape(name)?.iter().product::<usize>()));
    sizes.sum()
}

fn machine() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = std::env::var("RAYON_NUM_THREADS").unwrap_or(threads.to_string());
    let (system, processor) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{system}, {processor}, {threads} threads")
}
