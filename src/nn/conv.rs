use crate::group::Group;
use crate::kernel::Filters;
use crate::nn::Footprint;
use crate::nn::convolve::{convolve, default_initializer, fold};
use crate::nn::filter_cache::FilterCache;
use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// Configuration of a [`Conv2d`].
#[derive(Config, Debug)]
pub struct Conv2dConfig {
    /// Channels of the input and of the output.
    pub channels: [usize; 2],
    /// Side of the kernel, in pixels.
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
    /// How weight and bias are drawn; the fan-in is `in · side²`.
    #[config(default = "default_initializer()")]
    pub initializer: Initializer,
}

impl Conv2dConfig {
    /// A layer with random weights.
    ///
    /// # Panics
    ///
    /// Panics if the kernel, stride or dilation is 0.
    pub fn init(&self, device: &Device) -> Conv2d {
        let footprint = self.footprint();
        footprint.assert_valid();
        let ([input, output], k) = (self.channels, self.kernel_size);
        let (fan_in, fan_out) = (Some(input * k * k), Some(output * k * k));
        let init = &self.initializer;
        Conv2d {
            weight: init.init_with([output, input, k, k], fan_in, fan_out, device),
            bias: self
                .bias
                .then(|| init.init_with([output], fan_in, fan_out, device)),
            footprint,
            cache: FilterCache::default(),
        }
    }

    /// What the layer looks at.
    pub fn footprint(&self) -> Footprint {
        Footprint {
            group: Group::P1,
            kernel: self.kernel_size,
            stride: self.stride,
            padding: self.padding,
            dilation: self.dilation,
            exact: true,
        }
    }
}

/// An ordinary convolution: the p1 case, on images and features without a group axis.
///
/// Its records are those of [`burn::nn::conv::Conv2d`], and so are its results; it runs on this
/// crate's convolution, which transforms the filters of a model that no longer learns only once.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Conv2d {
    weight: Param<Tensor<4>>,
    bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    footprint: Footprint,
    cache: FilterCache,
}

impl Conv2d {
    /// The layer's response.
    ///
    /// # Shapes
    ///
    /// - input: `[batch, in, height, width]`
    /// - output: `[batch, out, height_out, width_out]`
    ///
    /// # Panics
    ///
    /// Panics if the number of channels is wrong or [`check`](Self::check) refuses the size.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.respond(input, false)
    }

    /// `relu` of [`forward`](Self::forward), with the same shapes and panics: on the CPU in one pass.
    pub fn forward_relu(&self, input: Tensor<4>) -> Tensor<4> {
        self.respond(input, true)
    }

    fn respond(&self, input: Tensor<4>, relu: bool) -> Tensor<4> {
        let [_, _, height, width] = input.dims();
        self.footprint.expect("Conv2d", [height, width]);
        convolve(input, &self.filters(), &self.footprint, relu)
    }

    /// The size `[height, width]` of the output for an input of this size.
    ///
    /// # Errors
    ///
    /// [`Error::Size`](crate::base::Error::Size) if the kernel does not fit. Any other size is
    /// fine, as there is no turn to commute with.
    pub fn check(&self, size: [usize; 2]) -> crate::base::Result<[usize; 2]> {
        self.footprint.check("Conv2d", size)
    }

    /// What the layer looks at.
    pub fn footprint(&self) -> Footprint {
        self.footprint
    }

    /// The weight `[out, in, side, side]`.
    pub fn weight(&self) -> Tensor<4> {
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
    pub fn with_weight(mut self, weight: Tensor<4>) -> Self {
        assert_eq!(weight.shape(), self.weight.shape(), "shape of the weight");
        self.weight = Param::from_tensor(weight);
        self.cache = FilterCache::default();
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
        self.cache = FilterCache::default();
        self
    }

    /// Burn's own layer with the same weights.
    pub fn to_conv2d(&self) -> burn::nn::conv::Conv2d {
        fold(&self.filters(), &self.footprint)
    }

    fn filters(&self) -> Filters {
        self.cache.filters(self.weight(), self.bias(), Filters::new)
    }
}

impl ModuleDisplay for Conv2d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [output, input, ..] = self.weight.shape().dims::<4>();
        content
            .add("channels", &format!("{input} -> {output}"))
            .add("footprint", &self.footprint.to_string())
            .optional()
    }
}
