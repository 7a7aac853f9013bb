use crate::base::Precision;
use burn::module::{ModuleMapper, Param};
use burn::tensor::Tensor;

/// Gives the weights and running statistics of a module another element type.
///
/// A model then takes images of that type, and no others. Whether a weight takes gradients stays as it
/// was. Running statistics are changed in the module itself, which shares them with its clones: cast a
/// model before it is cloned, or a copy made by `valid`.
///
/// ```
/// use burn::{module::Module, tensor::{DType, Tensor}};
/// use fireproof::base::Precision;
/// use fireproof::nn::{CastWeights, Conv2dConfig};
///
/// let device = fireproof::device();
/// let conv = Conv2dConfig::new([1, 4], 3).init(&device);
/// let conv = conv.map(&mut CastWeights(Precision::F64));
/// let images = Tensor::<4>::ones([1, 1, 8, 8], (&device, DType::F64));
/// assert_eq!(conv.forward(images).dtype(), DType::F64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CastWeights(pub Precision);

impl ModuleMapper for CastWeights {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let dtype = self.0.dtype();
        param.map(|weight| {
            let learnt = weight.is_require_grad();
            // Under autodiff a cast is an operation, and its result no weight.
            match weight.is_autodiff() {
                true => Tensor::from_inner(weight.inner().cast(dtype)).set_require_grad(learnt),
                false => weight.cast(dtype),
            }
        })
    }
}
