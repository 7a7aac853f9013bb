use super::{Loss, Reference};
use burn::tensor::{Int, Tensor};
use derive_more::Display;
use serde_json::Value;

/// By how much the best other class beats the label: `max_{j≠y} z_j - z_y`. Positive exactly
/// if the image is misclassified; its gradient does not fade as a network grows confident.
/// Towards a target `t`: `z_t - max_{j≠t} z_j`. (N. Carlini, D. Wagner 2017, "Towards
/// Evaluating the Robustness of Neural Networks", the function f₆ without its floor.)
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
#[display("margin")]
pub struct Margin;

impl Loss for Margin {
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let [images, count] = logits.dims();
        let class = reference.targets.as_ref().unwrap_or(&reference.labels);
        let class = class.clone().unsqueeze_dim::<2>(1);
        let own = logits.clone().gather(1, class.clone());
        let every = Tensor::<1, Int>::arange(0..count as i64, (&class.device(), class.dtype()));
        let is_own = every
            .unsqueeze_dim::<2>(0)
            .expand([images, count])
            .equal(class.expand([images, count]));
        let other = logits.mask_fill(is_own, f32::MIN).max_dim(1);
        let margin = match reference.targets {
            Some(_) => own - other,
            None => other - own,
        };
        margin.squeeze_dim::<1>(1)
    }

    fn settings(&self) -> Value {
        Value::from("margin")
    }
}
