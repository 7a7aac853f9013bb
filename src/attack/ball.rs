use super::rows::{positions, replace, select};
use super::{Found, Inside, NormSpec};
use crate::base::{Batch, Bounds, Error, Precision, Result, read, widened};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// How far outside its ball a perturbation of `f32` images may be for rounding alone: 2⁻²³, the
/// distance of neighbouring numbers from 1, for pixels up to 1, and in proportion for larger ones.
///
/// Images of another type have its [`Precision::epsilon`] instead.
pub const BALL_TOLERANCE: f64 = 1.0 / (1u32 << 23) as f64;

/// The perturbations that a threat model allows: those of norm ε at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ball {
    /// How a perturbation is measured.
    pub norm: NormSpec,
    /// The radius ε.
    pub epsilon: f64,
}

impl Ball {
    /// The ball of this radius.
    pub fn new(norm: impl Into<NormSpec>, epsilon: f64) -> Self {
        Self {
            norm: norm.into(),
            epsilon,
        }
    }

    /// Refuses a radius that makes no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if it is negative or not finite in f32, whatever the images are.
    pub fn check(&self) -> Result<()> {
        check_length("epsilon", self.epsilon)
    }
}

/// Holds the images that an attack returns against its threat model, and brings those that
/// rounding has put outside the ball back inside. Returns the images, and which of them changed.
///
/// The device decides which images need a closer look; only those travel to the host.
///
/// # Errors
///
/// As [`verify`].
pub(crate) fn settle(
    images: Tensor<4>,
    originals: &Tensor<4>,
    ids: &[u64],
    bounds: Bounds,
    ball: Option<&Ball>,
) -> Result<(Tensor<4>, Vec<usize>)> {
    let precision = Precision::of("attacked images", &images)?;
    let doubtful = doubtful(&images, originals, bounds, ball, precision);
    if read::<f32, _, _>(&doubtful.clone().sum())[0] == 0.0 {
        return Ok((images, Vec::new()));
    }
    let at = positions(&read::<f32, _, _>(&doubtful), |doubt| doubt > 0.0);
    let mut pixels = read::<f64, _, _>(&select(&images, &at));
    let clean = read::<f64, _, _>(&select(originals, &at));
    let size = pixels.len() / at.len();
    let mut changed = Vec::new();
    if let Some(Ball { norm, epsilon }) = ball {
        let pairs = pixels.chunks_mut(size).zip(clean.chunks(size));
        for ((image, original), &at) in pairs.zip(&at) {
            let into = Inside {
                original,
                epsilon: *epsilon,
                precision,
            };
            if norm.settle(image, into) {
                changed.push(at);
            }
        }
    }
    let suspects: Vec<u64> = at.iter().map(|&at| ids[at]).collect();
    verify_pixels(&pixels, &clean, &suspects, bounds, ball, precision)?;
    if changed.is_empty() {
        return Ok((images, changed));
    }
    let mut shape = images.dims();
    shape[0] = at.len();
    let like = (&images.device(), precision.dtype());
    let settled = Tensor::from_data(TensorData::new(pixels, shape), like);
    Ok((replace(images, &at, settled), changed))
}

// 1 for an image that may have a pixel out of bounds or be outside the ball, or is so close to the
// sphere that only exact arithmetic tells `[batch]`; an image with 0 is inside, tolerance included.
fn doubtful(
    images: &Tensor<4>,
    originals: &Tensor<4>,
    bounds: Bounds,
    ball: Option<&Ball>,
    precision: Precision,
) -> Tensor<1> {
    let pixels = images.clone().flatten::<2>(1, 3);
    // Every comparison with NaN is false.
    let wrong = bounds.holds(pixels).bool_not().float();
    let wrong = wrong.max_dim(1).squeeze_dim::<1>(1);
    let Some(Ball { norm, epsilon }) = ball else {
        return wrong;
    };
    let bound = if norm.settles() {
        // A sum of squares in f32 is wrong by less than this.
        epsilon * (1.0 - 1e-4)
    } else {
        let tolerance = precision.epsilon();
        (epsilon + tolerance) / (1.0 + tolerance)
    };
    let lengths = norm.lengths(widened(images.clone()) - widened(originals.clone()));
    let inside = lengths.lower_equal_elem(precision.of_sums().below(bound));
    wrong.max_pair(inside.bool_not().float())
}

/// Checks that what an attack returned is within its own threat model: every pixel in the batch's
/// bounds, every perturbation of [`Found::originals`] in the ball of radius `epsilon`.
///
/// Norms are computed in f64 from the pixels. The tolerance is the images' [`Precision::epsilon`]
/// ([`BALL_TOLERANCE`] for `f32`) times the largest pixel magnitude of the image and its original, or
/// once if that is below 1. So it is coarse for half precision, whose pixels are: 2⁻¹⁰ for `f16`, 2⁻⁷
/// for `bf16`, where 8/255 is 2⁻⁵.
///
/// A [`Trial`](super::Trial) does this with every result; it is here for other people's.
///
/// # Errors
///
/// [`Error::Ball`] for a perturbation outside the ball, [`Error::Input`] for a pixel that is NaN
/// or out of bounds, and for an element type that [`Precision`] does not know.
///
/// # Panics
///
/// Panics if the images found do not have the shape of the batch's.
pub fn verify(found: &Found, batch: &Batch, norm: impl Into<NormSpec>, epsilon: f64) -> Result<()> {
    assert_eq!(
        found.images.dims(),
        batch.images.dims(),
        "an attack returns images of the shape it was given"
    );
    let ball = Ball::new(norm, epsilon);
    let precision = Precision::of("attacked images", &found.images)?;
    let (images, originals) = (read(&found.images), read(&found.originals));
    let ids = &batch.ids;
    verify_pixels(
        &images,
        &originals,
        ids,
        batch.bounds,
        Some(&ball),
        precision,
    )
}

fn verify_pixels(
    images: &[f64],
    originals: &[f64],
    ids: &[u64],
    bounds: Bounds,
    ball: Option<&Ball>,
    precision: Precision,
) -> Result<()> {
    let [low, high] = bounds.limits(precision);
    let size = images.len() / ids.len().max(1);
    for ((image, original), &id) in images.chunks(size).zip(originals.chunks(size)).zip(ids) {
        let wrong = |v: &f64| !(low..=high).contains(v);
        if let Some(at) = image.iter().position(wrong) {
            return Err(Error::input(
                format!("pixel {at} of attacked image {id}"),
                precision.show(image[at]),
                format!("a finite number in [{}, {}]", bounds.low(), bounds.high()),
            ));
        }
        let Some(Ball { norm, epsilon }) = ball else {
            continue;
        };
        let pairs = image.iter().zip(original);
        let moved: Vec<f64> = pairs.clone().map(|(&a, &b)| a - b).collect();
        let length = norm.length(&moved);
        let largest = pairs.fold(1.0, |m: f64, (a, b)| m.max(a.abs()).max(b.abs()));
        let bound = epsilon + precision.epsilon() * largest;
        if length.is_nan() || length > bound {
            return Err(Error::Ball {
                id,
                norm: norm.to_string(),
                found: length,
                bound,
            });
        }
    }
    Ok(())
}

/// Refuses a length that is negative or not finite in f32.
pub(crate) fn check_length(setting: &str, value: f64) -> Result<()> {
    let valid = value >= 0.0 && value <= f64::from(f32::MAX);
    Error::unless(valid, setting, value, "a finite number, 0 or more")
}
