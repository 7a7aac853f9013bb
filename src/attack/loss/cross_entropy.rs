use super::{Loss, Reference, apart};
use burn::tensor::{Tensor, activation::log_softmax};
use derive_more::Display;
use serde_json::Value;

/// Cross-entropy with the label, in nats: `-log softmax(z)_y`. Towards a target `t`:
/// `log softmax(z)_t`.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
#[display("cross-entropy")]
pub struct CrossEntropy;

impl Loss for CrossEntropy {
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let class = reference.targets.as_ref().unwrap_or(&reference.labels);
        let likelihood = log_softmax(logits, 1)
            .gather(1, class.clone().unsqueeze_dim::<2>(1))
            .squeeze_dim::<1>(1);
        match reference.targets {
            Some(_) => likelihood,
            None => likelihood.neg(),
        }
    }

    /// `log Σ_{j≠y} exp(z_j) - z_y`, of which cross-entropy is the softplus, `log(1 + exp(·))`.
    /// Towards a target `t`: `z_t - log Σ_{j≠t} exp(z_j)`.
    fn unsaturated(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let class = reference.targets.as_ref().unwrap_or(&reference.labels);
        let [own, others] = apart(logits, class);
        // A constant for the gradient, which is that of the sum alone.
        let largest = others.clone().detach().max_dim(1);
        let sum = (others - largest.clone()).exp().sum_dim(1);
        let climb = sum.log() + largest - own;
        match reference.targets {
            Some(_) => climb.neg(),
            None => climb,
        }
        .squeeze_dim(1)
    }

    fn settings(&self) -> Value {
        Value::from("cross_entropy")
    }
}
