mod allowed;
mod budget;
mod climb;
mod nearest;
mod parts;
mod passes;
mod spent;
mod verdict;
mod visit;

use self::allowed::Allowed;
use self::spent::Spent;
pub(in crate::attack) use self::visit::Seen;
use super::candidate::Best;
use super::goal::{fooled, predicted_classes};
use super::{Candidate, Choice, Frozen, Goal, LossSpec, Nearest, Reference, Targets};
use crate::base::{Batch, Bounds, Error, Keys, Result, Seed, read};
use burn::tensor::{Int, Tensor, TensorData};

/// One run of an attack on one batch: everything that any attack needs.
///
/// It holds the frozen victim, the batch, the goal, the best candidate so far and the counters. An
/// [`Attack`](super::Attack) asks it for passes, which it counts, *offers* candidates, and asks who
/// still stands. Of all that is offered for an image the trial keeps the best: one that fools
/// before one that does not, then the higher [unsaturated](super::Loss::unsaturated) loss before the
/// lower, and of losses equal within their rounding the later. A point with a logit of NaN fools, as no class
/// is predicted there, but ranks below all others that do. Where the goal is the
/// [nearest](Goal::nearest) candidate, those that fool are ranked by their distance instead. In the
/// end it verifies ball and bounds and gives the verdict by an exact pass over what is returned; where
/// the candidate was judged by such a pass already, that one counts.
#[derive(Clone, Debug)]
pub struct Trial {
    victim: Frozen,
    keys: Keys,
    bounds: Bounds,
    originals: Tensor<4>,
    reference: Reference,
    loss: LossSpec,
    classes: usize,
    // What gradient passes climb and where they lead, if other than the goal says.
    climbed: Option<LossSpec>,
    aim: Option<Tensor<1, Int>>,
    nearest: Option<Nearest>,
    best: Option<Best>,
    // The one candidate so far, if nothing had to be compared with it yet.
    pending: Option<Candidate>,
    clean: Option<Tensor<2>>,
    // Whether the originals have been offered.
    met_originals: bool,
    // The pixels that may change, if not all.
    allowed: Option<Allowed>,
    spent: Spent,
    // The gradient passes behind each image, by which a random victim draws.
    passes: Vec<u64>,
    // The images of the trial of which this one is a part.
    whole: usize,
}

/// What one forward and one backward pass tell about a point of a [`Space`](super::Space), or of
/// images as they are (`D` = 4), outside autodiff.
#[derive(Clone, Debug)]
pub struct Pass<const D: usize = 2> {
    /// The point's images `[batch, channel, height, width]`.
    pub images: Tensor<4>,
    /// Their logits `[batch, classes]`.
    pub logits: Tensor<2>,
    /// The [unsaturated](super::Loss::unsaturated) loss of each image `[batch]`.
    pub loss: Tensor<1>,
    /// The gradient of each image's loss in its point, `[batch, coordinates]` or as the images.
    pub gradient: Tensor<D>,
}

impl Trial {
    /// A trial of a batch. Makes the clean pass if the goal cannot be fixed without it.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for what [`Batch::check`] refuses, for images of another element type than
    /// the classifier's weights and for a classifier of fewer than two classes, [`Error::Setting`] for
    /// targets or a loss that do not suit it.
    pub fn new(victim: &Frozen, batch: &Batch, goal: &Goal, seed: impl Into<Seed>) -> Result<Self> {
        let victim = victim.for_ids(&batch.ids);
        victim.accept(&batch.images)?;
        let originals = batch.images.clone().inner();
        let classes = match batch.is_empty() {
            true => 0,
            false => victim.classes(&originals),
        };
        batch.check(classes)?;
        if classes < 2 {
            let expected = "at least 2 classes";
            return Err(Error::input("logits per image", classes, expected));
        }
        climb::suit(&goal.loss, classes)?;
        let mut trial = Self {
            spent: Spent::nothing(batch.len(), victim.cost(), &originals.device()),
            passes: vec![0; batch.len()],
            whole: batch.len(),
            victim,
            keys: Keys::new(seed, batch.ids.iter().copied()),
            bounds: batch.bounds,
            originals,
            reference: Reference::new(batch.labels.clone().inner()),
            loss: goal.loss.clone(),
            classes,
            climbed: None,
            aim: None,
            nearest: goal.nearest.clone(),
            best: None,
            pending: None,
            clean: None,
            met_originals: false,
            allowed: None,
        };
        if goal.predicted_labels {
            // Losses need a class, even where none is predicted.
            trial.reference.labels = predicted_classes(trial.clean()).clamp_min(0);
        }
        if let Some(targets) = &goal.targets {
            let targets = trial.choose(&**targets, classes)?;
            trial.reference.targets = Some(targets);
        }
        if goal.loss.wants_clean() {
            trial.reference.clean = Some(trial.clean());
        }
        Ok(trial)
    }

