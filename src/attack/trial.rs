use super::ball::settle;
use super::candidate::Best;
use super::goal::{fooled, predicted_classes};
use super::rows::{replace, select};
use super::{Ball, Candidate, Found, Frozen, Goal, Loss, LossSpec, Reference, Space, Targets};
use crate::base::{Batch, Bounds, Error, Keys, Result, Seed, read};
use crate::transform::Pose;
use burn::tensor::{Int, Tensor, TensorData};

/// One run of an attack on one batch: everything that any attack needs.
///
/// It holds the frozen victim, the batch, the goal, the best candidate so far and the counters. An
/// [`Attack`](super::Attack) asks it for passes, which it counts, *offers* candidates, and asks who
/// still stands. Of all that is offered for an image the trial keeps the best: one that fools
/// before one that does not, then the higher loss before the lower, and of losses equal within f32
/// rounding the later. In the end it verifies ball and bounds and gives the verdict by an exact
/// pass over what is returned; where the candidate was judged by such a pass already, that one
/// counts.
#[derive(Clone, Debug)]
pub struct Trial {
    victim: Frozen,
    keys: Keys,
    bounds: Bounds,
    originals: Tensor<4>,
    reference: Reference,
    loss: LossSpec,
    best: Option<Best>,
    // The one candidate so far, if nothing had to be compared with it yet.
    pending: Option<Candidate>,
    clean: Option<Tensor<2>>,
    // Whether the originals have been offered.
    met_originals: bool,
    queries: Vec<u32>,
    gradients: Vec<u32>,
}

/// What one forward and one backward pass tell about a point of a [`Space`], outside autodiff.
#[derive(Clone, Debug)]
pub struct Pass {
    /// The point's images `[batch, channel, height, width]`.
    pub images: Tensor<4>,
    /// Their logits `[batch, classes]`.
    pub logits: Tensor<2>,
    /// The loss of each image `[batch]`.
    pub loss: Tensor<1>,
    /// The gradient of each image's loss in its point `[batch, coordinates]`.
    pub gradient: Tensor<2>,
}

impl Trial {
    /// A trial of a batch. Makes the clean pass if the goal cannot be fixed without it.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for what [`Batch::check`] refuses and for a classifier of fewer than two
    /// classes, [`Error::Setting`] for targets or a loss that do not suit it.
    pub fn new(victim: &Frozen, batch: &Batch, goal: &Goal, seed: impl Into<Seed>) -> Result<Self> {
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
        let least = goal.loss.least_classes();
        if classes < least {
            let expected = format!("a loss for {classes} classes (it takes at least {least})");
            return Err(Error::setting("loss", &goal.loss, expected));
        }
        let mut trial = Self {
            victim: victim.clone(),
            keys: Keys::new(seed, batch.ids.iter().copied()),
            bounds: batch.bounds,
            originals,
            reference: Reference::new(batch.labels.clone().inner()),
            loss: goal.loss.clone(),
            best: None,
            pending: None,
            clean: None,
            met_originals: false,
            queries: vec![0; batch.len()],
            gradients: vec![0; batch.len()],
        };
        if goal.predicted_labels {
            trial.reference.labels = predicted_classes(trial.clean());
        }
        if let Some(targets) = &goal.targets {
            let targets = trial.choose(targets, classes)?;
            trial.reference.targets = Some(targets);
        }
        if goal.loss.wants_clean() {
            trial.reference.clean = Some(trial.clean());
        }
        Ok(trial)
    }

