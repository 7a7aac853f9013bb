use crate::base::assert_alike;
use burn::tensor::Tensor;

use super::path::choose;
use super::suits;

/// `x + y · factor`, outside autodiff: of what an optimiser's step is made.
///
/// The roundings are those of a product and a sum.
///
/// # Shapes
///
/// - x, y, output: any, but the same
///
/// # Panics
///
/// Panics if the shapes or the element types differ.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::kernel;
///
/// let device = fireproof::device();
/// let [x, y] = [[1.0, 2.0], [3.0, -4.0]].map(|of| Tensor::<1>::from_floats(of, &device));
/// let sums = kernel::add_scaled(x, y, 0.5).into_data();
/// assert_eq!(sums.iter::<f32>().collect::<Vec<_>>(), [2.5, 0.0]);
/// ```
pub fn add_scaled<const D: usize>(x: Tensor<D>, y: Tensor<D>, factor: f64) -> Tensor<D> {
    assert_eq!(x.dims(), y.dims(), "what is added has the same shape");
    let (x, y) = (x.inner(), y.inner());
    match choose("add_scaled", || suits(&x) && suits(&y)) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => super::flex::run2(flex::AddScaled(factor as f32), x, y),
        _ => {
            assert_alike("add_scaled", &[("x", x.dtype()), ("y", y.dtype())]);
            x + y * factor
        }
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
    pub(super) struct AddScaled(pub f32);

    impl Kernel<2> for AddScaled {
        type Saved = ();

        fn forward(&self, inputs: [FlexTensor; 2], keep: bool) -> (FlexTensor, Option<()>) {
            assert!(!keep, "it is outside autodiff");
            let [x, y] = inputs.map(contiguous);
            let mut sums = Buffer::new(numbers(&x).len());
            let to = sums.as_floats_mut();
            elementwise::add_scaled(Isa::detect(), numbers(&x), numbers(&y), self.0, to);
            (sums.into_tensor(x.layout().shape().clone()), None)
        }

        fn backward(&self, (): (), _: FlexTensor, _: [bool; 2]) -> [Option<FlexTensor>; 2] {
            unreachable!("it is outside autodiff")
        }
    }
}
