use super::{Loss, Reference, apart};
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;
use derive_more::Display;
use serde_json::Value;

/// By how much the probability of the best other class is above the label's: `max_{j≠y} p_j - p_y`, from
/// -1 to 1. Towards a target `t`: `p_t - max_{j≠t} p_j`.
///
/// Where a network is confident its gradient fades as cross-entropy's does; see
/// [`Found::vanished`](crate::attack::Found::vanished). ("Probability Margin Attack", arXiv
/// 2411.15210.)
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
#[display("probability margin")]
pub struct ProbabilityMargin;

impl Loss for ProbabilityMargin {
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let class = reference.targets.as_ref().unwrap_or(&reference.labels);
        let [own, others] = apart(softmax(logits, 1), class);
        let margin = others.max_dim(1) - own;
        match reference.targets {
            Some(_) => margin.neg(),
            None => margin,
        }
        .squeeze_dim(1)
    }

    fn settings(&self) -> Value {
        Value::from("probability_margin")
    }
}
