use crate::base::{Error, Kind, Result};
use crate::model::{ModelSpec, Network};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::PathBuf;

/// A network of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkPlan {
    /// Its name in tables and plots.
    pub name: String,
    /// Which it is. A seed of its weights is replaced by that of each training.
    pub model: ModelSpec,
    /// A file of weights that it begins with ([`ModelSpec::load`]), in place of random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
}

impl NetworkPlan {
    /// A network with random weights.
    pub fn new(name: impl Into<String>, model: impl Into<ModelSpec>) -> Self {
        Self {
            name: name.into(),
            model: model.into(),
            weights: None,
        }
    }

    /// The network with the weights of this seed.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if its settings do not read what they wrote.
    pub(crate) fn seeded(&self, seed: u64) -> Result<ModelSpec> {
        let mut settings = Network::settings(&*self.model);
        match settings.get_mut("seed") {
            None => Ok(self.model.clone()),
            Some(place) => {
                *place = Value::from(seed);
                <dyn Network>::registry()
                    .build(settings)
                    .map(crate::base::Spec)
            }
        }
    }

    pub(crate) fn check(&self, shape: [usize; 3], classes: usize) -> Result<()> {
        let name = &self.name;
        Error::unless(!name.is_empty(), "networks: name", "``", "a name")?;
        let found = format!("images of {:?}", self.model.image());
        let expected = format!("those of the data, {shape:?}");
        let of = format!("network `{name}`");
        Error::unless(self.model.image() == shape, &of, found, expected)?;
        let found = format!("{} classes", self.model.classes());
        Error::unless(
            self.model.classes() >= classes,
            of,
            found,
            format_args!("at least the {classes} of the data"),
        )
    }
}
