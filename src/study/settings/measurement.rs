use super::axis;
use crate::base::{Error, Result, Seed};
use crate::evaluate::{Axis, Evaluation};
use crate::kernel::Numerics;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Axes that networks are measured along, all on the same images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Measurement {
    /// Its name, the heading of its tables.
    #[setters(skip)]
    pub name: String,
    /// So many of the study's test images, as many of each class; all if it is not said or there are fewer.
    /// Those of a smaller measurement are among those of a larger one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(strip_option)]
    pub images: Option<usize>,
    /// What is varied: each as an [`Axis`], or by the name of the function that makes it, with what that
    /// takes: `{"axis": "angles", "levels": [30, 180], "draws": 4}`, `{"axis": "epsilons", "attack": …,
    /// "levels": …}`, `{"axis": "attacked_poses", "attack": …, "poses": [[30, 3]], "epsilons": [0.1]}`;
    /// with `name`, `title` and `label` if it is to be called otherwise, as two alike must be.
    #[serde(deserialize_with = "axis::read")]
    #[setters(skip)]
    pub axes: Vec<Axis>,
    /// The arithmetic of the attacks' gradients.
    #[serde(default)]
    pub numerics: Numerics,
    /// The cells that are measured so; all if it is not said.
    #[serde(default, skip_serializing_if = "Only::is_all")]
    pub only: Only,
}

/// Some of a study's cells: those whose network, training and seed are all named, where any are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Only {
    /// These networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<Vec<String>>,
    /// These trainings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainings: Option<Vec<String>>,
    /// These seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Vec<u64>>,
}

impl Only {
    fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the cell is one of them.
    pub fn includes(&self, network: &str, training: &str, seed: u64) -> bool {
        let named = |among: &Option<Vec<String>>, name: &str| {
            among
                .as_ref()
                .is_none_or(|names| names.iter().any(|n| n == name))
        };
        named(&self.networks, network)
            && named(&self.trainings, training)
            && self
                .seeds
                .as_ref()
                .is_none_or(|seeds| seeds.contains(&seed))
    }
}

impl Measurement {
    /// All test images, along no axis yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            images: None,
            axes: Vec::new(),
            numerics: Numerics::default(),
            only: Only::default(),
        }
    }

    /// With this axis after those that there are.
    pub fn with_axis(mut self, axis: Axis) -> Self {
        self.axes.push(axis);
        self
    }

    /// What it measures of one network.
    pub fn evaluation(&self, seed: Seed) -> Evaluation {
        let mut evaluation = Evaluation::new().with_seed(seed);
        evaluation.axes = self.axes.clone();
        evaluation
    }

    pub(super) fn check(&self, networks: &[&str], trainings: &[&str]) -> Result<()> {
        let name = &self.name;
        Error::unless(!name.is_empty(), "measurements: name", "``", "a name")?;
        let of = |what: &str| format!("measurement `{name}`: {what}");
        Error::unless(self.images != Some(0), of("images"), 0, "at least one")?;
        let check = self.evaluation(Seed(0)).check();
        check.map_err(|error| error.within(&of("axes")))?;
        for (what, wanted, there) in [
            ("networks", &self.only.networks, networks),
            ("trainings", &self.only.trainings, trainings),
        ] {
            for name in wanted.iter().flatten() {
                let expected = format!("one of: {}", there.join(", "));
                let known = there.contains(&name.as_str());
                Error::unless(known, of(&format!("only {what}")), name, expected)?;
            }
        }
        for axis in &self.axes {
            let parts = |at: usize| axis.levels.get(at).map(|level| level.parts().len());
            let alike = (0..axis.levels.len()).all(|at| parts(at) == parts(0));
            let what = format!("levels of axis `{}`", axis.name);
            let expected = "all numbers, or lists of as many numbers";
            Error::unless(alike, of(&what), "of different lengths", expected)?;
        }
        Ok(())
    }
}
