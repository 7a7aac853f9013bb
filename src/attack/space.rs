use super::{Ball, Candidate, Limits, Trial};
use crate::base::{Draws, Purpose};
use burn::tensor::Tensor;
use std::fmt;

/// What a gradient attack moves in: a map from points to images.
///
/// A point is a row of numbers for each image, `[batch, coordinates]`: the pixels themselves, or a
/// pose, or both. Object-safe.
pub trait Space: fmt::Debug + Send + Sync {
    /// Where an ascent starts: at the originals, or at random by the trial's
    /// [keys](Trial::keys).
    fn start(&self, trial: &Trial, random: bool) -> Tensor<2>;

    /// The images of points `[batch, channel, height, width]`; differentiable.
    fn images(&self, trial: &Trial, point: Tensor<2>) -> Tensor<4>;

    /// The images of points as what they are offered for: perturbations of the trial's originals,
    /// unless a space that moves images says [`Candidate::moved`].
    fn candidate(&self, images: Tensor<4>, point: Tensor<2>) -> Candidate {
        let _ = point;
        images.into()
    }

    /// The step of this length along which a linear loss rises the fastest.
    fn steepest(&self, trial: &Trial, gradient: Tensor<2>, length: f64) -> Tensor<2>;

    /// The nearest points that the threat model allows.
    fn project(&self, trial: &Trial, point: Tensor<2>) -> Tensor<2>;

    /// A steepest step and the projection of where it leads.
    fn step(&self, trial: &Trial, point: Tensor<2>, gradient: Tensor<2>, length: f64) -> Tensor<2> {
        let moved = point + self.steepest(trial, gradient, length);
        self.project(trial, moved)
    }
}

/// The pixels within a ball around each original and within the batch's bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelSpace(pub Ball);

impl PixelSpace {
    fn flat(images: Tensor<4>) -> Tensor<2> {
        images.flatten(1, 3)
    }

    fn limits<'a>(&self, trial: &'a Trial) -> Limits<'a> {
        Limits {
            originals: trial.originals(),
            epsilon: self.0.epsilon,
            bounds: trial.bounds(),
        }
    }

    fn draw(&self, trial: &Trial) -> Tensor<4> {
        let Ball { norm, epsilon } = &self.0;
        let draw = |pixels, draws: &mut Draws| norm.draw(pixels, *epsilon, draws);
        let start = trial.draw_pixels(Purpose::Start, draw);
        let originals = trial.originals();
        norm.project(originals.clone() + start, self.limits(trial))
    }
}

impl Space for PixelSpace {
    fn start(&self, trial: &Trial, random: bool) -> Tensor<2> {
        Self::flat(match random {
            true => self.draw(trial),
            false => trial.originals().clone(),
        })
    }

    fn images(&self, trial: &Trial, point: Tensor<2>) -> Tensor<4> {
        point.reshape(trial.originals().dims())
    }

    fn steepest(&self, trial: &Trial, gradient: Tensor<2>, length: f64) -> Tensor<2> {
        Self::flat(self.0.norm.steepest(self.images(trial, gradient), length))
    }

    fn project(&self, trial: &Trial, point: Tensor<2>) -> Tensor<2> {
        let images = self.images(trial, point);
        Self::flat(self.0.norm.project(images, self.limits(trial)))
    }

    fn step(&self, trial: &Trial, point: Tensor<2>, gradient: Tensor<2>, length: f64) -> Tensor<2> {
        let [images, gradient] = [point, gradient].map(|t| self.images(trial, t));
        let limits = self.limits(trial);
        Self::flat(self.0.norm.step(images, gradient, length, limits))
    }
}
