use crate::base::assert_alike;
use burn::tensor::{Tensor, module};

use super::path::choose;
use super::relu::or_relu;
use super::suits;

/// The affine map `input · weight + bias`, negative values replaced by 0 if `relu`.
///
/// The kernel sums every number in one fixed order, so that an image's result does not depend on its
/// batch mates, bit for bit; the matrix products of Burn's CPU backend choose the order by the size
/// of the batch.
///
/// # Shapes
///
/// - input: `[batch, in]`
/// - weight: `[in, out]`, as in [`burn::nn::Linear`]
/// - bias: `[out]`
/// - output: `[batch, out]`
///
/// # Panics
///
/// Panics if the sizes do not fit, or unless input, weight and bias are of one element type.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::kernel;
///
/// let device = fireproof::device();
/// let x = Tensor::<2>::from_floats([[1.0, 2.0]], &device);
/// let weight = Tensor::<2>::from_floats([[1.0, -1.0], [1.0, -1.0]], &device);
/// let y = kernel::linear(x, weight, None, true);
/// assert_eq!(y.into_data().iter::<f32>().collect::<Vec<_>>(), [3.0, 0.0]);
/// ```
pub fn linear(
    input: Tensor<2>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    relu: bool,
) -> Tensor<2> {
    assert_eq!(input.dims()[1], weight.dims()[0], "numbers per image");
    if let Some(bias) = &bias {
        assert_eq!(bias.dims()[0], weight.dims()[1], "one bias per output");
    }
    match choose("linear", || {
        suits(&input) && suits(&weight) && bias.as_ref().is_none_or(suits)
    }) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => match bias {
            Some(bias) => super::flex::run3(flex::Linear { relu }, input, weight, bias),
            None => super::flex::run2(flex::Linear { relu }, input, weight),
        },
        _ => {
            let of_bias = bias.as_ref().map_or(weight.dtype(), Tensor::dtype);
            let types = [
                ("input", input.dtype()),
                ("weight", weight.dtype()),
                ("bias", of_bias),
            ];
            assert_alike("linear", &types);
            or_relu(module::linear(input, weight, bias), relu)
        }
    }
}

#[cfg(feature = "flex")]
mod flex {
    use crate::kernel::cpu::Isa;
    use crate::kernel::cpu::elementwise::{bias_gradient, relu_gradient};
    use crate::kernel::cpu::matmul::{Matrix, matmul};
    use crate::kernel::flex::buffer::Buffer;
    use crate::kernel::flex::{Kernel, contiguous, dims, numbers};
    use burn_flex::FlexTensor;

    #[derive(Clone, Debug)]
    pub(super) struct Linear {
        pub relu: bool,
    }

    /// What the backward pass needs.
    #[derive(Clone, Debug)]
    pub(super) struct Saved {
        x: FlexTensor,
        weight: FlexTensor,
        /// The output, through which relu lets the gradient pass where it is positive.
        gate: Option<FlexTensor>,
    }

    fn matrix(tensor: &FlexTensor) -> Matrix<'_> {
        Matrix::new(numbers(tensor), dims(tensor))
    }

    fn product(a: Matrix, b: Matrix, bias: Option<&[f32]>, relu: bool) -> FlexTensor {
        let size = [a.size()[0], b.size()[1]];
        Buffer::filled(size, |c| matmul(Isa::detect(), a, b, bias, relu, c))
    }

    // Inputs: images, weight and, if there are three, the bias.
    impl<const N: usize> Kernel<N> for Linear {
        type Saved = Saved;

        fn forward(&self, inputs: [FlexTensor; N], keep: bool) -> (FlexTensor, Option<Saved>) {
            let inputs = inputs.map(contiguous);
            let (x, weight) = (&inputs[0], &inputs[1]);
            let bias = inputs.get(2).map(numbers);
            let y = product(matrix(x), matrix(weight), bias, self.relu);
            let saved = keep.then(|| Saved {
                x: x.clone(),
                weight: weight.clone(),
                gate: self.relu.then(|| y.clone()),
            });
            (y, saved)
        }

        fn backward(
            &self,
            Saved { x, weight, gate }: Saved,
            dy: FlexTensor,
            wanted: [bool; N],
        ) -> [Option<FlexTensor>; N] {
            let mut dy = contiguous(dy);
            if let Some(gate) = gate {
                dy = Buffer::filled(dims::<2>(&dy), |open| {
                    relu_gradient(Isa::detect(), numbers(&dy), numbers(&gate), open);
                });
            }
            let slope = matrix(&dy);
            std::array::from_fn(|at| {
                wanted[at].then(|| match at {
                    0 => product(slope, matrix(&weight).transposed(), None, false),
                    1 => product(matrix(&x).transposed(), slope, None, false),
                    _ => Buffer::filled([slope.size()[1]], |db| {
                        bias_gradient(numbers(&dy), None, 1, db);
                    }),
                })
            })
        }
    }
}
