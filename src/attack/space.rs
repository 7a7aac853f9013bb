use super::{Ball, Candidate, Trial};
use crate::base::{Keys, Purpose};
use burn::tensor::{Tensor, TensorData};
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

    fn draw(&self, trial: &Trial) -> Tensor<4> {
        let Ball { norm, epsilon } = &self.0;
        let shape = trial.originals().dims();
        let pixels = shape[1..].iter().product();
        let keys: &Keys = trial.keys();
        let values: Vec<f32> = (0..keys.len())
            .flat_map(|at| norm.draw(pixels, *epsilon, &mut keys.draws(Purpose::Start, at)))
            .collect();
        let data = TensorData::new(values, shape);
        let start =
            trial.originals().clone() + Tensor::from_data(data, &trial.originals().device());
        norm.project(start, trial.originals(), *epsilon, trial.bounds())
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
        let (images, originals) = (self.images(trial, point), trial.originals());
        let Ball { norm, epsilon } = &self.0;
        Self::flat(norm.project(images, originals, *epsilon, trial.bounds()))
    }

    fn step(&self, trial: &Trial, point: Tensor<2>, gradient: Tensor<2>, length: f64) -> Tensor<2> {
        let [images, gradient] = [point, gradient].map(|t| self.images(trial, t));
        let Ball { norm, epsilon } = &self.0;
        let (originals, bounds) = (trial.originals(), trial.bounds());
        Self::flat(norm.step(images, gradient, originals, length, *epsilon, bounds))
    }
}
