//! What a study is: plain values, read from a file.

mod axis;
mod curriculum;
mod data;
mod endpoint;
mod measurement;
mod network;
mod scans;
mod series;
mod training;
mod written;

pub use data::{
    Cifar10, Cifar100, DataPlan, EmbeddedMnist, ImageFolders, Mnist, Source, SourceSpec,
};
pub use endpoint::{ArmName, Contrast, EndpointPlan};
pub use measurement::{Measurement, Only};
pub use network::NetworkPlan;
pub use scans::Scans;
pub use series::{Place, PlanePlan, SeriesPlan};
pub use training::{Priority, TrainingPlan};

use crate::base::{Error, Result, Seed};
use crate::evaluate::{Estimand, Level};
use crate::study::verdicts::Pairing;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// The settings of a study: which networks are trained how, from which seeds, what is measured of them, and
/// which questions that is to answer.
///
/// In a file a training has the fields of `common` where it says nothing of its own (of its curriculum too,
/// field by field), and `null` says that it has not. Unknown fields are refused.
///
/// ```
/// use fireproof::study::Study;
///
/// let study = Study::from_json(r#"{
///     "title": "Do rotations cost robustness?",
///     "data": {"images": "embedded_mnist", "train": 1000},
///     "networks": [{"name": "GCNN", "model":
///         {"model": "cnn", "group": "p4", "image": [1, 28, 28], "classes": 10, "batch_norm": true}}],
///     "common": {"objective": "natural", "batch_size": 50, "seeds": [1, 2],
///                "curriculum": {"epochs": 4, "learning_rate": 0.05}},
///     "trainings": [{"name": "nothing"}, {"name": "±60°", "curriculum": {"angle": 60}}],
///     "measurements": [{"name": "attacks", "images": 500, "axes":
///         [{"axis": "epsilons", "attack": {"attack": "pgd", "norm": "linf", "epsilon": 0}, "levels": [0.1]}]}],
///     "endpoints": [{"name": "cost", "networks": ["GCNN"], "axis": "epsilons", "level": 0.1,
///                    "contrast": {"difference": ["±60°", "nothing"]}, "claimed": "falls"}]
/// }"#)?;
/// assert_eq!(study.trainings[1].curriculum.as_ref().unwrap().stage(1).angle.0, 60.0);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(try_from = "written::Written")]
#[setters(prefix = "with_")]
pub struct Study {
    /// What it is about, in a line.
    #[setters(skip)]
    pub title: String,
    /// What a reader should know besides, in sentences.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[setters(into)]
    pub about: String,
    /// The images.
    #[setters(skip)]
    pub data: DataPlan,
    /// The seed of poses and random starts in measurements: the same for all networks.
    #[setters(into)]
    pub evaluation_seed: Seed,
    /// The networks.
    pub networks: Vec<NetworkPlan>,
    /// How they are trained.
    pub trainings: Vec<TrainingPlan>,
    /// The share of its training images, moved and attacked as they are, that a network must get right in its last
    /// epoch, or nothing is concluded of it: 0.7 if it is not said. A hard task asks for less.
    #[serde(skip_serializing_if = "is_usual")]
    pub learned: f64,
    /// What is measured of them.
    pub measurements: Vec<Measurement>,
    /// The questions.
    pub endpoints: Vec<EndpointPlan>,
    /// Sections of the report; one of all trainings if there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesPlan>,
    /// What else is looked at in the trained networks.
    #[serde(skip_serializing_if = "Scans::is_unsaid")]
    pub scans: Scans,
}

fn usual() -> f64 {
    0.7
}

// As serde asks for it.
fn is_usual(learned: &f64) -> bool {
    *learned == usual()
}

impl Study {
    /// A study of these images, without networks yet.
    pub fn new(title: impl Into<String>, data: DataPlan) -> Self {
        Self {
            title: title.into(),
            about: String::new(),
            data,
            evaluation_seed: Seed(0),
            networks: Vec::new(),
            trainings: Vec::new(),
            learned: usual(),
            measurements: Vec::new(),
            endpoints: Vec::new(),
            series: Vec::new(),
            scans: Scans::default(),
        }
    }

