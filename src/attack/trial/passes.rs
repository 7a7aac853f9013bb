//! Passes through the victim, which are counted: every draw of a random one is a pass.

use super::{Pass, Trial};
use crate::attack::frozen::{Changes, Known};
use crate::attack::rows::select;
use crate::attack::{Frozen, Loss, Space};
use crate::base::Result;
use burn::tensor::Tensor;

impl Trial {
    /// Logits of images by one exact pass, which is counted.
    ///
    /// # Errors
    ///
    /// [`Error::Budget`](crate::base::Error::Budget) where a [budget](Self::in_budget) is spent.
    pub fn logits(&mut self, images: Tensor<4>) -> Result<Tensor<2>> {
        self.spent.pay(0..self.keys.len(), false)?;
        Ok(self.victim.logits(self.allowed(images)))
    }

    /// Logits of candidates for the images at these positions alone, by one exact pass, which is
    /// counted for them.
    ///
    /// # Errors
    ///
    /// As [`logits`](Self::logits).
    pub fn logits_at(&mut self, positions: &[usize], images: Tensor<4>) -> Result<Tensor<2>> {
        let images = self.paid(positions, images)?;
        Ok(self.at(positions).logits(images))
    }

    /// The same in the victim's [numerics](Frozen::numerics): enough to go by, but no verdict. Near known
    /// images, in rows of theirs, it may compute less, and tell what changes; it counts as much.
    ///
    /// # Errors
    ///
    /// As [`logits`](Self::logits).
    pub(in crate::attack) fn draft_near(
        &mut self,
        positions: &[usize],
        images: Tensor<4>,
        near: Option<(&mut Known, &[usize])>,
    ) -> Result<(Tensor<2>, Option<Changes>)> {
        let images = self.paid(positions, images)?;
        Ok(self.at(positions).draft_near(images, near))
    }

    /// What candidates are near to that differ little from images at these positions, if that is of use.
    pub(in crate::attack) fn known(
        &self,
        positions: &[usize],
        images: &Tensor<4>,
    ) -> Option<Known> {
        self.victim.known(&self.seen(positions, images.clone()))
    }

    // Images of these positions as a pass may see them, which is counted.
    fn paid(&mut self, positions: &[usize], images: Tensor<4>) -> Result<Tensor<4>> {
        self.spent.pay(positions.iter().copied(), false)?;
        Ok(self.seen(positions, images))
    }

    fn seen(&self, positions: &[usize], images: Tensor<4>) -> Tensor<4> {
        match &self.allowed {
            None => images,
            Some(allowed) => {
                let originals = select(&self.originals, positions);
                allowed.select(positions).apply(images, &originals)
            }
        }
    }

    // The same for verdicts, whatever is left of a budget.
    pub(super) fn verdict_at(&mut self, positions: &[usize], images: Tensor<4>) -> Tensor<2> {
        self.spent.query(positions.iter().copied());
        self.at(positions).logits(images)
    }

    pub(super) fn verdict(&mut self, images: Tensor<4>) -> Tensor<2> {
        self.spent.query(0..self.keys.len());
        self.victim.logits(images)
    }

    fn at(&self, positions: &[usize]) -> Frozen {
        let ids = Vec::from_iter(positions.iter().map(|&at| self.keys.ids[at]));
        self.victim.for_ids(&ids)
    }

    /// Logits of the batch's own images. The pass is made once, and counted, when they are first
    /// asked for.
    pub fn clean(&mut self) -> Tensor<2> {
        if self.clean.is_none() {
            // Nobody asks for those of an image that has no pass left.
            self.spent.query(self.spent.solvent());
            self.clean = Some(self.victim.logits(self.originals.clone()));
        }
        self.clean.clone().expect("the pass was made")
    }

    /// One forward and one backward pass at a point of a space, which are counted; on the loss that
    /// the search [climbs](Self::climb), the goal's if it says nothing, [unsaturated](Loss::unsaturated),
    /// unless another is given. In the victim's [numerics](crate::attack::Frozen::numerics).
    ///
    /// Entries of the gradient that are NaN or infinite are set to zero, so that the others still
    /// lead somewhere; how often that happened to an image, and how often all of its gradient was
    /// zero, is told by [`Found`](crate::attack::Found).
    ///
    /// # Errors
    ///
    /// [`Error::Input`](crate::base::Error::Input) if the classifier cannot be differentiated in its
    /// images, [`Error::Budget`](crate::base::Error::Budget) where a [budget](Self::in_budget) is spent.
    pub fn gradient(
        &mut self,
        space: &dyn Space,
        point: Tensor<2>,
        loss: Option<&dyn Loss>,
    ) -> Result<Pass> {
        self.spent.pay(0..self.keys.len(), true)?;
        let (loss, reference) = self.climbed(loss);
        let mut pass = self.next_pass().pass(
            point,
            |point| self.allowed(space.images(self, point)),
            &|logits| loss.unsaturated(logits, &reference),
        )?;
        self.count_pass();
        pass.gradient = self.spent.gradient(pass.gradient);
        Ok(pass)
    }

    /// One forward and one backward pass at images as they are, which are counted, on a loss of the
    /// logits `[batch]`, which may be called several times. Otherwise as [`gradient`](Self::gradient).
    ///
    /// # Errors
    ///
    /// As [`gradient`](Self::gradient).
    pub fn gradient_of(
        &mut self,
        images: Tensor<4>,
        loss: impl Fn(Tensor<2>) -> Tensor<1>,
    ) -> Result<Pass<4>> {
        let shape = images.dims();
        self.spent.pay(0..self.keys.len(), true)?;
        let allowed = |images| self.allowed(images);
        let mut pass = self.next_pass().pass(images, allowed, &loss)?;
        self.count_pass();
        let gradient = self.spent.gradient(pass.gradient.flatten(1, 3));
        pass.gradient = gradient.reshape(shape);
        Ok(pass)
    }

    // The victim in the gradient pass that comes next, which draws what no other does.
    fn next_pass(&self) -> Frozen {
        self.victim.in_pass(&self.keys, &self.passes)
    }

    fn count_pass(&mut self) {
        self.passes.iter_mut().for_each(|passes| *passes += 1);
    }

    /// Runs a piece of an attack, whose gradient passes draw as those of a trial of its own would.
    pub(in crate::attack) fn piece(
        &mut self,
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let none = vec![0; self.len()];
        let before = std::mem::replace(&mut self.passes, none);
        let result = search(self);
        let passes = self.passes.iter_mut().zip(before);
        passes.for_each(|(passes, before)| *passes += before);
        result
    }

    /// The same trial with exact gradients, whatever the victim's numerics.
    pub fn exact(&mut self) -> &mut Self {
        self.victim = self.victim.clone().with_numerics(Default::default());
        self
    }
}
