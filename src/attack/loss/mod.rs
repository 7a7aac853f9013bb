//! What attacks make as large as they can. A new loss is a file with a [`Loss`] and a line in the
//! registry below.

mod cross_entropy;
mod dlr;
mod kl;
mod margin;
mod probability_margin;

pub use cross_entropy::CrossEntropy;
pub use dlr::Dlr;
pub use kl::Kl;
pub use margin::Margin;
pub use probability_margin::ProbabilityMargin;

use crate::base::{Spec, as_indices, open_kind};
use burn::tensor::{Int, Tensor};
use derive_setters::Setters;
use serde_json::Value;
use std::fmt;

/// What a loss may know of each image besides its logits.
#[derive(Clone, Debug, Setters)]
#[setters(prefix = "with_", strip_option)]
pub struct Reference {
    /// The class to lead away from `[batch]`: the true one, or the one predicted on the clean
    /// image.
    pub labels: Tensor<1, Int>,
    /// The class to lead to `[batch]`, if the attack is targeted.
    pub targets: Option<Tensor<1, Int>>,
    /// Logits of the clean image `[batch, classes]`, if the loss [wants](Loss::wants_clean) them.
    pub clean: Option<Tensor<2>>,
}

impl Reference {
    /// Away from these classes.
    pub fn new(labels: Tensor<1, Int>) -> Self {
        Self {
            labels: as_indices(labels),
            targets: None,
            clean: None,
        }
    }

    /// What is known of the images at these positions `[positions]`.
    pub fn select(&self, positions: &Tensor<1, Int>) -> Self {
        let classes = |t: &Tensor<1, Int>| t.clone().select(0, positions.clone());
        Self {
            labels: classes(&self.labels),
            targets: self.targets.as_ref().map(classes),
            clean: (self.clean.as_ref()).map(|t| t.clone().select(0, positions.clone())),
        }
    }
}

/// One number for each image that an attack makes as large as it can.
///
/// Object-safe. Higher is worse for the classifier, whether the attack is targeted or not. Images
/// are never averaged: an image's loss must not depend on its batch mates.
pub trait Loss: fmt::Debug + fmt::Display + Send + Sync {
    /// The loss of each image `[batch]` from logits `[batch, classes]`; differentiable.
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1>;

    /// A number that rises and falls with [`per_image`](Self::per_image) but does not saturate
    /// with it: what attacks climb and rank candidates by. The loss itself by default.
    ///
    /// Where a loss is flat in f32 its gradient is zero, and an attack stands still; a strictly
    /// increasing function of it has the same direction of ascent.
    fn unsaturated(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        self.per_image(logits, reference)
    }

    /// Whether it needs [`Reference::clean`].
    fn wants_clean(&self) -> bool {
        false
    }

    /// The fewest classes with which it makes sense.
    fn least_classes(&self) -> usize {
        2
    }

    /// The name in files, with settings if there are any.
    fn settings(&self) -> Value;
}

/// A loss as a plain value: what attacks hold.
pub type LossSpec = Spec<dyn Loss>;

open_kind! {
    Loss in "loss";
    plain: "cross_entropy" => CrossEntropy, "dlr" => Dlr, "kl" => Kl, "margin" => Margin,
        "probability_margin" => ProbabilityMargin;
}

// The logit of one class `[batch, 1]`, and all logits with that one out of the way.
fn apart(logits: Tensor<2>, class: &Tensor<1, Int>) -> [Tensor<2>; 2] {
    let [images, count] = logits.dims();
    let class = class.clone().unsqueeze_dim::<2>(1);
    let own = logits.clone().gather(1, class.clone());
    let every = Tensor::<1, Int>::arange(0..count as i64, (&class.device(), class.dtype()));
    let is_own = every
        .unsqueeze_dim::<2>(0)
        .expand([images, count])
        .equal(class.expand([images, count]));
    [own, logits.mask_fill(is_own, f32::MIN)]
}

impl Default for LossSpec {
    /// [`CrossEntropy`].
    fn default() -> Self {
        CrossEntropy.into()
    }
}
