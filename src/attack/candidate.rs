use super::rows::{either, replace, rows_of_second, select};
use crate::base::{Precision, assert_alike};
use burn::tensor::Tensor;

/// Images that an attack proposes, one for each image of its [`Trial`](super::Trial).
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The images `[batch, channel, height, width]`, outside autodiff.
    pub images: Tensor<4>,
    /// The images that their perturbations start from, if other than the trial's originals.
    pub originals: Option<Tensor<4>>,
    /// How the originals were moved, if they were: `[batch, 3]` in degrees and pixels right and down,
    /// or `[batch, 4]` with 1 besides where left and right were exchanged first, else 0.
    pub poses: Option<Tensor<2>>,
}

impl From<Tensor<4>> for Candidate {
    /// Perturbations of the trial's originals.
    fn from(images: Tensor<4>) -> Self {
        Self {
            images,
            originals: None,
            poses: None,
        }
    }
}

impl Candidate {
    /// Moved images without a perturbation: around them a later attack has its ball.
    ///
    /// # Panics
    ///
    /// Panics unless images and poses are of one element type.
    pub fn moved(images: Tensor<4>, poses: Tensor<2>) -> Self {
        let [of_images, of_poses] = [images.dtype(), poses.dtype()];
        assert_alike("moved", &[("images", of_images), ("poses", of_poses)]);
        Self {
            originals: Some(images.clone()),
            images,
            poses: Some(poses),
        }
    }

    /// With four columns of poses, if there are any.
    pub(super) fn with_all_columns(mut self) -> Self {
        self.poses = self.poses.map(|poses| match poses.dims() {
            [_, 3] => poses.pad((0, 1, 0, 0), 0.0),
            _ => poses,
        });
        self
    }

    /// Refuses images of another element type than the originals'.
    pub(super) fn expect_like(&self, originals: &Tensor<4>) {
        let types = [
            ("images", self.images.dtype()),
            ("originals", originals.dtype()),
        ];
        assert_alike("offered", &types);
    }

    pub(super) fn select(&self, positions: &[usize]) -> Self {
        Self {
            images: select(&self.images, positions),
            originals: self.originals.as_ref().map(|t| select(t, positions)),
            poses: self.poses.as_ref().map(|t| select(t, positions)),
        }
    }
}

// Losses closer than this many units of their type, in proportion, are equal but for the rounding of
// the passes that made them.
const LOSS_RESOLUTION: f64 = 8.0;

/// The best candidate met so far for each image: fooling before not fooling, then higher loss,
/// then later, since near an optimum f32 losses tie long before the images have converged.
#[derive(Clone, Debug)]
pub(super) struct Best {
    pub candidate: Candidate,
    /// Of the pass that judged the candidate.
    pub logits: Tensor<2>,
    /// The highest loss met with this verdict, or whatever else ranks candidates.
    pub loss: Tensor<1>,
    /// 1 for fooled, else 0: Burn's CPU backend cannot concatenate booleans of different storage.
    pub fooled: Tensor<1>,
    /// 1 where the pass was an exact one on exactly the candidate's images, else 0.
    pub exact: Tensor<1>,
    /// The passes that its image had cost when a candidate first had this verdict `[batch]`.
    pub passes: Tensor<1>,
}

impl Best {
    /// What is known of images of which nothing has been offered yet, beside those of `part`.
    pub fn unknown(part: &Self, originals: &Tensor<4>) -> Self {
        let count = originals.dims()[0];
        let none = |like: &Tensor<1>| Tensor::zeros([count], (&like.device(), like.dtype()));
        let like = (&part.logits.device(), part.logits.dtype());
        Self {
            candidate: originals.clone().into(),
            logits: Tensor::zeros([count, part.logits.dims()[1]], like),
            loss: none(&part.loss).add_scalar(f32::MIN),
            fooled: none(&part.fooled),
            exact: none(&part.exact),
            passes: none(&part.passes),
        }
    }

