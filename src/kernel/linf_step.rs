use crate::base::assert_alike;
use burn::tensor::Tensor;

use super::path::choose;
use super::suits;

/// A step of an attack within an L∞ ball, in the units of the images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinfStep {
    /// Length of the step; positive to climb.
    pub length: f64,
    /// Radius of the ball, at least 0.
    pub epsilon: f64,
    /// Lowest and highest value of a pixel; infinite for none.
    pub bounds: [f32; 2],
}

/// The images after a step of `length · sign(gradient)`, moved back into the ball around
/// `originals` and then into the bounds; sign(0) = 0. Outside autodiff.
///
/// The roundings are those of `originals + clamp(images + step - originals, -ε, ε)`.
///
/// # Shapes
///
/// - images, gradient, originals, output: `[batch, channel, height, width]`
///
/// # Panics
///
/// Panics if the shapes or the element types differ, or if the radius or the bounds make no sense.
pub fn linf_step(
    images: Tensor<4>,
    gradient: Tensor<4>,
    originals: &Tensor<4>,
    step: LinfStep,
) -> Tensor<4> {
    let LinfStep {
        length,
        epsilon,
        bounds: [low, high],
    } = step;
    assert!(epsilon >= 0.0, "a radius is at least 0, not {epsilon}");
    assert!(low <= high, "bounds {low} and {high} are in order");
    assert!(
        images.dims() == gradient.dims() && images.dims() == originals.dims(),
        "images, gradient and originals are alike"
    );
    let (images, gradient) = (images.inner(), gradient.inner());
    let originals = originals.clone().inner();
    match choose("linf_step", || {
        [&images, &gradient, &originals].into_iter().all(suits)
    }) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => super::flex::run3(flex::Climb(step), images, gradient, originals),
        _ => {
            let types = [
                ("images", images.dtype()),
                ("gradient", gradient.dtype()),
                ("originals", originals.dtype()),
            ];
            assert_alike("linf_step", &types);
            let moved = images + gradient.sign() * length;
            let perturbation = (moved - originals.clone()).clamp(-epsilon, epsilon);
            let output = originals + perturbation;
            match (low.is_finite(), high.is_finite()) {
                (true, true) => output.clamp(low, high),
                (true, false) => output.clamp_min(low),
                (false, true) => output.clamp_max(high),
                (false, false) => output,
            }
        }
    }
}

#[cfg(feature = "flex")]
mod flex {
    use super::LinfStep;
    use crate::kernel::cpu::Isa;
    use crate::kernel::cpu::elementwise::{self, Step};
    use crate::kernel::flex::buffer::Buffer;
    use crate::kernel::flex::{Kernel, contiguous, dims, numbers};
    use burn_flex::FlexTensor;

    #[derive(Clone, Debug)]
    pub(super) struct Climb(pub LinfStep);

    impl Kernel<3> for Climb {
        type Saved = ();

        fn forward(&self, inputs: [FlexTensor; 3], keep: bool) -> (FlexTensor, Option<()>) {
            assert!(!keep, "a step is outside autodiff");
            let [x, gradient, clean] = inputs.map(contiguous);
            let step = Step {
                size: self.0.length as f32,
                radius: self.0.epsilon as f32,
                bounds: self.0.bounds,
            };
            let isa = Isa::detect();
            let [from, along, around] = [&x, &gradient, &clean].map(numbers);
            let y = Buffer::filled(dims::<4>(&x), |y| {
                elementwise::linf_step(isa, from, along, around, step, y);
            });
            (y, None)
        }

        fn backward(
            &self,
            (): Self::Saved,
            _: FlexTensor,
            _: [bool; 3],
        ) -> [Option<FlexTensor>; 3] {
            unreachable!("a step is outside autodiff")
        }
    }
}
