use crate::base::{Keys, Precision, Stages};
use burn::tensor::Tensor;

/// Anything that maps images to logits: this crate's models, a user's own, or a closure.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::base::Classifier;
///
/// let brightness = |images: Tensor<4>| {
///     let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
///     Tensor::cat(vec![mean.clone(), -mean + 1.0], 1)
/// };
/// let images = Tensor::<4>::ones([2, 1, 8, 8], &fireproof::device());
/// assert_eq!(brightness.logits(images).dims(), [2, 2]);
/// ```
pub trait Classifier: Send + Sync {
    /// Logits `[batch, classes]` of images `[batch, channel, height, width]`.
    ///
    /// Must be differentiable in the images to be attacked with gradients, and must treat the
    /// images of a batch independently of each other.
    fn logits(&self, images: Tensor<4>) -> Tensor<2>;

    /// Logits of images with these ids, for what depends on which image it is given, as
    /// [`Frozen::through_each`](crate::attack::Frozen::through_each) does.
    ///
    /// As [`logits`](Classifier::logits) unless a model says otherwise.
    fn logits_of(&self, images: Tensor<4>, ids: &[u64]) -> Tensor<2> {
        let _ = ids;
        self.logits(images)
    }

    /// Logits of images in one draw of what is random in the classifier at inference: noise, poses,
    /// layers that drop. Everything drawn is a function of the images' keys, in one layer of theirs
    /// ([`Keys::next_layer`]) for each that draws.
    ///
    /// [`Frozen::with_draws`](crate::attack::Frozen::with_draws) makes a victim of it whose logits are
    /// the mean over several draws. As [`logits_of`](Classifier::logits_of) unless a model says
    /// otherwise.
    fn keyed_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
        self.logits_of(images, &keys.ids)
    }

    /// Logits in training, with every random draw inside the model (dropout) a function of the
    /// images' keys, whose draw is the epoch. They count the [layers](Keys::next_layer) that draw,
    /// so hand the same ones to all layers, and a copy to each further pass.
    ///
    /// As [`logits`](Classifier::logits) unless a model says otherwise.
    fn training_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
        let _ = keys;
        self.logits(images)
    }

    /// The element type that images must have, if it takes only one, as a model with weights does.
    ///
    /// Attacks refuse batches of another one; evaluations and trainings, whose image sets have none,
    /// make their images of it.
    fn precision(&self) -> Option<Precision> {
        None
    }

    /// The classifier in parts that look at the image window by window, if it has such: a search that
    /// changes a few pixels at a time then computes only what sees them.
    fn stages(&self) -> Option<&dyn Stages> {
        None
    }
}

impl<F: Fn(Tensor<4>) -> Tensor<2> + Send + Sync> Classifier for F {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self(images)
    }
}
