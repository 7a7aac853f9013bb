use super::alike::{in_two_halves, of_attacks};
use super::inner::{learn, perturbed};
use super::losses::cross_entropy;
use super::several::at_stage_each;
use crate::attack::AttackSpec;
use crate::base::Result;
use crate::train::{Crafted, Objective, Scored, StagedBatch, Step, Student};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Training against several perturbation types at once, on all of them alike: the *avg* strategy of
/// F. Tramèr, D. Boneh 2019, "Adversarial Training and Robustness for Multiple Perturbations", section 2.
///
/// Per image (1/n) Σ_i CE(f(A_i(x)), y): each attack's images pass in training mode by themselves, in the order
/// of the attacks, so that batch norm sees one type at a time. Otherwise as
/// [`MaxOver`](crate::train::MaxOver), and with its budgets.
///
/// The logits that are shown are those of the last attack's images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AverageOver {
    /// The attacks, one for each perturbation type.
    pub attacks: Vec<AttackSpec>,
}

impl AverageOver {
    /// The objective against these attacks.
    pub fn new<A: Into<AttackSpec>>(attacks: impl IntoIterator<Item = A>) -> Self {
        Self {
            attacks: attacks.into_iter().map(Into::into).collect(),
        }
    }
}

impl Objective for AverageOver {
    in_two_halves!();

    fn craft(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Crafted> {
        let victim = student.frozen();
        let attacks = at_stage_each(&self.attacks, &staged.stage)?;
        let each = attacks
            .iter()
            .map(|attack| perturbed(attack, &victim, staged));
        Ok(Crafted::of(each.collect::<Result<Vec<_>>>()?))
    }

    fn learn(
        &self,
        student: &dyn Student,
        staged: &StagedBatch,
        crafted: &Crafted,
    ) -> Result<Step> {
        if crafted.images.len() < 2 {
            return learn(student, staged, crafted);
        }
        let (keys, labels) = (staged.keys(), &staged.batch.labels);
        let pass = |images: &Tensor<4>| student.pass(images.clone(), &keys);
        let mut logits = Vec::from_iter(crafted.images.iter().map(pass));
        let losses = (logits.iter())
            .map(|logits| cross_entropy(logits.clone(), labels))
            .reduce(|sum, losses| sum + losses);
        let losses = losses.expect("several") / logits.len() as f64;
        let last = logits.pop().expect("several");
        let scored = Scored::new(losses.clone(), last, labels.clone());
        Step::down(losses.mean(), student, staged, scored)
    }

    of_attacks!("average_over");
}
