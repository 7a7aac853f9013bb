use super::{Geometry, Plane, Ways, fill::fill};
use crate::attack::Linf;
use crate::base::Bounds;
use burn::tensor::Tensor;

impl Geometry for Linf {
    /// All coordinates that matter go at one speed.
    fn onto(&self, points: &Tensor<2>, plane: &Plane, bounds: Bounds) -> Tensor<2> {
        let ways = Ways::new(points, plane, bounds);
        let speed = ways.sign.clone().abs();
        fill(ways, speed)
    }

    fn row_lengths(&self, rows: Tensor<2>) -> Tensor<2> {
        rows.abs().max_dim(1)
    }

    fn dual_lengths(&self, rows: Tensor<2>) -> Tensor<2> {
        rows.abs().sum_dim(1)
    }

    fn shorten(&self, rows: Tensor<2>, radius: Tensor<2>) -> Tensor<2> {
        rows.min_pair(radius.clone()).max_pair(radius.neg())
    }

    fn usual_radius(&self) -> f64 {
        0.3
    }
}
