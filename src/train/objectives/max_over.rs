use super::alike::{called, in_two_halves};
use super::inner::{at_stage, changes_pixels, in_proportion, learn, perturbed, plain};
use super::worst::Worst;
use crate::attack::{AttackSpec, Ensemble};
use crate::base::{Error, Result};
use crate::curriculum::Stage;
use crate::train::{Crafted, Objective, StagedBatch, Step, Student};
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

    fn learn(
        &self,
        student: &dyn Student,
        staged: &StagedBatch,
        crafted: &Crafted,
    ) -> Result<Step> {
        learn(student, staged, crafted)
    }

    fn moves_images(&self) -> bool {
        self.attacks.iter().any(|attack| attack.moves_images())
    }

    /// # Errors
    ///
    /// [`Error::Setting`] without an attack, for one that makes no sense, and for one of several on pixels
    /// whose radius is not above 0: nothing would be in proportion to it.
    fn check(&self) -> Result<()> {
        check_each(&self.attacks)
    }

    /// Of several, an [`Ensemble`] of all, which finds an image fooled where one of them does.
    fn attack(&self, stage: &Stage) -> Option<AttackSpec> {
        ensemble(&self.attacks, stage)
    }

    called!("max_over");
}

/// The attacks at the budgets of a stage, those that have one.
pub(super) fn at_stage_each(attacks: &[AttackSpec], stage: &Stage) -> Result<Vec<AttackSpec>> {
    let first = attacks.iter().find_map(radius);
    let mut found = Vec::new();
    for attack in attacks {
        let own = match (radius(attack), first) {
            (Some(own), Some(first)) if first > 0.0 => in_proportion(attack, own / first, stage)?,
            _ => at_stage(attack, stage)?,
        };
        found.extend(own);
    }
    Ok(found)
}

pub(super) fn ensemble(attacks: &[AttackSpec], stage: &Stage) -> Option<AttackSpec> {
    let attacks = at_stage_each(attacks, stage).ok()?;
    match attacks.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(Ensemble::new(attacks).into()),
    }
}

// The radius of an attack on pixels, or on pixels and poses.
fn radius(attack: &AttackSpec) -> Option<f64> {
    match changes_pixels(attack) {
        true => attack.level()?.last().copied(),
        false => None,
    }
}

/// Refuses lists of attacks that cannot be meant.
pub(super) fn check_each(attacks: &[AttackSpec]) -> Result<()> {
    Error::unless(!attacks.is_empty(), "attacks", "none", "at least one")?;
    attacks.iter().try_for_each(|attack| attack.check())?;
    let radii = Vec::from_iter(attacks.iter().filter_map(radius));
    let wrong = radii.iter().find(|&&radius| radius == 0.0);
    match wrong {
        Some(radius) if radii.len() > 1 => {
            let expected = "a radius above 0, to which the stage's is in proportion";
            Err(Error::setting(
                "epsilon of one of several attacks",
                radius,
                expected,
            ))
        }
        _ => Ok(()),
    }
}
