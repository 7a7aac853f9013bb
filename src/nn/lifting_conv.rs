use crate::group::Group;
use crate::kernel::Filters;
use crate::nn::Footprint;
use crate::nn::convolve::{convolution, convolve, default_initializer, fold};
use crate::nn::filter_cache::{FilterCache, expand};
use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// Configuration of a [`LiftingConv2d`].
#[derive(Config, Debug)]
pub struct LiftingConv2dConfig {
    /// The group.
    pub group: Group,
    /// Channels of the images and of the features.
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
    /// How weight and bias are drawn; the fan-in is `in · side²`.
    #[config(default = "default_initializer()")]
    pub initializer: Initializer,
}

impl LiftingConv2dConfig {
    fn shape(&self) -> [usize; 4] {
        let ([input, output], k) = (self.channels, self.kernel_size);
        [output, input, k, k]
    }

    // Inputs of an output, outputs of an input.
    fn fans(&self) -> [usize; 2] {
        let ([input, output], area) = (self.channels, self.kernel_size * self.kernel_size);
        [input * area, output * self.group.size() * area]
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

/// A convolution from images to features over a group: every filter is applied as it is and moved
/// by every element of the group (Cohen and Welling 2016, section 6.1; GrouPy's `P4ConvZ2` and
/// `P4MConvZ2`).
///
/// The weight is `[out, in, side, side]` in GrouPy's order (GrouPy keeps a further axis of length
/// 1 before the last two); the bias `[out]` is shared by the group. Under p1 this is an ordinary
/// convolution.
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
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct LiftingConv2d {
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    footprint: Footprint,
    filters: FilterCache,
}

impl LiftingConv2d {
    /// The layer's response to images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, in, height, width]`
    /// - output: `[batch, out, group, height_out, width_out]`
    ///
    /// # Panics
    ///
    /// Panics if the number of channels is wrong or [`check`](Self::check) refuses the size.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<5> {
        self.respond(images, false)
    }

    /// `relu` of [`forward`](Self::forward), with the same shapes and panics: on the CPU in one pass.
    pub fn forward_relu(&self, images: Tensor<4>) -> Tensor<5> {
        self.respond(images, true)
    }

    fn respond(&self, images: Tensor<4>, relu: bool) -> Tensor<5> {
        let [batch, _, height, width] = images.dims();
        let [output, ..] = self.weight.shape().dims::<4>();
        let [height, width] = self.footprint.expect("LiftingConv2d", [height, width]);
        convolve(images, &self.expanded(), &self.footprint, relu).reshape([
            batch,
            output,
            self.footprint.group.size(),
            height,
            width,
        ])
    }

    /// An ordinary convolution with the same results: its output channel `o · |G| + g` is
    /// component g of this layer's channel o.
    pub fn to_conv2d(&self) -> burn::nn::conv::Conv2d {
        fold(&self.expanded(), &self.footprint)
    }

    fn expanded(&self) -> Filters {
        let group = self.footprint.group;
        self.filters
            .filters(self.weight(), self.bias(), |weight, bias| {
                expand(weight.unsqueeze_dim(2), bias, group, |side| {
                    group.lifting_filter_indices(side)
                })
            })
    }
}

convolution!(
    LiftingConv2dConfig => LiftingConv2d,
    4,
    "[out, in, side, side]",
    "[`Error::Size`](crate::base::Error::Size) if the kernel does not fit, or if the size would break exact equivariance."
);
