//! The numbers of an epoch in files. JSON has neither NaN nor infinity, and a network that has
//! diverged has such a loss: they are written by name, so that a resumed training (whose pace may
//! depend on them) reads what the interrupted one saw.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.is_finite() {
            true => serializer.serialize_f64(self.0),
            // "NaN", "inf" and "-inf".
            false => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Finite(f64),
            Named(String),
            // What serde makes of all three.
            Null(()),
        }
        match Written::deserialize(deserializer)? {
            Written::Finite(value) => Ok(Self(value)),
            Written::Named(name) => match name.parse::<f64>() {
                Ok(value) if !value.is_finite() => Ok(Self(value)),
                _ => {
                    let found = Unexpected::Str(&name);
                    Err(D::Error::invalid_value(
                        found,
                        &"a number, NaN, inf or -inf",
                    ))
                }
            },
            Written::Null(()) => Ok(Self(f64::NAN)),
        }
    }
}

pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Number(*value).serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::deserialize(deserializer).map(|number| number.0)
}

/// The same for numbers by name.
pub mod by_name {
    use super::*;

    type Numbers = BTreeMap<String, f64>;

    pub fn serialize<S: Serializer>(values: &Numbers, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(values.iter().map(|(name, value)| (name, Number(*value))))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Numbers, D::Error> {
        let numbers = BTreeMap::<String, Number>::deserialize(deserializer)?;
        let plain = |(name, number): (String, Number)| (name, number.0);
        Ok(numbers.into_iter().map(plain).collect())
    }
}
