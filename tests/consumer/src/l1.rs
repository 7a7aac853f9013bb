//! A norm: the sum of all changes.

use burn::tensor::{Int, Tensor};
use fireproof::attack::{Inside, Limits, Norm};
use fireproof::base::Draws;
use serde_json::Value;
use std::fmt;

/// The sum of the magnitudes of all changes.
#[derive(Clone, Copy, Debug)]
pub struct L1;

// f32 has no more numbers to tell apart.
const HALVINGS: usize = 32;

impl fmt::Display for L1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("L1")
    }
}

impl Norm for L1 {
    fn length(&self, perturbation: &[f64]) -> f64 {
        perturbation.iter().fold(0.0, |sum, v| sum + v.abs())
    }

    fn lengths(&self, perturbations: Tensor<4>) -> Tensor<1> {
        let flat = perturbations.abs().flatten::<2>(1, 3);
        flat.sum_dim(1).squeeze_dim(1)
    }

    /// All of the length on the pixel with the largest gradient.
    fn steepest(&self, gradient: Tensor<4>, length: f64) -> Tensor<4> {
        let shape = gradient.dims();
        let flat = gradient.flatten::<2>(1, 3);
        let every = Tensor::<1, Int>::arange(0..flat.dims()[1] as i64, &flat.device());
        let top = flat.clone().abs().argmax(1).expand(flat.shape());
        let others = top.not_equal(every.unsqueeze_dim::<2>(0).expand(flat.shape()));
        (flat.sign() * length).mask_fill(others, 0.0).reshape(shape)
    }

    /// Every change shrinks by the same amount, to 0 at most, and stays within the bounds; the
    /// least amount that suffices is found by halving.
    fn project(&self, images: Tensor<4>, to: Limits) -> Tensor<4> {
        let Limits {
            originals,
            epsilon,
            bounds,
        } = to;
        let change = images - originals.clone();
        let shrunk = |amount: &Tensor<1>| {
            let size = change.clone().abs() - amount.clone().reshape([-1, 1, 1, 1]);
            bounds.clamp(originals.clone() + change.clone().sign() * size.clamp_min(0.0))
        };
        let inside = |amount: &Tensor<1>| {
            let lengths = self.lengths(shrunk(amount) - originals.clone());
            lengths.lower_equal_elem(epsilon)
        };
        let flat = change.clone().abs().flatten::<2>(1, 3);
        let mut enough = flat.max_dim(1).squeeze_dim::<1>(1);
        let mut little = enough.zeros_like();
        let untouched = inside(&little);
        for _ in 0..HALVINGS {
            let middle = (little.clone() + enough.clone()) * 0.5;
            let suffices = inside(&middle);
            little = middle.clone().mask_where(suffices.clone(), little);
            enough = enough.mask_where(suffices, middle);
        }
        shrunk(&enough.mask_fill(untouched, 0.0))
    }

    /// Of `pixels + 1` exponential numbers in proportion to their sum, all but one are uniform in
    /// the simplex.
    fn draw(&self, pixels: usize, epsilon: f64, draws: &mut Draws) -> Vec<f64> {
        let mut exponential = || -(1.0 - draws.uniform(0.0, 1.0)).ln();
        let sizes: Vec<f64> = (0..=pixels).map(|_| exponential()).collect();
        let sum: f64 = sizes.iter().sum();
        let mut signed = |size: &f64| {
            let sign = if draws.chance(0.5) { 1.0 } else { -1.0 };
            sign * size / sum * epsilon
        };
        sizes[..pixels].iter().map(&mut signed).collect()
    }

    // Sums over many pixels round by more than the tolerance.
    fn settles(&self) -> bool {
        true
    }

    fn settle(&self, image: &mut [f64], into: Inside) -> bool {
        let (original, epsilon) = (into.original, into.epsilon);
        let mut changed = false;
        loop {
            let pairs = image.iter().zip(original);
            let moved: Vec<f64> = pairs.map(|(&a, &b)| a - b).collect();
            let length = self.length(&moved);
            if length <= epsilon || !length.is_finite() {
                return changed;
            }
            changed = true;
            let factor = epsilon / length * (1.0 - 1e-6);
            for ((pixel, &original), moved) in image.iter_mut().zip(original).zip(moved) {
                *pixel = into.precision.round(original + moved * factor);
            }
        }
    }

    fn settings(&self) -> Value {
        "own_l1".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fireproof::base::{Bounds, Precision, Purpose, Seed, read};

    fn images(values: &[f32]) -> Tensor<4> {
        Tensor::<1>::from_floats(values, &fireproof::device()).reshape([1, 1, 1, -1])
    }

    #[test]
    fn value_projection_is_onto_ball_and_bounds() {
        let project = |moved: &[f32], originals: &[f32]| -> Vec<f32> {
            let limits = Limits {
                originals: &images(originals),
                epsilon: 0.4,
                bounds: Bounds::default(),
            };
            read(&L1.project(images(moved), limits))
        };
        // Oracle, by hand.
        for (moved, expected) in [
            // Inside.
            ([0.6, 0.5, 0.25], [0.6, 0.5, 0.25]),
            // A change of (0.4, -0.3, 0) shrinks by 0.15 where it is not 0: |0.25| + |-0.15| = 0.4.
            ([0.9, 0.2, 0.5], [0.75, 0.35, 0.5]),
            // A change of (0.1, 0.9, 0): the first dies at 0.1, the second stops at 0.4 by itself.
            ([0.6, 1.4, 0.5], [0.5, 0.9, 0.5]),
        ] {
            let projected = project(&moved, &[0.5; 3]);
            let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
            assert!(projected.iter().zip(&expected).all(close), "{projected:?}");
        }
        // The bound leaves 0.1 to the first, so that the second keeps 0.3.
        let projected = project(&[1.9, 0.9], &[0.9, 0.5]);
        assert!(
            projected[0] == 1.0 && (projected[1] - 0.8).abs() < 1e-6,
            "{projected:?}"
        );
    }

    #[test]
    fn value_steepest_step_is_one_pixel() {
        let step = |gradient: &[f32]| read::<f32, _, _>(&L1.steepest(images(gradient), 0.5));
        assert_eq!(step(&[0.1, -3.0, 2.0]), [0.0, -0.5, 0.0]);
        assert_eq!(step(&[0.0, 0.0]), [0.0, 0.0]);
    }

    #[test]
    fn value_draws_fill_the_ball() {
        // Oracle: in n dimensions a uniform draw has a mean length of n / (n + 1) radii.
        let mut draws = Seed(1).draws(Purpose::Start, 0, 0);
        let lengths: Vec<f64> = (0..4000)
            .map(|_| L1.length(&L1.draw(3, 2.0, &mut draws)))
            .collect();
        assert!(lengths.iter().all(|&length| length <= 2.0 + 1e-6));
        let mean = lengths.iter().sum::<f64>() / 4000.0;
        // Six standard errors: a length has a standard deviation of 0.39.
        assert!((mean - 1.5).abs() < 6.0 * 0.39 / 4000f64.sqrt(), "{mean}");
    }

    #[test]
    fn value_settling_ends_inside() {
        let (mut image, original) = ([0.9, 0.1, 0.5], [0.5; 3]);
        let into = Inside {
            original: &original,
            epsilon: 0.4,
            precision: Precision::F64,
        };
        assert!(L1.settle(&mut image, into));
        assert!((image[0] - 0.7).abs() < 1e-5 && (image[1] - 0.3).abs() < 1e-5);
        assert!(!L1.settle(&mut image, into), "it is inside");
    }
}
