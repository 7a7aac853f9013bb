//! Searches and passes on a part of a trial: the survivors, another draw, other originals.

use super::Trial;
use crate::attack::candidate::Best;
use crate::attack::rows::{positions, select};
use crate::attack::{Ball, Candidate};
use crate::base::{Error, Result, indices, read};
use burn::tensor::Tensor;

impl Trial {
    /// The positions of the images that nothing has fooled yet, by exact verdicts: one pass over
    /// those of which only a gradient's pass has said so. Where the goal is the nearest candidate and
    /// [goes on](super::super::Nearest::goes_on), of all that are right as they are.
    pub fn standing(&mut self) -> Vec<usize> {
        self.judge_pending();
        let Some(best) = &self.best else {
            return (0..self.len()).collect();
        };
        let at_hand = match self.goes_on() {
            true => best.loss.clone().equal_elem(0.0).float(),
            false => best.fooled.ones_like(),
        };
        let judged = Tensor::cat(vec![best.fooled.clone(), best.exact.clone(), at_hand], 0);
        let judged: Vec<f32> = read(&judged);
        let mut judged = judged.chunks(self.len());
        let [fooled, exact, done] = std::array::from_fn(|_| judged.next().expect("three columns"));
        let is_fooled = |&at: &usize| fooled[at] > 0.0;
        // Whether one stands is nothing to it that has no pass left.
        let doubtful = |at: &usize| is_fooled(at) && exact[*at] == 0.0 && self.affords(*at);
        let doubtful = Vec::from_iter((0..self.len()).filter(doubtful));
        let stands = |at: &usize| !is_fooled(at) || done[*at] == 0.0;
        let mut standing = Vec::from_iter((0..self.len()).filter(stands));
        if !doubtful.is_empty() {
            standing.extend(self.confirm(&doubtful));
            standing.sort_unstable();
            standing.dedup();
        }
        standing
    }

    // Judges the best candidates at these positions by an exact pass, and tells where it finds that
    // they do not fool: rounding of the pass that said so must not save an image from what comes.
    fn confirm(&mut self, doubtful: &[usize]) -> Vec<usize> {
        let best = self.best.take().expect("judged candidates");
        let mut part = self.select(doubtful);
        let mut exact = part.judge_finally(best.candidate.select(doubtful));
        exact.passes = select(&best.passes, doubtful);
        let stand = positions(&read::<f32, _, _>(&exact.fooled), |fooled| fooled == 0.0);
        self.spent.add(doubtful, part.spent);
        self.best = Some(best.replace(doubtful, exact, &self.originals));
        stand.into_iter().map(|at| doubtful[at]).collect()
    }

    /// Runs `search` on a trial of those images alone that nothing has fooled yet, and takes over
    /// what it found. Nothing is run if there are none.
    ///
    /// # Errors
    ///
    /// Those of `search`.
    pub fn survivors(&mut self, search: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let standing = self.standing();
        self.part(&standing, search)
    }

    /// Runs `search` on a trial of the images at these positions alone, in rising order, and takes
    /// over what it found. Nothing is run if there are none.
    ///
    /// # Errors
    ///
    /// Those of `search`.
    pub fn part(
        &mut self,
        positions: &[usize],
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        if positions.is_empty() {
            return Ok(());
        }
        if positions.len() == self.len() {
            return search(self);
        }
        self.judge_pending();
        let mut part = self.select(positions);
        // A search that ends before its time has found something too.
        let result = search(&mut part);
        part.judge_pending();
        self.spent.add(positions, part.spent);
        for (&at, passes) in positions.iter().zip(part.passes) {
            self.passes[at] = passes;
        }
        if let Some(part) = part.best {
            let before = self.best.take();
            let best = before.unwrap_or_else(|| Best::unknown(&part, &self.originals));
            self.best = Some(best.replace(positions, part, &self.originals));
        }
        match result {
            Err(Error::Budget) if !self.spent.is_out() => Ok(()),
            result => result,
        }
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

    /// Runs `search` and tells what it found by itself, whatever was offered before, held to its
    /// ball.
    ///
    /// # Errors
    ///
    /// Those of `search`; [`Error::Ball`](crate::base::Error::Ball) or
    /// [`Error::Input`](crate::base::Error::Input) for images outside ball or bounds.
    pub fn alone(
        &mut self,
        ball: Option<&Ball>,
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Candidate> {
        self.judge_pending();
        let before = self.best.take();
        let met = std::mem::replace(&mut self.met_originals, false);
        let found = search(self).and_then(|()| {
            self.judge_pending();
            self.settle(ball)
        });
        self.met_originals |= met;
        if let Some(before) = before {
            let now = self.best.replace(before);
            now.into_iter().for_each(|now| self.join(now));
        }
        Ok(found?.0)
    }

    /// Runs `search` and holds what it found to a ball of its own, which is within the attack's: brings
    /// back inside what rounding has put outside.
    ///
    /// # Errors
    ///
    /// As [`alone`](Self::alone).
    pub fn held(
        &mut self,
        ball: Option<&Ball>,
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let result = search(self);
        self.judge_pending();
        let (found, changed) = self.settle(ball)?;
        if let Some(best) = &mut self.best {
            let mut exact: Vec<f32> = read(&best.exact);
            changed.iter().for_each(|&at| exact[at] = 0.0);
            best.exact = Tensor::from_data(exact.as_slice(), &best.exact.device());
            best.candidate = found;
        }
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
        let moved = moved.with_all_columns();
        let (best, originals) = (self.best.take(), self.originals.clone());
        let met = std::mem::replace(&mut self.met_originals, true);
        let clean = self.clean.take();
        self.originals = moved.images.clone();
        let result = search(self);
        self.judge_pending();
        self.met_originals = met;
        self.clean = clean;
        self.originals = originals;
        let found = std::mem::replace(&mut self.best, best);
        if let Some(mut found) = found {
            let candidate = &mut found.candidate;
            candidate.originals.get_or_insert(moved.images);
            candidate.poses = candidate.poses.take().or(moved.poses);
            self.join(found);
        }
        result
    }

    /// Runs `search` on other images in place of the originals, as on a batch of them: the originals
    /// are no candidates, what it offers are perturbations of these, and these too if it offers its
    /// originals.
    ///
    /// # Errors
    ///
    /// Those of `search`.
    pub fn instead(
        &mut self,
        moved: Candidate,
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.around(moved, |trial| {
            trial.met_originals = false;
            search(trial)
        })
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

    fn select(&self, positions: &[usize]) -> Self {
        let at = indices(positions.iter().copied(), &self.originals.device());
        let keys = self.keys.select(positions);
        Self {
            spent: self.spent.of_part(positions, &self.originals.device()),
            passes: positions.iter().map(|&at| self.passes[at]).collect(),
            whole: self.whole,
            victim: self.victim.for_ids(&keys.ids),
            keys,
            bounds: self.bounds,
            originals: self.originals.clone().select(0, at.clone()),
            reference: self.reference.select(&at),
            loss: self.loss.clone(),
            classes: self.classes,
            climbed: self.climbed.clone(),
            aim: (self.aim.as_ref()).map(|aim| aim.clone().select(0, at.clone())),
            nearest: self.nearest.clone(),
            best: self.best.as_ref().map(|best| best.select(positions)),
            pending: None,
            clean: (self.clean.as_ref()).map(|logits| logits.clone().select(0, at)),
            met_originals: self.met_originals,
            allowed: (self.allowed.as_ref()).map(|allowed| allowed.select(positions)),
        }
    }
}
