//! Nearest-neighbour sampling by Pillow's fixed-point arithmetic.
//!
//! The algorithm is that of `PIL.Image.Image.rotate(angle, translate=(right, down))` with its
//! default filter: the inverse map as a matrix in `f64`, its entries rounded to 15 decimals, then
//! in units of 2⁻¹⁶ pixel, so that the source of every output pixel is a sum of integers. Pillow
//! treats 0°, 180° and, for squares, 90° and 270° apart; the general formula gives the same
//! there. (Pillow leaves fixed-point arithmetic for images or shifts of 32,768 pixels or more;
//! this code does not.)

use super::{Border, Pose};
use crate::kernel::warp_nearest;
use burn::tensor::Tensor;

/// `images` in their `poses`. The caller has checked that the poses are finite and as many as the
/// images, and that there are some.
pub(super) fn sample(images: Tensor<4>, poses: &[Pose], border: Border) -> Tensor<4> {
    let [_, _, height, width] = images.dims();
    let sources = poses.iter().map(|pose| inverse_map(*pose, height, width));
    let sources = sources.collect();
    warp_nearest(images, sources, border)
}

/// The source's column and row as linear functions of the output pixel's, as [`warp_nearest`]
/// takes them.
fn inverse_map(pose: Pose, height: usize, width: usize) -> [i64; 6] {
    // The order of the operations is Pillow's; another order rounds differently.
    let angle = -pose.angle.0.rem_euclid(360.0).to_radians();
    let (cos, sin, minus_sin) = (
        round_15(angle.cos()),
        round_15(angle.sin()),
        round_15(-angle.sin()),
    );
    let (centre_x, centre_y) = (width as f64 / 2.0, height as f64 / 2.0);
    let (from_x, from_y) = (-centre_x - pose.right.0, -centre_y - pose.down.0);
    let linear = |along_x: f64, along_y: f64, centre: f64| {
        let at_corner = along_x * from_x + along_y * from_y + centre;
        // Output pixels are sampled at their centres.
        let at_centre = at_corner + along_x * 0.5 + along_y * 0.5;
        [along_x, along_y, at_centre].map(fixed)
    };
    let [a, b, c] = linear(cos, sin, centre_x);
    let [d, e, f] = linear(minus_sin, cos, centre_y);
    [a, b, c, d, e, f]
}

fn fixed(value: f64) -> i64 {
    (value * 65536.0 + 0.5).floor() as i64
}

// Python's `round(value, 15)`: correctly rounded in decimal, for values up to 1.
fn round_15(value: f64) -> f64 {
    let scaled = value * 1e15;
    let nearest = scaled.round();
    // The product is off by at most 1/16. Where that decides nothing, the quotient of two exact
    // numbers is the number nearest to the decimal; else formatting decides, which takes longer.
    if (scaled - nearest).abs() < 0.4 {
        nearest / 1e15
    } else {
        round_15_by_text(value)
    }
}

fn round_15_by_text(value: f64) -> f64 {
    format!("{value:.15}")
        .parse()
        .expect("a formatted number is a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Oracle: correctly rounded formatting.
    #[test]
    fn value_round_15_is_decimal() {
        for step in 0..=200_000 {
            let (sin, cos) = (f64::from(step) * 1e-4).sin_cos();
            for value in [sin, cos, -sin, sin * 1e-9, f64::from(step) * 0.5e-15] {
                let (found, expected) = (round_15(value), round_15_by_text(value));
                assert_eq!(found.to_bits(), expected.to_bits(), "{value:e}");
            }
        }
    }
}
