use crate::base::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Named sections of a file beyond what this version knows: warnings, histories, certificates.
///
/// A reader takes those that it knows and skips the others, which stay as they were when the file
/// is written again.
///
/// ```
/// use fireproof::evaluate::Extras;
///
/// let extras = Extras::default().with("flags", &["gradients vanish at 3 images"]);
/// assert_eq!(extras.get::<Vec<String>>("flags")?.unwrap().len(), 1);
/// assert!(extras.get::<u32>("histories")?.is_none());
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extras(BTreeMap<String, Value>);

impl Extras {
    /// With this section, which replaces one of the same name.
    ///
    /// # Panics
    ///
    /// Panics if the value does not serialise to JSON, for instance a map whose keys are no text.
    pub fn with(mut self, name: impl Into<String>, value: &(impl Serialize + ?Sized)) -> Self {
        let value = serde_json::to_value(value).expect("a section is plain data");
        self.0.insert(name.into(), value);
        self
    }

    /// The section of this name, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if it holds something else than a `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let value = self.0.get(name).map(T::deserialize).transpose();
        value.map_err(|error| {
            let expected = format!("a {}", std::any::type_name::<T>());
            Error::input(format!("section `{name}`"), error, expected)
        })
    }

    /// The names of the sections, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
