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
