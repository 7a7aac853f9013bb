use super::{CrossEntropy, LossSpec, NormSpec, Reference, TargetsSpec};
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
    /// Whether candidates that fool are ranked by how near they are, and not by the loss.
    pub nearest: Option<Nearest>,
}

/// The wish for the nearest candidate that fools.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// How far a candidate is from what it is a perturbation of.
    pub norm: NormSpec,
    /// Whether an image goes on meeting attacks when it is fooled, for something nearer: as long as
    /// it is not fooled as it is. Else, as where a ball says what is near enough, it meets no more.
    pub goes_on: bool,
}

impl Goal {
    /// Whether both count the same images as fooled, whatever ranks them, and do not measure
    /// distances by different norms.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let one_norm = match (&self.nearest, &other.nearest) {
            (Some(nearest), Some(other)) => nearest == other,
            _ => true,
        };
        one_norm
            && (&self.targets, self.predicted_labels) == (&other.targets, other.predicted_labels)
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
