use super::rows::{each, select};
use crate::transform::Pose;
use burn::tensor::Tensor;

/// What an [`Attack`](super::Attack) found, image by image in the order of the batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// The attacked images `[batch, channel, height, width]`, outside autodiff.
    pub images: Tensor<4>,
    /// The images that the perturbations start from: the batch's own, or, for an attack that moves
    /// images, the moved ones.
    pub originals: Tensor<4>,
    /// The class that the classifier takes each attacked image for; [`NO_CLASS`](super::NO_CLASS)
    /// where one of its logits is NaN.
    pub predicted: Vec<i64>,
    /// Whether the classifier gets the attacked image wrong (targeted: takes it for the target), or
    /// has a logit of NaN for it.
    ///
    /// Decided by an exact forward pass outside autodiff on exactly the images returned.
    pub fooled: Vec<bool>,
    /// How far each image that fools is from [`originals`](Self::originals), by the norm of the
    /// attack's ball or of its [goal](super::Goal::nearest); `None` where it does not fool, or where
    /// the attack has no norm.
    ///
    /// Measured on the device, in `f32` at least; never more than the radius of a ball that the image
    /// was verified to be in.
    pub distance: Vec<Option<f64>>,
    /// The attack's loss at the attacked image, in that same pass; higher is worse for the
    /// classifier. NaN where the logits make it so.
    pub loss: Vec<f32>,
    /// Forward passes spent on each image, with and without gradients, verdicts included; every
    /// [draw](super::Frozen::draws) of a random victim counts as one.
    pub queries: Vec<u32>,
    /// Backward passes spent on each image.
    pub gradients: Vec<u32>,
    /// How many passes, forward and backward, an image had cost when a candidate first fooled; `None`
    /// where none does. With fewer than that it would have stood.
    pub passes_to_fool: Vec<Option<u32>>,
    /// In how many backward passes every entry of the gradient was zero: there the attack had nothing to go
    /// by, as with a loss that saturates, and an image that stands may do so for that reason alone.
    pub vanished: Vec<u32>,
    /// In how many of them some entry of the gradient was NaN or infinite; the attack went on with
    /// the others. Shaders may assume that no number is: on WGPU such entries can pass unseen.
    pub undefined: Vec<u32>,
    /// Poses chosen, if the attack moves images.
    pub poses: Option<Vec<Pose>>,
}

impl Found {
    /// The number of images.
    pub fn len(&self) -> usize {
        self.fooled.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.fooled.is_empty()
    }

    /// The number of images that fool the classifier.
    pub fn fooled_count(&self) -> usize {
        self.fooled.iter().filter(|fooled| **fooled).count()
    }

    /// The fraction of images that do not fool the classifier, from 0 to 1; NaN without images.
    ///
    /// An image that was misclassified before the attack counts as fooled, so this is accuracy
    /// under attack, not one minus the success rate on images the classifier had right. For a
    /// targeted attack it is the fraction that was not brought to its target.
    pub fn robust_accuracy(&self) -> f64 {
        (self.len() - self.fooled_count()) as f64 / self.len() as f64
    }

