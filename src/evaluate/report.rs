use crate::base::Seed;
use crate::evaluate::{Curve, Extras, Profile, Versions};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// The version of the report's schema, `schema` in the file. It grows when a field changes its
/// meaning or goes; new fields alone do not change it.
pub const SCHEMA: u32 = 1;

/// A study: the profiles of several trained classifiers, with how each was trained.
///
/// ```
/// use fireproof::base::Seed;
/// use fireproof::evaluate::{Report, Versions};
///
/// let versions = Versions::of(&fireproof::device());
/// let report = Report::new("growing rotations", Seed(7), versions)
///     .with_settings(serde_json::json!({ "train_size": 2000 }));
/// assert!(report.to_json().contains("\"schema\": 1"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[setters(prefix = "with_")]
pub struct Report {
    /// The version of the schema, [`SCHEMA`].
    pub schema: u32,
    /// The study's title.
    pub title: String,
    /// The seed that all of it follows from.
    pub seed: Seed,
    /// The settings of the study as its program took them.
    pub settings: serde_json::Value,
    /// The software and device that made it.
    pub versions: Versions,
    /// The classifiers in the order they were measured.
    pub entries: Vec<Entry>,
    /// Further sections, which a reader may skip.
    #[serde(default, skip_serializing_if = "Extras::is_empty")]
    pub extras: Extras,
}

/// One classifier of a [`Report`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The part of the study that the classifier belongs to: one table, one row of plots.
    pub section: String,
    /// How it was trained, if known.
    pub training: Option<TrainingRecord>,
    /// What was measured.
    pub profile: Profile,
}

/// How a classifier came to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Setters)]
#[setters(prefix = "with_")]
pub struct TrainingRecord {
    /// The network, for example `Cnn over p4, pooled head`.
    pub model: String,
    /// The number of its parameters, running statistics of batch norm included.
    pub parameters: usize,
    /// The training objective.
    pub objective: String,
    /// The curriculum with all its values.
    #[setters(skip)]
    pub curriculum: serde_json::Value,
    /// Everything else that made the network, as its program took it: configuration of the
    /// network, optimiser, augmentation, training images.
    #[serde(default)]
    pub settings: serde_json::Value,
    /// The number of training images.
    pub train_size: usize,
    /// The number of epochs.
    pub epochs: usize,
    /// The seed of weights, order and draws.
    pub seed: Seed,
    /// Wall time of the training in seconds.
    pub seconds: f64,
    /// Further sections, which a reader may skip; `history` has the epochs, where they are known.
    #[serde(default, skip_serializing_if = "Extras::is_empty")]
    pub extras: Extras,
}

impl TrainingRecord {
    /// A record of a training with an empty curriculum, 0 images, epochs and seconds; the fields
    /// are public.
    pub fn new(
        model: impl Into<String>,
        parameters: usize,
        objective: impl Into<String>,
        seed: impl Into<Seed>,
    ) -> Self {
        Self {
            model: model.into(),
            parameters,
            objective: objective.into(),
            seed: seed.into(),
            ..Self::default()
        }
    }

    /// With this curriculum.
    ///
    /// # Panics
    ///
    /// Panics if it does not serialise to JSON; this crate's curricula do.
    pub fn with_curriculum(mut self, curriculum: &impl Serialize) -> Self {
        self.curriculum = serde_json::to_value(curriculum).expect("a curriculum is plain data");
        self
    }
}

impl Report {
    /// A report without entries.
    pub fn new(title: impl Into<String>, seed: impl Into<Seed>, versions: Versions) -> Self {
        Self {
            schema: SCHEMA,
            title: title.into(),
            seed: seed.into(),
            settings: serde_json::Value::Null,
            versions,
            entries: Vec::new(),
            extras: Extras::default(),
        }
    }

    /// Adds a classifier to a section.
    pub fn push(
        &mut self,
        section: impl Into<String>,
        training: Option<TrainingRecord>,
        profile: Profile,
    ) {
        self.entries.push(Entry {
            section: section.into(),
            training,
            profile,
        });
    }

    /// The names of the sections, in the order of their first entries.
    pub fn sections(&self) -> Vec<&str> {
        let mut sections: Vec<&str> = Vec::new();
        for entry in &self.entries {
            if !sections.contains(&entry.section.as_str()) {
                sections.push(&entry.section);
            }
        }
        sections
    }

    /// The entries of a section, in order.
    pub fn section(&self, section: &str) -> Vec<&Entry> {
        (self.entries.iter())
            .filter(|entry| entry.section == section)
            .collect()
    }

    /// The profiles of a section, in order.
    pub fn profiles(&self, section: &str) -> Vec<&Profile> {
        (self.section(section).into_iter())
            .map(|entry| &entry.profile)
            .collect()
    }

    /// The profiles of all sections, one that several sections share only once.
    pub fn distinct_profiles(&self) -> Vec<&Profile> {
        let mut profiles: Vec<&Profile> = Vec::new();
        for Entry { profile, .. } in &self.entries {
            if !profiles.contains(&profile) {
                profiles.push(profile);
            }
        }
        profiles
    }
}

/// A curve of each axis that one of the profiles was measured along, in the order in which they
/// first appear.
pub(crate) fn axes<'a>(profiles: &[&'a Profile]) -> Vec<&'a Curve> {
    let mut axes: Vec<&Curve> = Vec::new();
    for curve in profiles.iter().flat_map(|profile| &profile.curves) {
        if !axes.iter().any(|known| known.axis == curve.axis) {
            axes.push(curve);
        }
    }
    axes
}
