use super::{Inside, Limits, Norm, one_where_zero, room, shrink_into};
use crate::attack::square::Windows;
use crate::attack::{Geometry, Squares};
use crate::base::{Bounds, Draws, widened};
use burn::tensor::Tensor;
use derive_more::Display;
use serde_json::Value;

// Rounds of the search in `project`. Every round's result is inside the ball; on images two or
// three already agree with the limit in f32.
const PROJECTION_ROUNDS: usize = 5;

/// The Euclidean length of the change, over all pixels and channels of an image.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
pub struct L2;

impl Norm for L2 {
    fn length(&self, perturbation: &[f64]) -> f64 {
        perturbation.iter().map(|v| v * v).sum::<f64>().sqrt()
    }

    fn lengths(&self, perturbations: Tensor<4>) -> Tensor<1> {
        let (batch, dtype) = (perturbations.dims()[0], perturbations.dtype());
        norm(widened(perturbations)).reshape([batch]).cast(dtype)
    }

    /// `length · g/‖g‖₂` for each image.
    fn steepest(&self, gradient: Tensor<4>, length: f64) -> Tensor<4> {
        let dtype = gradient.dtype();
        let gradient = widened(gradient);
        // Confident networks have gradients whose squares underflow: scale first.
        let largest = gradient.clone().abs().max_dims(&[1, 2, 3]);
        let gradient = gradient / one_where_zero(largest);
        let norm = norm(gradient.clone());
        (gradient * (one_where_zero(norm).recip() * length)).cast(dtype)
    }

    /// The projection onto the *intersection* of ball and bounds: scaling into the ball and
    /// clipping afterwards would end up inside of both and could never reach an optimum where some
    /// pixels are at their bounds.
    fn project(&self, images: Tensor<4>, to: Limits) -> Tensor<4> {
        let dtype = images.dtype();
        let to = Limits {
            originals: &widened(to.originals.clone()),
            ..to
        };
        let perturbation = shorten(widened(images) - to.originals.clone(), to);
        let moved = (to.originals.clone() + perturbation).cast(dtype);
        to.bounds.clamp(moved)
    }

    fn draw(&self, pixels: usize, epsilon: f64, draws: &mut Draws) -> Vec<f64> {
        let direction: Vec<f64> = (0..pixels).map(|_| draws.normal()).collect();
        // The volume within radius r grows as r^pixels.
        let radius = epsilon * draws.uniform(0.0, 1.0).powf(1.0 / pixels as f64);
        let scale = radius / self.length(&direction);
        direction.into_iter().map(|v| v * scale).collect()
    }

    fn settles(&self) -> bool {
        true
    }

    fn settle(&self, image: &mut [f64], into: Inside) -> bool {
        shrink_into(self, image, into)
    }

    fn squares(&self) -> Option<&dyn Squares> {
        Some(&Windows::L2)
    }

    fn geometry(&self) -> Option<&dyn Geometry> {
        Some(self)
    }

    fn settings(&self) -> Value {
        Value::from("l2")
    }
}

fn norm(images: Tensor<4>) -> Tensor<4> {
    images.square().sum_dims(&[1, 2, 3]).sqrt()
}

// The nearest point of the intersection is clip(scale·perturbation) for the scale at which its
// norm is epsilon (or 1). Clipped pixels stay clipped as the scale grows, so solving for the scale
// as if the others were free, again and again, rises to the solution and never beyond it.
fn shorten(perturbation: Tensor<4>, to: Limits) -> Tensor<4> {
    let epsilon = to.epsilon;
    let length = one_where_zero(norm(perturbation.clone()));
    let mut scale = (length.recip() * epsilon).clamp_max(1.0);
    if to.bounds == Bounds::none() {
        return perturbation * scale;
    }
    let room = room(&perturbation, to);
    let wish = perturbation.clone().abs();
    for _ in 0..PROJECTION_ROUNDS {
        let clipped = (wish.clone() * scale.clone()).greater(room.clone());
        let spent = room
            .clone()
            .mask_fill(clipped.clone().bool_not(), 0.0)
            .square()
            .sum_dims(&[1, 2, 3]);
        let free = norm(wish.clone().mask_fill(clipped, 0.0));
        let left = (spent.neg() + epsilon * epsilon).clamp_min(0.0).sqrt();
        // Rounding must not take the scale back down, nor a free part of zero make it NaN.
        scale = (left / one_where_zero(free)).max_pair(scale).clamp_max(1.0);
    }
    perturbation * scale
}
