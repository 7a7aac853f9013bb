use super::Frozen;
use crate::attack::Cost;
use crate::base::{Error, Result};
use burn::tensor::Tensor;
use std::sync::Arc;

impl Frozen {
    /// The same classifier for attacks that climb the gradients of another one: a *transfer* attack,
    /// for a victim that has no gradients or misleading ones, as long as the two are alike.
    ///
    /// Logits, the losses that rank candidates and verdicts are this classifier's own. A gradient is
    /// that of the loss of the *surrogate's* logits; with [`with_backward`](Self::with_backward) it would be
    /// that of the loss of this one's, led back through the other. A gradient pass costs, besides a
    /// forward pass of this classifier, a forward and a backward pass of the surrogate, of which the
    /// backward one is counted.
    ///
    /// Attacks refuse classifiers of other classes or for images of other element types. Maps that are
    /// put before it later ([`through`](Self::through)) are put before both.
    ///
    /// (N. Papernot, P. McDaniel, I. Goodfellow 2016, "Transferability in Machine Learning: from
    /// Phenomena to Black-Box Attacks using Adversarial Samples".)
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::attack::{Attack, Frozen, Pgd};
    /// use fireproof::base::{Batch, Seed};
    ///
    /// let brightness = |images: Tensor<4>| {
    ///     let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
    ///     Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
    /// };
    /// let surrogate = Frozen::from_fn(brightness);
    /// let masked = surrogate.through(|images| images.round()); // its gradient is zero everywhere
    /// let images = Tensor::<4>::full([1, 1, 8, 8], 0.55, &fireproof::device());
    /// let batch = Batch::new(images, Tensor::from_ints([1], &fireproof::device()))?;
    /// let pgd = Pgd::linf(0.1).with_random_start(false);
    /// assert_eq!(pgd.attack(&masked, &batch, Seed(1))?.fooled, [false]);
    /// let led = masked.with_gradients_of(&surrogate);
    /// assert_eq!(pgd.attack(&led, &batch, Seed(1))?.fooled, [true]);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub fn with_gradients_of(&self, surrogate: &Self) -> Self {
        Self {
            surrogate: Some(Arc::new(surrogate.clone())),
            ..self.clone()
        }
    }

    /// What a gradient pass of an image counts as.
    pub(in crate::attack) fn cost(&self) -> Cost {
        let gradients = match &self.surrogate {
            Some(other) => other.cost().gradients,
            None => self.draws(),
        };
        Cost {
            queries: self.draws(),
            gradients,
        }
    }

    /// Refuses images that the surrogate does not take, and a surrogate of other classes.
    pub(super) fn agree(&self, images: &Tensor<4>) -> Result<()> {
        let Some(other) = &self.surrogate else {
            return Ok(());
        };
        let other = self.like(other);
        other.accept(images)?;
        if images.dims()[0] == 0 {
            return Ok(());
        }
        let [own, found] = [self, &other].map(|victim| victim.classes(images));
        match found == own {
            true => Ok(()),
            false => Err(Error::input(
                "classes of the surrogate",
                found,
                format!("{own}, as the victim has"),
            )),
        }
    }

    /// Another classifier in this one's place: for the same images, in the same pass and numerics.
    pub(super) fn like(&self, other: &Self) -> Self {
        Self {
            ids: self.ids.clone(),
            stage: self.stage.clone(),
            numerics: self.numerics,
            ..other.clone()
        }
    }
}
