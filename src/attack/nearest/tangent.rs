use burn::tensor::Tensor;

/// A loss to first order.
pub(super) struct Tangent {
    pub point: Tensor<2>,
    pub gradient: Tensor<2>,
    /// By how much the loss is below 0 at the point.
    pub gap: Tensor<2>,
}

impl Tangent {
    /// By how much it is below 0 at other points, where that is a finite number.
    pub fn gap_at(&self, points: &Tensor<2>) -> Tensor<2> {
        let rise = self.gradient.clone() * (points.clone() - self.point.clone());
        finite(self.gap.clone() - rise.sum_dim(1))
    }
}

// A column that says nothing where it is not a finite number.
fn finite(column: Tensor<2>) -> Tensor<2> {
    let wrong = column.clone().is_finite().bool_not();
    column.mask_fill(wrong, 0.0)
}
