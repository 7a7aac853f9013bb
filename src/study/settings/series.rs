use crate::base::{Error, Result};
use crate::evaluate::{At, Level};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Trainings that belong together: a section of the report, with tables and plots of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct SeriesPlan {
    /// Its name, the heading of the section.
    #[setters(skip)]
    pub name: String,
    /// The trainings by name, in their order.
    #[setters(skip)]
    pub trainings: Vec<String>,
    /// What each training lies at, for instance its ε: colours and arrows follow it. None if the trainings are
    /// of different kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[setters(into)]
    pub levels: Vec<Level>,
    /// What the levels are, as above a legend: `trained with rotations up to`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[setters(into)]
    pub level_title: String,
    /// A level as short text, with `{}` for each part of it: `±{}°`.
    #[serde(default = "as_it_is")]
    #[setters(into)]
    pub level_label: String,
    /// The networks, by name; all if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(strip_option)]
    pub networks: Option<Vec<String>>,
    /// The axes that are drawn and in tables, by name; all if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(strip_option)]
    pub axes: Option<Vec<String>>,
    /// The plane of the two robustnesses that the trainings are placed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(strip_option)]
    pub plane: Option<PlanePlan>,
}

fn as_it_is() -> String {
    "{}".to_owned()
}

/// The plane of accuracy in poses and accuracy under attack, each at one level of an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanePlan {
    /// To the right.
    pub spatial: Place,
    /// Upwards.
    pub adversarial: Place,
}

/// A level of an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The axis by name.
    pub axis: String,
    /// The level.
    pub level: Level,
}

impl From<&Place> for At {
    fn from(place: &Place) -> Self {
        Self {
            axis: place.axis.clone(),
            level: place.level.clone(),
        }
    }
}

impl SeriesPlan {
    /// These trainings of all networks, along all axes.
    pub fn new(name: impl Into<String>, trainings: &[&str]) -> Self {
        Self {
            name: name.into(),
            trainings: trainings.iter().map(|&name| name.to_owned()).collect(),
            levels: Vec::new(),
            level_title: String::new(),
            level_label: as_it_is(),
            networks: None,
            axes: None,
            plane: None,
        }
    }

    pub(super) fn check(&self, networks: &[&str], trainings: &[&str], axes: &[&str]) -> Result<()> {
        let name = &self.name;
        Error::unless(!name.is_empty(), "series: name", "``", "a name")?;
        let of = |what: &str| format!("series `{name}`: {what}");
        let none = Vec::new();
        for (what, wanted, there) in [
            ("trainings", &self.trainings, trainings),
            (
                "networks",
                self.networks.as_ref().unwrap_or(&none),
                networks,
            ),
            ("axes", self.axes.as_ref().unwrap_or(&none), axes),
        ] {
            for (at, name) in wanted.iter().enumerate() {
                let expected = format!("one of: {}", there.join(", "));
                Error::unless(there.contains(&name.as_str()), of(what), name, expected)?;
                Error::unless(!wanted[..at].contains(name), of(what), name, "each once")?;
            }
        }
        Error::unless(
            !self.trainings.is_empty(),
            of("trainings"),
            "none",
            "at least one",
        )?;
        let (levels, count) = (self.levels.len(), self.trainings.len());
        let fits = levels == 0 || levels == count;
        Error::unless(
            fits,
            of("levels"),
            levels,
            format_args!("none, or one for each of {count}"),
        )
    }
}
