//! Bilinear sampling: the value at a point of the infinite lattice is the interpolation of the
//! four pixels around it. Everything is in pixel coordinates, so that the aspect ratio needs no
//! correction.

use super::{gather, suits};
use crate::base::{assert_alike, widened};
use crate::kernel::{Border, choose};
use burn::tensor::{Tensor, TensorData};

/// The images, each sampled along its motion, linearly between the four pixels around a point;
/// differentiable in both.
///
/// Output pixel (x, y), counted from the centre of the image, is sampled at the column
/// (x - right) · cos - (y - down) · sin and the row (x - right) · sin + (y - down) · cos. A
/// coordinate that is NaN gives NaN; so does one out of a repeating [`Border`]'s reach.
///
/// # Shapes
///
/// - images, output: `[batch, channel, height, width]`
/// - motions: `[batch, 4]`, namely cos, sin, pixels right, pixels down
///
/// # Panics
///
/// Panics unless images and motions are of one element type.
pub fn warp_bilinear(images: Tensor<4>, motions: Tensor<2>, border: Border) -> Tensor<4> {
    match choose("warp", || suits(&images) && crate::kernel::suits(&motions)) {
        #[cfg(feature = "flex")]
        crate::kernel::Path::Kernel => {
            crate::kernel::flex::run2(flex::Bilinear { border }, images, motions)
        }
        _ => {
            let dtype = images.dtype();
            assert_alike("warp", &[("images", dtype), ("poses", motions.dtype())]);
            // Half precision has no room for fractions of a pixel.
            let (images, motions) = (widened(images), widened(motions));
            let [batch, _, height, width] = images.dims();
            let column = |at: usize| {
                let column = motions.clone().slice([0..batch, at..at + 1]);
                column.reshape([batch, 1, 1])
            };
            let [x, y] = sources([0, 1, 2, 3].map(column), height, width);
            sample(images, x, y, border).cast(dtype)
        }
    }
}

/// For each output pixel the source's column and row, `[batch, height, width]`, along a motion per
/// image, each number `[batch, 1, 1]`: the shift undone, then the rotation about the centre.
fn sources(motion: [Tensor<3>; 4], height: usize, width: usize) -> [Tensor<3>; 2] {
    let [cos, sin, right, down] = motion;
    let (device, dtype) = (cos.device(), cos.dtype());
    let centred = |length: usize, shape: [usize; 3]| {
        let half = (length as f32 - 1.0) / 2.0;
        let offsets: Vec<f32> = (0..length).map(|at| at as f32 - half).collect();
        let like = (&device, dtype);
        let offsets = Tensor::<3>::from_data(TensorData::new(offsets, shape), like);
        (offsets, half)
    };
    let (x, centre_x) = centred(width, [1, 1, width]);
    let (y, centre_y) = centred(height, [1, height, 1]);
    let (x, y) = (x - right, y - down);
    [
        (x.clone() * cos.clone() + centre_x) - y.clone() * sin.clone(),
        x * sin + (y * cos + centre_y),
    ]
}

/// The values of `images` at the points (`x`, `y`) in pixels from the centre of the first pixel.
///
/// # Shapes
///
/// - images: `[batch, channel, height, width]`
/// - x, y: `[batch, rows, columns]`
/// - output: `[batch, channel, rows, columns]`
fn sample(images: Tensor<4>, x: Tensor<3>, y: Tensor<3>, border: Border) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    let [_, rows, columns] = x.dims();
    let shape = [batch, 1, rows * columns];
    let x = x.reshape(shape);
    let y = y.reshape(shape);

    let (column, across) = border.split(x, width);
    let (row, along) = border.split(y, height);
    let extended = border.extend(images);
    let [_, _, extended_height, stride] = extended.dims();
    // A coordinate that is NaN makes its value NaN by the weights; its index must still be one.
    let last = extended_height * stride - stride - 2;
    let index = (row * stride as i64 + column).clamp(0, last as i64);

    let pixel = |offset: usize| gather(extended.clone(), index.clone() + offset as i64);
    let upper = between(pixel(0), pixel(1), across.clone());
    let lower = between(pixel(stride), pixel(stride + 1), across);
    between(upper, lower, along).reshape([batch, channels, rows, columns])
}

// In this form two equal values give exactly themselves, and weight 0 gives exactly the first.
fn between(first: Tensor<3>, second: Tensor<3>, weight: Tensor<3>) -> Tensor<3> {
    first.clone() + (second - first) * weight
}

#[cfg(feature = "flex")]
mod flex {
    use super::super::frame;
    use crate::kernel::Border;
    use crate::kernel::cpu::Isa;
    use crate::kernel::cpu::warp::{self, Sampling};
    use crate::kernel::flex::buffer::Buffer;
    use crate::kernel::flex::{Kernel, contiguous, dims, numbers};
    use burn_flex::FlexTensor;

    #[derive(Clone, Debug)]
    pub(super) struct Bilinear {
        pub border: Border,
    }

    impl Kernel<2> for Bilinear {
        type Saved = [FlexTensor; 2];

        fn forward(
            &self,
            inputs: [FlexTensor; 2],
            keep: bool,
        ) -> (FlexTensor, Option<Self::Saved>) {
            let inputs = inputs.map(contiguous);
            let [images, motions] = &inputs;
            let sampling = Sampling::new(numbers(motions), frame(images), self.border);
            let y = Buffer::filled(dims::<4>(images), |y| {
                warp::bilinear(Isa::detect(), numbers(images), sampling, y);
            });
            (y, keep.then_some(inputs))
        }

        fn backward(
            &self,
            [images, motions]: Self::Saved,
            dy: FlexTensor,
            wanted: [bool; 2],
        ) -> [Option<FlexTensor>; 2] {
            let dy = contiguous(dy);
            let [mut dimages, mut dmotions] = [(&images, wanted[0]), (&motions, wanted[1])]
                .map(|(of, wanted)| wanted.then(|| Buffer::new(numbers(of).len())));
            warp::bilinear_gradient(
                Isa::detect(),
                numbers(&images),
                Sampling::new(numbers(&motions), frame(&images), self.border),
                numbers(&dy),
                dimages.as_mut().map(Buffer::as_floats_mut),
                dmotions.as_mut().map(Buffer::as_floats_mut),
            );
            [
                dimages.map(|made| made.into_tensor(dims::<4>(&images))),
                dmotions.map(|made| made.into_tensor(dims::<2>(&motions))),
            ]
        }
    }
}
