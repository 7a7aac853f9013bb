use burn::tensor::Tensor;

use super::path::choose;

/// The largest component of every channel, place by place; the gradient goes to the first of equal ones.
///
/// The kernel's results and gradients are those of Burn's `max_dim` to the bit. It takes up to 255 components.
///
/// # Shapes
///
/// - features: `[batch, channel, group, height, width]`
/// - output: `[batch, channel, height, width]`
///
/// # Panics
///
/// Panics if there are no components.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::kernel;
///
/// let device = fireproof::device();
/// let x = Tensor::<2>::from_floats([[1.0, -2.0], [0.5, 3.0]], &device).reshape([1, 1, 2, 1, 2]);
/// let y = kernel::group_max(x);
/// assert_eq!(y.into_data().iter::<f32>().collect::<Vec<_>>(), [1.0, 3.0]);
/// ```
pub fn group_max(features: Tensor<5>) -> Tensor<4> {
    let [_, _, group, ..] = features.dims();
    match choose("group_max", || group < 256 && super::suits(&features)) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => super::flex::run1(flex::GroupMax, features),
        _ => features.max_dim(2).squeeze_dim(2),
    }
}

#[cfg(feature = "flex")]
mod flex {
    use crate::kernel::cpu::Isa;
    use crate::kernel::cpu::count;
    use crate::kernel::cpu::group_max::{self, Components};
    use crate::kernel::flex::buffer::Buffer;
    use crate::kernel::flex::{Kernel, contiguous, dims, numbers};
    use burn_flex::FlexTensor;
    use std::sync::Arc;

    #[derive(Clone, Debug)]
    pub(super) struct GroupMax;

    fn components([_, _, group, height, width]: [usize; 5]) -> Components {
        Components {
            group,
            area: height * width,
        }
    }

    impl Kernel<1> for GroupMax {
        /// The shape of the features, and which component is the largest.
        type Saved = ([usize; 5], Arc<Buffer>);

        fn forward(&self, [x]: [FlexTensor; 1], keep: bool) -> (FlexTensor, Option<Self::Saved>) {
            let x = contiguous(x);
            let from @ [batch, channels, _, height, width] = dims(&x);
            let shape = [batch, channels, height, width];
            let mut codes = Buffer::bytes(count(shape));
            let y = Buffer::filled(shape, |y| {
                let codes = codes.as_bytes_mut(y.len());
                group_max::group_max(Isa::detect(), numbers(&x), components(from), y, codes);
            });
            (y, keep.then(|| (from, Arc::new(codes))))
        }

        fn backward(
            &self,
            (from, codes): Self::Saved,
            dy: FlexTensor,
            _: [bool; 1],
        ) -> [Option<FlexTensor>; 1] {
            let dy = contiguous(dy);
            let dy = numbers(&dy);
            let codes = codes.as_bytes(dy.len());
            [Some(Buffer::filled(from, |dx| {
                group_max::group_max_gradient(Isa::detect(), dy, codes, components(from), dx);
            }))]
        }
    }
}
