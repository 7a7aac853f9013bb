use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Tensor, module};

use super::path::choose;
use super::relu::or_relu;

/// The largest value of each window, or 0 where that is negative if `relu`.
///
/// With `relu` this is relu and pooling, in either order, with one gradient. Kernel: square windows
/// of at most 15 pixels and a stride alike on both axes, without padding, dilation or ceiling mode.
///
/// # Shapes
///
/// - input: `[batch, channel, height, width]`
/// - output: `[batch, channel, height_out, width_out]`
///
/// # Panics
///
/// Panics if a window is larger than the padded input.
///
/// ```
/// use burn::tensor::{Tensor, ops::MaxPoolOptions};
/// use fireproof::kernel;
///
/// let device = fireproof::device();
/// let x = Tensor::<4>::from_floats([[[[1.0, 2.0, -1.0, -2.0], [3.0, 0.0, -3.0, -4.0]]]], &device);
/// let y = kernel::max_pool2d(x, MaxPoolOptions::new([2, 2]), true);
/// assert_eq!(y.into_data().iter::<f32>().collect::<Vec<_>>(), [3.0, 0.0]);
/// ```
pub fn max_pool2d(input: Tensor<4>, options: MaxPoolOptions<2>, relu: bool) -> Tensor<4> {
    let plain = options.dilation == [1, 1] && !options.ceil_mode;
    match choose("max_pool2d", || {
        plain && has_kernel(&input, options.kernel_size, options.stride, options.padding)
    }) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => flex::max(input, options.kernel_size[0], options.stride[0], relu),
        _ => or_relu(module::max_pool2d(input, options), relu),
    }
}

/// The mean of each window.
///
/// Kernel: square windows of at most 15 pixels and a stride alike on both axes, without padding or
/// ceiling mode.
///
/// # Shapes
///
/// - input: `[batch, channel, height, width]`
/// - output: `[batch, channel, height_out, width_out]`
///
/// # Panics
///
/// Panics if a window is larger than the padded input.
pub fn avg_pool2d(input: Tensor<4>, options: AvgPoolOptions<2>) -> Tensor<4> {
    match choose("avg_pool2d", || {
        !options.ceil_mode
            && has_kernel(&input, options.kernel_size, options.stride, options.padding)
    }) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => flex::average(input, options.kernel_size[0], options.stride[0]),
        _ => module::avg_pool2d(input, options),
    }
}

fn has_kernel(
    input: &Tensor<4>,
    size: [usize; 2],
    stride: [usize; 2],
    padding: [(usize, usize); 2],
) -> bool {
    let [_, _, height, width] = input.dims();
    size[0] == size[1]
        && (1..16).contains(&size[0])
        && stride[0] == stride[1]
        && stride[0] > 0
        && padding == [(0, 0); 2]
        && height >= size[0]
        && width >= size[1]
        && super::suits(input)
}

#[cfg(feature = "flex")]
mod flex {
    use crate::kernel::cpu::Isa;
    use crate::kernel::cpu::count;
    use crate::kernel::cpu::pool::{self, Windows};
    use crate::kernel::flex::buffer::Buffer;
    use crate::kernel::flex::{Kernel, contiguous, dims, numbers, run1};
    use burn::tensor::Tensor;
    use burn_flex::FlexTensor;
    use std::sync::Arc;

    pub(super) fn max(input: Tensor<4>, size: usize, stride: usize, relu: bool) -> Tensor<4> {
        run1(Max { size, stride, relu }, input)
    }

    pub(super) fn average(input: Tensor<4>, size: usize, stride: usize) -> Tensor<4> {
        run1(Average { size, stride }, input)
    }

    /// The windows of a tensor, and the shape of the result.
    fn windows(x: &FlexTensor, size: usize, stride: usize) -> (Windows, [usize; 4]) {
        let [batch, channels, height, width] = dims(x);
        let windows = Windows {
            plane: [height, width],
            size,
            stride,
        };
        let [rows, columns] = windows.output();
        (windows, [batch, channels, rows, columns])
    }

    /// What a backward pass needs: the windows and the shape of the input.
    type Geometry = (Windows, [usize; 4]);

    #[derive(Clone, Debug)]
    struct Max {
        size: usize,
        stride: usize,
        relu: bool,
    }

    impl Kernel<1> for Max {
        type Saved = (Geometry, Arc<Buffer>);

        fn forward(&self, [x]: [FlexTensor; 1], keep: bool) -> (FlexTensor, Option<Self::Saved>) {
            let x = contiguous(x);
            let (windows, shape) = windows(&x, self.size, self.stride);
            let (count, relu) = (count(shape), self.relu);
            let mut codes = Buffer::bytes(count);
            let y = Buffer::filled(shape, |y| {
                let codes = codes.as_bytes_mut(count);
                pool::max_pool(Isa::detect(), numbers(&x), windows, relu, y, codes);
            });
            let saved = keep.then(|| ((windows, dims(&x)), Arc::new(codes)));
            (y, saved)
        }

        fn backward(
            &self,
            ((windows, shape), codes): Self::Saved,
            dy: FlexTensor,
            _: [bool; 1],
        ) -> [Option<FlexTensor>; 1] {
            let dy = contiguous(dy);
            let dy = numbers(&dy);
            let codes = codes.as_bytes(dy.len());
            [Some(Buffer::filled(shape, |dx| {
                pool::max_pool_gradient(Isa::detect(), dy, codes, windows, dx);
            }))]
        }
    }

    #[derive(Clone, Debug)]
    struct Average {
        size: usize,
        stride: usize,
    }

    impl Kernel<1> for Average {
        type Saved = Geometry;

        fn forward(&self, [x]: [FlexTensor; 1], keep: bool) -> (FlexTensor, Option<Geometry>) {
            let x = contiguous(x);
            let (windows, shape) = windows(&x, self.size, self.stride);
            let y = Buffer::filled(shape, |y| {
                pool::average_pool(Isa::detect(), numbers(&x), windows, y);
            });
            (y, keep.then(|| (windows, dims(&x))))
        }

        fn backward(
            &self,
            (windows, shape): Geometry,
            dy: FlexTensor,
            _: [bool; 1],
        ) -> [Option<FlexTensor>; 1] {
            let dy = contiguous(dy);
            [Some(Buffer::filled(shape, |dx| {
                pool::average_pool_gradient(Isa::detect(), numbers(&dy), windows, dx);
            }))]
        }
    }
}
