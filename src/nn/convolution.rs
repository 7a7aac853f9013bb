use crate::kernel::{self, Filters};
use crate::nn::Footprint;
use burn::module::Param;
use burn::nn::Initializer;
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

/// The one place where this crate convolves; negative values become 0 if `relu`.
///
/// # Shapes
///
/// - input: `[batch, channels_in, height, width]`
pub(crate) fn convolve(
    input: Tensor<4>,
    filters: &Filters,
    footprint: &Footprint,
    relu: bool,
) -> Tensor<4> {
    let options = ConvOptions::new(
        [footprint.stride; 2],
        [footprint.padding; 2],
        [footprint.dilation; 2],
        1,
    );
    kernel::conv2d(input, filters, options, relu)
}

/// Burn's own convolution with these filters.
pub(crate) fn fold(filters: &Filters, footprint: &Footprint) -> burn::nn::conv::Conv2d {
    let (weight, bias) = (filters.weight(), filters.bias());
    let [channels_out, channels_in, ..] = weight.dims();
    let Footprint {
        kernel: k,
        stride: s,
        padding: p,
        dilation: d,
        ..
    } = *footprint;
    let mut folded = burn::nn::conv::Conv2dConfig::new([channels_in, channels_out], [k, k])
        .with_stride([s, s])
        .with_padding(burn::nn::PaddingConfig2d::Explicit(p, p, p, p))
        .with_dilation([d, d])
        .with_bias(bias.is_some())
        .init(&weight.device());
    // Detached: the folded layer is a model of its own, with parameters of its own.
    folded.weight = Param::from_tensor(weight.clone().detach());
    folded.bias = bias.map(|bias| Param::from_tensor(bias.clone().detach()));
    folded
}

/// The initialiser of Burn's convolutions and linear layers: uniform in ±1/√fan_in.
pub(crate) fn default_initializer() -> Initializer {
    Initializer::KaimingUniform {
        gain: 1.0 / 3f64.sqrt(),
        fan_out_only: false,
    }
}

