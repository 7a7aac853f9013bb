use crate::base::{Bounds, Draws, Purpose, Seed};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use std::fmt;

// Rounds of the search in `project_l2`. Every round's result is inside the ball; on images two or
// three already agree with the limit in f32.
const PROJECTION_ROUNDS: usize = 5;

/// How the size of a perturbation is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norm {
    /// The largest change of any pixel.
    Linf,
    /// The Euclidean length of the change, over all pixels and channels of an image.
    L2,
}

impl fmt::Display for Norm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linf => "L∞",
            Self::L2 => "L2",
        })
    }
}

impl Norm {
    /// The norm of one perturbation, in f64.
    ///
    /// ```
    /// use fireproof::attack::Norm;
    ///
    /// assert_eq!(Norm::L2.length([3.0, -4.0]), 5.0);
    /// assert_eq!(Norm::Linf.length([3.0, -4.0]), 4.0);
    /// ```
    pub fn length(self, perturbation: impl IntoIterator<Item = f64>) -> f64 {
        let values = perturbation.into_iter();
        match self {
            Self::Linf => values.map(f64::abs).fold(0.0, |most: f64, v| {
                // `f64::max` would lose a NaN.
                if most.is_nan() || v <= most { most } else { v }
            }),
            Self::L2 => values.map(|v| v * v).sum::<f64>().sqrt(),
        }
    }

    /// The images of the ball around `originals` and within `bounds` that are nearest to `images`
    /// in Euclidean distance.
    ///
    /// For L2 this is the projection onto the *intersection* of ball and bounds: scaling into the
    /// ball and clipping afterwards would end up inside of both and could never reach an optimum
    /// where some pixels are at their bounds.
    pub fn project(
        self,
        images: Tensor<4>,
        originals: &Tensor<4>,
        epsilon: f64,
        bounds: Bounds,
    ) -> Tensor<4> {
        let perturbation = images - originals.clone();
        let perturbation = match self {
            Self::Linf => perturbation.clamp(-epsilon, epsilon),
            Self::L2 => project_l2(perturbation, originals, epsilon, bounds),
        };
        bounds.clamp(originals.clone() + perturbation)
    }

    /// The step of this length along which a linear loss rises the fastest: `length · sign(g)`
    /// with sign(0) = 0, or `length · g/‖g‖₂` per image. A zero gradient gives no step.
    pub fn steepest(self, gradient: Tensor<4>, length: f64) -> Tensor<4> {
        match self {
            Self::Linf => gradient.sign() * length,
            Self::L2 => {
                // Confident networks have gradients whose squares underflow: scale first.
                let largest = gradient.clone().abs().max_dims(&[1, 2, 3]);
                let gradient = gradient / one_where_zero(largest);
                let norm = l2(gradient.clone());
                gradient * (one_where_zero(norm).recip() * length)
            }
        }
    }

    /// Random starts: uniform in the ball around each image, then clipped to the bounds. Each
    /// depends on the seed, the image's id and the restart, and on nothing else.
    pub(crate) fn random_start(
        self,
        originals: &Tensor<4>,
        ids: &[u64],
        epsilon: f64,
        bounds: Bounds,
        seed: Seed,
        restart: usize,
    ) -> Tensor<4> {
        let shape = originals.dims();
        let pixels = shape[1..].iter().product();
        let values: Vec<f32> = ids
            .iter()
            .flat_map(|&id| {
                self.draw(
                    pixels,
                    epsilon,
                    seed.draws(Purpose::Start, id, restart as u64),
                )
            })
            .collect();
        let data = TensorData::new(values, shape);
        let start = originals.clone() + Tensor::from_data(data, &originals.device());
        self.project(start, originals, epsilon, bounds)
    }

    // A perturbation drawn uniformly from the ball.
    fn draw(self, pixels: usize, epsilon: f64, mut draws: Draws) -> Vec<f32> {
        match self {
            Self::Linf => (0..pixels)
                .map(|_| draws.uniform(-epsilon, epsilon) as f32)
                .collect(),
            Self::L2 => {
                let direction: Vec<f64> = (0..pixels).map(|_| draws.normal()).collect();
                // The volume within radius r grows as r^pixels.
                let radius = epsilon * draws.uniform(0.0, 1.0).powf(1.0 / pixels as f64);
                let scale = radius / self.length(direction.iter().copied());
                direction.into_iter().map(|v| (v * scale) as f32).collect()
            }
        }
    }
}

