//! Of several images made of each one, the worst.

use super::losses::cross_entropy;
use crate::attack::Frozen;
use burn::tensor::{Int, Tensor};

/// For each image the one of highest cross-entropy so far, judged in inference mode.
pub(super) struct Worst<'a> {
    pub victim: &'a Frozen,
    pub labels: &'a Tensor<1, Int>,
    best: Option<(Tensor<4>, Tensor<1>)>,
}

impl<'a> Worst<'a> {
    pub fn new(victim: &'a Frozen, labels: &'a Tensor<1, Int>) -> Self {
        Self {
            victim,
            labels,
            best: None,
        }
    }

    /// Judges these images.
    pub fn meet(&mut self, images: Tensor<4>) {
        let losses = cross_entropy(self.victim.logits(images.clone()), self.labels);
        self.best = Some(match self.best.take() {
            None => (images, losses),
            Some((before, least)) => {
                let higher = losses.clone().greater(least.clone());
                let pixels = higher.clone().reshape([-1, 1, 1, 1]);
                let pixels = pixels.expand(images.dims());
                (
                    before.mask_where(pixels, images),
                    least.mask_where(higher, losses),
                )
            }
        });
    }

    /// The worst images, if any were judged.
    pub fn images(self) -> Option<Tensor<4>> {
        self.best.map(|(images, _)| images)
    }
}
