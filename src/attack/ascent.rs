use super::best_point::BestPoint;
use super::{Keep, Loss, Pass, Space, Trial};
use crate::base::Result;
use burn::tensor::Tensor;

/// The one loop of all gradient attacks: a pass, a step, again.
///
/// One forward and one backward pass per step; nothing is read back to the host.
#[derive(Clone, Copy, Debug)]
pub struct Ascent<'a> {
    /// What it moves in.
    pub space: &'a dyn Space,
    /// What it climbs, if other than what the trial [climbs](Trial::climb).
    pub loss: Option<&'a dyn Loss>,
    /// How many steps it takes.
    pub steps: usize,
    /// Which of the points visited it offers.
    pub keep: Keep,
}

/// Where an ascent stands.
#[derive(Clone, Debug)]
pub struct Here<'a> {
    /// The point `[batch, coordinates]`.
    pub point: Tensor<2>,
    /// What was found there.
    pub pass: &'a Pass,
    /// The losses of all points so far, this one included, each `[batch]`.
    pub losses: &'a [Tensor<1>],
    /// The number of the step, from 0.
    pub step: usize,
}

/// How an ascent goes on from where it stands.
///
/// A rule sees every image's loss history and may keep a state of its own: momentum, step sizes
/// that shrink, restarts from the best point.
pub trait StepRule {
    /// The next point.
    fn next(&mut self, space: &dyn Space, trial: &Trial, here: Here) -> Tensor<2>;
}

/// Steps of one length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedStep(pub f64);

impl StepRule for FixedStep {
    fn next(&mut self, space: &dyn Space, trial: &Trial, here: Here) -> Tensor<2> {
        space.step(trial, here.point, here.pass.gradient.clone(), self.0)
    }
}

impl Ascent<'_> {
    /// Climbs from `start`. With [`Keep::Best`] it offers every point; else, or without a step, the
    /// last one alone.
    ///
    /// # Errors
    ///
    /// As [`Trial::gradient`].
    pub fn climb(
        &self,
        trial: &mut Trial,
        start: Tensor<2>,
        rule: &mut dyn StepRule,
    ) -> Result<()> {
        let point = self.go(trial, start, rule, |trial, point, pass| {
            if self.keep == Keep::Best {
                let ranks = self.loss.is_none() && trial.climbs_goal();
                let loss = ranks.then(|| pass.loss.clone());
                let candidate = self.space.candidate(pass.images.clone(), point.clone());
                trial.offer_with(candidate, pass.logits.clone(), loss);
            }
        })?;
        // No pass of this loop has seen the last point.
        let images = self.space.images(trial, point.clone());
        trial.offer(self.space.candidate(images, point));
        Ok(())
    }

    /// Climbs from `start` without offering anything. Returns the point of each image with the highest
    /// loss that a pass has seen; without a step, the start.
    ///
    /// # Errors
    ///
    /// As [`Trial::gradient`].
    pub fn highest(
        &self,
        trial: &mut Trial,
        start: Tensor<2>,
        rule: &mut dyn StepRule,
    ) -> Result<Tensor<2>> {
        let mut best: Option<BestPoint> = None;
        let last = self.go(trial, start, rule, |_, point, pass| match &mut best {
            None => best = Some(BestPoint::new(point, pass)),
            Some(best) => best.meet(point, pass),
        })?;
        Ok(best.map_or(last, |best| best.point))
    }

    /// All steps; each point with its pass is shown to `seen`. Returns where the last one leads.
    ///
    /// # Errors
    ///
    /// As [`Trial::gradient`].
    pub(super) fn go(
        &self,
        trial: &mut Trial,
        start: Tensor<2>,
        rule: &mut dyn StepRule,
        mut seen: impl FnMut(&mut Trial, &Tensor<2>, &Pass),
    ) -> Result<Tensor<2>> {
        let mut point = start;
        let mut losses = Vec::with_capacity(self.steps);
        for step in 0..self.steps {
            let pass = trial.gradient(self.space, point.clone(), self.loss)?;
            seen(trial, &point, &pass);
            losses.push(pass.loss.clone());
            let here = Here {
                point,
                pass: &pass,
                losses: &losses,
                step,
            };
            point = rule.next(self.space, trial, here);
        }
        Ok(point)
    }
}
