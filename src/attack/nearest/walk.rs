use super::Geometry;
use crate::attack::{Ball, L2, Pass, Trial};
use crate::base::{Bounds, Precision, Result, widened};
use burn::tensor::{Bool, DType, Int, Tensor};
use std::f64::consts::PI;

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
        loss: impl Fn(Tensor<2>) -> Tensor<1>,
    ) -> Result<(Pass<4>, Tensor<2>)> {
        let pass = trial.gradient_of(self.images(rows), loss)?;
        let gradient = Self::rows(pass.gradient.clone());
        Ok((pass, gradient))
    }

    /// Offers the trial these rows, by an exact pass.
    pub fn offer(
        &self,
        trial: &mut Trial,
        ball: Option<&Ball>,
        rows: &Tensor<2>,
    ) -> Result<Tensor<2>> {
        let images = self.images(rows);
        let logits = trial.logits(images.clone())?;
        trial.offer_judged(ball, images, logits.clone());
        Ok(logits)
    }

    /// A number of each image as a column.
    pub fn column(&self, numbers: Tensor<1>) -> Tensor<2> {
        let precision = Precision::of_type(self.dtype).unwrap_or(Precision::F32);
        (numbers.unsqueeze_dim::<2>(1)).cast(precision.of_sums().dtype())
    }

    /// How far the farthest point within bounds is, by a norm.
    pub fn farthest(&self, norm: &dyn Geometry) -> Tensor<2> {
        let ends = [f32::MIN, f32::MAX].map(|end| {
            let corner = self.bounds.clamp(self.origin.clone() + end);
            (corner - self.origin.clone()).abs()
        });
        let [low, high] = ends;
        norm.row_lengths(low.max_pair(high)).clamp_max(FARTHEST)
    }

    /// The second rows where `taken`.
    pub fn either(&self, pair: [Tensor<2>; 2], taken: &Tensor<1, Bool>) -> Tensor<2> {
        let [rows, others] = pair;
        let taken = taken.clone().unsqueeze_dim::<2>(1);
        let dims = rows.dims();
        rows.mask_where(taken.expand(dims), others)
    }
}

/// Runs a walk on the images that are right as they are, in exact numerics.
///
/// # Errors
///
/// Those of the walk.
pub(super) fn from_the_right(
    trial: &mut Trial,
    walk: impl FnOnce(&mut Trial) -> Result<()>,
) -> Result<()> {
    trial.offer_originals();
    trial.exactly(|trial| trial.survivors(walk))
}

/// All classes but the label, the most likely one by clean logits first `[batch, classes - 1]`.
pub(super) fn likely(trial: &mut Trial) -> Tensor<2, Int> {
    let logits = trial.clean();
    let labels = trial.reference().labels.clone().unsqueeze_dim::<2>(1);
    let [images, count] = logits.dims();
    let classes = Tensor::<1, Int>::arange(0..count as i64, (&labels.device(), labels.dtype()));
    let classes = classes.unsqueeze_dim::<2>(0).expand([images, count]);
    let own = classes.equal(labels.expand([images, count]));
    let order = logits.mask_fill(own, f32::MIN).argsort_descending(1);
    order.narrow(1, 0, count - 1)
}

/// By how much the logit of a target is above the label's.
pub(super) fn lead(logits: Tensor<2>, target: Tensor<1, Int>, label: Tensor<1, Int>) -> Tensor<1> {
    let of = |class: Tensor<1, Int>| logits.clone().gather(1, class.unsqueeze_dim::<2>(1));
    (of(target) - of(label)).squeeze_dim(1)
}

// Without bounds: everything stays finite in f32.
const FARTHEST: f32 = 1e30;

/// A number that goes from the first to the last along half a cosine.
pub(super) fn annealed(step: usize, steps: usize, first: f64, last: f64) -> f64 {
    last + (first - last) * (1.0 + (PI * step as f64 / steps as f64).cos()) / 2.0
}

/// Rows of Euclidean length 1; zeros stay zeros.
pub(super) fn unit(rows: Tensor<2>) -> Tensor<2> {
    let length = L2.row_lengths(rows.clone());
    let zero = length.clone().equal_elem(0.0);
    rows / length.mask_fill(zero, 1.0)
}
