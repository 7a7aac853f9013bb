use super::alike::as_of;
use super::loss::{Loss, Reference};
use super::{Attack, AttackSpec, Ball, Choice, Cost, KthBest, PixelSpace, Space, Targets, Trial};
use crate::base::{Error, Result, read};
use burn::tensor::Tensor;
use derive_more::Display;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// An attack led to a few classes, the nearest first as far as the classifier is linear: by the
/// difference of logits over the norm of that difference's gradient, at the clean image.
///
/// The norm is the dual one of the attack's ball, so that on a linear map the ratio is the very
/// distance to the class. It costs a forward and a backward pass for each candidate, the `candidates`
/// classes of the highest logits; the attack is then led to the `classes` best of them, one after the
/// other, on the images that still stand. What counts as fooled stays what the attack says. (O.
/// Melamed, G. Yehudai, A. Shamir 2024, "MALT Powers Up Adversarial Attacks", section 3; there the
/// candidates are 100 and the targets 9, with APGD on the targeted DLR loss.)
///
/// ```
/// use fireproof::attack::{Apgd, Dlr, Malt};
///
/// let attack = Malt::new(Apgd::linf(0.3).with_loss(Dlr), 3);
/// assert_eq!(attack.to_string(), "APGD-100 L∞ ε=0.3, DLR loss, towards MALT's first 3 classes");
/// ```
#[derive(Clone, Debug, Display, PartialEq, Serialize, Deserialize)]
#[display("{of}, towards MALT's first {classes} classes")]
#[serde(deny_unknown_fields)]
pub struct Malt {
    /// How many classes it is led to at most.
    pub classes: usize,
    /// How many classes are looked at, those of the highest logits.
    #[serde(default = "default_candidates")]
    pub candidates: usize,
    /// The attack, which has a ball.
    pub of: AttackSpec,
}

fn default_candidates() -> usize {
    100
}

impl Malt {
    /// This attack, led to `classes` of at most 100 classes.
    pub fn new(attack: impl Into<AttackSpec>, classes: usize) -> Self {
        Self {
            classes,
            candidates: default_candidates(),
            of: attack.into(),
        }
    }

    // The classes of each image by their ratios, the nearest first.
    fn order(&self, trial: &mut Trial, ball: Ball) -> Result<HashMap<u64, Vec<i64>>> {
        let candidates = self.candidates.min(trial.classes() - 1);
        let mut ratios = vec![Vec::new(); trial.len()];
        let space = PixelSpace(ball);
        let here = space.start(trial, false);
        for k in 1..=candidates {
            trial.towards(&KthBest::new(k), |trial| {
                let pass = trial.gradient(&space, here.clone(), Some(&Difference))?;
                // The gain of a steepest step of length 1 is the dual norm.
                let step = space.steepest(trial, pass.gradient.clone(), 1.0);
                let dual = (step * pass.gradient).sum_dim(1).squeeze_dim::<1>(1);
                let ratio: Vec<f32> = read(&(pass.loss / dual));
                let aims: Vec<i64> = read(trial.aim().expect("led to a class"));
                for ((of_image, ratio), aim) in ratios.iter_mut().zip(ratio).zip(aims) {
                    // No gradient leads there: last.
                    let ratio = if ratio.is_nan() { f32::MIN } else { ratio };
                    of_image.push((ratio, aim));
                }
                Ok(())
            })?;
        }
        let sorted = ratios.into_iter().map(|mut of_image| {
            of_image.sort_by(|a, b| b.0.total_cmp(&a.0));
            of_image.into_iter().map(|(_, class)| class).collect()
        });
        Ok(trial.keys().ids.iter().copied().zip(sorted).collect())
    }
}

impl Attack for Malt {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let ball = self.ball().expect("checked");
        let order = self.order(trial, ball)?;
        for place in 0..self.classes.min(self.candidates).min(trial.classes() - 1) {
            let led = |trial: &mut Trial| {
                let targets = Ranked {
                    order: &order,
                    place,
                };
                trial.in_draw(place as u64 + 1, |trial| {
                    trial.towards(&targets, |trial| self.of.search(trial))
                })
            };
            match place {
                0 => led(trial)?,
                _ => trial.survivors(led)?,
            }
        }
        Ok(())
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if there is no class or no candidate, or if the attack has no ball, or
    /// targets of its own.
    fn check(&self) -> Result<()> {
        self.of.check()?;
        Error::unless(self.classes > 0, "classes", self.classes, "at least 1")?;
        Error::unless(
            self.candidates > 0,
            "candidates",
            self.candidates,
            "at least 1",
        )?;
        let suits = self.ball().is_some() && self.goal().targets.is_none();
        let expected = "an attack with a ball and without targets of its own";
        Error::unless(suits, "of", &self.of, expected)
    }

    fn cost(&self) -> Cost {
        let Cost { queries, gradients } = self.of.cost();
        Cost {
            queries: self.candidates + self.classes * queries,
            gradients: self.candidates + self.classes * gradients,
        }
    }

    as_of!("malt");
}

/// The class at a place of each image's own order.
#[derive(Debug, Display)]
#[display("class {place} of an order")]
struct Ranked<'a> {
    order: &'a HashMap<u64, Vec<i64>>,
    place: usize,
}

impl Targets for Ranked<'_> {
    fn choose(&self, among: &Choice) -> Result<Vec<i64>> {
        let ids = among.keys.ids.iter();
        Ok(ids.map(|id| self.order[id][self.place]).collect())
    }

    fn settings(&self) -> Value {
        Value::Null
    }
}

/// `z_t - z_y`: what the ratio is of.
#[derive(Debug, Display)]
#[display("difference")]
struct Difference;

impl Loss for Difference {
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        let of = |class: &Tensor<1, burn::tensor::Int>| {
            logits
                .clone()
                .gather(1, class.clone().unsqueeze_dim::<2>(1))
        };
        let target = of(reference.targets.as_ref().unwrap_or(&reference.labels));
        (target - of(&reference.labels)).squeeze_dim(1)
    }

    fn settings(&self) -> Value {
        Value::Null
    }
}
