use super::{Loss, Reference, apart};
use crate::attack::predicted_classes;
use crate::base::Precision;
use burn::tensor::Tensor;
use derive_more::Display;
use serde_json::Value;

/// By how much the best other class beats the label: `max_{j≠y} z_j - z_y`. Positive exactly
/// if the image is misclassified, in a tie too, where it is the smallest normal number if the other
/// class comes first; its gradient does not fade as a network grows confident. Towards a target `t`:
/// `z_t - max_{j≠t} z_j`, positive exactly if `t` is predicted. (N. Carlini, D. Wagner 2017, "Towards
/// Evaluating the Robustness of Neural Networks", the function f₆ without its floor.)
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
#[display("margin")]
pub struct Margin;

impl Loss for Margin {
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let class = reference.targets.as_ref().unwrap_or(&reference.labels);
        let [own, others] = apart(logits.clone(), class);
        let other = others.max_dim(1);
        let margin = match reference.targets {
            Some(_) => own - other,
            None => other - own,
        };
        let margin = margin.squeeze_dim::<1>(1);
        // A tie is decided as the predicted class is: by the order of the classes.
        let predicted = predicted_classes(logits.detach());
        let won = match reference.targets {
            Some(_) => predicted.equal(class.clone()),
            None => predicted.not_equal(class.clone()),
        };
        let zero = margin.clone().detach();
        let tied = zero.clone().equal_elem(0.0).bool_and(won);
        let least = Precision::of_type(margin.dtype()).map_or(0.0, Precision::smallest);
        margin + zero.zeros_like().mask_fill(tied, least)
    }

    fn settings(&self) -> Value {
        Value::from("margin")
    }
}
