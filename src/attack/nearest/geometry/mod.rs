//! What minimum-norm attacks need to know of a norm. A norm's is a file here.

mod fill;
mod l1;
mod l2;
mod linf;

use crate::base::Bounds;
use burn::tensor::Tensor;
use std::fmt;

/// What minimum-norm attacks need to know of a [`Norm`](crate::attack::Norm), which says so by
/// [`Norm::geometry`](crate::attack::Norm::geometry).
///
/// Points are rows of pixels `[batch, pixels]`, in `f32` at least; a number for each image is a
/// column `[batch, 1]`. Object-safe.
pub trait Geometry: fmt::Debug + Send + Sync {
    /// The moves from points within bounds to the nearest points of both plane and bounds, nearest
    /// by this norm; where bounds end before the plane, to a point of theirs that is nearest to it.
    /// A plane without a normal is never reached, and nothing moves.
    fn onto(&self, points: &Tensor<2>, plane: &Plane, bounds: Bounds) -> Tensor<2>;

    /// The norm of each row.
    fn row_lengths(&self, rows: Tensor<2>) -> Tensor<2>;

    /// The dual norm of each row: a linear function with this gradient rises so much at most on
    /// a way of length 1.
    fn dual_lengths(&self, rows: Tensor<2>) -> Tensor<2>;

    /// The nearest points of the balls of these radii around 0, nearest in Euclidean distance.
    fn shorten(&self, rows: Tensor<2>, radius: Tensor<2>) -> Tensor<2>;

    /// The radius at which images in `[0, 1]` are usually attacked: where a random start may be that
    /// is told no other.
    fn usual_radius(&self) -> f64;
}

/// A hyperplane for each of a batch of points.
#[derive(Clone, Debug)]
pub struct Plane {
    /// What it is at right angles with `[batch, pixels]`.
    pub normal: Tensor<2>,
    /// By how much the product of point and normal is smaller than in the plane `[batch, 1]`.
    pub gap: Tensor<2>,
}

// Each coordinate's way towards the plane.
struct Ways {
    // -1, 0 or 1.
    sign: Tensor<2>,
    // What a coordinate's move of length 1 does for the gap, the largest of a row being 1.
    worth: Tensor<2>,
    // How far a coordinate may go, if there are bounds.
    room: Option<Tensor<2>>,
    // What there is to be done `[batch, 1]`.
    gap: Tensor<2>,
}

impl Ways {
    fn new(points: &Tensor<2>, plane: &Plane, bounds: Bounds) -> Self {
        let Plane { normal, gap } = plane;
        let sign = normal.clone().sign() * gap.clone().sign();
        // Gradients may be so small that their squares vanish.
        let largest = one_where_zero(normal.clone().abs().max_dim(1));
        let room = (bounds != Bounds::none()).then(|| {
            let end = bounds.clamp(points.clone() + sign.clone() * f32::MAX);
            (end - points.clone()).abs()
        });
        Self {
            worth: normal.clone().abs() / largest.clone(),
            gap: (gap.clone().abs() / largest).clamp_max(FARTHEST),
            sign,
            room,
        }
    }
}

// No way is longer, so that everything stays finite in f32.
const FARTHEST: f32 = 1e30;

fn one_where_zero(rows: Tensor<2>) -> Tensor<2> {
    let zero = rows.clone().equal_elem(0.0);
    rows.mask_fill(zero, 1.0)
}
