//! Which pixels may change, and random numbers for those alone.

use super::Trial;
use crate::attack::rows::select;
use crate::attack::{Candidate, Mask};
use crate::base::{Draws, Error, Purpose, Result};
use burn::tensor::{Tensor, TensorData};

/// The pixels of each image that may change.
#[derive(Clone, Debug)]
pub(super) struct Allowed {
    masks: Vec<Mask>,
    // 1 for a pixel that may change, else 0: of the originals' shape.
    pixels: Tensor<4>,
}

impl Allowed {
    pub fn select(&self, positions: &[usize]) -> Self {
        Self {
            masks: positions.iter().map(|&at| self.masks[at].clone()).collect(),
            pixels: select(&self.pixels, positions),
        }
    }

    /// The images with all other pixels those of the originals.
    pub fn apply(&self, images: Tensor<4>, originals: &Tensor<4>) -> Tensor<4> {
        let (mut pixels, mut originals) = (self.pixels.clone(), originals.clone());
        if images.device().is_autodiff() {
            [pixels, originals] = [pixels, originals].map(Tensor::from_inner);
        }
        originals.mask_where(pixels.greater_elem(0.5), images)
    }
}

impl Trial {
    /// Runs `search` with pixels that may change and others that may not: passes and candidates have
    /// the originals' there, and so no gradient. Masks nest: what one of them forbids is forbidden.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for a mask that does not fit the images, and those of `search`.
    ///
    /// # Panics
    ///
    /// Panics unless there is a mask for each image.
    pub fn masked(
        &mut self,
        masks: &[Mask],
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        assert_eq!(masks.len(), self.len(), "a mask for each image");
        let shape = self.originals.dims();
        let mut pixels = Vec::with_capacity(shape.iter().product());
        for (mask, id) in masks.iter().zip(&self.keys.ids) {
            let fits = mask.free([shape[1], shape[2], shape[3]]);
            let free = fits.ok_or_else(|| {
                let expected = format!("one of {:?} or of every channel", &shape[2..]);
                Error::input(format!("mask of image {id}"), mask, expected)
            })?;
            pixels.extend(free.into_iter().map(f32::from));
        }
        let like = (&self.originals.device(), self.originals.dtype());
        let pixels = Tensor::from_data(TensorData::new(pixels, shape), like);
        let outer = self.allowed.take();
        self.allowed = Some(match &outer {
            None => Allowed {
                masks: masks.to_vec(),
                pixels,
            },
            Some(outer) => Allowed {
                masks: outer
                    .masks
                    .iter()
                    .zip(masks)
                    .map(|(a, b)| a.and(b))
                    .collect(),
                pixels: outer.pixels.clone() * pixels,
            },
        });
        let result = search(self);
        self.allowed = outer;
        result
    }

    /// Random numbers for each image's pixels, zero for those that may not change: `draw` makes so many
    /// of a generator `[batch, channel, height, width]`.
    pub fn draw_pixels(
        &self,
        purpose: Purpose,
        mut draw: impl FnMut(usize, &mut Draws) -> Vec<f64>,
    ) -> Tensor<4> {
        let shape = self.originals.dims();
        let pixels = shape[1..].iter().product();
        let mut drawn = Vec::with_capacity(self.len() * pixels);
        for at in 0..self.len() {
            let draws = &mut self.keys.draws(purpose, at);
            let Some(allowed) = &self.allowed else {
                drawn.extend(draw(pixels, draws));
                continue;
            };
            let free = allowed.masks[at].free([shape[1], shape[2], shape[3]]);
            let free = free.expect("masks fit");
            let count = free.iter().filter(|free| **free).count();
            let mut numbers = draw(count, draws).into_iter();
            let number = |free: bool| match free {
                true => numbers.next().expect("as many numbers as pixels"),
                false => 0.0,
            };
            drawn.extend(free.into_iter().map(number));
        }
        let like = (&self.originals.device(), self.originals.dtype());
        Tensor::from_data(TensorData::new(drawn, shape), like)
    }

    pub(super) fn allowed(&self, images: Tensor<4>) -> Tensor<4> {
        match &self.allowed {
            None => images,
            Some(allowed) => allowed.apply(images, &self.originals),
        }
    }

    pub(super) fn allowed_candidate(&self, candidate: impl Into<Candidate>) -> Candidate {
        let mut candidate = candidate.into().with_all_columns();
        candidate.expect_like(&self.originals);
        if let Some(allowed) = &self.allowed {
            let originals = candidate.originals.as_ref().unwrap_or(&self.originals);
            candidate.images = allowed.apply(candidate.images, originals);
        }
        candidate
    }
}
