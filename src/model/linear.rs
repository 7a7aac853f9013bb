use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::Tensor;

use crate::kernel;

/// The response of Burn's layer, negative values replaced by 0 if `relu`, by this crate's kernel:
/// an image's logits then do not depend on its batch mates.
pub(crate) fn linear(layer: &Linear, input: Tensor<2>, relu: bool) -> Tensor<2> {
    let bias = layer.bias.as_ref().map(Param::val);
    kernel::linear(input, layer.weight.val(), bias, relu)
}
