use super::alike::{called, crafts_by};
use super::inner::learn;
use super::losses::{check_weight, cross_entropy, kl};
use crate::attack::{AttackSpec, Keep, Kl, Pgd};
use crate::base::Result;
use crate::train::{Crafted, Objective, Scored, StagedBatch, Step, Student};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// TRADES: cross-entropy of the images as they are, and the divergence between what the network says of
/// them and of attacked ones (H. Zhang et al. 2019, "Theoretically Principled Trade-off between Robustness
/// and Accuracy", equation 5).
///
/// Per image, with probabilities p of the image and q of the attacked one:
/// CE(p, y) + β·KL(p ‖ q). The gradient goes through both p and q, as published.
///
/// The attack climbs the same divergence, by default with PGD from x + 0.001·N(0, 1), on a copy of the model
/// in inference mode, whose answer to the clean images is computed once. Then the images, the attacked ones
/// and the images once more pass in training mode. The last of these passes, the published code's way to p in
/// the divergence, has the first one's logits and gradients: it is made for batch norm's running statistics
/// alone, without its backward pass, and not at all where a model has none. (Where a model drops, all
/// passes drop the same, and with them p and q; in the published code each drops anew. There the first gradient of
/// the attack is taken before the start is clipped to valid pixels.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Trades {
    /// Weight of the divergence; published as 6 for CIFAR-10 and 1 for MNIST. At 0 this is cross-entropy
    /// of the images as they are.
    pub beta: f64,
    /// The attack, at the level and with the steps of the stage.
    #[serde(default = "published_attack")]
    #[setters(into)]
    pub attack: AttackSpec,
}

fn published_attack() -> AttackSpec {
    let attack = Pgd::linf(0.0).with_noise(0.001).with_loss(Kl);
    attack.with_keep(Keep::Last).into()
}

impl Trades {
    /// The objective with this weight and the published attack.
    pub fn new(beta: f64) -> Self {
        Self {
            beta,
            attack: published_attack(),
        }
    }
}

impl Objective for Trades {
    crafts_by!(|this| this.attack);

    fn learn(
        &self,
        student: &dyn Student,
        staged: &StagedBatch,
        crafted: &Crafted,
    ) -> Result<Step> {
        let Some(attacked) = crafted.images.first() else {
            return learn(student, staged, crafted);
        };
        let (keys, labels) = (staged.keys(), &staged.batch.labels);
        let pass = |images: &burn::tensor::Tensor<4>| student.pass(images.clone(), &keys);
        let clean = pass(&staged.batch.images);
        let logits = pass(attacked);
        if student.weights().iter().any(|weight| !weight.learnt) {
            let _ = pass(&staged.batch.images);
        }
        let natural = cross_entropy(clean.clone(), labels);
        let divergence = kl(clean, logits.clone());
        let losses = natural.clone() + divergence.clone() * self.beta;
        let scored = Scored::new(losses.clone(), logits, labels.clone())
            .with_number("clean loss", natural)
            .with_number("divergence", divergence);
        Step::down(losses.mean(), student, staged, scored)
    }

    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) for a weight that is negative or not finite, and
    /// for an attack that makes no sense.
    fn check(&self) -> Result<()> {
        check_weight("beta", self.beta)?;
        self.attack.check()
    }

    called!("trades");
}
