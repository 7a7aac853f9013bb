use super::{Loss, Reference, apart};
use burn::tensor::{Int, Tensor};
use derive_more::Display;
use serde_json::Value;

/// The difference of logits ratio: by how much the best other class beats the label, in proportion to
/// the distance from the first to the third of all logits, `(max_{j≠y} z_j - z_y) / (z_π₁ - z_π₃)`. No
/// factor and no offset of the logits changes it. Towards a target `t`:
/// `(z_t - z_y) / (z_π₁ - (z_π₃ + z_π₄)/2)`, with three classes `z_π₃` in place of `z_π₄`.
///
/// It takes at least three classes. (F. Croce, M. Hein 2020, "Reliable evaluation of adversarial
/// robustness with an ensemble of diverse parameter-free attacks", equations 6 and 7.)
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
#[display("DLR")]
pub struct Dlr;

impl Loss for Dlr {
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let order: Tensor<2, Int> = logits.clone().detach().argsort_descending(1);
        let place = |at| logits.clone().gather(1, order.clone().narrow(1, at, 1));
        let [own, others] = apart(logits.clone(), &reference.labels);
        let (other, last) = match &reference.targets {
            Some(targets) => {
                let target = targets.clone().unsqueeze_dim::<2>(1);
                let last = 3.min(logits.dims()[1] - 1);
                (logits.clone().gather(1, target), place(last))
            }
            None => (others.max_dim(1), place(2)),
        };
        let range = place(0) - (place(2) + last) * 0.5;
        ((other - own) / range.clamp_min(SMALLEST)).squeeze_dim(1)
    }

    fn least_classes(&self) -> usize {
        3
    }

    fn settings(&self) -> Value {
        Value::from("dlr")
    }
}

// Three equal logits are no reason to divide by zero.
const SMALLEST: f32 = 1e-12;
