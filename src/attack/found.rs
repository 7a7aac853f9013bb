use crate::base::Batch;
use crate::transform::Pose;
use burn::tensor::Tensor;

/// What an [`Attack`](super::Attack) found, image by image in the order of the batch.
#[derive(Clone, Debug)]
pub struct Found {
    /// The attacked images `[batch, channel, height, width]`, outside autodiff.
    pub images: Tensor<4>,
    /// Whether the classifier gets the attacked image wrong (targeted: takes it for the target).
    ///
    /// This crate's attacks decide it by a last forward pass outside autodiff on exactly the
    /// images they return, in the batch they were given.
    pub fooled: Vec<bool>,
    /// The attack's loss at the attacked image, in that same pass; higher is worse for the
    /// classifier.
    pub loss: Vec<f32>,
    /// Forward passes spent on each image, with and without gradients, verdicts included.
    pub queries: Vec<u32>,
    /// Backward passes spent on each image.
    pub gradients: Vec<u32>,
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

    /// Attacked minus original images.
    ///
    /// # Panics
    ///
    /// Panics unless `batch` has the shape of the batch that was attacked.
    pub fn perturbation(&self, batch: &Batch) -> Tensor<4> {
        self.images.clone() - batch.images.clone().inner()
    }
}
