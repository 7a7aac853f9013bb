//! Numbers by formula, borders by walking, and how tensors are compared.

use crate::common::{On, bits};
use burn::tensor::Tensor;
use fireproof::transform::Border;

pub const BORDERS: [Border; 4] = [
    Border::Zeros,
    Border::Edge,
    Border::Reflect,
    Border::Circular,
];

pub fn splitmix64(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

/// Numbers in [0, 1) with 24 bits: exact in f32.
pub fn numbers(stream: u64, count: usize) -> Vec<f32> {
    (0..count as u64)
        .map(|i| (splitmix64((stream << 32) + i) >> 40) as f32 / (1 << 24) as f32)
        .collect()
}

pub fn images(on: &On, stream: u64, shape: [usize; 4]) -> Tensor<4> {
    on.tensor(numbers(stream, shape.iter().product()), shape)
}

pub fn assert_same<const D: usize>(found: &Tensor<D>, expected: &Tensor<D>, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    assert_eq!(bits(found), bits(expected), "{what}");
}

/// Largest absolute difference.
pub fn distance(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found
        .iter()
        .zip(expected)
        .map(|(&f, &e)| (f64::from(f) - e).abs())
        .fold(0.0, f64::max)
}

/// The image extended as by `numpy.pad` in modes constant, edge, reflect and wrap, one pixel at a
/// time: an independent formulation of the borders, walking instead of computing.
pub fn padded(
    image: &[f32],
    height: usize,
    width: usize,
    row: i64,
    column: i64,
    border: Border,
) -> f32 {
    let walk = |mut at: i64, length: usize| -> Option<usize> {
        let length = length as i64;
        while !(0..length).contains(&at) {
            at = match border {
                Border::Zeros => return None,
                Border::Edge => at + if at < 0 { 1 } else { -1 },
                Border::Reflect if length == 1 => 0,
                Border::Reflect if at < 0 => -at,
                Border::Reflect => 2 * (length - 1) - at,
                Border::Circular => at + if at < 0 { length } else { -length },
            };
        }
        Some(at as usize)
    };
    match (walk(row, height), walk(column, width)) {
        (Some(row), Some(column)) => image[row * width + column],
        _ => 0.0,
    }
}
