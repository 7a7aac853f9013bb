#[cfg(feature = "flex")]
mod flex;

#[cfg(feature = "flex")]
use std::sync::{Arc, OnceLock};

#[cfg(feature = "flex")]
use burn::tensor::{DType, TensorData};
use burn::tensor::{Tensor, module};

use super::path::choose;
use super::relu::or_relu;
use super::suits;
use crate::base::assert_alike;

/// Mean and biased variance of each channel, `[channel]` each.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// The means.
    pub mean: Tensor<1>,
    /// The variances.
    pub variance: Tensor<1>,
}

/// What normalised channels are multiplied by and shifted by, `[channel]` each.
#[derive(Clone, Debug)]
pub struct Affine {
    /// The factors, γ.
    pub scale: Tensor<1>,
    /// The summands, β.
    pub shift: Tensor<1>,
}

/// Batch normalisation by given statistics, `(x - mean) / √(variance + ε) · scale + shift`, negative
/// values replaced by 0 if `relu`.
///
/// The kernel's results, and gradients in `x`, are those of Burn's operations to the bit. It is taken
/// if nothing but `x` is differentiated.
///
/// # Shapes
///
/// - x, output: `[batch, channel, height, width]`
///
/// # Panics
///
/// Panics if the channels do not fit, or unless all are of one element type.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::kernel::{self, Affine, Statistics};
///
/// let device = fireproof::device();
/// let of = |value: f32| Tensor::from_floats([value], &device);
/// let statistics = Statistics { mean: of(1.0), variance: of(4.0) };
/// let affine = Affine { scale: of(3.0), shift: of(0.5) };
/// let x = Tensor::full([1, 1, 1, 1], 3.0, &device);
/// let y = kernel::batch_norm(x, affine, statistics, 0.0, false);
/// assert_eq!(y.into_scalar::<f32>(), 3.5);
/// ```
pub fn batch_norm(
    x: Tensor<4>,
    affine: Affine,
    statistics: Statistics,
    epsilon: f64,
    relu: bool,
) -> Tensor<4> {
    let Affine { scale, shift } = affine;
    let Statistics { mean, variance } = statistics;
    let given = [scale, shift, mean, variance];
    expect(&x, &given);
    let possible = || {
        suits(&x)
            && given
                .iter()
                .all(|given| suits(given) && !given.is_tracked())
    };
    match choose("batch_norm", possible) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => {
            let given = given.map(|given| given.inner());
            let kernel = flex::Given { epsilon, relu };
            super::flex::run2(kernel, x, Tensor::stack::<2>(given.to_vec(), 0))
        }
        _ => {
            let [scale, shift, mean, variance] = given;
            let y = module::batch_norm(x, scale, shift, mean, variance, epsilon);
            or_relu(y, relu)
        }
    }
}

/// Batch normalisation by the batch's own statistics, negative values replaced by 0 if `relu`; and
/// these statistics, outside of the graph.
///
/// The kernel's results and gradients are those of Burn's operation to the bit.
///
/// # Shapes
///
/// - x, output: `[batch, channel, height, width]`
///
/// # Panics
///
/// Panics if the channels do not fit, or unless all are of one element type.
pub fn batch_norm_train(
    x: Tensor<4>,
    affine: Affine,
    epsilon: f64,
    relu: bool,
) -> (Tensor<4>, Statistics) {
    train(x, affine, epsilon, None, relu)
}

/// Batch normalisation by the batch's own statistics, plus `beside`, negative sums replaced by 0 if
/// `relu`; and these statistics, outside of the graph.
///
/// The same as [`batch_norm_train`] and a sum, to the bit; the kernel has two passes over memory less.
///
/// # Shapes
///
/// - x, beside, output: `[batch, channel, height, width]`
///
/// # Panics
///
/// As [`batch_norm_train`], and if `beside` does not fit.
pub fn batch_norm_train_add(
    x: Tensor<4>,
    affine: Affine,
    epsilon: f64,
    beside: Tensor<4>,
    relu: bool,
) -> (Tensor<4>, Statistics) {
    assert_eq!(beside.dims(), x.dims(), "the shape of what is added");
    train(x, affine, epsilon, Some(beside), relu)
}

fn train(
    x: Tensor<4>,
    affine: Affine,
    epsilon: f64,
    beside: Option<Tensor<4>>,
    relu: bool,
) -> (Tensor<4>, Statistics) {
    let Affine { scale, shift } = affine;
    let affine = [scale, shift];
    expect(&x, &affine);
    if let Some(beside) = &beside {
        let types = [("features", x.dtype()), ("what is added", beside.dtype())];
        assert_alike("batch norm", &types);
    }
    let possible = || suits(&x) && affine.iter().all(suits) && beside.iter().all(suits);
    match choose("batch_norm_train", possible) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => {
            let affine = Tensor::stack::<2>(affine.to_vec(), 0);
            let (device, found) = (x.device(), Arc::new(OnceLock::new()));
            let own = flex::Own {
                epsilon,
                relu,
                found: found.clone(),
            };
            let y = match beside {
                None => super::flex::run2(own, x, affine),
                Some(beside) => super::flex::run3(own, x, affine, beside),
            };
            let found: &Vec<[f32; 2]> = found.get().expect("the pass has been");
            let of_channels = |which: usize| {
                let each: Vec<f32> = found.iter().map(|found| found[which]).collect();
                let each = TensorData::new(each, [found.len()]);
                Tensor::from_data(each, (&device, DType::F32))
            };
            let statistics = Statistics {
                mean: of_channels(0),
                variance: of_channels(1),
            };
            (y, statistics)
        }
        _ => {
            let [scale, shift] = affine;
            let made = module::batch_norm_train(x, scale, shift, epsilon);
            let statistics = Statistics {
                mean: made.mean.detach(),
                variance: made.variance.detach(),
            };
            let y = match beside {
                None => made.output,
                Some(beside) => made.output + beside,
            };
            (or_relu(y, relu), statistics)
        }
    }
}

fn expect(x: &Tensor<4>, of_channels: &[Tensor<1>]) {
    for given in of_channels {
        assert_eq!(given.dims()[0], x.dims()[1], "one number per channel");
        let types = [("features", x.dtype()), ("scale", given.dtype())];
        assert_alike("batch norm", &types);
    }
}
