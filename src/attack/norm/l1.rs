use super::{Inside, Limits, Norm, one_where_zero, room, shrink_into};
use crate::attack::square::Windows;
use crate::attack::{Geometry, SparseStep, Squares, StepRule};
use crate::base::{Draws, indices, widened};
use burn::tensor::{DType, Int, Tensor};
use derive_more::Display;
use serde_json::Value;

/// Secants that end the search in `project` after halvings of the range: on one piece a secant is
/// exact.
const SECANTS: usize = 4;

/// The part of the pixels that share a steepest step.
const SHARE: f64 = 0.01;

/// The sum of the changes of all pixels and channels of an image.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
pub struct L1;

impl Norm for L1 {
    fn length(&self, perturbation: &[f64]) -> f64 {
        perturbation.iter().fold(0.0, |sum, v| sum + v.abs())
    }

    fn lengths(&self, perturbations: Tensor<4>) -> Tensor<1> {
        let (batch, dtype) = (perturbations.dims()[0], perturbations.dtype());
        length(widened(perturbations)).reshape([batch]).cast(dtype)
    }

    /// Shared evenly by the hundredth of the pixels with the largest gradients, by one of them at
    /// least and by all that tie with the last. The loss would rise a little faster with all of it on
    /// one pixel, were that not out of bounds after the first step.
    ///
    /// (The sparse descent of F. Tramèr, D. Boneh 2019, "Adversarial Training and Robustness for
    /// Multiple Perturbations", section 4.1, with q = 99 %.)
    fn steepest(&self, gradient: Tensor<4>, length: f64) -> Tensor<4> {
        let (shape, dtype) = (gradient.dims(), gradient.dtype());
        let pixels: usize = shape[1..].iter().product();
        let count = (SHARE * pixels as f64).round().max(1.0) as usize;
        let counts = indices(vec![count; shape[0]], &gradient.device());
        let signs = sparse_signs(widened(gradient.flatten(1, 3)), counts);
        (signs * length).cast(dtype).reshape(shape)
    }

    /// A step of pixels that can still move: one at its bound would take all of the length for
    /// nothing, and go on to do so.
    fn step(&self, images: Tensor<4>, gradient: Tensor<4>, length: f64, to: Limits) -> Tensor<4> {
        let here = Limits {
            originals: &images,
            ..to
        };
        let stuck = room(&gradient, here).equal_elem(0.0);
        let moved = images + self.steepest(gradient.mask_fill(stuck, 0.0), length);
        self.project(moved, to)
    }

    /// The projection onto the *intersection* of ball and bounds, as everywhere. (F. Croce, M. Hein
    /// 2021, "Mind the box: l₁-APGD for sparse adversarial attacks on image classifiers",
    /// proposition 2.1.)
    fn project(&self, images: Tensor<4>, to: Limits) -> Tensor<4> {
        let dtype = images.dtype();
        let to = Limits {
            originals: &widened(to.originals.clone()),
            ..to
        };
        let perturbation = shrink(widened(images) - to.originals.clone(), to);
        let moved = (to.originals.clone() + perturbation).cast(dtype);
        to.bounds.clamp(moved)
    }

    /// Of `pixels + 1` exponential numbers, in proportion to their sum, all but one are uniform in
    /// the simplex.
    fn draw(&self, pixels: usize, epsilon: f64, draws: &mut Draws) -> Vec<f64> {
        let exponential = |_| -(1.0 - draws.uniform(0.0, 1.0)).ln();
        let sizes: Vec<f64> = (0..=pixels).map(exponential).collect();
        let unit = epsilon / sizes.iter().sum::<f64>();
        let mut signed = |size: &f64| match draws.chance(0.5) {
            true => size * unit,
            false => -size * unit,
        };
        sizes[..pixels].iter().map(&mut signed).collect()
    }

    fn settles(&self) -> bool {
        true
    }

