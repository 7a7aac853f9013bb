use crate::kernel::{self, Filters};
use crate::nn::Footprint;
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
    use burn::module::Param;

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

/// The initialiser of Burn's convolutions: uniform in ±1/√fan_in.
pub(crate) fn default_initializer() -> burn::nn::Initializer {
    burn::nn::Initializer::KaimingUniform {
        gain: 1.0 / 3f64.sqrt(),
        fan_out_only: false,
    }
}

/// What the three convolutions share beside their shapes: initialisation, sizes, parameters and how
/// they are shown. A layer's configuration says its `shape` and its `fans`, the layer how it makes
/// its filters.
macro_rules! convolution {
    ($config:ident => $layer:ident, $rank:literal, $weight:literal, $exact:literal) => {
        impl $config {
            /// A layer with random weights.
            ///
            /// # Panics
            ///
            /// Panics if the kernel, stride or dilation is 0.
            pub fn init(&self, device: &Device) -> $layer {
                let footprint = self.footprint();
                footprint.assert_valid();
                let shape: [usize; $rank] = self.shape();
                let [fan_in, fan_out] = self.fans().map(Some);
                let init = &self.initializer;
                $layer {
                    weight: init.init_with(shape, fan_in, fan_out, device),
                    bias: self
                        .bias
                        .then(|| init.init_with([shape[0]], fan_in, fan_out, device)),
                    footprint,
                    filters: FilterCache::default(),
                }
            }
        }

        impl $layer {
            /// The size `[height, width]` of the output for an input of this size.
            ///
            /// # Errors
            ///
            #[doc = $exact]
            pub fn check(&self, size: [usize; 2]) -> crate::base::Result<[usize; 2]> {
                self.footprint.check(stringify!($layer), size)
            }

            /// What the layer looks at.
            pub fn footprint(&self) -> Footprint {
                self.footprint
            }

            #[doc = concat!("The weight `", $weight, "`.")]
            pub fn weight(&self) -> Tensor<$rank> {
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
            pub fn with_weight(mut self, weight: Tensor<$rank>) -> Self {
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
        }

        impl ModuleDisplay for $layer {
            fn custom_settings(&self) -> Option<DisplaySettings> {
                DisplaySettings::new()
                    .with_new_line_after_attribute(false)
                    .optional()
            }

            fn custom_content(&self, content: Content) -> Option<Content> {
                let [output, input, ..] = self.weight.shape().dims::<$rank>();
                content
                    .add("channels", &format!("{input} -> {output}"))
                    .add("footprint", &self.footprint.to_string())
                    .optional()
            }
        }
    };
}

pub(crate) use convolution;
