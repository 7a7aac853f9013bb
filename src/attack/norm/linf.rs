use super::{Limits, Norm};
use crate::attack::Geometry;
use crate::attack::Squares;
use crate::attack::square::Stripes;
use crate::base::Draws;
use crate::kernel::{LinfStep, linf_step};
use burn::tensor::Tensor;
use derive_more::Display;
use serde_json::Value;

/// The largest change of any pixel.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
#[display("L∞")]
pub struct Linf;

impl Norm for Linf {
    fn length(&self, perturbation: &[f64]) -> f64 {
        perturbation.iter().fold(0.0, |most: f64, v| {
            // `f64::max` would lose a NaN.
            if most.is_nan() || v.abs() <= most {
                most
            } else {
                v.abs()
            }
        })
    }

    fn lengths(&self, perturbations: Tensor<4>) -> Tensor<1> {
        perturbations
            .abs()
            .flatten::<2>(1, 3)
            .max_dim(1)
            .squeeze_dim(1)
    }

    /// `length · sign(g)` with sign(0) = 0.
    fn steepest(&self, gradient: Tensor<4>, length: f64) -> Tensor<4> {
        gradient.sign() * length
    }

    fn project(&self, images: Tensor<4>, to: Limits) -> Tensor<4> {
        let perturbation = (images - to.originals.clone()).clamp(-to.epsilon, to.epsilon);
        to.bounds.clamp(to.originals.clone() + perturbation)
    }

    fn step(&self, images: Tensor<4>, gradient: Tensor<4>, length: f64, to: Limits) -> Tensor<4> {
        let step = LinfStep {
            length,
            epsilon: to.epsilon,
            bounds: [to.bounds.low(), to.bounds.high()],
        };
        linf_step(images, gradient, to.originals, step)
    }

    fn draw(&self, pixels: usize, epsilon: f64, draws: &mut Draws) -> Vec<f64> {
        (0..pixels)
            .map(|_| draws.uniform(-epsilon, epsilon))
            .collect()
    }

    fn geometry(&self) -> Option<&dyn Geometry> {
        Some(self)
    }

    fn squares(&self) -> Option<&dyn Squares> {
        Some(&Stripes)
    }

    fn settings(&self) -> Value {
        Value::from("linf")
    }
}
