//! Sampling every image of a batch along a motion of its own.

mod bilinear;
mod nearest;

pub use bilinear::warp_bilinear;
pub use nearest::warp_nearest;

use burn::tensor::{Int, Tensor};

/// Pixels `[batch, channel, count]` of `images`: for each image its own `count` places
/// (`indices` `[batch, 1, count]`, row · width + column), the same in all channels.
///
/// Gathering on two axes and not on three is the fast path of Burn's CPU backend.
fn gather(images: Tensor<4>, indices: Tensor<3, Int>) -> Tensor<3> {
    let [batch, channels, height, width] = images.dims();
    let [_, _, count] = indices.dims();
    let indices = indices
        .expand([batch, channels, count])
        .reshape([batch * channels, count]);
    images
        .reshape([batch * channels, height * width])
        .gather(1, indices)
        .reshape([batch, channels, count])
}

/// Whether images are ones that the kernels work on; they count pixels in 32 bits.
fn suits(images: &Tensor<4>) -> bool {
    let [_, _, height, width] = images.dims();
    height.max(width) < 1 << 22 && (height + 3) * (width + 3) < 1 << 31 && super::suits(images)
}

#[cfg(feature = "flex")]
fn frame(images: &burn_flex::FlexTensor) -> super::cpu::warp::Frame {
    super::cpu::warp::Frame::new(super::flex::dims(images))
}
