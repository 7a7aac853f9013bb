//! Tensors as rows, one for each image: choosing some and putting them back.

use crate::base::indices;
use burn::tensor::kind::Basic;
use burn::tensor::{Bool, Int, Tensor};

/// The rows at these positions.
pub(crate) fn select<const D: usize, K: Basic>(
    tensor: &Tensor<D, K>,
    positions: &[usize],
) -> Tensor<D, K> {
    if is_whole(positions, tensor.dims()[0]) {
        return tensor.clone();
    }
    tensor
        .clone()
        .select(0, indices(positions.iter().copied(), &tensor.device()))
}

/// The numbers at these positions.
pub(crate) fn each<T: Copy>(numbers: &[T], positions: &[usize]) -> Vec<T> {
    positions.iter().map(|&at| numbers[at]).collect()
}

/// These rows of two tensors of as many rows, one after the other.
pub(crate) fn either<const D: usize>(pair: [Tensor<D>; 2], rows: &Tensor<1, Int>) -> Tensor<D> {
    Tensor::cat(pair.to_vec(), 0).select(0, rows.clone())
}

/// For [`either`]: the second tensor's rows where `taken`.
pub(crate) fn rows_of_second(taken: &Tensor<1, Bool>) -> Tensor<1, Int> {
    let count = taken.dims()[0];
    indices(0..count, &taken.device()) + taken.clone().int() * count as i64
}

/// The tensor with these rows in place of those at `positions`.
pub(crate) fn replace<const D: usize, K: Basic>(
    tensor: Tensor<D, K>,
    positions: &[usize],
    rows: Tensor<D, K>,
) -> Tensor<D, K> {
    let count = tensor.dims()[0];
    if is_whole(positions, count) {
        return rows;
    }
    let mut from: Vec<usize> = (0..count).collect();
    for (index, &position) in positions.iter().enumerate() {
        from[position] = count + index;
    }
    let from = indices(from, &tensor.device());
    Tensor::cat(vec![tensor, rows], 0).select(0, from)
}

/// Where the numbers are wanted ones.
pub(crate) fn positions(numbers: &[f32], wanted: impl Fn(f32) -> bool) -> Vec<usize> {
    let at = 0..numbers.len();
    at.filter(|&at| wanted(numbers[at])).collect()
}

fn is_whole(positions: &[usize], count: usize) -> bool {
    positions.len() == count && positions.iter().enumerate().all(|(at, &p)| at == p)
}
