//! Random convolutions, and how results are compared.

use crate::common::{uniform, values};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use fireproof::base::{Draws, Purpose};
use fireproof::kernel::{self, Filters, Numerics};
use fireproof::prelude::*;

pub fn draws(case: u64) -> Draws {
    Seed(33).draws(Purpose::Weights, case, 0)
}

pub fn noise<const D: usize>(shape: [usize; D], draws: &mut Draws, device: &Device) -> Tensor<D> {
    let count = shape.iter().product();
    let values = uniform(draws, count, -1.0, 1.0);
    Tensor::from_data(TensorData::new(values, shape), device)
}

pub fn between(draws: &mut Draws, least: usize, most: usize) -> usize {
    least + (draws.uniform(0.0, (most - least + 1) as f64) as usize).min(most - least)
}

/// Largest difference over the root mean square of the reference.
pub fn error(got: &[f32], reference: impl IntoIterator<Item = f64>) -> f64 {
    let (mut worst, mut squares, mut count) = (0.0f64, 0.0, 0);
    for (got, reference) in got.iter().zip(reference) {
        let off = (f64::from(*got) - reference).abs();
        worst = if off.is_nan() {
            f64::INFINITY
        } else {
            worst.max(off)
        };
        squares += reference * reference;
        count += 1;
    }
    assert_eq!(count, got.len());
    worst / (squares / count as f64).sqrt().max(f64::MIN_POSITIVE)
}

pub fn apart(got: &[f32], reference: &[f32]) -> f64 {
    error(got, reference.iter().map(|&v| f64::from(v)))
}

pub fn options(padding: usize) -> ConvOptions<2> {
    ConvOptions::new([1, 1], [padding; 2], [1, 1], 1)
}

/// Largest error over root mean square that is promised.
pub fn bound(numerics: Numerics) -> f64 {
    match numerics {
        Numerics::Exact => 1e-5,
        Numerics::Fast => 4e-5,
    }
}

/// One convolution with everything that can be asked of it.
pub struct Case {
    pub input: Tensor<4>,
    pub weight: Tensor<4>,
    pub bias: Option<Tensor<1>>,
    pub options: ConvOptions<2>,
    pub relu: bool,
    /// The gradient of the output.
    pub slope: Tensor<4>,
}

impl Case {
    /// Output and gradients of input, filters and bias.
    pub fn run(&self, learning: bool) -> Vec<Vec<f32>> {
        let input = self.input.clone().require_grad();
        let (mut weight, mut bias) = (self.weight.clone(), self.bias.clone());
        if learning {
            weight = weight.require_grad();
            bias = bias.map(Tensor::require_grad);
        } else {
            weight = weight.inner();
            bias = bias.map(Tensor::inner);
        }
        let filters = Filters::new(weight.clone(), bias.clone());
        let output = kernel::conv2d(input.clone(), &filters, self.options.clone(), self.relu);
        let gradients = (output.clone() * self.slope.clone()).sum().backward();
        let mut all = vec![values(output), values(input.grad(&gradients).unwrap())];
        if learning {
            all.push(values(weight.grad(&gradients).unwrap()));
            all.extend(bias.map(|bias| values(bias.grad(&gradients).unwrap())));
        }
        all
    }
}
