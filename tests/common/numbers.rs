use burn::tensor::Tensor;
use fireproof::base::Draws;
use std::borrow::Borrow;

pub fn values<const D: usize>(tensor: impl Borrow<Tensor<D>>) -> Vec<f32> {
    tensor
        .borrow()
        .clone()
        .inner()
        .into_data()
        .iter::<f32>()
        .collect()
}

pub fn bits<const D: usize>(tensor: impl Borrow<Tensor<D>>) -> Vec<u32> {
    values(tensor).into_iter().map(f32::to_bits).collect()
}

/// The largest magnitude.
pub fn largest<const D: usize>(tensor: Tensor<D>) -> f32 {
    values(tensor.abs().max())[0]
}

/// Numbers drawn evenly between two.
pub fn uniform(draws: &mut Draws, count: usize, low: f64, high: f64) -> Vec<f32> {
    (0..count)
        .map(|_| draws.uniform(low, high) as f32)
        .collect()
}

/// The 64-bit FNV-1a digest.
pub fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
