use crate::group::Group;
use crate::kernel::Filters;
use crate::nn::convolution::{convolution, convolve};
use crate::nn::planes::Planes;
use burn::tensor::Tensor;

convolution! {
    /// A convolution from features over a group to features over the same group (Cohen and Welling
    /// 2016, section 6.1; GrouPy's `P4ConvP4` and `P4MConvP4M`).
    ///
    /// The weight is `[out, in, group, side, side]` in GrouPy's order; the bias `[out]` is shared
    /// by the group. Under p1 this is an ordinary convolution.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::{group::Group, nn::GroupConv2dConfig};
    ///
    /// let device = fireproof::device();
    /// let conv = GroupConv2dConfig::new(Group::P4, [10, 20], 3).init(&device);
    /// let features = conv.forward(Tensor::<5>::zeros([2, 10, 4, 12, 12], &device));
    /// assert_eq!(features.dims(), [2, 20, 4, 10, 10]);
    /// ```
    #[doc(alias = "P4ConvP4")]
    #[doc(alias = "P4MConvP4M")]
    GroupConv2d, GroupConv2dConfig { group, exact }
    5 "[batch, in, group, height, width]" => 5 "[batch, out, group, height_out, width_out]",
    weight: 5 "[out, in, group, side, side]",
    shape: |out, input, group: Group, side| [out, input, group.size(), side, side],
    expand: |weight, bias, group| Filters::over(group, weight, bias)
}