    fn settle(&self, image: &mut [f64], into: Inside) -> bool {
        shrink_into(self, image, into)
    }

    fn rule(&self, steps: usize, epsilon: f64) -> Box<dyn StepRule> {
        Box::new(SparseStep::new(steps, epsilon))
    }

    fn squares(&self) -> Option<&dyn Squares> {
        Some(&Windows::L1)
    }

    fn geometry(&self) -> Option<&dyn Geometry> {
        Some(self)
    }

    fn settings(&self) -> Value {
        Value::from("l1")
    }
}

/// The signs of so many entries of each row that are the largest in magnitude, and of all that tie
/// with the last of them, divided by their number. A row of zeros stays one.
pub(in crate::attack) fn sparse_signs(gradient: Tensor<2>, counts: Tensor<1, Int>) -> Tensor<2> {
    let sizes = gradient.clone().abs();
    let last = counts.unsqueeze_dim::<2>(1) - 1;
    let places = Tensor::<1, Int>::arange(0..gradient.dims()[1] as i64, &gradient.device());
    let others = places.unsqueeze::<2>().not_equal(last);
    // Not by `gather`: fused into the comparison, it gives other entries on WGPU (Burn 0.22).
    let least = sizes.clone().sort_descending(1).mask_fill(others, 0.0);
    let least = least.max_dim(1);
    let signs = gradient.sign().mask_fill(sizes.lower(least), 0.0);
    let count = signs.clone().abs().sum_dim(1).clamp_min(1.0);
    signs / count
}

fn length(images: Tensor<4>) -> Tensor<4> {
    images.abs().sum_dims(&[1, 2, 3])
}

// The nearest point of the intersection shrinks every change by the same amount, to 0 at most, and
// clips what is left. The amount at which the length is epsilon, or 0, is the root of a falling
// function of linear pieces, which end where a pixel leaves its bound or arrives at 0.
fn shrink(perturbation: Tensor<4>, to: Limits) -> Tensor<4> {
    let room = room(&perturbation, to);
    let wish = perturbation.clone().abs();
    let kept = |amount: Tensor<4>| {
        (wish.clone() - amount)
            .clamp_min(0.0)
            .min_pair(room.clone())
    };
    let excess = |amount: Tensor<4>| kept(amount).sum_dims(&[1, 2, 3]) - to.epsilon;
    let longest = wish.clone().max_dims(&[1, 2, 3]);
    let nothing = longest.zeros_like();
    // The root is between these two amounts, with what is too long at each.
    let mut low = (nothing.clone(), excess(nothing.clone()));
    let mut high = (longest, nothing - to.epsilon);
    let inside = low.1.clone().lower_equal_elem(0.0);
    let halvings = halvings(wish.dtype());
    for round in 0..halvings + SECANTS {
        let amount = match round < halvings {
            true => (low.0.clone() + high.0.clone()) * 0.5,
            false => secant(&low, &high),
        };
        let excess = excess(amount.clone());
        let enough = excess.clone().lower_equal_elem(0.0);
        low = (
            amount.clone().mask_where(enough.clone(), low.0),
            excess.clone().mask_where(enough.clone(), low.1),
        );
        high = (
            high.0.mask_where(enough.clone(), amount),
            high.1.mask_where(enough, excess),
        );
    }
    let amount = secant(&low, &high).mask_fill(inside, 0.0);
    perturbation.sign() * kept(amount)
}

// So many that hardly two of the pieces are left in the range, or numbers of this type.
fn halvings(dtype: DType) -> usize {
    match dtype {
        DType::F64 => 48,
        _ => 20,
    }
}

type End = (Tensor<4>, Tensor<4>);

// Where the line through both ends is 0.
fn secant(low: &End, high: &End) -> Tensor<4> {
    let fall = one_where_zero(low.1.clone() - high.1.clone());
    low.0.clone() + (high.0.clone() - low.0.clone()) * (low.1.clone() / fall)
}
