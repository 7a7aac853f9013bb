use crate::group::Group;
use crate::kernel::Filters;
use crate::nn::Footprint;
use crate::nn::convolve::{convolution, convolve, default_initializer, fold};
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
    fn shape(&self) -> [usize; 4] {
        let ([input, output], k) = (self.channels, self.kernel_size);
        [output, input, k, k]
    }

    // Inputs of an output, outputs of an input.
    fn fans(&self) -> [usize; 2] {
        let area = self.kernel_size * self.kernel_size;
        self.channels.map(|channels| channels * area)
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
    filters: FilterCache,
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
        convolve(input, &self.expanded(), &self.footprint, relu)
    }

    /// Burn's own layer with the same weights.
    pub fn to_conv2d(&self) -> burn::nn::conv::Conv2d {
        fold(&self.expanded(), &self.footprint)
    }

    fn expanded(&self) -> Filters {
        self.filters
            .filters(self.weight(), self.bias(), Filters::new)
    }
}

convolution!(
    Conv2dConfig => Conv2d,
    4,
    "[out, in, side, side]",
    "[`Error::Size`](crate::base::Error::Size) if the kernel does not fit. Any other size is fine, as there is no turn to commute with."
);
