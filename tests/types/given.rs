//! Tensors of an element type, and models of it.

use crate::common::On;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use fireproof::base::{Draws, Precision, Purpose, Seed, read};
use fireproof::group::Group;
use fireproof::model::{Cnn, CnnConfig, Widths};
use fireproof::nn::{CastWeights, NormalizeConfig};

/// Numbers of 8 bits: the same in every element type.
pub fn coarse(draws: &mut Draws, count: usize, low: f64, high: f64) -> Vec<f64> {
    let each = |_| Precision::Bf16.round(draws.uniform(low, high));
    (0..count).map(each).collect()
}

pub fn tensor<const D: usize>(
    on: &On,
    precision: Precision,
    values: &[f64],
    shape: [usize; D],
) -> Tensor<D> {
    let data = TensorData::new(values.to_vec(), shape);
    Tensor::from_data(data, (&on.device(), precision.dtype()))
}

/// The same two-channel images in every element type, in [0, 1].
pub fn images(on: &On, precision: Precision, count: usize, side: usize) -> Tensor<4> {
    let mut draws = Seed(5).draws(Purpose::Subset, 0, 0);
    let pixels = coarse(&mut draws, count * 2 * side * side, 0.0, 1.0);
    tensor(on, precision, &pixels, [count, 2, side, side])
}

/// The numbers of a tensor, exactly.
pub fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    read(&tensor.clone().inner())
}

/// A p4 network with batch normalisation and normalised pixels for two-channel images, with the
/// same coarse weights in every element type.
pub fn model(device: &Device, precision: Precision) -> Cnn {
    let normalize = NormalizeConfig::new(vec![0.5, 0.25], vec![0.5, 0.25]);
    let model = CnnConfig::new(Group::P4, [2, SIDE, SIDE], 3)
        .with_widths(Widths::Given([2, 2, 3, 3]))
        .with_hidden(5)
        .with_batch_norm(Some(true))
        .with_normalize(Some(normalize))
        .with_seed(7)
        .init(device)
        .unwrap();
    model
        .map(&mut CastWeights(Precision::Bf16))
        .map(&mut CastWeights(precision))
}

/// Side of the images that [`model`] takes.
pub const SIDE: usize = 16;
