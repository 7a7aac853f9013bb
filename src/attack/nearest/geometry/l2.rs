use super::{Geometry, Plane, Ways, fill::fill, one_where_zero};
use crate::attack::L2;
use crate::base::Bounds;
use burn::tensor::Tensor;

impl Geometry for L2 {
    /// A coordinate is as fast as it is worth.
    fn onto(&self, points: &Tensor<2>, plane: &Plane, bounds: Bounds) -> Tensor<2> {
        let ways = Ways::new(points, plane, bounds);
        let speed = ways.worth.clone();
        fill(ways, speed)
    }

    fn row_lengths(&self, rows: Tensor<2>) -> Tensor<2> {
        // Scaled first: the squares of small numbers vanish.
        let largest = one_where_zero(rows.clone().abs().max_dim(1));
        (rows / largest.clone()).square().sum_dim(1).sqrt() * largest
    }

    fn dual_lengths(&self, rows: Tensor<2>) -> Tensor<2> {
        self.row_lengths(rows)
    }

    fn shorten(&self, rows: Tensor<2>, radius: Tensor<2>) -> Tensor<2> {
        let length = one_where_zero(self.row_lengths(rows.clone()));
        rows * (radius / length).clamp_max(1.0)
    }

    fn usual_radius(&self) -> f64 {
        1.0
    }
}
