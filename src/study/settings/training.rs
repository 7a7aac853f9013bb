use super::curriculum;
use crate::base::{Error, Result};
use crate::curriculum::Curriculum;
use crate::train::{Augmentation, ObjectiveSpec, PaceSpec, RobustValidation, Training};
use crate::transform::Warp;
use derive_setters::Setters;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A way to train networks, with the seeds that each is trained from.
///
/// Without objective and curriculum networks are measured as they are: with the weights of their file, or
/// with random ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct TrainingPlan {
    /// Its name in tables and plots.
    #[setters(skip)]
    pub name: String,
    /// What is learnt from a batch: `"natural"`, or `{"objective": "trades", "beta": 6.0}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(into, strip_option)]
    pub objective: Option<ObjectiveSpec>,
    /// Budgets, strength of attack and learning rate of every epoch. In a file all fields of
    /// [`Curriculum`] but `epochs` may be left out: they are those of [`Curriculum::new`], or of the
    /// `preset` that is named ([`Preset`](crate::curriculum::Preset)), scaled to `epochs`. `arm` names an
    /// ablation of all that, or several one after the other: `"fixed"`, `"fixed_pose"`,
    /// `"fixed_epsilon"`, `"reversed"`, `"pose_only"`, `"pixels_only"`, `"natural"`, `"uncoupled"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "curriculum::read")]
    #[setters(strip_option)]
    pub curriculum: Option<Curriculum>,
    /// How images are moved before. In a file also by name: `"nearest"`, `"bilinear"`,
    /// `"cifar_claim_a"`, `"cifar_trades"`, `"cifar_cusp"`.
    #[serde(default, deserialize_with = "augmentation")]
    pub augmentation: Augmentation,
    /// Images in a batch, 128 if it is not said.
    #[serde(default = "batch_size")]
    pub batch_size: usize,
    /// Momentum of stochastic gradient descent, 0.9 if it is not said.
    #[serde(default = "momentum")]
    pub momentum: f64,
    /// Weight decay, 5·10⁻⁴ if it is not said.
    #[serde(default = "weight_decay")]
    pub weight_decay: f64,
    /// How the training goes through the curriculum, if not epoch by epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(into, strip_option)]
    pub pace: Option<PaceSpec>,
    /// How robustness is measured while training; the model of the best epoch is then the one that is
    /// measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(strip_option)]
    pub robust: Option<RobustValidation>,
    /// Seeds of weights, order, poses and attacks: a network is trained from each.
    #[serde(default = "seeds")]
    #[setters(into)]
    pub seeds: Vec<u64>,
    /// The networks that are trained so, by name; all if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(strip_option)]
    pub networks: Option<Vec<String>>,
    /// When its turn comes: the cells of priority 0 before those of priority 1, and so on, so that the
    /// last ones are missing if time runs out. One number, or one for each seed.
    #[serde(default)]
    #[setters(into)]
    pub priority: Priority,
}

fn batch_size() -> usize {
    128
}

fn momentum() -> f64 {
    0.9
}

fn weight_decay() -> f64 {
    5e-4
}

fn seeds() -> Vec<u64> {
    vec![0]
}

/// When the turn of a training's cells comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Priority {
    /// At the same time from all seeds.
    Same(u32),
    /// One for each seed.
    BySeed(Vec<u32>),
}

impl Default for Priority {
    fn default() -> Self {
        Self::Same(0)
    }
}

impl From<u32> for Priority {
    fn from(priority: u32) -> Self {
        Self::Same(priority)
    }
}

