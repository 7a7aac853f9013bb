use super::{Choice, Targets};
use crate::base::{Error, Result, named};
use derive_more::Display;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The class with the `k`-th highest logit on the clean image among those other than the label,
/// counted from 1; of equal logits the first class comes first.
///
/// What targeted attacks of AutoAttack go through, from the second most likely class on. (F. Croce,
/// M. Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
/// parameter-free attacks", section 5.)
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Serialize, Deserialize)]
#[display("best other class {k}")]
#[serde(deny_unknown_fields)]
pub struct KthBest {
    /// Which one, from 1 to the number of classes less one.
    pub k: usize,
}

impl KthBest {
    /// The `k`-th.
    pub fn new(k: usize) -> Self {
        Self { k }
    }
}

impl Targets for KthBest {
    fn choose(&self, among: &Choice) -> Result<Vec<i64>> {
        let last = among.classes - 1;
        let expected = format_args!("1 to {last} (the classifier has {} classes)", among.classes);
        Error::unless(
            (1..=last).contains(&self.k),
            "k of targets",
            self.k,
            expected,
        )?;
        let rows = among.logits.chunks_exact(among.classes);
        let each = rows.zip(among.labels);
        Ok(each.map(|(row, &label)| self.of(row, label)).collect())
    }

    fn wants_logits(&self) -> bool {
        true
    }

    fn settings(&self) -> Value {
        named::<dyn Targets>("kth_best", self)
    }
}

impl KthBest {
    fn of(self, row: &[f32], label: i64) -> i64 {
        let mut others: Vec<i64> = (0..row.len() as i64).filter(|&c| c != label).collect();
        others.sort_by(|&a, &b| row[b as usize].total_cmp(&row[a as usize]));
        others[self.k - 1]
    }
}
