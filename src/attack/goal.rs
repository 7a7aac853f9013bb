use super::{CrossEntropy, LossSpec, Reference, TargetsSpec};
use burn::tensor::{Bool, Int, Tensor};
use std::fmt;

/// When an image counts as fooled, and which of two candidates that fool alike is the better one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Goal {
    /// Ranks candidates: the higher the better.
    pub loss: LossSpec,
    /// The class that each image is to be taken for; without it, any class but the label.
    pub targets: Option<TargetsSpec>,
    /// Whether the classifier's own clean predictions take the place of the labels: `fooled` then
    /// means that the attack changed the prediction.
    pub predicted_labels: bool,
}

impl Goal {
    /// Whether both count the same images as fooled, whatever ranks them.
    pub fn agrees_with(&self, other: &Self) -> bool {
        (&self.targets, self.predicted_labels) == (&other.targets, other.predicted_labels)
    }
}

/// What differs from cross-entropy away from the labels, as text to append.
impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.loss != CrossEntropy.into() {
            write!(f, ", {} loss", self.loss)?;
        }
        if let Some(targets) = &self.targets {
            write!(f, ", towards {targets}")?;
        }
        if self.predicted_labels {
            f.write_str(", against predictions")?;
        }
        Ok(())
    }
}

/// The predicted class of an image of which one logit is NaN: none.
pub const NO_CLASS: i64 = -1;

/// The predicted class of each row of logits `[batch]`: the first one where several are largest,
/// [`NO_CLASS`] where one is NaN.
///
/// The one rule of this crate, for attacks and evaluations alike.
pub fn predicted_classes(logits: Tensor<2>) -> Tensor<1, Int> {
    let lost = logits.clone().is_nan().any_dim(1);
    logits.argmax(1).mask_fill(lost, NO_CLASS).squeeze_dim(1)
}

/// Whether each image is where the attack wants it `[batch]`. A classifier without an answer has
/// been fooled, whatever it was to be led to.
pub(crate) fn fooled(predicted: Tensor<1, Int>, reference: &Reference) -> Tensor<1, Bool> {
    let labels = reference.labels.clone();
    match &reference.targets {
        None => predicted.not_equal(labels),
        // A classifier that calls an image what it is has not been fooled.
        Some(targets) => (predicted.clone().equal(targets.clone()))
            .bool_and(targets.clone().not_equal(labels))
            .bool_or(predicted.equal_elem(NO_CLASS)),
    }
}
