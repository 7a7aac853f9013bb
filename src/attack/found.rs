use super::rows::select;
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
    /// The attack's loss at the attacked image, in that same pass; higher is worse for the
    /// classifier. NaN where the logits make it so.
    pub loss: Vec<f32>,
    /// Forward passes spent on each image, with and without gradients, verdicts included.
    pub queries: Vec<u32>,
    /// Backward passes spent on each image.
    pub gradients: Vec<u32>,
    /// In how many of them every entry of the gradient was zero: there the attack had nothing to go
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
        fn each<T: Copy>(values: &[T], positions: &[usize]) -> Vec<T> {
            positions.iter().map(|&at| values[at]).collect()
        }
        Self {
            images: select(&self.images, positions),
            originals: select(&self.originals, positions),
            predicted: each(&self.predicted, positions),
            fooled: each(&self.fooled, positions),
            loss: each(&self.loss, positions),
            queries: each(&self.queries, positions),
            gradients: each(&self.gradients, positions),
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
            merged.loss.extend(part.loss);
            merged.queries.extend(part.queries);
            merged.gradients.extend(part.gradients);
            merged.vanished.extend(part.vanished);
            merged.undefined.extend(part.undefined);
        }
        merged
    }
}
