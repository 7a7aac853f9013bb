use crate::group::Group;
use crate::kernel::Filters;
use crate::nn::convolution::convolution;
use crate::nn::filter_cache::expand;
use crate::nn::planes::{flatten, unflatten};
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
    5 => 5: "[batch, in, group, height, width]" => "[batch, out, group, height_out, width_out]",
    weight 5: "[out, in, group, side, side]"
}

impl GroupConv2dConfig {
    fn shape(&self) -> [usize; 5] {
        let ([input, output], side) = (self.channels, self.kernel_size);
        [output, input, self.group.size(), side, side]
    }
}

impl GroupConv2d {
    fn respond(&self, features: Tensor<5>, relu: bool) -> Tensor<5> {
        let group = self.footprint.group;
        unflatten(self.convolve(flatten(features, group), relu), group)
    }

    fn expand(weight: Tensor<5>, bias: Option<Tensor<1>>, group: Group) -> Filters {
        expand(weight, bias, group, |side| group.filter_indices(side)).with_group(group)
    }
}
