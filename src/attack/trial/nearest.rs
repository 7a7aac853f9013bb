//! What attacks need that look for the nearest image that fools.

use super::Trial;
use crate::attack::candidate::Best;
use crate::attack::goal::{fooled, predicted_classes};
use crate::attack::rows::positions;
use crate::attack::{Ball, Candidate, Norm};
use crate::base::{Precision, Result, read, widened};
use burn::tensor::{Bool, Tensor};

impl Trial {
    /// Offers candidates of which those outside a ball around what they are perturbations of count
    /// for nothing, with the logits of a pass that was made on them.
    ///
    /// # Panics
    ///
    /// As [`offer`](Self::offer).
    pub fn offer_within(
        &mut self,
        ball: Option<&Ball>,
        candidate: impl Into<Candidate>,
        logits: Tensor<2>,
    ) {
        self.meet_within(ball, candidate.into(), logits, false);
    }

    /// As [`offer_within`](Self::offer_within), with the logits of an exact pass that
    /// [`logits`](Self::logits) made on exactly these candidates.
    ///
    /// # Panics
    ///
    /// As [`offer`](Self::offer).
    pub fn offer_judged(
        &mut self,
        ball: Option<&Ball>,
        candidate: impl Into<Candidate>,
        logits: Tensor<2>,
    ) {
        self.meet_within(ball, candidate.into(), logits, true);
    }

    fn meet_within(
        &mut self,
        ball: Option<&Ball>,
        candidate: Candidate,
        logits: Tensor<2>,
        exact: bool,
    ) {
        let candidate = self.allowed_candidate(candidate);
        self.judge_pending();
        let inside = ball.map(|ball| self.inside(&candidate, ball));
        let mut judged = self.judged(candidate, logits, None, exact);
        if let Some(inside) = inside {
            judged = self.without(judged, inside.bool_not());
        }
        self.meet(judged);
    }

    // Candidates of which these count for nothing.
    pub(super) fn without(&self, mut judged: Best, void: Tensor<1, Bool>) -> Best {
        judged.fooled = judged.fooled.mask_fill(void.clone(), 0.0);
        judged.exact = judged.exact.mask_fill(void.clone(), 0.0);
        judged.loss = judged.loss.mask_fill(void.clone(), f32::MIN);
        if self.best.is_none() {
            let pixels = void.clone().reshape([self.len(), 1, 1, 1]);
            let pixels = pixels.expand(self.originals.dims());
            let own = |images: Tensor<4>| images.mask_where(pixels.clone(), self.originals.clone());
            let candidate = judged.candidate;
            judged.candidate = Candidate {
                images: own(candidate.images),
                originals: candidate.originals.map(own),
                poses: candidate.poses.map(|poses| {
                    let void = void.unsqueeze_dim::<2>(1);
                    poses.clone().mask_fill(void.expand(poses.dims()), 0.0)
                }),
            };
        }
        judged
    }

    /// Whether each image of a pass with these logits is where the attack wants it `[batch]`.
    pub fn fooled_by(&self, logits: Tensor<2>) -> Tensor<1, Bool> {
        fooled(predicted_classes(logits), &self.reference)
    }

    /// How far the best candidates are by a norm `[batch]`, in `f32` at least; infinitely far where
    /// nothing fools.
    pub fn distances(&mut self, norm: &dyn Norm) -> Tensor<1> {
        self.judge_pending();
        let distances = self.lengths(&self.best(), norm);
        let stand = match &self.best {
            Some(best) => best.fooled.clone().equal_elem(0.0),
            None => distances.ones_like().greater_elem(0.0),
        };
        distances.mask_fill(stand, f32::INFINITY)
    }

    /// Runs `search` with exact gradients, whatever the victim's numerics.
    ///
    /// # Errors
    ///
    /// Those of `search`.
    pub fn exactly(&mut self, search: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let numerics = self.victim.numerics();
        let result = search(self.exact());
        self.victim = self.victim.clone().with_numerics(numerics);
        result
    }

    /// The positions of images that a candidate fools, by an exact verdict, which are right as they
    /// are: of those whose nearest candidate may be brought nearer still. None if the goal is another.
    pub(in crate::attack) fn fooled_farther(&mut self) -> Vec<usize> {
        if self.nearest.is_none() {
            return Vec::new();
        }
        // Exact verdicts.
        self.standing();
        let Some(best) = &self.best else {
            return Vec::new();
        };
        let farther = best.loss.clone().not_equal_elem(0.0).float();
        positions(&read::<f32, _, _>(&(farther * best.fooled.clone())), |is| {
            is > 0.0
        })
    }

    /// The logits of the best candidates and the candidates themselves, once all are judged.
    pub(in crate::attack) fn best_logits(&mut self) -> Option<(Candidate, Tensor<2>)> {
        self.judge_pending();
        let best = self.best.as_ref()?;
        Some((best.candidate.clone(), best.logits.clone()))
    }

    pub(super) fn goes_on(&self) -> bool {
        (self.nearest.as_ref()).is_some_and(|nearest| nearest.goes_on)
    }

    /// How far candidates are from what they are perturbations of `[batch]`, in `f32` at least.
    pub(super) fn lengths(&self, candidate: &Candidate, norm: &dyn Norm) -> Tensor<1> {
        let from = candidate.originals.as_ref().unwrap_or(&self.originals);
        norm.lengths(widened(candidate.images.clone()) - widened(from.clone()))
    }

    // By the same lengths that are reported as distances.
    fn inside(&self, candidate: &Candidate, ball: &Ball) -> Tensor<1, Bool> {
        let lengths = self.lengths(candidate, &*ball.norm);
        let precision = Precision::of_type(lengths.dtype()).unwrap_or(Precision::F32);
        lengths.lower_equal_elem(precision.round_towards(ball.epsilon, 0.0))
    }
}
