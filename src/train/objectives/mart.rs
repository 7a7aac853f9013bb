use super::alike::{called, crafts_by};
use super::inner::learn;
use super::losses::{check_weight, cross_entropy, of_label};
use crate::attack::{AttackSpec, Keep, Pgd};
use crate::base::Result;
use crate::train::{Crafted, Objective, Scored, StagedBatch, Step, Student};
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Int, Tensor};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

// What the published code adds to probabilities, so that no logarithm or weight is that of zero.
const IN_MARGIN: f64 = 1.0001;
const IN_LOGARITHM: f64 = 1e-12;
const IN_WEIGHT: f64 = 1.000_000_1;

/// MART: boosted cross-entropy of attacked images, and the divergence from the images as they are, which
/// weighs most for those that the network does not know (Y. Wang et al. 2020, "Improving Adversarial Robustness
/// Requires Revisiting Misclassified Examples", equation 11).
///
/// Per image, with probabilities p of the image and q of the attacked one:
/// −log q_y − log(1 − max_{k≠y} q_k) + β·KL(p ‖ q)·(1 − p_y). The gradient goes through p and q wherever they
/// stand, and logarithms and the weight are kept from zero by 1.0001, 10⁻¹² and 1.0000001 as in the published
/// code.
///
/// The attack climbs cross-entropy, by default with PGD from x + 0.001·N(0, 1), on a copy of the model in
/// inference mode. Then the images and the attacked ones pass in training mode, in this order; where the
/// model drops, alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Mart {
    /// Weight of the divergence, 5 unless it is said.
    #[serde(default = "published_beta")]
    pub beta: f64,
    /// The attack, at the level and with the steps of the stage.
    #[serde(default = "published_attack")]
    #[setters(into)]
    pub attack: AttackSpec,
}

fn published_beta() -> f64 {
    5.0
}

fn published_attack() -> AttackSpec {
    let attack = Pgd::linf(0.0).with_noise(0.001);
    attack.with_keep(Keep::Last).into()
}

impl Default for Mart {
    fn default() -> Self {
        Self::new(published_beta())
    }
}

impl Mart {
    /// The objective with this weight and the published attack.
    pub fn new(beta: f64) -> Self {
        Self {
            beta,
            attack: published_attack(),
        }
    }
}

impl Objective for Mart {
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
        let clean = student.pass(staged.batch.images.clone(), &keys);
        let logits = student.pass(attacked.clone(), &keys);
        let boosted = boosted(logits.clone(), labels);
        let divergence = weighted(clean, logits.clone(), labels);
        let losses = boosted.clone() + divergence.clone() * self.beta;
        let scored = Scored::new(losses.clone(), logits, labels.clone())
            .with_number("boosted loss", boosted)
            .with_number("weighted divergence", divergence);
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

    called!("mart");
}

// Cross-entropy and the margin to the likeliest other class `[batch]`.
fn boosted(logits: Tensor<2>, labels: &Tensor<1, Int>) -> Tensor<1> {
    let classes = logits.dims()[1];
    let own = labels.clone().one_hot::<2>(classes).equal_elem(1);
    let others = softmax(logits.clone(), 1).mask_fill(own, 0.0);
    let likeliest = others.max_dim(1).squeeze_dim::<1>(1);
    let margin = (likeliest.neg() + IN_MARGIN + IN_LOGARITHM).log();
    cross_entropy(logits, labels) - margin
}

// KL(p ‖ q)·(1 − p_y) `[batch]`.
fn weighted(clean: Tensor<2>, attacked: Tensor<2>, labels: &Tensor<1, Int>) -> Tensor<1> {
    let p = softmax(clean.clone(), 1);
    let q = softmax(attacked, 1) + IN_LOGARITHM;
    let divergence = (p.clone() * (log_softmax(clean, 1) - q.log())).sum_dim(1);
    divergence.squeeze_dim::<1>(1) * (of_label(p, labels).neg() + IN_WEIGHT)
}
