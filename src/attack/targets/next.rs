use super::{Choice, Targets};
use crate::base::Result;
use derive_more::Display;
use serde_json::Value;

/// The class after the label, `(label + 1) mod classes`.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq)]
#[display("next class")]
pub struct NextClass;

impl Targets for NextClass {
    fn choose(&self, among: &Choice) -> Result<Vec<i64>> {
        let classes = among.classes as i64;
        Ok(among.labels.iter().map(|l| (l + 1) % classes).collect())
    }

    fn settings(&self) -> Value {
        Value::from("next")
    }
}
