//! The stages of networks of four 3×3 convolutions without padding, with a 2×2 pooling after the second and the
//! fourth: the first two with the pooling, the third, and the fourth with the pooling.

use crate::base::View;

pub(super) fn views() -> Vec<View> {
    let view = |(size, stride)| View { size, stride };
    [(6, 2), (3, 1), (4, 2)].map(view).to_vec()
}

/// Whether the first convolution, of images of so many channels, is a direct sum: the second one alone then has
/// tiles, as [`Stages`](crate::base::Stages) asks for.
pub(super) fn suit(channels: usize) -> bool {
    channels < 8
}