    /// The study that this text says.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the text is no JSON or names what there is not; and as [`check`](Self::check).
    pub fn from_json(text: &str) -> Result<Self> {
        let study: Self = serde_json::from_str(text)
            .map_err(|error| Error::setting("study", error, "the settings of a study"))?;
        study.check()?;
        Ok(study)
    }

    /// The study in this file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; as [`from_json`](Self::from_json), naming the file.
    pub fn read(file: impl AsRef<Path>) -> Result<Self> {
        let file = file.as_ref();
        let text = fs::read_to_string(file).map_err(|error| Error::io(file, error))?;
        Self::from_json(&text).map_err(|error| error.within(&file.display().to_string()))
    }

    /// Refuses a study that cannot be meant.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for nothing to train or measure, names that are given twice or not at all, and what
    /// trainings, measurements and endpoints refuse.
    pub fn check(&self) -> Result<()> {
        let networks = names("networks", self.networks.iter().map(|n| n.name.as_str()))?;
        let trainings = names("trainings", self.trainings.iter().map(|t| t.name.as_str()))?;
        names(
            "measurements",
            self.measurements.iter().map(|m| m.name.as_str()),
        )?;
        names_of("endpoints", self.endpoints.iter().map(|e| e.name.as_str()))?;
        let axes = self.measurements.iter().flat_map(|m| &m.axes);
        names_of("axes", axes.map(|axis| axis.name.as_str()))?;
        for (what, count) in [("train", self.data.train), ("test", self.data.test)] {
            Error::unless(
                count != Some(0),
                format_args!("data: {what}"),
                0,
                "at least one",
            )?;
        }
        let share = (0.0..=1.0).contains(&self.learned);
        Error::unless(share, "learned", self.learned, "a share, from 0 to 1")?;
        for training in &self.trainings {
            training.check(&networks)?;
        }
        for measurement in &self.measurements {
            measurement.check(&networks, &trainings)?;
            let includes = |training: &TrainingPlan, network: &&str| {
                let trained = training.networks.as_ref();
                let trained = trained.is_none_or(|all| all.iter().any(|name| name == network));
                let seed = |&seed: &u64| measurement.only.includes(network, &training.name, seed);
                trained && training.seeds.iter().any(seed)
            };
            let some = (self.trainings.iter())
                .any(|training| networks.iter().any(|network| includes(training, network)));
            let of = format!("measurement `{}`: only", measurement.name);
            Error::unless(some, of, "no cell of the study", "at least one")?;
            let among = measurement.only.trainings.as_ref();
            let known = |seed: &&u64| {
                let mut trainings = self.trainings.iter();
                trainings.any(|t| {
                    t.seeds.contains(seed) && among.is_none_or(|names| names.contains(&t.name))
                })
            };
            let mut unknown = measurement.only.seeds.iter().flatten();
            if let Some(seed) = unknown.find(|seed| !known(seed)) {
                let of = format!("measurement `{}`: only seeds", measurement.name);
                return Err(Error::setting(
                    of,
                    seed,
                    "seeds that networks are trained from",
                ));
            }
        }
        self.scans.check()?;
        names_of("series", self.series.iter().map(|s| s.name.as_str()))?;
        let axes = self.measurements.iter().flat_map(|m| &m.axes);
        let axes = Vec::from_iter(axes.map(|axis| axis.name.as_str()));
        for series in &self.series {
            series.check(&networks, &trainings, &axes)?;
            for place in series
                .plane
                .iter()
                .flat_map(|plane| [&plane.spatial, &plane.adversarial])
            {
                let of = format!("series `{}`: plane", series.name);
                self.measurement_at(&of, &place.axis, &place.level)?;
            }
        }
        for endpoint in &self.endpoints {
            let measurement = self.measurement_of(endpoint)?;
            self.share_seeds(endpoint)?;
            endpoint.check(&networks, &trainings, |network, training| {
                let plan = self.trainings.iter().find(|plan| plan.name == training);
                plan.is_some_and(|plan| {
                    let trained = plan
                        .networks
                        .as_ref()
                        .is_none_or(|n| n.iter().any(|n| n == network));
                    let includes = |&seed: &u64| measurement.only.includes(network, training, seed);
                    trained && plan.seeds.iter().any(includes)
                })
            })?;
        }
        Ok(())
    }

