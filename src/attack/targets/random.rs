use super::{Choice, Targets};
use crate::base::{Draws, Purpose, Result};
use derive_more::Display;
use serde_json::Value;

/// Any class but the label, each as likely as the others; the same for an image whatever its batch
/// mates and the restart.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq)]
#[display("random class")]
pub struct RandomTarget;

impl Targets for RandomTarget {
    fn choose(&self, among: &Choice) -> Result<Vec<i64>> {
        let others = among.classes as u64 - 1;
        let draw = |draws: &mut Draws| draws.below(others) as i64;
        let drawn = among.keys.each(Purpose::Target, draw);
        let skip = |(class, &label)| class + i64::from(class >= label);
        Ok(drawn.into_iter().zip(among.labels).map(skip).collect())
    }

    fn settings(&self) -> Value {
        Value::from("random")
    }
}
