use crate::base::{Error, Result};
use derive_more::{Display, From};
use serde::{Deserialize, Serialize};

/// The class that a targeted attack wants each image to be taken for.
///
/// An image whose target is its own label cannot be fooled: it counts as standing.
#[derive(Clone, Debug, Display, From, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Targets {
    /// The same class for all images.
    #[from]
    #[display("class {_0}")]
    Fixed(usize),
    /// The class after the label, `(label + 1) mod classes`.
    #[display("next class")]
    Next,
    /// The class with the lowest logit on the clean image, other than the label.
    #[display("least likely class")]
    LeastLikely,
    /// One class for each image, in the order of the batch.
    #[from]
    #[display("given classes")]
    Given(Vec<usize>),
}

impl Targets {
    /// Whether the choice needs the clean logits.
    pub(crate) fn need_logits(&self) -> bool {
        matches!(self, Self::LeastLikely)
    }

    /// The target of each image. `logits` holds the clean logits row by row, if
    /// [`need_logits`](Self::need_logits).
    pub(crate) fn choose(
        &self,
        labels: &[i64],
        classes: usize,
        logits: &[f32],
    ) -> Result<Vec<i64>> {
        match self {
            Self::Fixed(class) => {
                in_range("targets", *class, classes)?;
                Ok(vec![*class as i64; labels.len()])
            }
            Self::Next => Ok(labels.iter().map(|l| (l + 1) % classes as i64).collect()),
            Self::LeastLikely => Ok(logits
                .chunks_exact(classes)
                .zip(labels)
                .map(|(row, &label)| least_likely(row, label))
                .collect()),
            Self::Given(given) => {
                let found = format_args!("{} classes", given.len());
                let expected = format_args!("one class for each of the {} images", labels.len());
                Error::unless(given.len() == labels.len(), "targets", found, expected)?;
                for (position, &class) in given.iter().enumerate() {
                    in_range(&format!("targets[{position}]"), class, classes)?;
                }
                Ok(given.iter().map(|&class| class as i64).collect())
            }
        }
    }
}

fn in_range(setting: &str, class: usize, classes: usize) -> Result<()> {
    let last = classes - 1;
    let expected = format_args!("0 to {last} (the classifier has {classes} classes)");
    Error::unless(class < classes, setting, class, expected)
}

fn least_likely(row: &[f32], label: i64) -> i64 {
    let others = row
        .iter()
        .enumerate()
        .filter(|(class, _)| *class as i64 != label);
    others
        .min_by(|a, b| a.1.total_cmp(b.1))
        .map_or(label, |(class, _)| class as i64)
}
