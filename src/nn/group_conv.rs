use crate::group::Group;
use crate::kernel::Filters;
use crate::nn::Footprint;
use crate::nn::convolve::{convolution, convolve, default_initializer, fold};
use crate::nn::filter_cache::{FilterCache, expand};
use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// Configuration of a [`GroupConv2d`].
#[derive(Config, Debug)]
pub struct GroupConv2dConfig {
    /// The group.
    pub group: Group,
    /// Channels of the input and of the output.
    pub channels: [usize; 2],
    /// Side of the kernel, in pixels; even sides are exact too.
    pub kernel_size: usize,
    /// Step between neighbouring outputs, in pixels.
    #[config(default = 1)]
    pub stride: usize,
    /// Zeros added on each of the four sides, in pixels.
    #[config(default = 0)]
    pub padding: usize,
    /// Step between neighbouring kernel entries, in pixels.
    #[config(default = 1)]
    pub dilation: usize,
    /// Whether to add a bias, one number per channel.
    #[config(default = true)]
    pub bias: bool,
    /// Whether to refuse images of a size that breaks exact equivariance.
    #[config(default = true)]
    pub exact: bool,
    /// How weight and bias are drawn; the fan-in is `in · |G| · side²`.
    #[config(default = "default_initializer()")]
    pub initializer: Initializer,
}

impl GroupConv2dConfig {
    fn shape(&self) -> [usize; 5] {
        let ([input, output], k) = (self.channels, self.kernel_size);
        [output, input, self.group.size(), k, k]
    }

    // Inputs of an output, outputs of an input.
    fn fans(&self) -> [usize; 2] {
        let area = self.kernel_size * self.kernel_size;
        self.channels
            .map(|channels| channels * self.group.size() * area)
    }

    /// What the layer looks at.
    pub fn footprint(&self) -> Footprint {
        Footprint {
            group: self.group,
            kernel: self.kernel_size,
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            exact: self.exact,
        }
    }
}

/// A convolution from features over a group to features over the same group (Cohen and Welling
/// 2016, section 6.1; GrouPy's `P4ConvP4` and `P4MConvP4M`).
///
/// The weight is `[out, in, group, side, side]` in GrouPy's order; the bias `[out]` is shared by
/// the group. Under p1 this is an ordinary convolution.
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
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct GroupConv2d {
    weight: Param<Tensor<5>>,
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    footprint: Footprint,
    filters: FilterCache,
}

impl GroupConv2d {
    /// The layer's response to features.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, in, group, height, width]`
    /// - output: `[batch, out, group, height_out, width_out]`
    ///
    /// # Panics
    ///
    /// Panics if the number of channels or the group axis is wrong, or if [`check`](Self::check) refuses the size.
    pub fn forward(&self, features: Tensor<5>) -> Tensor<5> {
        self.respond(features, false)
    }

    /// `relu` of [`forward`](Self::forward), with the same shapes and panics: on the CPU in one pass.
    pub fn forward_relu(&self, features: Tensor<5>) -> Tensor<5> {
        self.respond(features, true)
    }

    fn respond(&self, features: Tensor<5>, relu: bool) -> Tensor<5> {
        let [batch, input, size, height, width] = features.dims();
        let [output, ..] = self.weight.shape().dims::<5>();
        assert_eq!(
            size,
            self.footprint.group.size(),
            "group axis of features for {}",
            self.footprint.group
        );
        let planes = features.reshape([batch, input * size, height, width]);
        let [height, width] = self.footprint.expect("GroupConv2d", [height, width]);
        convolve(planes, &self.expanded(), &self.footprint, relu)
            .reshape([batch, output, size, height, width])
    }

    /// An ordinary convolution with the same results: it takes and gives
    /// features with channel and group axis flattened, channel `c · |G| + g` being component g of
    /// channel c.
    pub fn to_conv2d(&self) -> burn::nn::conv::Conv2d {
        fold(&self.expanded(), &self.footprint)
    }

    fn expanded(&self) -> Filters {
        let group = self.footprint.group;
        self.filters
            .filters(self.weight(), self.bias(), |weight, bias| {
                expand(weight, bias, group, |side| group.filter_indices(side)).with_group(group)
            })
    }
}

convolution!(
    GroupConv2dConfig => GroupConv2d,
    5,
    "[out, in, group, side, side]",
    "[`Error::Size`](crate::base::Error::Size) if the kernel does not fit, or if the size would break exact equivariance."
);
