use derive_more::Display;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The name of a result by what determines it: the first 128 bits of the SHA-256 digest of its settings as
/// canonical JSON, in hexadecimal digits.
///
/// Canonical JSON has the fields of each object in the order of their names' bytes and no space between
/// tokens; numbers stand as serde_json writes them. So equal settings have equal names, wherever and in
/// whatever order they were written.
///
/// ```
/// use fireproof::study::Address;
///
/// let one = Address::of(&serde_json::json!({"seed": 1, "epsilon": 0.1}));
/// assert_eq!(one, Address::of(&serde_json::json!({"epsilon": 0.1, "seed": 1})));
/// assert_ne!(one, Address::of(&serde_json::json!({"epsilon": 0.1, "seed": 2})));
/// assert_eq!(one.to_string().len(), 32);
/// ```
#[derive(Clone, Debug, Display, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// The address of what these settings determine.
    pub fn of(settings: &Value) -> Self {
        Self::of_bytes(canonical(settings).as_bytes())
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        Self(
            digest[..16]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }

    /// Whether it begins with these digits.
    pub fn starts_with(&self, digits: &str) -> bool {
        self.0.starts_with(digits)
    }

    /// Its first ten digits, which tell the cells of a study apart.
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

fn push(text: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut names = Vec::from_iter(fields.keys());
            names.sort();
            text.push('{');
            for (at, name) in names.into_iter().enumerate() {
                let comma = if at > 0 { "," } else { "" };
                let _ = write!(text, "{comma}{}:", Value::from(name.as_str()));
                push(text, &fields[name]);
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                push(text, value);
            }
            text.push(']');
        }
        plain => {
            let _ = write!(text, "{plain}");
        }
    }
}
