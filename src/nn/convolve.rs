use crate::nn::Footprint;
use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

/// The one place where this crate convolves.
///
/// # Shapes
///
/// - input: `[batch, channels_in, height, width]`
/// - filters: `[channels_out, channels_in, side, side]`
/// - bias: `[channels_out]`
pub(crate) fn convolve(
    input: Tensor<4>,
    filters: Tensor<4>,
    bias: Option<Tensor<1>>,
    footprint: &Footprint,
) -> Tensor<4> {
    conv2d(input, filters, bias, options(footprint))
}

fn options(footprint: &Footprint) -> ConvOptions<2> {
    ConvOptions::new(
        [footprint.stride; 2],
        [footprint.padding; 2],
        [footprint.dilation; 2],
        1,
    )
}

/// Burn's own convolution with these filters.
pub(crate) fn fold(
    filters: Tensor<4>,
    bias: Option<Tensor<1>>,
    footprint: &Footprint,
) -> burn::nn::conv::Conv2d {
    use burn::module::Param;

    let [channels_out, channels_in, ..] = filters.dims();
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
        .init(&filters.device());
    // Detached: the folded layer is a model of its own, with parameters of its own.
    folded.weight = Param::from_tensor(filters.detach());
    folded.bias = bias.map(|bias| Param::from_tensor(bias.detach()));
    folded
}

/// The initialiser of Burn's convolutions: uniform in ±1/√fan_in.
pub(crate) fn default_initializer() -> burn::nn::Initializer {
    burn::nn::Initializer::KaimingUniform {
        gain: 1.0 / 3f64.sqrt(),
        fan_out_only: false,
    }
}