    /// The accuracy that is left to whoever may go no farther than `epsilon`: the fraction of images
    /// of which no perturbation of that norm or less was found that fools. It never rises with ε.
    ///
    /// An image that was misclassified before the attack has distance 0 after a minimum-norm attack,
    /// such as [`Fab`](super::Fab), and so counts as fooled from ε = 0 on: `accuracy_at(0.0)` is clean
    /// accuracy. Attacks that look for the highest loss in a ball leave such images far from where
    /// they were; with those this is no more than an upper bound below the ball's radius.
    ///
    /// NaN without images.
    ///
    /// ```
    /// use burn::tensor::{Int, Tensor};
    /// use fireproof::attack::{Attack, Fab, Frozen};
    /// use fireproof::base::{Batch, Seed};
    ///
    /// // Two classes: the image is brighter or darker than 1/2 on average.
    /// let victim = Frozen::from_fn(|images: Tensor<4>| {
    ///     let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
    ///     Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
    /// });
    /// let device = fireproof::device();
    /// let image = |grey: f32| Tensor::<4>::full([1, 1, 8, 8], grey, &device);
    /// let images = Tensor::cat([0.4, 0.55, 0.75].map(image).to_vec(), 0);
    /// let batch = Batch::new(images, Tensor::<1, Int>::ones([3], &device))?;
    ///
    /// let found = Fab::linf().attack(&victim, &batch, Seed(7))?;
    /// // The first is misclassified as it is, 0.05 and 0.25 are the distances of the others.
    /// assert_eq!([0.0, 0.1, 0.3].map(|epsilon| found.fooled_within(epsilon)), [1, 2, 3]);
    /// assert_eq!(found.accuracy_at(0.3), 0.0);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub fn accuracy_at(&self, epsilon: f64) -> f64 {
        (self.len() - self.fooled_within(epsilon)) as f64 / self.len() as f64
    }

    /// The number of images that fool the classifier with a perturbation of this norm or less.
    pub fn fooled_within(&self, epsilon: f64) -> usize {
        let near = |distance: &&Option<f64>| distance.is_some_and(|distance| distance <= epsilon);
        self.distance.iter().filter(near).count()
    }

    /// The distance that half of all images reach or exceed, those that do not fool counting as
    /// infinitely far: what minimum-norm attacks are compared by. NaN without images.
    pub fn median_distance(&self) -> f64 {
        let far = |distance: &Option<f64>| distance.unwrap_or(f64::INFINITY);
        let mut distances = Vec::from_iter(self.distance.iter().map(far));
        distances.sort_unstable_by(f64::total_cmp);
        let middle = |at: usize| distances.get(at).copied().unwrap_or(f64::NAN);
        let half = distances.len() / 2;
        match distances.len() % 2 {
            1 => middle(half),
            _ => (middle(half.wrapping_sub(1)) + middle(half)) / 2.0,
        }
    }

    /// Attacked images minus [`originals`](Self::originals).
    pub fn perturbation(&self) -> Tensor<4> {
        self.images.clone() - self.originals.clone()
    }

    /// What was found for the images at these positions, in this order.
    ///
    /// # Panics
    ///
    /// Panics if a position is not below [`len`](Self::len).
    pub fn select(&self, positions: &[usize]) -> Self {
        Self {
            images: select(&self.images, positions),
            originals: select(&self.originals, positions),
            predicted: each(&self.predicted, positions),
            fooled: each(&self.fooled, positions),
            distance: each(&self.distance, positions),
            loss: each(&self.loss, positions),
            queries: each(&self.queries, positions),
            gradients: each(&self.gradients, positions),
            passes_to_fool: each(&self.passes_to_fool, positions),
            vanished: each(&self.vanished, positions),
            undefined: each(&self.undefined, positions),
            poses: self.poses.as_ref().map(|poses| each(poses, positions)),
        }
    }

    /// What was found in several batches, one after the other; an image of an attack that moved
    /// none counts as unmoved beside others.
    ///
    /// # Panics
    ///
    /// Panics if there is no batch, or if the images differ in shape.
    pub fn merge(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = parts.into_iter();
        let mut merged = parts.next().expect("at least one batch");
        for part in parts {
            if merged.poses.is_some() || part.poses.is_some() {
                let still = |count| vec![Pose::default(); count];
                let count = merged.len();
                let poses = merged.poses.get_or_insert_with(|| still(count));
                poses.extend(part.poses.unwrap_or_else(|| still(part.fooled.len())));
            }
            merged.images = Tensor::cat(vec![merged.images, part.images], 0);
            merged.originals = Tensor::cat(vec![merged.originals, part.originals], 0);
            merged.predicted.extend(part.predicted);
            merged.fooled.extend(part.fooled);
            merged.distance.extend(part.distance);
            merged.loss.extend(part.loss);
            merged.queries.extend(part.queries);
            merged.gradients.extend(part.gradients);
            merged.passes_to_fool.extend(part.passes_to_fool);
            merged.vanished.extend(part.vanished);
            merged.undefined.extend(part.undefined);
        }
        merged
    }
}
