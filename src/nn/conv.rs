use crate::kernel::Filters;
use crate::nn::convolution::{convolution, convolve};
use crate::nn::planes::Planes;
use burn::tensor::Tensor;

convolution! {
    /// An ordinary convolution: the p1 case, on images and features without a group axis.
    ///
    /// Its records are those of [`burn::nn::conv::Conv2d`], and so are its results; it runs on this
    /// crate's convolution, which transforms the filters of a model that no longer learns only once.
    Conv2d, Conv2dConfig {}
    4 "[batch, in, height, width]" => 4 "[batch, out, height_out, width_out]",
    weight: 4 "[out, in, side, side]",
    shape: |out, input, _, side| [out, input, side, side],
    expand: |weight, bias, _| Filters::new(weight, bias)
}
