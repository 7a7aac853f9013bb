use crate::kernel::{self, Filters};
use crate::nn::batch_norm::normalised;
use crate::nn::{Behind, FilterCache, Footprint};
use burn::module::Param;
use burn::nn::{BatchNorm, Initializer};
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

/// The one place where this crate convolves, with all that follows.
///
/// # Shapes
///
/// - input: `[batch, channels_in, height, width]`
pub(crate) fn convolve(
    input: Tensor<4>,
    mut filters: Filters,
    cache: &FilterCache,
    footprint: &Footprint,
    behind: Behind<'_, BatchNorm, Tensor<4>>,
) -> Tensor<4> {
    let options = ConvOptions::new(
        [footprint.stride; 2],
        [footprint.padding; 2],
        [footprint.dilation; 2],
        1,
    );
    let Behind {
        mut norm,
        beside,
        relu,
    } = behind;
    if let Some(folded) = norm.and_then(|norm| cache.normalised(&filters, norm, &input.device())) {
        (filters, norm) = (folded, None);
    }
    let Some(norm) = norm else {
        return match beside {
            Some(beside) => kernel::conv2d_add(input, &filters, options, beside, relu),
            None => kernel::conv2d(input, &filters, options, relu),
        };
    };
    let y = kernel::conv2d(input, &filters, options, false);
    normalised(norm, y, beside, relu)
}

/// Burn's own convolution with these filters.
pub(crate) fn fold(filters: &Filters, footprint: &Footprint) -> burn::nn::conv::Conv2d {
    let (weight, bias) = (filters.weight(), filters.bias());
    let [channels_out, channels_in, ..] = weight.dims();
    let (k, s) = (footprint.kernel, footprint.stride);
    let (p, d) = (footprint.padding, footprint.dilation);
    let mut folded = burn::nn::conv::Conv2dConfig::new([channels_in, channels_out], [k, k])
        .with_stride([s, s])
        .with_padding(burn::nn::PaddingConfig2d::Explicit(p, p, p, p))
        .with_dilation([d, d])
        .with_bias(bias.is_some())
        .init(&weight.device());
    // Detached: the folded layer is a model of its own, with parameters of its own.
    folded.weight = Param::from_tensor(weight.detach());
    folded.bias = bias.map(|bias| Param::from_tensor(bias.detach()));
    folded
}

/// The initialiser of Burn's convolutions and linear layers: uniform in ±1/√fan_in.
pub(crate) fn default_initializer() -> Initializer {
    Initializer::KaimingUniform {
        gain: 1.0 / 3f64.sqrt(),
        fan_out_only: false,
    }
}

/// A convolution: configuration, parameters, prepared filters, forward pass, size check, display.
///
/// One over a group says so by the names `{ group, exact }` of the settings it then has. `shape` is
/// that of the weight and `expand` makes filters of weight and bias.
macro_rules! convolution {
    (
        $(#[$about:meta])*
        $layer:ident, $config:ident { $($group:ident, $exact:ident)? }
        $input:literal $from:literal => $output:literal $to:literal,
        weight: $rank:literal $weight:literal,
        shape: $shape:expr,
        expand: $expand:expr
    ) => {
        $crate::base::config! {
            #[doc = concat!("Configuration of a [`", stringify!($layer), "`].")]
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
                #[new(value = "1")]
                pub stride: usize,
                /// Zeros added on each of the four sides, in pixels.
                #[new(value = "0")]
                pub padding: usize,
                /// Step between neighbouring kernel entries, in pixels.
                #[new(value = "1")]
                pub dilation: usize,
                /// Whether to add a bias, one number per channel.
                #[new(value = "true")]
                pub bias: bool,
                $(
                    /// Whether to refuse images of a size that breaks exact equivariance.
                    #[new(value = "true")]
                    pub $exact: bool,
                )?
                /// How weight and bias are drawn; the fan-in is the number of weights that an output
                /// depends on.
                #[new(value = "crate::nn::convolution::default_initializer()")]
                #[serde(deserialize_with = "crate::base::strictly")]
                pub initializer: burn::nn::Initializer,
            }
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
                let bias = || init.init_with([output], fan_in, fan_out, device);
                $layer {
                    weight: init.init_with(shape, fan_in, fan_out, device),
                    bias: self.bias.then(bias),
                    footprint,
                    filters: $crate::nn::FilterCache::default(),
                }
            }

            /// What the layer looks at.
            ///
            /// # Panics
            ///
            /// As [`init`](Self::init).
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

            fn shape(&self) -> [usize; $rank] {
                let ([input, output], group) = (self.channels, self.footprint().group);
                let shape: fn(_, _, _, _) -> _ = $shape;
                shape(output, input, group, self.kernel_size)
            }
        }

        $(#[$about])*
        #[derive(burn::module::Module, Debug)]
        #[module(custom_display)]
        pub struct $layer {
            weight: burn::module::Param<Tensor<$rank>>,
            bias: Option<burn::module::Param<Tensor<1>>>,
            #[module(skip)]
            footprint: $crate::nn::Footprint,
            filters: $crate::nn::FilterCache,
        }

        impl $layer {
            $crate::nn::layer::forward! {
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
                Tensor<$input> => Tensor<$output>
            }

            fn respond(&self, input: Tensor<$input>, relu: bool) -> Tensor<$output> {
                self.respond_to(input, $crate::nn::Behind::relu(relu))
            }

            pub(super) fn respond_to(
                &self,
                input: Tensor<$input>,
                behind: $crate::nn::Behind<'_, burn::nn::BatchNorm, Tensor<$output>>,
            ) -> Tensor<$output> {
                let (group, footprint) = (self.footprint.group, &self.footprint);
                let planes = input.into_planes(group);
                let [_, _, height, width] = planes.dims();
                footprint.expect(stringify!($layer), [height, width]);
                let behind = $crate::nn::Behind {
                    norm: behind.norm,
                    beside: behind.beside.map(|beside| beside.into_planes(group)),
                    relu: behind.relu,
                };
                let filters = self.expanded();
                let planes = convolve(planes, filters, &self.filters, footprint, behind);
                Planes::from_planes(planes, group)
            }

            fn expanded(&self) -> Filters {
                self.filters.filters(self.weight(), self.bias(), |weight, bias| {
                    let expand: fn(_, _, _) -> _ = $expand;
                    expand(weight, bias, self.footprint.group)
                })
            }

            #[doc = concat!("The weight `", $weight, "`.")]
            pub fn weight(&self) -> Tensor<$rank> {
                self.weight.val()
            }

            /// The bias `[out]`, if there is one.
            pub fn bias(&self) -> Option<Tensor<1>> {
                self.bias.as_ref().map(burn::module::Param::val)
            }

            /// The same layer with this weight.
            ///
            /// # Panics
            ///
            /// Panics if the weight has another shape.
            pub fn with_weight(mut self, weight: Tensor<$rank>) -> Self {
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
            pub fn with_bias(mut self, bias: Tensor<1>) -> Self {
                assert_eq!(bias.dims()[0], self.weight.lazy_shape()[0], "shape of the bias");
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

        $crate::nn::footprint::spatial! {
            $config => $layer, $input => $output, forward_relu;
            init: Self::init,
            params: |config| {
                let bias = if config.bias { config.channels[1] } else { 0 };
                config.shape().iter().product::<usize>() + bias
            }
        }

        $crate::nn::layer::display!($layer, |layer, content| {
            let shape = layer.weight.lazy_shape();
            content
                .add("channels", &format!("{} -> {}", shape[1], shape[0]))
                .add("footprint", &layer.footprint.to_string())
        });
    };
}
pub(crate) use convolution;
