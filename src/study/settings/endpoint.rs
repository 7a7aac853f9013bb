use crate::base::{Error, Result};
use crate::evaluate::{At, Level};
use crate::study::verdicts::{Claimed, Endpoint, Estimand, Pairing, Weights};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// A question that a study declares before it has seen any result: a contrast between trainings, at one
/// level of one axis, in one estimand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct EndpointPlan {
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
    /// Its level; none for `clean`, and for the mean over the whole surface of an axis whose levels are a grid of
    /// poses and radii.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(into, strip_option)]
    pub level: Option<Level>,
    /// What is compared, accuracy if it is not said.
    #[serde(default = "accuracy")]
    pub estimand: Estimand,
    /// The direction that is claimed, if there is one.
    #[serde(default)]
    pub claimed: Claimed,
    /// Effects smaller than this in either direction are none: a share, 0.02 if it is not said. Of a trend:
    /// from its lowest to its highest level.
    #[serde(default = "margin")]
    pub margin: f64,
    /// The endpoints of one family share their errors: p-values are adjusted after Holm over all of them.
    #[serde(default = "family")]
    #[setters(into)]
    pub family: String,
}

fn accuracy() -> Estimand {
    Estimand::Accuracy
}

fn margin() -> f64 {
    0.02
}

fn family() -> String {
    "primary".to_owned()
}

/// Trainings set against each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Contrast {
    /// The first one minus the second one.
    Difference([ArmName; 2]),
    /// The change along the line over all of them: [`Weights::trend`].
    Trend {
        /// The trainings.
        arms: Vec<ArmName>,
        /// What each lies at, for instance its ε; 0, 1, 2 and so on if it is not said.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        levels: Vec<f64>,
    },
    /// How much more the first difference is than the second: (a − b) − (c − d).
    Interaction([[ArmName; 2]; 2]),
}

impl Contrast {
    /// All that take part.
    pub fn arms(&self) -> Vec<&ArmName> {
        match self {
            Self::Difference(arms) => arms.iter().collect(),
            Self::Trend { arms, .. } => arms.iter().collect(),
            Self::Interaction(pairs) => pairs.iter().flatten().collect(),
        }
    }

    /// What each counts, in their order.
    ///
    /// # Errors
    ///
    /// As [`Weights::trend`].
    pub fn weights(&self) -> Result<Weights> {
        match self {
            Self::Difference(_) => Ok(Weights::difference()),
            Self::Interaction(_) => Ok(Weights::interaction()),
            Self::Trend { arms, levels } if levels.is_empty() => {
                Weights::trend(&Vec::from_iter((0..arms.len()).map(|at| at as f64)))
            }
            Self::Trend { levels, .. } => Weights::trend(levels),
        }
    }
}

/// A training by name, and its network where the endpoint does not say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ArmName {
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

impl ArmName {
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

impl From<&str> for ArmName {
    fn from(training: &str) -> Self {
        Self::Training(training.to_owned())
    }
}

impl EndpointPlan {
    /// A contrast in accuracy at a level of an axis, without a claimed direction; margin 0.02, family `primary`.
    pub fn new(name: impl Into<String>, contrast: Contrast, at: impl Into<At>) -> Self {
        let At { axis, level } = at.into();
        Self {
            name: name.into(),
            networks: Vec::new(),
            contrast,
            axis,
            level: Some(level),
            estimand: accuracy(),
            claimed: Claimed::default(),
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
        for (at, network) in self.networks.iter().enumerate() {
            among("networks", network, networks)?;
            let first = !self.networks[..at].contains(network);
            Error::unless(first, of("networks"), network, "each once")?;
        }
        let arms = self.contrast.arms();
        let alone = match &self.contrast {
            Contrast::Interaction(pairs) => {
                pairs[0] != pairs[1] && pairs.iter().all(|[one, other]| one != other)
            }
            _ => (1..arms.len()).all(|at| !arms[..at].contains(&arms[at])),
        };
        let expected = "each once";
        Error::unless(alone, of("arms"), "one and the same", expected)?;
        self.contrast
            .weights()
            .map_err(|error| error.within(&of("contrast")))?;
        if let Contrast::Trend { arms, levels } = &self.contrast {
            let fits = levels.is_empty() || levels.len() == arms.len();
            let expected = format!("one for each of the {} arms", arms.len());
            Error::unless(fits, of("levels"), levels.len(), expected)?;
        }
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
        Error::unless(!clean || self.level.is_none(), of("level"), level, expected)?;
        let right = !clean || self.estimand == Estimand::Accuracy;
        let expected = "accuracy, where the images are as they are";
        Error::unless(right, of("estimand"), self.estimand, expected)?;
        let sane = self.margin > 0.0 && self.margin < 1.0;
        let expected = "a share above 0 and below 1";
        Error::unless(sane, of("margin"), self.margin, expected)
    }

    /// The endpoint of one network, or the one whose arms say their networks.
    pub(crate) fn of(&self, network: Option<&str>) -> Endpoint {
        let name = match network {
            Some(network) => format!("{network}, {}", self.name),
            None => self.name.clone(),
        };
        Endpoint {
            name,
            direction: self.claimed,
            margin: Some(self.margin),
        }
    }

    /// Whether networks of one seed have anything in common but the images.
    pub(crate) fn pairing(&self) -> Pairing {
        let arms = self.contrast.arms();
        let one = arms.iter().all(|arm| arm.network() == arms[0].network());
        if one {
            Pairing::Matched
        } else {
            Pairing::Separate
        }
    }
}
