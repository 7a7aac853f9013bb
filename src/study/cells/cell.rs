use super::address::Address;
use crate::base::{Error, Result};
use crate::data::{DataSummary, ImageSet};
use crate::study::settings::{Measurement, NetworkPlan, Study, TrainingPlan};
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;

/// The version of results. It grows when a change of this crate changes what the same settings give, beyond
/// rounding: cells of another version are other cells.
pub const RESULTS: u32 = 1;

/// One network, trained once and measured: the unit of work of a study.
///
/// It is called by the [`Address`] of all settings that determine its result, contents of images and of files
/// of weights included. Names, titles and folders do not, so that studies share the cells that they have in
/// common.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Its number in the plan, counted from 1.
    pub number: usize,
    /// The network's name.
    pub network: String,
    /// The training's name.
    pub training: String,
    /// The seed.
    pub seed: u64,
    /// When its turn comes: smaller numbers first.
    pub priority: u32,
    /// The address of its result.
    pub address: Address,
    /// The address of its trained network, whatever is measured of it.
    pub trained: Address,
    /// All settings that determine its result.
    pub settings: Value,
    /// The measurements of the study, by their places, with their addresses.
    pub(crate) measurements: Vec<(usize, Address)>,
}

/// For example `GCNN, PGD 0.1, seed 3`.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, seed {}", self.network, self.training, self.seed)
    }
}

/// The images of a study, as cells are called by them.
pub(super) struct Images {
    pub train: ImageSet,
    pub watched: ImageSet,
    /// Of every measurement.
    pub tests: Vec<ImageSet>,
    /// Of the scans.
    pub scanned: ImageSet,
}

// What determines results of the images: not their name.
pub(super) fn content(set: &ImageSet) -> Value {
    let DataSummary { images, digest, .. } = DataSummary::of(set);
    json!({"images": images, "shape": set.shape(), "classes": set.classes(), "digest": digest})
}

/// The study's cells in the order in which their turn comes: by priority, then by the place of the seed in its
/// list, then by training, then by network.
pub(super) fn cells(study: &Study, images: &Images) -> Result<Vec<Cell>> {
    let [train, watched] = [&images.train, &images.watched].map(content);
    let measured = |(measurement, set): (&Measurement, &ImageSet)| {
        let settings = json!({
            "axes": measurement.axes,
            "images": content(set),
            "numerics": measurement.numerics,
            "seed": study.evaluation_seed,
        });
        (Address::of(&settings), settings)
    };
    let measured = Vec::from_iter(study.measurements.iter().zip(&images.tests).map(measured));
    let mut weights = Vec::new();
    for network in &study.networks {
        weights.push(digest_of_weights(network)?);
    }
    let mut cells = Vec::new();
    for (at, training) in study.trainings.iter().enumerate() {
        for (of, network) in study.networks.iter().enumerate() {
            let wanted = training.networks.as_ref();
            if wanted.is_some_and(|names| !names.contains(&network.name)) {
                continue;
            }
            for (place, &seed) in training.seeds.iter().enumerate() {
                let mut trained = json!({
                    "results": RESULTS,
                    "network": network.seeded(seed)?,
                });
                if let Some(digest) = &weights[of] {
                    trained["weights"] = json!(digest);
                }
                if let Some(settings) = training.training(seed) {
                    trained["training"] = json!(settings);
                    trained["train images"] = train.clone();
                    trained["watched images"] = watched.clone();
                }
                let here = |(at, _): &(usize, &(Address, Value))| {
                    let only = &study.measurements[*at].only;
                    only.includes(&network.name, &training.name, seed)
                };
                let here = Vec::from_iter(measured.iter().enumerate().filter(here));
                let settings = json!({
                    "trained": trained,
                    "measured": here.iter().map(|(_, (_, settings))| settings).collect::<Vec<_>>(),
                });
                let order = (training.priority_at(place), place, at, of);
                let cell = Cell {
                    number: 0,
                    network: network.name.clone(),
                    training: training.name.clone(),
                    seed,
                    priority: order.0,
                    address: Address::of(&settings),
                    trained: Address::of(&settings["trained"]),
                    settings,
                    measurements: here
                        .into_iter()
                        .map(|(at, (of, _))| (at, of.clone()))
                        .collect(),
                };
                cells.push((order, cell));
            }
        }
    }
    cells.sort_by_key(|(order, _)| *order);
    let numbered = |(at, (_, cell)): (usize, (_, Cell))| Cell {
        number: at + 1,
        ..cell
    };
    Ok(cells.into_iter().enumerate().map(numbered).collect())
}

fn digest_of_weights(network: &NetworkPlan) -> Result<Option<Address>> {
    let read = |file: &PathBuf| {
        let bytes = std::fs::read(file).map_err(|error| Error::io(file, error))?;
        Ok(Address::of_bytes(&bytes))
    };
    network.weights.as_ref().map(read).transpose()
}

impl Study {
    /// The plan of a cell's network and training.
    pub(crate) fn plans(&self, cell: &Cell) -> Option<(&NetworkPlan, &TrainingPlan)> {
        let network = self
            .networks
            .iter()
            .find(|plan| plan.name == cell.network)?;
        let training = self
            .trainings
            .iter()
            .find(|plan| plan.name == cell.training)?;
        Some((network, training))
    }

    /// The images of every measurement, and those that are trained on.
    pub(super) fn images(&self) -> Result<Images> {
        let splits = self.data.load()?;
        for network in &self.networks {
            network.check(splits.test.shape(), splits.test.classes())?;
        }
        let tests = self
            .measurements
            .iter()
            .map(|m| self.data.some_of(&splits.test, m.images));
        Ok(Images {
            // burn-train measures after every epoch; nothing is chosen by it, so few images do.
            watched: self.data.some_of(&splits.test, Some(WATCHED))?,
            tests: tests.collect::<Result<_>>()?,
            scanned: self.data.some_of(&splits.test, self.scans.images)?,
            train: splits.train,
        })
    }
}

// Test images whose accuracy the history of a training shows.
const WATCHED: usize = 100;
