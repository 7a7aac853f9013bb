//! Losses of each image that more than one objective is made of; differentiable in all logits.

use crate::base::{Error, Result};
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Int, Tensor};

/// Cross-entropy with the label `[batch]`, in nats.
pub(super) fn cross_entropy(logits: Tensor<2>, labels: &Tensor<1, Int>) -> Tensor<1> {
    -of_label(log_softmax(logits, 1), labels)
}

/// The divergence KL(p ‖ q) of each row's probabilities `[batch]`, in nats, from logits.
pub(super) fn kl(p: Tensor<2>, q: Tensor<2>) -> Tensor<1> {
    let gain = log_softmax(p.clone(), 1) - log_softmax(q, 1);
    (softmax(p, 1) * gain).sum_dim(1).squeeze_dim(1)
}

/// The number in the label's column `[batch]`.
pub(super) fn of_label(rows: Tensor<2>, labels: &Tensor<1, Int>) -> Tensor<1> {
    rows.gather(1, labels.clone().unsqueeze_dim(1))
        .squeeze_dim(1)
}

/// Refuses a weight of a loss that is negative or not finite.
pub(super) fn check_weight(name: &str, weight: f64) -> Result<()> {
    let valid = weight.is_finite() && weight >= 0.0;
    Error::unless(valid, name, weight, "a finite number, 0 or more")
}
