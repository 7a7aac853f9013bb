//! Passes through the victim, which are counted.

use super::{Pass, Trial};
use crate::attack::{Loss, Space};
use crate::base::Result;
use burn::tensor::Tensor;

impl Trial {
    /// Logits of images by one exact pass, which is counted.
    pub fn logits(&mut self, images: Tensor<4>) -> Tensor<2> {
        self.spent.query();
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
    /// images.
    pub fn gradient(
        &mut self,
        space: &dyn Space,
        point: Tensor<2>,
        loss: Option<&dyn Loss>,
    ) -> Result<Pass> {
        let (loss, reference) = self.climbed(loss);
        let mut pass = self.victim.pass(
            point,
            |point| space.images(self, point),
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
        let mut pass = self.victim.pass(images, |images| images, loss)?;
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