impl TrainingPlan {
    /// Networks as they are: not trained.
    pub fn given(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            objective: None,
            curriculum: None,
            augmentation: Augmentation::default(),
            batch_size: batch_size(),
            momentum: momentum(),
            weight_decay: weight_decay(),
            pace: None,
            robust: None,
            seeds: seeds(),
            networks: None,
            priority: Priority::default(),
        }
    }

    /// A training by this curriculum and objective, with the settings of [`Training::new`], seed 0.
    pub fn new(
        name: impl Into<String>,
        curriculum: Curriculum,
        objective: impl Into<ObjectiveSpec>,
    ) -> Self {
        Self::given(name)
            .with_curriculum(curriculum)
            .with_objective(objective)
    }

    /// The training from this seed; nothing if networks are taken as they are.
    pub(crate) fn training(&self, seed: u64) -> Option<Training> {
        let (curriculum, objective) = (self.curriculum.clone()?, self.objective.clone()?);
        let mut training = Training::new(curriculum, objective)
            .with_augmentation(self.augmentation)
            .with_batch_size(self.batch_size)
            .with_momentum(self.momentum)
            .with_weight_decay(self.weight_decay)
            .with_seed(seed);
        training.pace = self.pace.clone();
        training.robust = self.robust.clone();
        Some(training)
    }

    /// The priority of the seed at this place of the list.
    pub(crate) fn priority_at(&self, place: usize) -> u32 {
        match &self.priority {
            Priority::Same(priority) => *priority,
            Priority::BySeed(each) => each.get(place).copied().unwrap_or_default(),
        }
    }

    pub(crate) fn check(&self, networks: &[&str]) -> Result<()> {
        let name = &self.name;
        Error::unless(!name.is_empty(), "trainings: name", "``", "a name")?;
        let of = |what: &str| format!("training `{name}`: {what}");
        let both = self.objective.is_some() == self.curriculum.is_some();
        let expected = "objective and curriculum, or neither";
        Error::unless(both, of("objective"), "one without the other", expected)?;
        if let Some(curriculum) = &self.curriculum {
            curriculum
                .check()
                .map_err(|error| error.within(&of("curriculum")))?;
        }
        if let Some(objective) = &self.objective {
            objective
                .check()
                .map_err(|error| error.within(&of("objective")))?;
        }
        if let Some(training) = self.training(0) {
            (training.check_numbers()).map_err(|error| error.within(&of("settings")))?;
        }
        let seeds = format!("{:?}", self.seeds);
        let each_once = (1..self.seeds.len()).all(|at| !self.seeds[..at].contains(&self.seeds[at]));
        let some = !self.seeds.is_empty() && each_once;
        Error::unless(some, of("seeds"), &seeds, "at least one, each once")?;
        if let Priority::BySeed(each) = &self.priority {
            let found = format!("{each:?}");
            let expected = format!("one for each of the seeds {seeds}");
            Error::unless(
                each.len() == self.seeds.len(),
                of("priority"),
                found,
                expected,
            )?;
        }
        for wanted in self.networks.iter().flatten() {
            let expected = format!("one of: {}", networks.join(", "));
            Error::unless(
                networks.contains(&wanted.as_str()),
                of("networks"),
                wanted,
                expected,
            )?;
        }
        Ok(())
    }
}

fn augmentation<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Augmentation, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(name) => match name.as_str() {
            "nearest" => Ok(Augmentation::default()),
            "bilinear" => Ok(Augmentation::new(Warp::bilinear())),
            "cifar_claim_a" => Ok(Augmentation::cifar_claim_a()),
            "cifar_trades" => Ok(Augmentation::cifar_trades()),
            "cifar_cusp" => Ok(Augmentation::cifar_cusp()),
            _ => Err(D::Error::custom(format_args!(
                "augmentation `{name}`: expected nearest, bilinear, cifar_claim_a, cifar_trades, \
                 cifar_cusp, or its settings"
            ))),
        },
        Value::Object(given) => {
            let settings = serde_json::to_value(Augmentation::default());
            let mut settings = settings.map_err(D::Error::custom)?;
            let all: &mut Map<String, Value> = settings.as_object_mut().expect("named settings");
            all.extend(given);
            serde_json::from_value(settings).map_err(D::Error::custom)
        }
        other => Err(D::Error::custom(format_args!(
            "augmentation {other}: expected a name or its settings"
        ))),
    }
}
