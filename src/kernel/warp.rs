//! The kernels behind [`Warp`](crate::transform::Warp), which has the composed operations too.

use burn::tensor::Tensor;
use std::sync::Arc;

use super::cpu::Isa;
use super::cpu::warp::{self, Frame, Outside};
use super::flex::buffer::Buffer;
use super::flex::{Kernel, contiguous, dims, numbers, run1, run2};
use burn_flex::FlexTensor;

fn frame(images: &FlexTensor) -> Frame {
    let [batch, channels, height, width] = dims(images);
    Frame {
        batch,
        channels,
        height,
        width,
    }
}

/// `images` moved by `motions` `[batch, 4]` (cos, sin, right, down), sampled bilinearly;
/// differentiable in both.
pub(crate) fn warp_bilinear(images: Tensor<4>, motions: Tensor<2>, outside: Outside) -> Tensor<4> {
    run2(Bilinear { outside }, images, motions)
}

/// `images` sampled at the nearest pixel: one source map for each, as
/// [`warp::nearest`] takes them.
pub(crate) fn warp_nearest(
    images: Tensor<4>,
    sources: Vec<[i64; 6]>,
    outside: Outside,
) -> Tensor<4> {
    let sources = sources.into();
    run1(Nearest { outside, sources }, images)
}

#[derive(Clone, Debug)]
struct Bilinear {
    outside: Outside,
}

impl Kernel<2> for Bilinear {
    type Saved = [FlexTensor; 2];

    fn forward(&self, inputs: [FlexTensor; 2], keep: bool) -> (FlexTensor, Option<Self::Saved>) {
        let inputs = inputs.map(contiguous);
        let [images, motions] = &inputs;
        let mut y = Buffer::new(numbers(images).len());
        warp::bilinear(
            Isa::detect(),
            numbers(images),
            numbers(motions),
            frame(images),
            self.outside,
            y.as_floats_mut(),
        );
        let y = y.into_tensor(dims::<4>(images));
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
            numbers(&motions),
            numbers(&dy),
            frame(&images),
            self.outside,
            dimages.as_mut().map(Buffer::as_floats_mut),
            dmotions.as_mut().map(Buffer::as_floats_mut),
        );
        [
            dimages.map(|made| made.into_tensor(dims::<4>(&images))),
            dmotions.map(|made| made.into_tensor(dims::<2>(&motions))),
        ]
    }
}

#[derive(Clone, Debug)]
struct Nearest {
    outside: Outside,
    sources: Arc<[[i64; 6]]>,
}

impl Kernel<1> for Nearest {
    type Saved = Frame;

    fn forward(&self, [images]: [FlexTensor; 1], keep: bool) -> (FlexTensor, Option<Frame>) {
        let images = contiguous(images);
        let frame = frame(&images);
        let mut y = Buffer::new(numbers(&images).len());
        warp::nearest(
            Isa::detect(),
            numbers(&images),
            &self.sources,
            frame,
            self.outside,
            y.as_floats_mut(),
        );
        (y.into_tensor(dims::<4>(&images)), keep.then_some(frame))
    }

    fn backward(&self, frame: Frame, dy: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let dy = contiguous(dy);
        let mut dimages = Buffer::new(numbers(&dy).len());
        warp::nearest_gradient(
            Isa::detect(),
            numbers(&dy),
            &self.sources,
            frame,
            self.outside,
            dimages.as_floats_mut(),
        );
        [Some(dimages.into_tensor(dims::<4>(&dy)))]
    }
}
