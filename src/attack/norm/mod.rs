//! How the size of a perturbation is measured, and what follows from that. A new norm is a file
//! with a [`Norm`] and a line in the registry below.

mod l1;
mod l2;
mod linf;

pub use l1::L1;
pub(super) use l1::sparse_signs;
pub use l2::L2;
pub use linf::Linf;

use super::{AdaptiveStep, Geometry, Squares, StepRule};
use crate::base::{Bounds, Draws, Precision, Spec, open_kind};
use burn::tensor::Tensor;
use serde_json::Value;
use std::fmt;

/// A norm of perturbations with the geometry that attacks need of it.
///
/// Object-safe. One of your own works in every attack; give it a name with
/// [`Registry::add`](crate::base::Registry::add) to use it in files.
///
/// ```
/// use fireproof::attack::{L1, L2, Linf, Norm};
///
/// assert_eq!(L1.length(&[3.0, -4.0]), 7.0);
/// assert_eq!(L2.length(&[3.0, -4.0]), 5.0);
/// assert_eq!(Linf.length(&[3.0, -4.0]), 4.0);
/// ```
pub trait Norm: fmt::Debug + fmt::Display + Send + Sync {
    /// The norm of one perturbation, in f64; NaN if any value is.
    fn length(&self, perturbation: &[f64]) -> f64;

    /// The norm of each perturbation `[batch]`, up to rounding in the device's precision.
    fn lengths(&self, perturbations: Tensor<4>) -> Tensor<1>;

    /// The step of this length along which a linear loss rises the fastest, or what attacks in this
    /// norm take in its place. A zero gradient gives no step.
    fn steepest(&self, gradient: Tensor<4>, length: f64) -> Tensor<4>;

    /// The images within the limits that are nearest to `images` in Euclidean distance.
    fn project(&self, images: Tensor<4>, to: Limits) -> Tensor<4>;

    /// A step of [`steepest`](Self::steepest) ascent and the projection of where it leads: the
    /// hot loop of attacks, for norms that have it in one pass.
    fn step(&self, images: Tensor<4>, gradient: Tensor<4>, length: f64, to: Limits) -> Tensor<4> {
        let moved = images + self.steepest(gradient, length);
        self.project(moved, to)
    }

    /// A perturbation drawn uniformly from the ball.
    fn draw(&self, pixels: usize, epsilon: f64, draws: &mut Draws) -> Vec<f64>;

    /// Whether projections need to be [settled](Self::settle): not if they round by no more than
    /// the [tolerance](super::verify) of the images' element type.
    fn settles(&self) -> bool {
        false
    }

    /// Brings one image that rounding has put outside the ball back inside, exactly, and says
    /// whether any pixel changed. The pixels are numbers of the images' precision, before and
    /// afterwards.
    fn settle(&self, image: &mut [f64], into: Inside) -> bool {
        let _ = (image, into);
        false
    }

    /// What minimum-norm attacks need to know besides, if it is known.
    fn geometry(&self) -> Option<&dyn Geometry> {
        None
    }

    /// The rule by which [`Apgd`](super::Apgd) goes on in this norm for so many steps in a ball of
    /// this radius: [`AdaptiveStep`], whose steps grow in proportion to their length.
    fn rule(&self, steps: usize, epsilon: f64) -> Box<dyn StepRule> {
        Box::new(AdaptiveStep::new(steps, epsilon))
    }

    /// How a [`Square`](super::Square) attack changes images in this norm, if it can.
    fn squares(&self) -> Option<&dyn Squares> {
        None
    }

    /// The name in files, with settings if there are any.
    fn settings(&self) -> Value;
}

/// Where attacked images must stay: in the ball around their originals, and within bounds.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// What perturbations start from.
    pub originals: &'a Tensor<4>,
    /// The radius of the ball.
    pub epsilon: f64,
    /// The range of valid pixels.
    pub bounds: Bounds,
}

/// Where one image must be in the end, and the numbers that its pixels may be.
#[derive(Clone, Copy, Debug)]
pub struct Inside<'a> {
    /// The pixels that its perturbation starts from.
    pub original: &'a [f64],
    /// The radius of the ball.
    pub epsilon: f64,
    /// The images' precision.
    pub precision: Precision,
}

/// A norm as a plain value: what attacks hold.
pub type NormSpec = Spec<dyn Norm>;

open_kind! {
    Norm in "norm";
    plain: "linf" => Linf, "l2" => L2, "l1" => L1;
}

pub(super) fn one_where_zero(values: Tensor<4>) -> Tensor<4> {
    let zero = values.clone().equal_scalar(0.0);
    values.mask_fill(zero, 1.0)
}

// How far each pixel may move in the direction in which it is moving.
fn room(perturbation: &Tensor<4>, to: Limits) -> Tensor<4> {
    let far = to.originals.clone() + perturbation.clone().sign() * f32::MAX;
    (to.bounds.clamp(far) - to.originals.clone()).abs()
}

// Settling of norms that are sums over pixels: scales the perturbation into the ball. The sum of the
// rounding errors of `x + δ` can exceed any fixed tolerance; rounding each pixel towards the original
// cannot.
fn shrink_into(norm: &dyn Norm, image: &mut [f64], into: Inside) -> bool {
    let Inside {
        original,
        epsilon,
        precision,
    } = into;
    let difference = |(&a, &b): (&f64, &f64)| a - b;
    let length = norm.length(&Vec::from_iter(image.iter().zip(original).map(difference)));
    if length <= epsilon || !length.is_finite() {
        return false;
    }
    // In f64 these sums themselves round; in any other type that is far below its resolution.
    let slack = match precision {
        Precision::F64 => 1.0 - image.len() as f64 * f64::EPSILON,
        _ => 1.0,
    };
    let scale = epsilon / length * slack;
    for (to, &from) in image.iter_mut().zip(original) {
        *to = precision.round_towards(from + scale * (*to - from), from);
    }
    true
}
