use burn::tensor::activation::log_softmax;
use burn::tensor::{Bool, Int, Tensor};
use serde::{Deserialize, Serialize};

/// What an attack makes as large as it can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// Cross-entropy with the label, in nats: `-log softmax(z)_y`. Towards a target `t`:
    /// `log softmax(z)_t`.
    #[default]
    CrossEntropy,
    /// By how much the best other class beats the label: `max_{j≠y} z_j - z_y`. Positive exactly
    /// if the image is misclassified; its gradient does not fade as a network grows confident.
    /// Towards a target `t`: `z_t - max_{j≠t} z_j`. (N. Carlini, D. Wagner 2017, "Towards
    /// Evaluating the Robustness of Neural Networks", the function f₆ without its floor.)
    Margin,
}

impl Loss {
    /// The loss of each image `[batch]` with respect to its class, from logits
    /// `[batch, classes]`; differentiable.
    ///
    /// Images are never averaged: an image's loss does not depend on its batch mates.
    pub fn per_image(self, logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
        let [images, count] = logits.dims();
        let classes = classes.unsqueeze_dim::<2>(1);
        match self {
            Self::CrossEntropy => log_softmax(logits, 1)
                .gather(1, classes)
                .squeeze_dim::<1>(1)
                .neg(),
            Self::Margin => {
                let own = logits.clone().gather(1, classes.clone());
                let every = Tensor::<1, Int>::arange(0..count as i64, &classes.device());
                let is_own = every
                    .unsqueeze_dim::<2>(0)
                    .expand([images, count])
                    .equal(classes.expand([images, count]));
                let other = logits.mask_fill(is_own, f32::MIN).max_dim(1);
                (other - own).squeeze_dim::<1>(1)
            }
        }
    }
}

/// What a descent climbs, and when it has succeeded.
///
/// Everything [`Descent`](super::descent::Descent) asks about an attack's aim, so that other aims
/// (a divergence from the clean prediction, say) are further implementations and not further loops.
pub(crate) trait Goal {
    /// The loss of each image `[batch]`, differentiable.
    fn loss(&self, logits: Tensor<2>) -> Tensor<1>;

    /// Whether each image is where the attack wants it `[batch]`.
    fn fooled(&self, logits: Tensor<2>) -> Tensor<1, Bool>;

    /// The goal for the images at these positions `[positions]`.
    fn select(&self, positions: &Tensor<1, Int>) -> Self;
}

/// Away from each image's label, or towards each image's target.
#[derive(Clone, Debug)]
pub(crate) struct LabelGoal {
    pub loss: Loss,
    pub labels: Tensor<1, Int>,
    pub targets: Option<Tensor<1, Int>>,
}

impl Goal for LabelGoal {
    fn loss(&self, logits: Tensor<2>) -> Tensor<1> {
        match &self.targets {
            None => self.loss.per_image(logits, self.labels.clone()),
            Some(targets) => self.loss.per_image(logits, targets.clone()).neg(),
        }
    }

    fn fooled(&self, logits: Tensor<2>) -> Tensor<1, Bool> {
        let predicted = logits.argmax(1).squeeze_dim::<1>(1);
        match &self.targets {
            None => predicted.not_equal(self.labels.clone()),
            // A classifier that calls an image what it is has not been fooled.
            Some(targets) => predicted
                .equal(targets.clone())
                .bool_and(targets.clone().not_equal(self.labels.clone())),
        }
    }

    fn select(&self, positions: &Tensor<1, Int>) -> Self {
        let select = |t: &Tensor<1, Int>| t.clone().select(0, positions.clone());
        Self {
            loss: self.loss,
            labels: select(&self.labels),
            targets: self.targets.as_ref().map(select),
        }
    }
}
