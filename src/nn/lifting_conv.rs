use crate::kernel::Filters;
use crate::nn::convolution::{convolution, convolve};
use crate::nn::planes::Planes;
use burn::tensor::Tensor;

convolution! {
    /// A convolution from images to features over a group: every filter is applied as it is and
    /// moved by every element of the group (Cohen and Welling 2016, section 6.1; GrouPy's
    /// `P4ConvZ2` and `P4MConvZ2`).
    ///
    /// The weight is `[out, in, side, side]` in GrouPy's order (GrouPy keeps a further axis of
    /// length 1 before the last two); the bias `[out]` is shared by the group. Under p1 this is an
    /// ordinary convolution.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::{group::Group, nn::LiftingConv2dConfig};
    ///
    /// let device = fireproof::device();
    /// let config = LiftingConv2dConfig::new(Group::P4, [1, 10], 3).with_stride(2);
    /// let conv = config.init(&device);
    /// let features = conv.forward(Tensor::<4>::zeros([2, 1, 29, 29], &device));
    /// assert_eq!(features.dims(), [2, 10, 4, 14, 14]);
    ///
    /// // The right-most column of a 28×28 image would be dropped, but never its left-most one.
    /// let error = conv.check([28, 28]).unwrap_err();
    /// assert!(error.to_string().ends_with("sizes that work: 27×27, 29×29"));
    /// ```
    #[doc(alias = "P4ConvZ2")]
    #[doc(alias = "P4MConvZ2")]
    LiftingConv2d, LiftingConv2dConfig { group, exact }
    4 "[batch, in, height, width]" => 5 "[batch, out, group, height_out, width_out]",
    weight: 4 "[out, in, side, side]",
    shape: |out, input, _, side| [out, input, side, side],
    expand: |weight: Tensor<4>, bias, group| Filters::over(group, weight.unsqueeze_dim(2), bias)
}
