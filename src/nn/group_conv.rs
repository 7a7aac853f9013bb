use crate::group::Group;
use crate::kernel::Filters;
use crate::nn::Footprint;
use crate::nn::convolve::{convolve, default_initializer, fold};
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
    /// A layer with random weights.
    ///
    /// # Panics
    ///
    /// Panics if the kernel, stride or dilation is 0.
    pub fn init(&self, device: &Device) -> GroupConv2d {
        let footprint = self.footprint();
        footprint.assert_valid();
        let ([input, output], k) = (self.channels, self.kernel_size);
        let size = self.group.size();
        let fan_in = input * size * k * k;
        let fan_out = output * size * k * k;
        let init = &self.initializer;
        GroupConv2d {
            weight: init.init_with(
                [output, input, size, k, k],
                Some(fan_in),
                Some(fan_out),
                device,
            ),
            bias: self
                .bias
                .then(|| init.init_with([output], Some(fan_in), Some(fan_out), device)),
            footprint,
            filters: FilterCache::default(),
        }
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

    /// The size `[height, width]` of the output for features of this size.
    ///
    /// # Errors
    ///
    /// [`Error::Size`](crate::base::Error::Size) if the kernel does not fit, or if the size would
    /// break exact equivariance.
    pub fn check(&self, size: [usize; 2]) -> crate::base::Result<[usize; 2]> {
        self.footprint.check("GroupConv2d", size)
    }

    /// What the layer looks at.
    pub fn footprint(&self) -> Footprint {
        self.footprint
    }

    /// The weight `[out, in, group, side, side]`.
    pub fn weight(&self) -> Tensor<5> {
        self.weight.val()
    }

    /// The bias `[out]`, if there is one.
    pub fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }

    /// The same layer with this weight.
    ///
    /// # Panics
    ///
    /// Panics if the weight has another shape.
    pub fn with_weight(mut self, weight: Tensor<5>) -> Self {
        assert_eq!(weight.shape(), self.weight.shape(), "shape of the weight");
        self.weight = Param::from_tensor(weight);
        self.filters = FilterCache::default();
        self
    }

    /// The same layer with this bias.
    ///
    /// # Panics
    ///
    /// Panics unless there is one number per output channel.
    pub fn with_bias(mut self, bias: Tensor<1>) -> Self {
        assert_eq!(bias.dims()[0], self.weight.shape()[0], "shape of the bias");
        self.bias = Some(Param::from_tensor(bias));
        self.filters = FilterCache::default();
        self
    }

    /// The prepared filters, if any.
    pub fn filters(&self) -> &FilterCache {
        &self.filters
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

impl ModuleDisplay for GroupConv2d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [output, input, ..] = self.weight.shape().dims::<5>();
        content
            .add("channels", &format!("{input} -> {output}"))
            .add("footprint", &self.footprint.to_string())
            .optional()
    }
}