    fn choose(&mut self, targets: &Targets, classes: usize) -> Result<Tensor<1, Int>> {
        let labels: Vec<i64> = read(&self.reference.labels);
        let logits: Vec<f32> = match targets.need_logits() {
            true => read(&self.clean()),
            false => Vec::new(),
        };
        let chosen = TensorData::new(targets.choose(&labels, classes, &logits)?, [labels.len()]);
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

    /// Logits of images by one exact pass, which is counted.
    pub fn logits(&mut self, images: Tensor<4>) -> Tensor<2> {
        self.queries.iter_mut().for_each(|passes| *passes += 1);
        self.victim.logits(images)
    }

    /// Logits of the batch's own images. The pass is made once, and counted, when they are first
    /// asked for.
    pub fn clean(&mut self) -> Tensor<2> {
        if self.clean.is_none() {
            self.clean = Some(self.logits(self.originals.clone()));
        }
        self.clean.clone().expect("the pass was made")
    }

    /// One forward and one backward pass at a point of a space, which are counted; on the goal's
    /// loss unless another is given. In the victim's [numerics](Frozen::numerics).
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if the classifier cannot be differentiated in its images.
    pub fn gradient(
        &mut self,
        space: &dyn Space,
        point: Tensor<2>,
        loss: Option<&dyn Loss>,
    ) -> Result<Pass> {
        let loss = loss.unwrap_or(&*self.loss);
        let pass = self.victim.pass(
            point,
            |point| space.images(self, point),
            |logits| loss.per_image(logits, &self.reference),
        )?;
        for passes in [&mut self.queries, &mut self.gradients] {
            passes.iter_mut().for_each(|passes| *passes += 1);
        }
        Ok(pass)
    }

    /// The same trial with exact gradients, whatever the victim's numerics.
    pub fn exact(&mut self) -> &mut Self {
        self.victim = self.victim.clone().with_numerics(Default::default());
        self
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
    pub fn offer(&mut self, candidate: impl Into<Candidate>) {
        let candidate = candidate.into();
        if self.best.is_none() && self.pending.is_none() {
            self.pending = Some(candidate);
            return;
        }
        self.judge_pending();
        let judged = self.judge(candidate);
        self.meet(judged);
    }

    /// Offers candidates with the logits of a pass that was made on them for another reason, as
    /// [`gradient`](Self::gradient)'s; `loss` if it gave the goal's loss as well.
    pub fn offer_with(
        &mut self,
        candidate: impl Into<Candidate>,
        logits: Tensor<2>,
        loss: Option<Tensor<1>>,
    ) {
        self.judge_pending();
        let judged = self.judged(candidate.into(), logits, loss, false);
        self.meet(judged);
    }

    /// The best candidates so far, the originals where there is none.
    pub fn images(&self) -> Tensor<4> {
        match (&self.best, &self.pending) {
            (Some(best), _) => best.candidate.images.clone(),
            (None, Some(pending)) => pending.images.clone(),
            (None, None) => self.originals.clone(),
        }
    }

    /// The positions of the images that nothing has fooled yet.
    pub fn standing(&mut self) -> Vec<usize> {
        self.judge_pending();
        let Some(best) = &self.best else {
            return (0..self.len()).collect();
        };
        let fooled = read::<f32, _, _>(&best.fooled).into_iter().enumerate();
        fooled
            .filter(|(_, f)| *f == 0.0)
            .map(|(at, _)| at)
            .collect()
    }

    /// Runs `search` on a trial of those images alone that nothing has fooled yet, and takes over
    /// what it found. Nothing is run if there are none.
    ///
    /// # Errors
    ///
    /// Those of `search`.
    pub fn survivors(&mut self, search: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let standing = self.standing();
        if standing.is_empty() {
            return Ok(());
        }
        if standing.len() == self.len() {
            return search(self);
        }
        let mut part = self.select(&standing);
        search(&mut part)?;
        part.judge_pending();
        for (passes, parts) in [
            (&mut self.queries, &part.queries),
            (&mut self.gradients, &part.gradients),
        ] {
            standing
                .iter()
                .zip(parts)
                .for_each(|(&at, &n)| passes[at] += n);
        }
        if let (Some(best), Some(part)) = (self.best.take(), part.best) {
            self.best = Some(best.replace(&standing, part, &self.originals));
        }
        Ok(())
    }

    /// Runs `search` in another draw: its random numbers are others. Draws nest.
    ///
    /// # Errors
    ///
    /// Those of `search`.
    pub fn in_draw(
        &mut self,
        draw: u64,
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let before = self.keys.draw;
        self.keys.draw = (before << 16) + draw;
        let result = search(self);
        self.keys.draw = before;
        result
    }

    /// Runs `search` around other images than the originals, which have been offered already; what
    /// it offers are perturbations of these.
    ///
    /// # Errors
    ///
    /// Those of `search`.
    pub fn around(
        &mut self,
        moved: Candidate,
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.judge_pending();
        let (best, originals) = (self.best.take(), self.originals.clone());
        let met = std::mem::replace(&mut self.met_originals, true);
        self.originals = moved.images.clone();
        let result = search(self);
        self.judge_pending();
        self.met_originals = met;
        self.originals = originals;
        let found = std::mem::replace(&mut self.best, best);
        if let Some(mut found) = found {
            let candidate = &mut found.candidate;
            candidate.originals.get_or_insert(moved.images);
            candidate.poses = candidate.poses.take().or(moved.poses);
            self.meet(found);
        }
        result
    }

    /// [`around`](Self::around) these candidates, for those of the images alone that nothing has
    /// fooled yet.
    ///
    /// # Errors
    ///
    /// Those of `search`.
    pub fn survivors_around(
        &mut self,
        moved: Candidate,
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let standing = self.standing();
        let moved = moved.select(&standing);
        self.survivors(|trial| trial.around(moved, search))
    }

    /// The best candidates so far, with the images that they start from.
    pub fn best(&self) -> Candidate {
        match (&self.best, &self.pending) {
            (Some(best), _) => best.candidate.clone(),
            (None, Some(pending)) => pending.clone(),
            (None, None) => self.originals.clone().into(),
        }
    }

    fn select(&self, positions: &[usize]) -> Self {
        let at = super::rows::indices(positions, &self.originals);
        let chosen = |counts: &[u32]| vec![0; counts.len().min(positions.len())];
        Self {
            victim: self.victim.clone(),
            keys: self.keys.select(positions),
            bounds: self.bounds,
            originals: self.originals.clone().select(0, at.clone()),
            reference: self.reference.select(&at),
            loss: self.loss.clone(),
            best: self.best.as_ref().map(|best| best.select(positions)),
            pending: None,
            clean: (self.clean.as_ref()).map(|logits| logits.clone().select(0, at)),
            met_originals: self.met_originals,
            queries: chosen(&self.queries),
            gradients: chosen(&self.gradients),
        }
    }

    fn judge_pending(&mut self) {
        if let Some(pending) = self.pending.take() {
            let judged = self.judge(pending);
            self.meet(judged);
        }
    }

    fn judge(&mut self, candidate: Candidate) -> Best {
        let logits = self.logits(candidate.images.clone());
        self.judged(candidate, logits, None, true)
    }

    fn judged(
        &self,
        candidate: Candidate,
        logits: Tensor<2>,
        loss: Option<Tensor<1>>,
        exact: bool,
    ) -> Best {
        let loss = loss.unwrap_or_else(|| self.loss.per_image(logits.clone(), &self.reference));
        Best {
            candidate,
            fooled: fooled(logits.clone(), &self.reference).float(),
            exact: Tensor::full([self.len()], f32::from(exact), &logits.device()),
            logits,
            loss,
        }
    }

    fn meet(&mut self, judged: Best) {
        self.best = Some(match self.best.take() {
            None => judged,
            Some(best) => best.meet(judged, &self.originals),
        });
    }

    // The images to return, settled and verified, and which of them settling has changed.
    pub(super) fn settle(&self, ball: Option<&Ball>) -> Result<(Candidate, Vec<usize>)> {
        let mut best = self.best();
        let around = best.originals.as_ref().unwrap_or(&self.originals);
        let (images, changed) = settle(best.images, around, &self.keys.ids, self.bounds, ball)?;
        best.images = images;
        Ok((best, changed))
    }

    // Everything but the search.
    pub(super) fn conclude(mut self, ball: Option<&Ball>) -> Result<Found> {
        let (found, changed) = self.settle(ball)?;
        let logits = match self.best.take() {
            None => self.logits(found.images.clone()),
            Some(best) => {
                let mut exact: Vec<f32> = read(&best.exact);
                changed.into_iter().for_each(|at| exact[at] = 0.0);
                let open = exact.iter().enumerate().filter(|(_, e)| **e == 0.0);
                let open: Vec<usize> = open.map(|(at, _)| at).collect();
                open.iter().for_each(|&at| self.queries[at] += 1);
                match open.is_empty() {
                    true => best.logits,
                    false => {
                        let logits = self.victim.logits(select(&found.images, &open));
                        replace(best.logits, &open, logits)
                    }
                }
            }
        };
        let count = self.len();
        let loss = self.loss.per_image(logits.clone(), &self.reference);
        let verdicts = fooled(logits.clone(), &self.reference).float();
        let classes = predicted_classes(logits).float();
        let verdicts: Vec<f32> = read(&Tensor::cat(vec![loss, verdicts, classes], 0));
        let (loss, verdicts) = verdicts.split_at(count);
        let (verdicts, classes) = verdicts.split_at(count);
        if let Some(position) = loss.iter().position(|loss| loss.is_nan()) {
            return Err(Error::input(
                format!("loss of attacked image {}", self.keys.ids[position]),
                "NaN",
                "a number: the classifier must give finite logits",
            ));
        }
        Ok(Found {
            originals: found.originals.unwrap_or(self.originals),
            images: found.images,
            predicted: classes.iter().map(|&class| class as i64).collect(),
            fooled: verdicts.iter().map(|&fooled| fooled > 0.0).collect(),
            loss: loss.to_vec(),
            queries: self.queries,
            gradients: self.gradients,
            poses: found.poses.as_ref().map(to_poses),
        })
    }
}

fn to_poses(poses: &Tensor<2>) -> Vec<Pose> {
    use crate::base::{Degrees, Pixels};
    let rows: Vec<f32> = read(poses);
    let rows = rows
        .chunks_exact(3)
        .map(|row| [0, 1, 2].map(|at| f64::from(row[at])));
    rows.map(|[angle, right, down]| Pose {
        angle: Degrees(angle),
        right: Pixels(right),
        down: Pixels(down),
    })
    .collect()
}
