//! The stages of networks of four 3×3 convolutions without padding, with a 2×2 pooling after the second and the
//! fourth: the first two with the pooling, the third, and the fourth with the pooling.

use crate::base::View;

/// By the planes of the images and of what each convolution makes.
pub(super) fn views([images, a, b, c, d]: [usize; 5]) -> Vec<View> {
    let view = |(size, stride, filters)| View {
        size,
        stride,
        filters,
    };
    let first = (images * a).max(a * b);
    [(6, 2, first), (3, 1, b * c), (4, 2, c * d)]
        .map(view)
        .to_vec()
}

/// Whether the first convolution, of images of so many channels, is a direct sum: the second one alone then has
/// tiles, as [`Stages`](crate::base::Stages) asks for.
pub(super) fn suit(channels: usize) -> bool {
    channels < 8
}
