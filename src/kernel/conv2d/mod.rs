mod filters;
#[cfg(feature = "flex")]
mod prepared;

pub use filters::Filters;

use crate::base::assert_layer_alike;
use burn::tensor::Tensor;
use burn::tensor::module;
use burn::tensor::ops::ConvOptions;

use super::path::choose;
use super::relu::or_relu;
#[cfg(feature = "flex")]
use prepared::has_kernel;

/// The convolution of `input` with `filters`, negative values replaced by 0 if `relu`.
///
/// Kernel: square filters of at most 8 pixels, strides, dilations and paddings of at most 8, the same
/// along both axes, and one group. [`Numerics`](super::Numerics) chooses the arithmetic of 3×3 filters
/// with stride and dilation 1; all others are summed directly. Filters that are not tracked are
/// transformed once for all passes with the options of the first. Winograd's sums cover tiles: an
/// infinite or NaN pixel makes whole tiles of up to 6×6 outputs around it NaN.
///
/// # Shapes
///
/// - input: `[batch, in, height, width]`
/// - output: `[batch, out, height_out, width_out]`
///
/// # Panics
///
/// Panics if the channels do not fit, if the filters are larger than the padded input, or unless
/// input, filters and bias are of one element type.
///
/// ```
/// use burn::tensor::{Tensor, ops::ConvOptions};
/// use fireproof::kernel::{self, Filters};
///
/// let device = fireproof::device();
/// let filters = Filters::new(Tensor::ones([2, 1, 3, 3], &device), None);
/// let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
/// let sums = kernel::conv2d(Tensor::ones([1, 1, 4, 4], &device), &filters, options, false);
/// assert_eq!(sums.narrow(1, 0, 1).into_data().iter::<f32>().next(), Some(4.0));
/// ```
pub fn conv2d(
    input: Tensor<4>,
    filters: &Filters,
    options: ConvOptions<2>,
    relu: bool,
) -> Tensor<4> {
    match choose("conv2d", || has_kernel(&input, filters, &options)) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => prepared::run(input, filters, &options, relu),
        _ => {
            let (weight, bias) = (filters.weight(), filters.bias());
            assert_layer_alike("conv2d", &input, &weight, bias.as_ref());
            or_relu(module::conv2d(input, weight, bias, options), relu)
        }
    }
}

/// The convolution of `input` with `filters`, plus `beside`; negative sums replaced by 0 if `relu`.
///
/// The same as [`conv2d`] and a sum, to the bit; the kernel, for filters that are not tracked, has one
/// pass over memory less, or two.
///
/// # Shapes
///
/// - input: `[batch, in, height, width]`
/// - beside, output: `[batch, out, height_out, width_out]`
///
/// # Panics
///
/// As [`conv2d`], and if `beside` does not fit.
///
/// ```
/// use burn::tensor::{Tensor, ops::ConvOptions};
/// use fireproof::kernel::{self, Filters};
///
/// let device = fireproof::device();
/// let filters = Filters::new(Tensor::full([1, 1, 1, 1], -2.0, &device), None);
/// let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
/// let x = Tensor::from_floats([[[[1.0, 3.0]]]], &device);
/// let sums = kernel::conv2d_add(x.clone(), &filters, options, x + 4.0, true);
/// assert_eq!(sums.into_data().iter::<f32>().collect::<Vec<_>>(), [3.0, 1.0]);
/// ```
pub fn conv2d_add(
    input: Tensor<4>,
    filters: &Filters,
    options: ConvOptions<2>,
    beside: Tensor<4>,
    relu: bool,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if prepared::can_add(&input, filters, &options, &beside) {
        // Not noted where it does not run: then it is a convolution and a sum.
        choose("conv2d_add", || true);
        return prepared::add(input, filters, &options, beside, relu);
    }
    let sums = conv2d(input, filters, options, false);
    assert_eq!(beside.dims(), sums.dims(), "the shape of what is added");
    or_relu(sums + beside, relu)
}

#[cfg(not(feature = "flex"))]
fn has_kernel(_: &Tensor<4>, _: &Filters, _: &ConvOptions<2>) -> bool {
    false
}
