use crate::attack::{Pass, Trial};
use crate::base::{Bounds, Precision, Result, widened};
use burn::tensor::{Bool, DType, Tensor};

/// The images of a trial as rows of pixels, in `f32` at least, and back: what minimum-norm attacks
/// walk in.
pub(super) struct Rows {
    /// The trial's originals.
    pub origin: Tensor<2>,
    pub bounds: Bounds,
    shape: [usize; 4],
    dtype: DType,
}

impl Rows {
    pub fn new(trial: &Trial) -> Self {
        let originals = trial.originals();
        Self {
            origin: Self::rows(originals.clone()),
            bounds: trial.bounds(),
            shape: originals.dims(),
            dtype: originals.dtype(),
        }
    }

    /// Images as rows.
    pub fn rows(images: Tensor<4>) -> Tensor<2> {
        widened(images).flatten(1, 3)
    }

    /// Rows as images, of the originals' element type.
    pub fn images(&self, rows: &Tensor<2>) -> Tensor<4> {
        rows.clone().reshape(self.shape).cast(self.dtype)
    }

    /// One pass at these rows, with its gradient as rows.
    pub fn gradient(
        &self,
        trial: &mut Trial,
        rows: &Tensor<2>,
        loss: impl FnOnce(Tensor<2>) -> Tensor<1>,
    ) -> Result<(Pass<4>, Tensor<2>)> {
        let pass = trial.gradient_of(self.images(rows), loss)?;
        let gradient = Self::rows(pass.gradient.clone());
        Ok((pass, gradient))
    }

    /// A number of each image as a column.
    pub fn column(&self, numbers: Tensor<1>) -> Tensor<2> {
        let precision = Precision::of_type(self.dtype).unwrap_or(Precision::F32);
        (numbers.unsqueeze_dim::<2>(1)).cast(precision.of_sums().dtype())
    }

    /// The second rows where `taken`.
    pub fn either(&self, pair: [Tensor<2>; 2], taken: &Tensor<1, Bool>) -> Tensor<2> {
        let [rows, others] = pair;
        let taken = taken.clone().unsqueeze_dim::<2>(1);
        let dims = rows.dims();
        rows.mask_where(taken.expand(dims), others)
    }
}

/// A column that says nothing where it is not a finite number.
pub(super) fn finite(column: Tensor<2>) -> Tensor<2> {
    let wrong = column.clone().is_finite().bool_not();
    column.mask_fill(wrong, 0.0)
}
