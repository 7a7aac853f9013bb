use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Makes types that derive serde's traits configurations as Burn knows them, with
/// [`save` and `load`](burn::config::Config), shown as JSON.
///
/// Burn's own derive reads past fields it does not know, so that a misspelt setting would silently
/// keep its default; and no attribute passes through it. Hence serde's derive with
/// `deny_unknown_fields`, whoever reads and however deep inside another value.
macro_rules! config {
    ($($name:ty),+ $(,)?) => {
        $(
            impl burn::config::Config for $name {}

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(&burn::config::config_to_json(self))
                }
            }
        )+
    };
}
pub(crate) use config;

/// Reads a value of a type that ignores unknown fields, as Burn's own configurations do, and refuses
/// them: what was read is written again, and whatever that does not say was not understood.
///
/// For fields, by `#[serde(deserialize_with)]`.
pub(crate) fn strictly<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Serialize + DeserializeOwned,
    D: Deserializer<'de>,
{
    let given = Value::deserialize(deserializer)?;
    let value = T::deserialize(&given).map_err(D::Error::custom)?;
    let understood = serde_json::to_value(&value).map_err(D::Error::custom)?;
    match unknown(&given, &understood) {
        None => Ok(value),
        Some(field) => Err(D::Error::custom(format_args!("unknown field `{field}`"))),
    }
}

fn unknown<'a>(given: &'a Value, understood: &Value) -> Option<&'a str> {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => {
            given
                .iter()
                .find_map(|(name, value)| match understood.get(name) {
                    Some(understood) => unknown(value, understood),
                    None => Some(name.as_str()),
                })
        }
        (Value::Array(given), Value::Array(understood)) => {
            let mut pairs = given.iter().zip(understood);
            pairs.find_map(|(given, understood)| unknown(given, understood))
        }
        _ => None,
    }
}
