use crate::base::config;
use crate::kernel;
use crate::nn::convolution::default_initializer;
use crate::nn::layer::{display, forward, layer};
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use derive_new::new;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Configuration of a [`Linear`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters, new)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct LinearConfig {
    /// How many numbers per image come in and go out.
    pub features: [usize; 2],
    /// Whether to add a bias.
    #[new(value = "true")]
    pub bias: bool,
    /// How weight and bias are drawn.
    #[new(value = "default_initializer()")]
    #[serde(deserialize_with = "crate::base::strictly")]
    pub initializer: Initializer,
}

config!(LinearConfig);

impl LinearConfig {
    /// A layer with random weights.
    pub fn init(&self, device: &Device) -> Linear {
        let [input, output] = self.features;
        let (fan_in, fan_out) = (Some(input), Some(output));
        let init = &self.initializer;
        Linear {
            weight: init.init_with([input, output], fan_in, fan_out, device),
            bias: self
                .bias
                .then(|| init.init_with([output], fan_in, fan_out, device)),
        }
    }
}

/// An affine map of the numbers of each image.
///
/// Its records are those of [`burn::nn::Linear`]; it runs on this crate's
/// [`linear`](kernel::linear), so that an image's result does not depend on its batch mates.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Linear {
    /// The weight `[in, out]`.
    pub weight: Param<Tensor<2>>,
    /// The bias `[out]`, if there is one.
    pub bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    forward! {
        /// The layer's response.
        ///
        /// # Shapes
        ///
        /// - input: `[batch, in]`
        /// - output: `[batch, out]`
        ///
        /// # Panics
        ///
        /// Panics if the number of numbers per image is wrong.
        Tensor<2> => Tensor<2>
    }

    fn respond(&self, input: Tensor<2>, relu: bool) -> Tensor<2> {
        let bias = self.bias.as_ref().map(Param::val);
        kernel::linear(input, self.weight.val(), bias, relu)
    }
}

layer! {
    LinearConfig => Linear, 2 => 2, forward_relu;
    init: Self::init,
    params: |config| (config.features[0] + usize::from(config.bias)) * config.features[1]
}

display!(Linear, |layer, content| {
    let [input, output] = layer.weight.lazy_shape().dims();
    content
        .add("features", &format!("{input} -> {output}"))
        .add("bias", &layer.bias.is_some())
});
