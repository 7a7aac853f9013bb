use super::{FARTHEST, Geometry, Plane, Ways};
use crate::attack::L1;
use crate::base::Bounds;
use burn::tensor::{Int, Tensor};

impl Geometry for L1 {
    /// One coordinate after the other goes all its way, the one that is worth most first.
    fn onto(&self, points: &Tensor<2>, plane: &Plane, bounds: Bounds) -> Tensor<2> {
        let Ways {
            sign,
            worth,
            room,
            gap,
        } = Ways::new(points, plane, bounds);
        let room = room.unwrap_or_else(|| worth.full_like(FARTHEST));
        let order: Tensor<2, Int> = worth.clone().argsort_descending(1);
        let worth = worth.gather(1, order.clone());
        let room = room.gather(1, order.clone());
        let value = worth.clone() * room.clone();
        let left = gap - (value.clone().cumsum(1) - value);
        let nothing = worth.clone().equal_elem(0.0);
        let way = (left / worth.mask_fill(nothing.clone(), 1.0)).clamp_min(0.0);
        let way = way.min_pair(room).mask_fill(nothing, 0.0);
        sign * way.gather(1, order.argsort(1))
    }

    fn row_lengths(&self, rows: Tensor<2>) -> Tensor<2> {
        rows.abs().sum_dim(1)
    }

    fn dual_lengths(&self, rows: Tensor<2>) -> Tensor<2> {
        rows.abs().max_dim(1)
    }

    /// Every coordinate is drawn in by the same length, but none beyond 0. That length is the largest
    /// of those by which the first, the first two, … of the longest would together come to the radius.
    fn shorten(&self, rows: Tensor<2>, radius: Tensor<2>) -> Tensor<2> {
        let [_, count] = rows.dims();
        let longest = rows.clone().abs().sort_descending(1);
        let like = (&rows.device(), rows.dtype());
        let numbers = Tensor::<1, Int>::arange(1..count as i64 + 1, &rows.device());
        let numbers = numbers.float().cast(like.1).unsqueeze_dim::<2>(0);
        let by = ((longest.cumsum(1) - radius) / numbers).max_dim(1);
        let by = by.clamp_min(0.0);
        rows.clone().sign() * (rows.abs() - by).clamp_min(0.0)
    }

    fn usual_radius(&self) -> f64 {
        5.0
    }
}