fn l2(images: Tensor<4>) -> Tensor<4> {
    images.square().sum_dims(&[1, 2, 3]).sqrt()
}

fn one_where_zero(values: Tensor<4>) -> Tensor<4> {
    let zero = values.clone().equal_scalar(0.0);
    values.mask_fill(zero, 1.0)
}

// The nearest point of the intersection is clip(scale·perturbation) for the scale at which its
// norm is epsilon (or 1). Clipped pixels stay clipped as the scale grows, so solving for the scale
// as if the others were free, again and again, rises to the solution and never beyond it.
fn project_l2(
    perturbation: Tensor<4>,
    originals: &Tensor<4>,
    epsilon: f64,
    bounds: Bounds,
) -> Tensor<4> {
    let norm = one_where_zero(l2(perturbation.clone()));
    let mut scale = (norm.recip() * epsilon).clamp_max(1.0);
    if bounds == Bounds::none() {
        return perturbation * scale;
    }
    // How far each pixel may move in the direction it is moving.
    let room = (bounds.clamp(originals.clone() + perturbation.clone().sign() * f32::MAX)
        - originals.clone())
    .abs();
    let wish = perturbation.clone().abs();
    for _ in 0..PROJECTION_ROUNDS {
        let clipped = (wish.clone() * scale.clone()).greater(room.clone());
        let spent = room
            .clone()
            .mask_fill(clipped.clone().bool_not(), 0.0)
            .square()
            .sum_dims(&[1, 2, 3]);
        let free = l2(wish.clone().mask_fill(clipped, 0.0));
        let left = (spent.neg() + epsilon * epsilon).clamp_min(0.0).sqrt();
        // Rounding must not take the scale back down, nor a free part of zero make it NaN.
        scale = (left / one_where_zero(free)).max_pair(scale).clamp_max(1.0);
    }
    perturbation * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(values: &[f32]) -> Tensor<4> {
        let data = TensorData::new(values.to_vec(), [1, 1, 1, values.len()]);
        Tensor::from_data(data, &crate::device())
    }

    fn vec(images: Tensor<4>) -> Vec<f32> {
        images.to_data().iter::<f32>().collect()
    }

    #[test]
    fn value_length_keeps_nan() {
        for norm in [Norm::Linf, Norm::L2] {
            assert!(norm.length([1.0, f64::NAN, 2.0]).is_nan());
            assert_eq!(norm.length([]), 0.0);
        }
    }

    #[test]
    fn convention_zero_gradients_give_no_step() {
        for norm in [Norm::Linf, Norm::L2] {
            assert_eq!(vec(norm.steepest(images(&[0.0, 0.0]), 0.5)), [0.0, 0.0]);
        }
        let step = vec(Norm::Linf.steepest(images(&[0.0, -1e-30, 3.0]), 0.5));
        assert_eq!(step, [0.0, -0.5, 0.5]);
        let step = vec(Norm::L2.steepest(images(&[0.0, -3e-30, 4e-30]), 0.5));
        assert!((step[1] + 0.3).abs() < 1e-7 && (step[2] - 0.4).abs() < 1e-7);
    }

    #[test]
    fn value_l2_projection_is_onto_ball_and_bounds() {
        // Oracle, by hand: the second pixel can only rise by 0.1; of ε² = 0.25 that leaves 0.24
        // for the first, which wished for more.
        let projected = vec(Norm::L2.project(
            images(&[2.1, 1.9]),
            &images(&[0.1, 0.9]),
            0.5,
            Bounds::default(),
        ));
        assert!(
            (projected[0] - 0.1 - 0.24f32.sqrt()).abs() < 1e-6,
            "{projected:?}"
        );
        assert_eq!(projected[1], 1.0);
        // What is inside stays where it is.
        let inside = Norm::L2.project(
            images(&[0.2, 0.9]),
            &images(&[0.1, 0.9]),
            0.5,
            Bounds::default(),
        );
        assert_eq!(vec(inside), [0.2, 0.9]);
    }
}
