use super::{Loss, Margin, Reference, apart};
use burn::tensor::{Int, Tensor};
use derive_more::Display;
use serde_json::Value;

/// The difference of logits ratio: by how much the best other class beats the label, in proportion to
/// the distance from the first to the third of all logits, `(max_{j≠y} z_j - z_y) / (z_π₁ - z_π₃)`. No
/// factor and no offset of the logits changes it. Towards a target `t`:
/// `(z_t - z_y) / (z_π₁ - (z_π₃ + z_π₄)/2)`.
///
/// It takes three classes, and four with targets; with fewer it is the [`Margin`], `z_t - z_y` with
/// targets. (F. Croce, M. Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble
/// of diverse parameter-free attacks", equations 6 and 7.)
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
#[display("DLR")]
pub struct Dlr;

impl Loss for Dlr {
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let classes = logits.dims()[1];
        let [own, others] = apart(logits.clone(), &reference.labels);
        let (other, least) = match &reference.targets {
            Some(targets) => (
                logits
                    .clone()
                    .gather(1, targets.clone().unsqueeze_dim::<2>(1)),
                4,
            ),
            None if classes < 3 => return Margin.per_image(logits, reference),
            None => (others.max_dim(1), 3),
        };
        if classes < least {
            return (other - own).squeeze_dim(1);
        }
        let order: Tensor<2, Int> = logits.clone().detach().argsort_descending(1);
        let place = |at: usize| logits.clone().gather(1, order.clone().narrow(1, at, 1));
        let range = place(0) - (place(2) + place(least - 1)) * 0.5;
        ((other - own) / range.clamp_min(SMALLEST)).squeeze_dim(1)
    }

    fn settings(&self) -> Value {
        Value::from("dlr")
    }
}

// Three equal logits are no reason to divide by zero.
const SMALLEST: f32 = 1e-12;
