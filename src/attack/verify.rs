use super::{Found, Norm};
use crate::base::{Batch, Error, Result};
use burn::tensor::Tensor;

/// How far outside its ball a perturbation may be for rounding alone: 2⁻²³, the distance of
/// neighbouring f32 numbers from 1, for pixels up to 1, and in proportion for larger ones.
pub const BALL_TOLERANCE: f64 = 1.0 / (1u32 << 23) as f64;

/// Checks that what an attack returned is within its own threat model: every pixel in the batch's
/// bounds, every perturbation in the ball of radius `epsilon`.
///
/// Norms are computed in f64 from the f32 pixels. The tolerance is [`BALL_TOLERANCE`] times the
/// largest pixel magnitude of the image and its original, or once if that is below 1.
///
/// This crate's attacks call it on their own results before they return them; call it on those of
/// an attack of your own. It does not apply to attacks that move images.
///
/// # Errors
///
/// [`Error::Ball`] for a perturbation outside the ball, [`Error::Input`] for a pixel that is NaN
/// or out of bounds.
///
/// # Panics
///
/// Panics if the images found do not have the shape of the batch's.
pub fn verify(found: &Found, batch: &Batch, norm: Norm, epsilon: f64) -> Result<()> {
    assert_eq!(
        found.images.dims(),
        batch.images.dims(),
        "an attack returns images of the shape it was given"
    );
    let attacked = to_vec(&found.images);
    verify_pixels(&attacked, &to_vec(&batch.images), batch, norm, epsilon)
}

pub(crate) fn verify_pixels(
    attacked: &[f32],
    originals: &[f32],
    batch: &Batch,
    norm: Norm,
    epsilon: f64,
) -> Result<()> {
    let pixels = attacked.len() / batch.len().max(1);
    let images = attacked.chunks(pixels).zip(originals.chunks(pixels));
    for ((attacked, original), &id) in images.zip(&batch.ids) {
        if let Some(at) = attacked
            .iter()
            .position(|&v| !v.is_finite() || !batch.bounds.contains(v))
        {
            return Err(Error::input(
                format!("pixel {at} of attacked image {id}"),
                attacked[at],
                format!(
                    "a finite number in [{}, {}]",
                    batch.bounds.low(),
                    batch.bounds.high()
                ),
            ));
        }
        let length = norm.length(differences(attacked, original));
        let largest = attacked
            .iter()
            .chain(original)
            .fold(1.0, |m: f32, v| m.max(v.abs()));
        let bound = epsilon + BALL_TOLERANCE * f64::from(largest);
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

/// Brings perturbations that rounding has put outside the L2 ball back inside, exactly. Returns
/// whether any pixel changed.
///
/// The sum over an image of the rounding errors of `x + δ` can exceed any fixed tolerance; rounding
/// each pixel towards the original cannot.
pub(crate) fn settle(attacked: &mut [f32], originals: &[f32], pixels: usize, epsilon: f64) -> bool {
    let mut changed = false;
    let images = attacked.chunks_mut(pixels).zip(originals.chunks(pixels));
    for (attacked, original) in images {
        let length = Norm::L2.length(differences(attacked, original));
        if length <= epsilon || !length.is_finite() {
            continue;
        }
        let scale = epsilon / length;
        for (to, &from) in attacked.iter_mut().zip(original) {
            let wanted = f64::from(from) + scale * (f64::from(*to) - f64::from(from));
            let mut rounded = wanted as f32;
            let beyond = (f64::from(rounded) - wanted) * (wanted - f64::from(from)) > 0.0;
            if beyond {
                rounded = if rounded > from {
                    rounded.next_down()
                } else {
                    rounded.next_up()
                };
            }
            *to = rounded;
        }
        changed = true;
    }
    changed
}

fn differences<'a>(attacked: &'a [f32], original: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
    let pairs = attacked.iter().zip(original);
    pairs.map(|(&a, &b)| f64::from(a) - f64::from(b))
}

pub(crate) fn to_vec<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_settle_brings_every_image_into_the_ball_exactly() {
        // A flat image moved alike everywhere rounds every pixel the same way, so the errors add
        // up to more than the tolerance; the second image is inside already.
        let pixels = 784;
        for (level, epsilon) in [(0.3, 0.1), (0.7, 1.0), (100.0, 0.5)] {
            let step = epsilon / (pixels as f64).sqrt() * 1.001;
            let mut originals = vec![level; pixels];
            originals.extend(vec![0.25; pixels]);
            let mut attacked = vec![(f64::from(level) + step) as f32; pixels];
            attacked.extend(vec![0.25; pixels]);

            assert!(settle(&mut attacked, &originals, pixels, epsilon));
            let length = Norm::L2.length(differences(&attacked[..pixels], &originals[..pixels]));
            assert!(length <= epsilon, "{length} {epsilon}");
            assert!(
                length >= epsilon * (1.0 - 1e-4) || level > 1.0,
                "{length} {epsilon}"
            );
            assert_eq!(attacked[pixels..], originals[pixels..]);
            assert!(!settle(&mut attacked, &originals, pixels, epsilon));
        }
    }
}
