//! A loss: the difference of logits ratio.

use burn::tensor::{Int, Tensor};
use fireproof::attack::{Loss, Reference};
use serde_json::Value;
use std::fmt;

/// By how much the best other class beats the label, in proportion to the distance from the first
/// to the third of all logits. (F. Croce, M. Hein 2020, "Reliable evaluation of adversarial
/// robustness with an ensemble of diverse parameter-free attacks", equation 6; towards a target
/// equation 7, with three classes the third in place of the fourth.)
#[derive(Clone, Copy, Debug)]
pub struct Dlr;

impl fmt::Display for Dlr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DLR")
    }
}

impl Loss for Dlr {
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let (shape, classes) = (logits.shape(), logits.dims()[1]);
        let label = reference.labels.clone().unsqueeze_dim::<2>(1);
        let own = logits.clone().gather(1, label.clone());
        let sorted = logits.clone().sort_descending(1);
        let place = |at| sorted.clone().narrow(1, at, 1);
        let (other, last) = match &reference.targets {
            Some(targets) => {
                let target = targets.clone().unsqueeze_dim::<2>(1);
                (logits.gather(1, target), place(3.min(classes - 1)))
            }
            None => {
                let every = Tensor::<1, Int>::arange(0..classes as i64, &label.device());
                let every = every.unsqueeze_dim::<2>(0).expand(shape.clone());
                let others = logits.mask_fill(every.equal(label.expand(shape)), f32::MIN);
                (others.max_dim(1), place(2))
            }
        };
        let range = place(0) - (place(2) + last) * 0.5;
        ((other - own) / range.clamp_min(1e-12)).squeeze_dim(1)
    }

    fn least_classes(&self) -> usize {
        3
    }

    fn settings(&self) -> Value {
        "own_dlr".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fireproof::attack::{Attack, Frozen, Pgd};
    use fireproof::base::{Batch, Seed, read};

    #[test]
    fn value_and_slope_by_hand() {
        let device = fireproof::device();
        let rows = [[5.0, 1.0, 3.0, -1.0], [1.0, 2.0, 4.0, 0.0]];
        let logits = Tensor::<2>::from_floats(rows, &device.clone().autodiff()).require_grad();
        let reference = Reference::new(Tensor::from_ints([0, 1], &device));
        let losses = Dlr.per_image(logits.clone(), &reference);
        // (3 - 5) / (5 - 1) and (4 - 2) / (4 - 1).
        let found: Vec<f32> = read(&losses.clone().inner());
        assert_eq!(found, [-0.5, 2.0 / 3.0]);
        // Of (b - a) / (a - c) in a, b and c.
        let slopes = logits.grad(&losses.sum().backward()).unwrap();
        let slopes: Vec<f32> = read(&slopes.narrow(0, 0, 1));
        let expected = [-0.25 + 2.0 / 16.0, -2.0 / 16.0, 0.25, 0.0];
        assert!(
            slopes
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-6),
            "{slopes:?}"
        );
        // Towards class 3: (-1 - 5) / (5 - (1 - 1) / 2).
        let towards = reference.with_targets(Tensor::from_ints([3, 3], &device));
        let losses: Vec<f32> = read(&Dlr.per_image(logits.inner(), &towards));
        assert_eq!(losses[0], -1.2);
    }

    #[test]
    fn error_two_classes_are_too_few() {
        let victim = Frozen::from_fn(|images: Tensor<4>| {
            let mean = images.mean_dims(&[2, 3]).flatten::<2>(1, 3);
            Tensor::cat(vec![mean.clone(), -mean], 1)
        });
        let device = fireproof::device();
        let batch = Batch::new(
            Tensor::zeros([1, 1, 2, 2], &device),
            Tensor::zeros([1], &device),
        )
        .unwrap();
        let attack = Pgd::linf(0.1).with_loss(Dlr);
        assert!(attack.attack(&victim, &batch, Seed(1)).is_err());
    }
}