    /// Keeps each candidate of `other` that is better than what its image has. `originals` are
    /// those of the trial.
    pub fn meet(self, other: Self, originals: &Tensor<4>) -> Self {
        let newly = other.fooled.clone().greater(self.fooled.clone());
        let alike = other.fooled.clone().equal(self.fooled.clone());
        let unit = Precision::of_type(self.loss.dtype()).map_or(0.0, Precision::epsilon);
        let enough = self.loss.clone() - self.loss.clone().abs() * (LOSS_RESOLUTION * unit);
        let as_high = alike
            .clone()
            .bool_and(other.loss.clone().greater_equal(enough))
            // Not what counts for nothing, whatever it is compared with.
            .bool_and(other.loss.clone().greater_elem(f32::MIN));
        let higher = alike.bool_and(other.loss.clone().greater(self.loss.clone()));
        let taken = newly.clone().bool_or(as_high);
        // Row by row, which a mask over all pixels would not know of.
        let rows = rows_of_second(&taken);
        let [mine, theirs] = [self.candidate, other.candidate];
        let centre = || originals.clone();
        let centres = both(mine.originals, theirs.originals, centre, centre);
        let still = || still(originals.dims()[0], originals);
        let poses = both(mine.poses, theirs.poses, still, still);
        Self {
            candidate: Candidate {
                originals: centres.map(|pair| either(pair, &rows)),
                images: either([mine.images, theirs.images], &rows),
                poses: poses.map(|pair| either(pair, &rows)),
            },
            logits: either([self.logits, other.logits], &rows),
            exact: self.exact.mask_where(taken, other.exact),
            passes: self.passes.mask_where(newly.clone(), other.passes),
            loss: self.loss.mask_where(newly.bool_or(higher), other.loss),
            fooled: self.fooled.max_pair(other.fooled),
        }
    }

    /// The best of the images at these positions.
    pub fn select(&self, positions: &[usize]) -> Self {
        Self {
            candidate: self.candidate.select(positions),
            logits: select(&self.logits, positions),
            loss: select(&self.loss, positions),
            fooled: select(&self.fooled, positions),
            exact: select(&self.exact, positions),
            passes: select(&self.passes, positions),
        }
    }

    /// Puts a [`select`](Self::select)ion back.
    pub fn replace(self, positions: &[usize], part: Self, originals: &Tensor<4>) -> Self {
        let [mine, theirs] = [self.candidate, part.candidate];
        let centre = || originals.clone();
        let centre_of_part = || select(originals, positions);
        let centres = both(mine.originals, theirs.originals, centre, centre_of_part);
        let all_still = || still(originals.dims()[0], originals);
        let poses = both(mine.poses, theirs.poses, all_still, || {
            still(positions.len(), originals)
        });
        Self {
            candidate: Candidate {
                images: replace(mine.images, positions, theirs.images),
                originals: centres.map(|[a, b]| replace(a, positions, b)),
                poses: poses.map(|[a, b]| replace(a, positions, b)),
            },
            logits: replace(self.logits, positions, part.logits),
            loss: replace(self.loss, positions, part.loss),
            fooled: replace(self.fooled, positions, part.fooled),
            exact: replace(self.exact, positions, part.exact),
            passes: replace(self.passes, positions, part.passes),
        }
    }
}

/// Poses that move nothing.
fn still(count: usize, images: &Tensor<4>) -> Tensor<2> {
    Tensor::zeros([count, 4], (&images.device(), images.dtype()))
}

/// Both values, those that are missing filled in, if there is one at all.
fn both<T>(
    a: Option<T>,
    b: Option<T>,
    missing_a: impl FnOnce() -> T,
    missing_b: impl FnOnce() -> T,
) -> Option<[T; 2]> {
    (a.is_some() || b.is_some()).then(|| [a.unwrap_or_else(missing_a), b.unwrap_or_else(missing_b)])
}