/// What all convolutions have: configuration, parameters, prepared filters, size check, display.
///
/// Their files add what differs. The configuration: `fn shape(&self)`, that of the weight. The
/// layer: `fn respond(&self, input, relu)`, on top of `convolve`, and `fn expand(weight, bias,
/// group)`, the filters. A convolution over a group says so by the names `{ group, exact }`.
macro_rules! convolution {
    (
        $(#[$about:meta])*
        $layer:ident, $config:ident { $($group:ident, $exact:ident)? }
        $input:literal => $output:literal: $from:literal => $to:literal,
        weight $rank:literal: $shape:literal
    ) => {
        #[doc = concat!("Configuration of a [`", stringify!($layer), "`].")]
        #[derive(burn::config::Config, Debug)]
        pub struct $config {
            $(
                /// The group.
                pub $group: $crate::group::Group,
            )?
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
            $(
                /// Whether to refuse images of a size that breaks exact equivariance.
                #[config(default = true)]
                pub $exact: bool,
            )?
            /// How weight and bias are drawn; the fan-in is the number of weights that an output
            /// depends on.
            #[config(default = "crate::nn::convolution::default_initializer()")]
            pub initializer: burn::nn::Initializer,
        }

        impl $config {
            /// A layer with random weights.
            ///
            /// # Panics
            ///
            /// Panics if the kernel, stride or dilation is 0.
            pub fn init(&self, device: &burn::tensor::Device) -> $layer {
                let (footprint, shape) = (self.footprint(), self.shape());
                let fan_in = Some(shape[1..].iter().product());
                let [output, side] = [self.channels[1], self.kernel_size];
                let fan_out = Some(output * footprint.group.size() * side * side);
                let init = &self.initializer;
                $layer {
                    weight: init.init_with(shape, fan_in, fan_out, device),
                    bias: self
                        .bias
                        .then(|| init.init_with([output], fan_in, fan_out, device)),
                    footprint,
                    filters: $crate::nn::FilterCache::default(),
                }
            }

            /// What the layer looks at.
            ///
            /// # Panics
            ///
            /// Panics if the kernel, stride or dilation is 0.
            pub fn footprint(&self) -> $crate::nn::Footprint {
                let footprint = $crate::nn::Footprint {
                    stride: self.stride,
                    padding: self.padding,
                    dilation: self.dilation,
                    $(group: self.$group, exact: self.$exact,)?
                    ..$crate::nn::Footprint::new(self.kernel_size)
                };
                footprint.assert_valid();
                footprint
            }
        }

        impl $crate::nn::LayerConfig for $config {
            type Layer = $layer;

            fn check(&self, size: [usize; 2]) -> $crate::base::Result<[usize; 2]> {
                self.footprint().check(stringify!($layer), size)
            }

            fn num_params(&self) -> usize {
                let bias = if self.bias { self.channels[1] } else { 0 };
                self.shape().iter().product::<usize>() + bias
            }

            fn init(&self, device: &burn::tensor::Device) -> $layer {
                Self::init(self, device)
            }
        }

        $(#[$about])*
        #[derive(burn::module::Module, Debug)]
        #[module(custom_display)]
        pub struct $layer {
            weight: burn::module::Param<burn::tensor::Tensor<$rank>>,
            bias: Option<burn::module::Param<burn::tensor::Tensor<1>>>,
            #[module(skip)]
            footprint: $crate::nn::Footprint,
            filters: $crate::nn::FilterCache,
        }

        impl $layer {
            /// The layer's response.
            ///
            /// # Shapes
            ///
            #[doc = concat!("- input: `", $from, "`")]
            #[doc = concat!("- output: `", $to, "`")]
            ///
            /// # Panics
            ///
            /// Panics if the number of channels or the group axis is wrong, or if
            /// [`check`](Self::check) refuses the size.
            pub fn forward(
                &self,
                input: burn::tensor::Tensor<$input>,
            ) -> burn::tensor::Tensor<$output> {
                self.respond(input, false)
            }

            /// `relu` of [`forward`](Self::forward), with the same shapes and panics: on the CPU
            /// in one pass.
            pub fn forward_relu(
                &self,
                input: burn::tensor::Tensor<$input>,
            ) -> burn::tensor::Tensor<$output> {
                self.respond(input, true)
            }

            fn convolve(
                &self,
                planes: burn::tensor::Tensor<4>,
                relu: bool,
            ) -> burn::tensor::Tensor<4> {
                let [_, _, height, width] = planes.dims();
                self.footprint.expect(stringify!($layer), [height, width]);
                $crate::nn::convolution::convolve(planes, &self.expanded(), &self.footprint, relu)
            }

            fn expanded(&self) -> $crate::kernel::Filters {
                self.filters.filters(self.weight(), self.bias(), |weight, bias| {
                    Self::expand(weight, bias, self.footprint.group)
                })
            }

            /// The size `[height, width]` of the output for an input of this size.
            ///
            /// # Errors
            ///
            /// [`Error::Size`](crate::base::Error::Size) if the kernel does not fit, or if the
            /// size would break exact equivariance.
            pub fn check(&self, size: [usize; 2]) -> $crate::base::Result<[usize; 2]> {
                self.footprint.check(stringify!($layer), size)
            }

            /// What the layer looks at.
            pub fn footprint(&self) -> $crate::nn::Footprint {
                self.footprint
            }

            #[doc = concat!("The weight `", $shape, "`.")]
            pub fn weight(&self) -> burn::tensor::Tensor<$rank> {
                self.weight.val()
            }

            /// The bias `[out]`, if there is one.
            pub fn bias(&self) -> Option<burn::tensor::Tensor<1>> {
                self.bias.as_ref().map(burn::module::Param::val)
            }

            /// The same layer with this weight.
            ///
            /// # Panics
            ///
            /// Panics if the weight has another shape.
            pub fn with_weight(mut self, weight: burn::tensor::Tensor<$rank>) -> Self {
                assert_eq!(weight.shape(), self.weight.lazy_shape(), "shape of the weight");
                self.weight = burn::module::Param::from_tensor(weight);
                self.filters = $crate::nn::FilterCache::default();
                self
            }

            /// The same layer with this bias.
            ///
            /// # Panics
            ///
            /// Panics unless there is one number per output channel.
            pub fn with_bias(mut self, bias: burn::tensor::Tensor<1>) -> Self {
                let [output, ..] = self.weight.lazy_shape().dims::<$rank>();
                assert_eq!(bias.dims(), [output], "shape of the bias");
                self.bias = Some(burn::module::Param::from_tensor(bias));
                self.filters = $crate::nn::FilterCache::default();
                self
            }

            /// The prepared filters, if any.
            pub fn filters(&self) -> &$crate::nn::FilterCache {
                &self.filters
            }

            /// Burn's convolution with the same results. It takes and gives features over a group
            /// with channel and group axis flattened: channel `c · |G| + g` is component g of
            /// channel c.
            pub fn to_conv2d(&self) -> burn::nn::conv::Conv2d {
                $crate::nn::convolution::fold(&self.expanded(), &self.footprint)
            }
        }

        $crate::nn::layer::layers!($layer, $input => $output, forward_relu;);

        impl burn::module::ModuleDisplay for $layer {
            fn custom_settings(&self) -> Option<burn::module::DisplaySettings> {
                burn::module::DisplaySettings::new()
                    .with_new_line_after_attribute(false)
                    .optional()
            }

            fn custom_content(
                &self,
                content: burn::module::Content,
            ) -> Option<burn::module::Content> {
                let [output, input, ..] = self.weight.lazy_shape().dims::<$rank>();
                content
                    .add("channels", &format!("{input} -> {output}"))
                    .add("footprint", &self.footprint.to_string())
                    .optional()
            }
        }
    };
}
pub(crate) use convolution;
