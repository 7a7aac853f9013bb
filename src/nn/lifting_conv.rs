use crate::group::Group;
use crate::kernel::Filters;
use crate::nn::convolution::convolution;
use crate::nn::filter_cache::expand;
use crate::nn::planes::unflatten;
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
    4 => 5: "[batch, in, height, width]" => "[batch, out, group, height_out, width_out]",
    weight 4: "[out, in, side, side]"
}

impl LiftingConv2dConfig {
    fn shape(&self) -> [usize; 4] {
        let ([input, output], side) = (self.channels, self.kernel_size);
        [output, input, side, side]
    }
}

impl LiftingConv2d {
    fn respond(&self, images: Tensor<4>, relu: bool) -> Tensor<5> {
        unflatten(self.convolve(images, relu), self.footprint.group)
    }

    fn expand(weight: Tensor<4>, bias: Option<Tensor<1>>, group: Group) -> Filters {
        expand(weight.unsqueeze_dim(2), bias, group, |side| {
            group.lifting_filter_indices(side)
        })
    }
}
