use super::address::Address;
use super::cell::Cell;
use super::folder::Claim;
use super::measured::Measured;
use super::result::{CELL_SCHEMA, CellResult, CellTimes, Part, TrainedRecord};
use super::shard::Shard;
use super::work::Work;
use crate::attack::Frozen;
use crate::base::Result;
use crate::data::{DataSummary, ImageSet};
use crate::evaluate::Versions;
use crate::model::{Model, ModelSpec};
use crate::train::EpochRecord;
use std::time::Instant;

// Images that are measured at once: what is lost at most if a process is killed, and the smallest share of a
// measurement.
const PART: usize = 500;

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

impl Work {
    /// Trains and measures a cell, or what is left of it to do.
    ///
    /// # Errors
    ///
    /// What training and measuring fail with, [`Error::Io`](crate::base::Error::Io), and
    /// [`Error::Input`](crate::base::Error::Input) for files in the folder that
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
        let others = self.others(cell)?;
        // Where other machines have measured all of it, their record of the training is enough.
        let there = match self.folder.record(&cell.trained)? {
            Some(record) => {
                let known = known(&others, &record);
                self.there(cell, &known)?.map(|there| (record, there))
            }
            None => None,
        };
        let (record, (measured, measuring)) = match there {
            Some(there) => there,
            None => {
                let (record, network) = self.network(cell, &claim, &mut tell)?;
                let known = known(&others, &record);
                let victim = Frozen::from_shared(network.inference());
                let (mut measured, mut measuring) = (Vec::new(), 0.0);
                for (at, of) in &cell.measurements {
                    if let Some(known) = known.iter().find(|known| known.of == *of) {
                        measured.push((*known).clone());
                        continue;
                    }
                    let all = (Shard::ALL, 0);
                    let (found, seconds) =
                        self.measure(cell, (*at, of), &victim, all, &mut tell)?;
                    measured.push(found.expect("all of its parts"));
                    measuring += seconds;
                }
                (record, (measured, measuring))
            }
        };
        let seconds = record.history.iter().map(|epoch| epoch.seconds);
        let times = CellTimes {
            epochs: seconds.collect(),
            measuring,
            versions: Versions::of(&self.device),
            machine: machine(),
        };
        let result = CellResult {
            schema: CELL_SCHEMA,
            settings: cell.settings.clone(),
            trained: cell.trained.clone(),
            parameters: record.parameters,
            history: untimed(&record.history),
            measured,
            digest: None,
        }
        .sealed();
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
        let Some((record, weights)) = self.folder.trained(&cell.trained)? else {
            return Ok(false);
        };
        let network = self.spec(cell)?.load(weights, &self.device)?;
        let victim = Frozen::from_shared(network.inference());
        let others = self.others(cell)?;
        let known = known(&others, &record);
        let mut first = 0;
        for (at, of) in &cell.measurements {
            if known.iter().all(|known| known.of != *of) {
                self.measure(cell, (*at, of), &victim, (share, first), &mut tell)?;
            }
            first += self.images.tests[*at].len().div_ceil(PART);
        }
        Ok(true)
    }

    pub(super) fn spec(&self, cell: &Cell) -> Result<ModelSpec> {
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
            digest: None,
        };
        self.folder.keep(&cell.trained, record.clone(), |path| {
            network.save_record(path)
        })?;
        // What is left of it only takes room.
        let _ = std::fs::remove_dir_all(&directory);
        Ok((record, network))
    }

    /// Other cells of the same training.
    fn others(&self, cell: &Cell) -> Result<Vec<CellResult>> {
        let mut others = Vec::new();
        for address in self.folder.all_cells()? {
            if address == cell.address {
                continue;
            }
            // A damaged file of another study is not this cell's business.
            if let Ok(Some(other)) = self.folder.cell(&address)
                && other.trained == cell.trained
            {
                others.push(other);
            }
        }
        Ok(others)
    }

    /// All measurements of a cell with their seconds, if every part of those that are not known is there.
    fn there(&self, cell: &Cell, known: &[&Measured]) -> Result<Option<(Vec<Measured>, f64)>> {
        let (mut measured, mut seconds) = (Vec::new(), 0.0);
        for (at, of) in &cell.measurements {
            if let Some(known) = known.iter().find(|known| known.of == *of) {
                measured.push((*known).clone());
                continue;
            }
            let (set, mut parts) = (&self.images.tests[*at], Vec::new());
            for from in (0..set.len()).step_by(PART) {
                let Some(part) = self.folder.read_part(&cell.trained, of, from)? else {
                    return Ok(None);
                };
                seconds += part.seconds;
                parts.push(part.measured);
            }
            measured.push(Measured::joined(parts, DataSummary::of(set))?);
        }
        Ok(Some((measured, seconds)))
    }

    /// A share of a measurement, part by part, of which the first has this place among those of all measurements:
    /// or the first share would have a part of each. The whole of it if the share is all of it.
    fn measure(
        &self,
        cell: &Cell,
        (at, of): (usize, &Address),
        victim: &Frozen,
        (share, first): (Shard, usize),
        tell: &mut dyn FnMut(Step),
    ) -> Result<(Option<Measured>, f64)> {
        let (measurement, set) = (&self.study.measurements[at], &self.images.tests[at]);
        let evaluation = measurement.evaluation(self.study.evaluation_seed);
        let victim = victim.clone().with_numerics(measurement.numerics);
        let (mut parts, mut seconds) = (Vec::new(), 0.0);
        for (place, from) in (0..set.len()).step_by(PART).enumerate() {
            if !share.has(first + place) {
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

/// What was measured of the very network that was trained so: of one by another version of the kernels, which round
/// otherwise, the history differs.
fn known<'a>(others: &'a [CellResult], record: &TrainedRecord) -> Vec<&'a Measured> {
    let history = untimed(&record.history);
    let same = others.iter().filter(|other| other.history == history);
    same.flat_map(|other| &other.measured).collect()
}

fn untimed(history: &[EpochRecord]) -> Vec<EpochRecord> {
    let untimed = |epoch: &EpochRecord| EpochRecord {
        seconds: 0.0,
        ..epoch.clone()
    };
    history.iter().map(untimed).collect()
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
