use super::{Frozen, Random};
use crate::base::{Classifier, Keys, Precision, Seed};
use burn::tensor::Tensor;
use std::sync::Arc;

// A map of images with their keys.
pub(super) type Map = dyn Fn(Tensor<4>, &Keys) -> Tensor<4> + Send + Sync;

impl Frozen {
    /// This classifier behind a differentiable map of images, such as a warp or a purifier: an
    /// attack on the result searches for images that fool the classifier *after* the map.
    pub fn through(&self, map: impl Fn(Tensor<4>) -> Tensor<4> + Send + Sync + 'static) -> Self {
        self.through_each(move |images, _| map(images))
    }

    /// This classifier behind a differentiable map that knows which images it is given, such as a
    /// pose of each image's own: it gets the images with their ids.
    ///
    /// An attack passes parts of a batch in any order, so a map must go by the ids, never by the
    /// places in the batch.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::attack::Frozen;
    /// use fireproof::base::Degrees;
    /// use fireproof::transform::{Pose, Warp};
    ///
    /// let victim = Frozen::from_fn(|images: Tensor<4>| images.mean_dims(&[1, 2]).flatten::<2>(1, 3));
    /// let angles = [10.0, -30.0, 75.0];
    /// let turned = victim.through_each(move |images, ids| {
    ///     let pose = |&id: &u64| Pose::rotation(Degrees(angles[id as usize]));
    ///     Warp::bilinear().apply(images, &Vec::from_iter(ids.iter().map(pose)))
    /// });
    /// let images = Tensor::<4>::ones([2, 1, 8, 8], &fireproof::device());
    /// assert_eq!(turned.for_ids(&[2, 0]).logits(images).dims(), [2, 8]);
    /// ```
    pub fn through_each(
        &self,
        map: impl Fn(Tensor<4>, &[u64]) -> Tensor<4> + Send + Sync + 'static,
    ) -> Self {
        self.behind(Arc::new(move |images, keys| map(images, &keys.ids)))
    }

    /// This classifier behind a random differentiable map, such as a pose or noise that is drawn anew
    /// for every image it looks at: a [random](Self::random) classifier, whose logits are the mean over
    /// so many draws.
    ///
    /// Everything that the map draws must be a function of the keys, of which there is one for each
    /// image. On a classifier that is random already the draws are drawn together, and these numbers
    /// take the place of its own.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::attack::{Attack, Frozen, Pgd};
    /// use fireproof::base::{Batch, Degrees, Pixels, Seed};
    /// use fireproof::transform::{PoseBudget, Warp};
    ///
    /// let upright = Frozen::from_fn(|images: Tensor<4>| {
    ///     let rows = images.clone().narrow(2, 2, 3).mean_dims(&[1, 2, 3]);
    ///     let columns = images.narrow(3, 2, 3).mean_dims(&[1, 2, 3]);
    ///     Tensor::cat(vec![rows, columns], 1).flatten::<2>(1, 3)
    /// });
    /// let poses = PoseBudget::new(Degrees(30.0), Pixels(1.0))?;
    /// let victim = upright.through_random(10, 1, move |images, keys| {
    ///     Warp::bilinear().apply(images, &poses.draw(keys))
    /// });
    ///
    /// let images = Tensor::<4>::ones([2, 1, 8, 8], &fireproof::device()) * 0.5;
    /// let batch = Batch::new(images, Tensor::from_ints([0, 1], &fireproof::device()))?;
    /// let found = Pgd::linf(0.1).with_steps(3).attack(&victim, &batch, Seed(7))?;
    /// assert_eq!(found.gradients, [30, 30]); // 3 steps, each a mean of 10 draws
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is no draw.
    pub fn through_random(
        &self,
        draws: usize,
        seed: impl Into<Seed>,
        map: impl Fn(Tensor<4>, &Keys) -> Tensor<4> + Send + Sync + 'static,
    ) -> Self {
        // A layer that draws, as those of the classifier are.
        let map = move |images, keys: &Keys| map(images, &keys.next_layer());
        let random = Random::new(draws, seed.into());
        self.behind(Arc::new(map)).drawing(random)
    }

    fn drawing(&self, random: Random) -> Self {
        let surrogate = self.surrogate.as_ref();
        Self {
            random: Some(random),
            surrogate: surrogate.map(|other| Arc::new(other.drawing(random))),
            ..self.clone()
        }
    }

    // The same classifier, and the one whose gradients it has, behind a map.
    pub(super) fn behind(&self, map: Arc<Map>) -> Self {
        let mapped = Mapped {
            map: map.clone(),
            classifier: self.classifier.clone(),
        };
        let surrogate = self.surrogate.as_ref();
        Self {
            classifier: Arc::new(mapped),
            surrogate: surrogate.map(|other| Arc::new(other.behind(map))),
            ..self.clone()
        }
    }
}

struct Mapped {
    map: Arc<Map>,
    classifier: Arc<dyn Classifier>,
}

impl Classifier for Mapped {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let ids = 0..images.dims()[0] as u64;
        self.keyed_logits(images, &Keys::new(0, ids))
    }

    fn keyed_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
        let images = (self.map)(images, keys);
        self.classifier.keyed_logits(images, keys)
    }

    fn precision(&self) -> Option<Precision> {
        self.classifier.precision()
    }
}
