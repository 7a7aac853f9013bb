use super::{Loss, Reference};
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

    fn settings(&self) -> Value {
        Value::from("cross_entropy")
    }
}
