use super::{Choice, Targets};
use crate::base::Result;
use derive_more::Display;
use serde_json::Value;

/// The class with the lowest logit on the clean image, other than the label.
///
/// (A. Kurakin et al. 2017, "Adversarial Machine Learning at Scale", section 2.)
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq)]
#[display("least likely class")]
pub struct LeastLikely;

impl Targets for LeastLikely {
    fn choose(&self, among: &Choice) -> Result<Vec<i64>> {
        let rows = among.logits.chunks_exact(among.classes);
        let each = rows.zip(among.labels);
        Ok(each.map(|(row, &label)| lowest(row, label)).collect())
    }

    fn wants_logits(&self) -> bool {
        true
    }

    fn settings(&self) -> Value {
        Value::from("least_likely")
    }
}

fn lowest(row: &[f32], label: i64) -> i64 {
    let logits = (0..).zip(row).filter(|(class, _)| *class != label);
    let lowest = logits.min_by(|a, b| a.1.total_cmp(b.1));
    lowest.map_or(label, |(class, _)| class)
}
