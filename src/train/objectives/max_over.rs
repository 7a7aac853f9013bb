use super::alike::{in_two_halves, learns_from_one, of_attacks};
use super::inner::{perturbed, plain};
use super::several::at_stage_each;
use super::worst::Worst;
use crate::attack::AttackSpec;
use crate::base::Result;
use crate::train::{Crafted, Objective, StagedBatch, Student};
use serde::{Deserialize, Serialize};

/// Training against several perturbation types at once, on the worst for each image: the *max* strategy of
/// F. Tramèr, D. Boneh 2019, "Adversarial Training and Robustness for Multiple Perturbations", section 2.
///
/// Per image max_i CE(f(A_i(x)), y). Every attack runs on a copy of the model in inference mode, which also
/// tells which of their images has the highest cross-entropy; that one alone is learnt from, in training mode.
///
/// The first attack on pixels has the stage's ε, steps and step size, and the others theirs in proportion
/// to the radii as they are given; attacks on poses have the stage's angle and shift, and no random pose is
/// dealt to the images before. What has no budget in a stage is left out.
///
/// ```
/// use fireproof::attack::{AttackSpec, Keep, Pgd, RandomSearch};
/// use fireproof::train::{MaxOver, Objective};
/// use fireproof::transform::PoseBudget;
///
/// let objective = MaxOver::new([
///     AttackSpec::from(Pgd::linf(0.3).with_keep(Keep::Last)),
///     Pgd::l2(2.0).with_keep(Keep::Last).into(),
///     RandomSearch::new(PoseBudget::default(), 10).into(),
/// ]);
/// assert!(objective.check().is_ok() && objective.moves_images());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxOver {
    /// The attacks, one for each perturbation type.
    pub attacks: Vec<AttackSpec>,
}

impl MaxOver {
    /// The objective against these attacks.
    pub fn new<A: Into<AttackSpec>>(attacks: impl IntoIterator<Item = A>) -> Self {
        Self {
            attacks: attacks.into_iter().map(Into::into).collect(),
        }
    }
}

impl Objective for MaxOver {
    in_two_halves!();

    fn craft(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Crafted> {
        let victim = student.frozen();
        let attacks = at_stage_each(&self.attacks, &staged.stage)?;
        if let [attack] = attacks.as_slice() {
            return Ok(Crafted::of([perturbed(attack, &victim, staged)?]));
        }
        let labels = plain(staged).labels;
        let mut worst = Worst::new(&victim, &labels);
        for attack in &attacks {
            worst.meet(perturbed(attack, &victim, staged)?);
        }
        Ok(Crafted::of(worst.images()))
    }

    learns_from_one!();

    of_attacks!("max_over");
}
