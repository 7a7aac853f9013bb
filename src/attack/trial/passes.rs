//! Passes through the victim, which are counted.

use super::{Pass, Trial};
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
        self.spent.pay(positions.iter().copied(), false)?;
        let images = match &self.allowed {
            None => images,
            Some(allowed) => {
                let originals = select(&self.originals, positions);
                allowed.select(positions).apply(images, &originals)
            }
        };
        Ok(self.at(positions).logits(images))
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
            self.clean = Some(self.verdict(self.originals.clone()));
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
        let mut pass = self.victim.pass(
            point,
            |point| self.allowed(space.images(self, point)),
            |logits| loss.unsaturated(logits, &reference),
        )?;
        pass.gradient = self.spent.gradient(pass.gradient);
        Ok(pass)
    }

    /// One forward and one backward pass at images as they are, which are counted, on a loss of the
    /// logits `[batch]`. Otherwise as [`gradient`](Self::gradient).
    ///
    /// # Errors
    ///
    /// As [`gradient`](Self::gradient).
    pub fn gradient_of(
        &mut self,
        images: Tensor<4>,
        loss: impl FnOnce(Tensor<2>) -> Tensor<1>,
    ) -> Result<Pass<4>> {
        let shape = images.dims();
        self.spent.pay(0..self.keys.len(), true)?;
        let mut pass = self
            .victim
            .pass(images, |images| self.allowed(images), loss)?;
        let gradient = self.spent.gradient(pass.gradient.flatten(1, 3));
        pass.gradient = gradient.reshape(shape);
        Ok(pass)
    }

    /// The same trial with exact gradients, whatever the victim's numerics.
    pub fn exact(&mut self) -> &mut Self {
        self.victim = self.victim.clone().with_numerics(Default::default());
        self
    }
}