    /// Refuses trainings that are compared seed by seed and have no seed in common.
    fn share_seeds(&self, endpoint: &EndpointPlan) -> Result<()> {
        let arms = endpoint.contrast.arms();
        let plan = |training: &str| self.trainings.iter().find(|plan| plan.name == training);
        let plans = Vec::from_iter(arms.iter().filter_map(|arm| plan(arm.training())));
        let Some((first, others)) = plans.split_first() else {
            return Ok(());
        };
        let mut seeds = first.seeds.iter();
        let shared = seeds.any(|seed| others.iter().all(|other| other.seeds.contains(seed)));
        let separate = endpoint.pairing() == Pairing::Separate;
        let of = format!("endpoint `{}`: seeds of its arms", endpoint.name);
        let expected = "at least one that all of them have";
        Error::unless(shared || separate, of, "none in common", expected)
    }

    /// The measurement that an endpoint looks at: the one with its axis, or for `clean` the one of the most
    /// images.
    pub(crate) fn measurement_of(&self, endpoint: &EndpointPlan) -> Result<&Measurement> {
        let of = format!("endpoint `{}`", endpoint.name);
        match &endpoint.level {
            Some(level) if endpoint.axis != "clean" => {
                self.measurement_at(&of, &endpoint.axis, level)
            }
            _ if endpoint.axis == "clean" => {
                let missing = || Error::setting(of, "clean", "a measurement");
                self.largest().ok_or_else(missing)
            }
            _ => self.measurement_over(&of, endpoint),
        }
    }

    /// The measurement with the surface that an endpoint is a mean over.
    fn measurement_over(&self, of: &str, endpoint: &EndpointPlan) -> Result<&Measurement> {
        let axes = self.measurements.iter().flat_map(|m| {
            let axes = m.axes.iter();
            axes.map(move |axis| (m, axis))
        });
        let mut axes = axes.filter(|(_, axis)| axis.name == endpoint.axis);
        let surface = axes.find(|(_, axis)| axis.is_surface());
        let expected = "a level, unless the axis is `clean` or a grid of poses and radii";
        let missing = || Error::setting(format!("{of}: level"), "none", expected);
        let (measurement, _) = surface.ok_or_else(missing)?;
        let shares = matches!(endpoint.estimand, Estimand::Accuracy | Estimand::Fooling);
        let (what, expected) = (
            format!("{of}: estimand"),
            "accuracy or fooling, over a surface",
        );
        Error::unless(shares, what, endpoint.estimand, expected)?;
        Ok(measurement)
    }

    /// The measurement of the most images, of those of all cells if there are any.
    pub(crate) fn largest(&self) -> Option<&Measurement> {
        let size = |m: &&Measurement| (m.only == Only::default(), m.images.unwrap_or(usize::MAX));
        self.measurements.iter().rev().max_by_key(size)
    }

    /// The measurement with this level of this axis.
    fn measurement_at(&self, of: &str, axis: &str, level: &Level) -> Result<&Measurement> {
        for measurement in &self.measurements {
            if let Some(axis) = measurement.axes.iter().find(|one| one.name == axis) {
                let levels = Vec::from_iter(axis.levels.iter().map(ToString::to_string)).join(", ");
                let known = axis.levels.iter().any(|known| known.is_near(level));
                let expected = format_args!("one of: {levels}");
                Error::unless(known, format_args!("{of}: level"), level, expected)?;
                return Ok(measurement);
            }
        }
        let axes = self.measurements.iter().flat_map(|m| &m.axes);
        let axes = Vec::from_iter(axes.map(|axis| axis.name.as_str())).join(", ");
        let expected = format!("one of: clean, {axes}");
        Err(Error::setting(format!("{of}: axis"), axis, expected))
    }
}

// Names of which there must be some.
fn names<'a>(what: &str, all: impl Iterator<Item = &'a str>) -> Result<Vec<&'a str>> {
    let all = names_of(what, all)?;
    Error::unless(!all.is_empty(), what, "none", "at least one")?;
    Ok(all)
}

fn names_of<'a>(what: &str, all: impl Iterator<Item = &'a str>) -> Result<Vec<&'a str>> {
    let all = Vec::from_iter(all);
    for (at, name) in all.iter().enumerate() {
        let known = all[..at].contains(name);
        Error::unless(
            !known,
            format_args!("{what}: name"),
            name,
            "a name of its own",
        )?;
    }
    Ok(all)
}
