use burn::tensor::{Tensor, activation};

use super::path::choose;
use super::suits;

/// The positive part, `max(x, 0)`.
///
/// Layers that can compute it along with their own result have a method `forward_relu`, which is
/// faster.
///
/// # Shapes
///
/// - input, output: any, but the same
pub fn relu<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    match choose("relu", || suits(&input)) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => super::flex::run1(flex::Relu, input),
        _ => activation::relu(input),
    }
}

/// A result of Burn's operations, or Burn's relu of it.
pub(super) fn or_relu<const D: usize>(output: Tensor<D>, relu: bool) -> Tensor<D> {
    match relu {
        true => activation::relu(output),
        false => output,
    }
}

#[cfg(feature = "flex")]
mod flex {
    use crate::kernel::cpu::Isa;
    use crate::kernel::cpu::elementwise;
    use crate::kernel::flex::buffer::Buffer;
    use crate::kernel::flex::{Kernel, contiguous, numbers};
    use burn_flex::FlexTensor;

    #[derive(Clone, Debug)]
    pub(super) struct Relu;

    impl Kernel<1> for Relu {
        /// The output, through which the gradient passes where it is positive.
        type Saved = FlexTensor;

        fn forward(&self, [x]: [FlexTensor; 1], keep: bool) -> (FlexTensor, Option<FlexTensor>) {
            let x = contiguous(x);
            let mut y = Buffer::new(numbers(&x).len());
            elementwise::relu(Isa::detect(), numbers(&x), y.as_floats_mut());
            let y = y.into_tensor(x.layout().shape().clone());
            (y.clone(), keep.then_some(y))
        }

        fn backward(&self, y: FlexTensor, dy: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
            let dy = contiguous(dy);
            let mut dx = Buffer::new(numbers(&dy).len());
            elementwise::relu_gradient(
                Isa::detect(),
                numbers(&dy),
                numbers(&y),
                dx.as_floats_mut(),
            );
            [Some(dx.into_tensor(dy.layout().shape().clone()))]
        }
    }
}
