use crate::base::{Error, Result};
use crate::evaluate::{At, Level};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// A question that a study declares before it has seen any result: a contrast between trainings, at one
/// level of one axis, in one estimand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Endpoint {
    /// Its name.
    #[setters(skip)]
    pub name: String,
    /// The networks that it is asked of, by name: of each in its own right. None where the arms say their
    /// networks themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[setters(into)]
    pub networks: Vec<String>,
    /// What is set against what.
    pub contrast: Contrast,
    /// The axis, or `clean`.
    pub axis: String,
    /// Its level; none for `clean`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(into, strip_option)]
    pub level: Option<Level>,
    /// What is compared.
    #[serde(default)]
    pub estimand: Estimand,
    /// The direction that the claim expects, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(strip_option)]
    pub expected: Option<Direction>,
    /// Effects whose interval stays within ± this much are none: a share, 0.02 if it is not said. Of a trend:
    /// from its first to its last arm.
    #[serde(default = "margin")]
    pub margin: f64,
    /// The endpoints of one family share their errors: p-values are adjusted after Holm over all of them.
    #[serde(default = "family")]
    #[setters(into)]
    pub family: String,
}

fn margin() -> f64 {
    0.02
}

fn family() -> String {
    "primary".to_owned()
}

/// Trainings set against each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Contrast {
    /// The first one minus the second one.
    Difference([Arm; 2]),
    /// From the first to the last one, by all of them: their slope over their places in the list, times the
    /// number of steps.
    Trend(Vec<Arm>),
    /// How much more the first difference is than the second: (a − b) − (c − d).
    Interaction([[Arm; 2]; 2]),
}

impl Contrast {
    /// All that take part.
    pub fn arms(&self) -> Vec<&Arm> {
        match self {
            Self::Difference(arms) => arms.iter().collect(),
            Self::Trend(arms) => arms.iter().collect(),
            Self::Interaction(pairs) => pairs.iter().flatten().collect(),
        }
    }

    /// What each arm counts, in their order: the effect is the sum of what was measured, so weighted.
    pub fn weights(&self) -> Vec<f64> {
        match self {
            Self::Difference(_) => vec![1.0, -1.0],
            Self::Interaction(_) => vec![1.0, -1.0, -1.0, 1.0],
            Self::Trend(arms) => {
                let centre = (arms.len() as f64 - 1.0) / 2.0;
                let places = (0..arms.len()).map(|place| place as f64 - centre);
                let squares: f64 = places.clone().map(|place| place * place).sum();
                places.map(|place| place * 2.0 * centre / squares).collect()
            }
        }
    }
}

/// A training by name, and its network where the endpoint does not say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Arm {
    /// Of the endpoint's network.
    Training(String),
    /// Of this network.
    Of {
        /// The network's name.
        network: String,
        /// The training's name.
        training: String,
    },
}

impl Arm {
    /// The training's name.
    pub fn training(&self) -> &str {
        match self {
            Self::Training(training) | Self::Of { training, .. } => training,
        }
    }

    /// The network's name, if the arm says it.
    pub fn network(&self) -> Option<&str> {
        match self {
            Self::Training(_) => None,
            Self::Of { network, .. } => Some(network),
        }
    }
}

impl From<&str> for Arm {
    fn from(training: &str) -> Self {
        Self::Training(training.to_owned())
    }
}

/// What of a network's outcomes is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimand {
    /// Share of outcomes that are as labelled.
    #[default]
    Accuracy,
    /// Share of outcomes that differ from the network's own clean prediction.
    Fooling,
    /// Clean accuracy minus accuracy.
    Gap,
    /// The fooling rate among the images that the network gets right as they are.
    FoolingOfRight,
}

impl Estimand {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Fooling => "fooling rate",
            Self::Gap => "gap to clean accuracy",
            Self::FoolingOfRight => "fooling rate of those right as they are",
        }
    }
}

/// Where an effect leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It is above 0.
    Rises,
    /// It is below 0.
    Falls,
}

impl Endpoint {
    /// A contrast in accuracy at a level of an axis, without an expectation; margin 0.02, family `primary`.
    pub fn new(name: impl Into<String>, contrast: Contrast, at: impl Into<At>) -> Self {
        let At { axis, level } = at.into();
        Self {
            name: name.into(),
            networks: Vec::new(),
            contrast,
            axis,
            level: Some(level),
            estimand: Estimand::default(),
            expected: None,
            margin: margin(),
            family: family(),
        }
    }

    pub(super) fn check(
        &self,
        networks: &[&str],
        trainings: &[&str],
        is_measured: impl Fn(&str, &str) -> bool,
    ) -> Result<()> {
        let name = &self.name;
        Error::unless(!name.is_empty(), "endpoints: name", "``", "a name")?;
        let of = |what: &str| format!("endpoint `{name}`: {what}");
        let among = |what: &str, wanted: &str, there: &[&str]| {
            let expected = format!("one of: {}", there.join(", "));
            Error::unless(there.contains(&wanted), of(what), wanted, expected)
        };
        for network in &self.networks {
            among("networks", network, networks)?;
        }
        let arms = self.contrast.arms();
        Error::unless(arms.len() > 1, of("contrast"), "one arm", "two or more")?;
        let named = arms.iter().filter(|arm| arm.network().is_some()).count();
        let told = if self.networks.is_empty() {
            named == arms.len()
        } else {
            named == 0
        };
        let expected = "the endpoint's `networks`, or one in every arm";
        Error::unless(told, of("networks"), "neither or both", expected)?;
        for arm in arms {
            among("training", arm.training(), trainings)?;
            if let Some(network) = arm.network() {
                among("network", network, networks)?;
            }
            let all = self.networks.iter().map(String::as_str);
            for network in arm.network().into_iter().chain(all) {
                let found = format!("{network}, {}", arm.training());
                let expected = "networks that are trained so, and measured there in every seed";
                let measured = is_measured(network, arm.training());
                Error::unless(measured, of("arms"), found, expected)?;
            }
        }
        let clean = self.axis == "clean";
        let level = self
            .level
            .as_ref()
            .map_or("none".to_owned(), |level| level.to_string());
        let expected = "a level, unless the axis is `clean`";
        Error::unless(clean == self.level.is_none(), of("level"), level, expected)?;
        let right = !clean || self.estimand == Estimand::Accuracy;
        let expected = "accuracy, where the images are as they are";
        Error::unless(right, of("estimand"), self.estimand.name(), expected)?;
        let sane = self.margin > 0.0 && self.margin < 1.0;
        Error::unless(
            sane,
            of("margin"),
            self.margin,
            "a share above 0 and below 1",
        )
    }
}