    fn choose(&mut self, targets: &dyn Targets, classes: usize) -> Result<Tensor<1, Int>> {
        let labels: Vec<i64> = read(&self.reference.labels);
        let logits: Vec<f32> = match targets.wants_logits() {
            true => read(&self.clean()),
            false => Vec::new(),
        };
        let chosen = targets.choose(&Choice {
            labels: &labels,
            classes,
            logits: &logits,
            keys: &self.keys,
        })?;
        let chosen = TensorData::new(chosen, [labels.len()]);
        Ok(Tensor::from_data(chosen, &self.originals.device()))
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The images around which the attack searches, outside autodiff.
    pub fn originals(&self) -> &Tensor<4> {
        &self.originals
    }

    /// The range of valid pixels.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// What random numbers depend on.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The victim.
    pub fn victim(&self) -> &Frozen {
        &self.victim
    }

    /// Labels, targets and clean logits, for losses.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Offers the originals themselves, if nothing has yet; costs the clean pass.
    pub fn offer_originals(&mut self) {
        if !self.met_originals {
            self.met_originals = true;
            let logits = self.clean();
            let judged = self.judged(self.originals.clone().into(), logits, None, true);
            self.meet(judged);
        }
    }

    /// Offers candidates that no pass has judged. An exact pass will, when they have to be
    /// compared with others: if nothing else is ever offered, the verdict's.
    ///
    /// # Panics
    ///
    /// Panics unless the candidates are of the originals' element type.
    pub fn offer(&mut self, candidate: impl Into<Candidate>) {
        let candidate = self.allowed_candidate(candidate);
        if self.best.is_none() && self.pending.is_none() && !self.spent.is_limited() {
            self.pending = Some(candidate);
            return;
        }
        self.judge_pending();
        self.judge(candidate);
    }

    /// Offers candidates with the logits of a pass that was made on them for another reason, as
    /// [`gradient`](Self::gradient)'s; `loss` if it gave the goal's loss, unsaturated, as well.
    ///
    /// # Panics
    ///
    /// As [`offer`](Self::offer).
    pub fn offer_with(
        &mut self,
        candidate: impl Into<Candidate>,
        logits: Tensor<2>,
        loss: Option<Tensor<1>>,
    ) {
        self.offer_pass(candidate.into(), logits, loss, false);
    }

    /// Offers candidates with the logits of exact passes on exactly these images, as
    /// [`logits`](Self::logits) and [`logits_at`](Self::logits_at) give them: they are the verdict,
    /// too.
    ///
    /// # Panics
    ///
    /// As [`offer`](Self::offer).
    pub fn offer_exact(&mut self, candidate: impl Into<Candidate>, logits: Tensor<2>) {
        self.offer_pass(candidate.into(), logits, None, true);
    }

    fn offer_pass(
        &mut self,
        candidate: Candidate,
        logits: Tensor<2>,
        loss: Option<Tensor<1>>,
        exact: bool,
    ) {
        let candidate = self.allowed_candidate(candidate);
        self.judge_pending();
        let judged = self.judged(candidate, logits, loss, exact);
        self.meet(judged);
    }

    /// The best candidates so far, the originals where there is none.
    pub fn images(&self) -> Tensor<4> {
        self.best().images
    }

    /// The best candidates so far, with the images that they start from.
    pub fn best(&self) -> Candidate {
        match (&self.best, &self.pending) {
            (Some(best), _) => best.candidate.clone(),
            (None, Some(pending)) => pending.clone(),
            (None, None) => self.originals.clone().into(),
        }
    }

    fn judge_pending(&mut self) {
        if let Some(pending) = self.pending.take() {
            self.judge(pending);
        }
    }

    // By a pass of the search: none is made that a budget has no room for.
    fn judge(&mut self, candidate: Candidate) {
        if self.spent.pay(0..self.keys.len(), false).is_ok() {
            // As it is: what it may not change has been taken back already.
            let logits = self.victim.logits(candidate.images.clone());
            let judged = self.judged(candidate, logits, None, true);
            self.meet(judged);
        }
    }

    fn judge_finally(&mut self, candidate: Candidate) -> Best {
        let logits = self.verdict(candidate.images.clone());
        self.judged(candidate, logits, None, true)
    }

    fn judged(
        &self,
        candidate: Candidate,
        logits: Tensor<2>,
        loss: Option<Tensor<1>>,
        exact: bool,
    ) -> Best {
        let loss = loss.unwrap_or_else(|| self.loss.unsaturated(logits.clone(), &self.reference));
        // Every comparison with NaN is false: nothing would displace such a candidate.
        let lost = loss.clone().is_nan();
        let predicted = predicted_classes(logits.clone());
        let fooled = fooled(predicted, &self.reference);
        let mut rank = loss.mask_fill(lost, f32::MIN);
        if let Some(Nearest { norm, .. }) = &self.nearest {
            let distance = self.lengths(&candidate, &**norm).cast(rank.dtype());
            rank = rank.mask_where(fooled.clone(), distance.neg());
        }
        Best {
            candidate,
            fooled: fooled.float(),
            exact: Tensor::full([self.len()], f32::from(exact), &logits.device()),
            logits,
            loss: rank,
            passes: self.spent.on_device(),
        }
    }

    // What a pass has just told: nothing, of images that could not afford it.
    fn meet(&mut self, mut judged: Best) {
        if let Some(out) = self.spent.out() {
            judged = self.without(judged, out.greater_elem(0.5));
        }
        self.join(judged);
    }

    // What was found before.
    fn join(&mut self, judged: Best) {
        self.best = Some(match self.best.take() {
            None => judged,
            Some(best) => best.meet(judged, &self.originals),
        });
    }
}
