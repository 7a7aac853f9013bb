use super::{Loss, Reference};
use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};
use derive_more::Display;
use serde_json::Value;

/// The Kullback-Leibler divergence from the classes' probabilities on the clean image to those on the
/// attacked one, in nats: `Σ_c p_c (log p_c - log q_c)`. Labels and targets are nothing to it.
///
/// On the clean image itself it is 0 and flat, so that only rounding leads away: an attack needs a random
/// start. What TRADES climbs.
/// (H. Zhang et al. 2019, "Theoretically Principled Trade-off between Robustness and Accuracy",
/// equation 5.)
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
#[display("KL")]
pub struct Kl;

impl Loss for Kl {
    /// # Panics
    ///
    /// Panics without [`Reference::clean`].
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let clean = reference.clean.clone().expect("logits of the clean image");
        let gain = log_softmax(clean.clone(), 1) - log_softmax(logits, 1);
        (softmax(clean, 1) * gain).sum_dim(1).squeeze_dim(1)
    }

    fn wants_clean(&self) -> bool {
        true
    }

    fn settings(&self) -> Value {
        Value::from("kl")
    }
}
