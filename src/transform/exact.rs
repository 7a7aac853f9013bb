//! Transforms that move pixels and never change one. They act on the last two axes (height,
//! width) of a tensor of any rank, so that the planes of group features
//! `[batch, channel, group, height, width]` are moved by the same functions as images.

use super::Border;
use crate::base::indices;
use crate::group::Element;
use burn::tensor::{Bool, Tensor, TensorData};

/// Turns images by `quarter_turns` · 90° counter-clockwise as displayed; negative numbers turn
/// clockwise. `numpy.rot90` with the last two axes.
///
/// # Shapes
///
/// - input: `[.., height, width]`
/// - output: `[.., width, height]` for an odd number of quarter turns, else as the input
///
/// # Panics
///
/// Panics if the tensor has fewer than two axes.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::transform::rot90;
///
/// let device = fireproof::device();
/// let wide = Tensor::<2>::from_floats([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &device);
/// let tall = Tensor::<2>::from_floats([[3.0, 6.0], [2.0, 5.0], [1.0, 4.0]], &device);
/// rot90(wide, 1).to_data().assert_eq(&tall.to_data(), true);
/// ```
pub fn rot90<const D: usize>(images: Tensor<D>, quarter_turns: i32) -> Tensor<D> {
    plane_axes::<D>();
    Element::new(false, quarter_turns.rem_euclid(4) as usize).act_on_planes(images)
}

/// Exchanges left and right.
///
/// # Panics
///
/// Panics if the tensor has fewer than two axes.
pub fn flip_horizontal<const D: usize>(images: Tensor<D>) -> Tensor<D> {
    images.flip([plane_axes::<D>()[1]])
}

/// Exchanges left and right of each image of which that is said.
pub(super) fn flip_some(images: Tensor<4>, flips: &[bool]) -> Tensor<4> {
    match (flips.contains(&true), flips.contains(&false)) {
        (false, _) => images,
        (true, false) => flip_horizontal(images),
        (true, true) => {
            let shape = images.dims();
            let flips = TensorData::new(flips.to_vec(), [shape[0], 1, 1, 1]);
            let flips = Tensor::<4, Bool>::from_data(flips, &images.device()).expand(shape);
            images.clone().mask_where(flips, flip_horizontal(images))
        }
    }
}

/// Exchanges top and bottom.
///
/// # Panics
///
/// Panics if the tensor has fewer than two axes.
pub fn flip_vertical<const D: usize>(images: Tensor<D>) -> Tensor<D> {
    images.flip([plane_axes::<D>()[0]])
}

/// Shifts all images by whole pixels, `right` and `down` (negative: left and up); `border` fills
/// what becomes free.
///
/// # Panics
///
/// Panics if the tensor has fewer than two axes.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::transform::{Border, shift};
///
/// let device = fireproof::device();
/// let row = Tensor::<2>::from_floats([[1.0, 2.0, 3.0]], &device);
/// let moved = Tensor::<2>::from_floats([[0.0, 1.0, 2.0]], &device);
/// shift(row, 1, 0, Border::Zeros).to_data().assert_eq(&moved.to_data(), true);
/// ```
pub fn shift<const D: usize>(
    images: Tensor<D>,
    right: i64,
    down: i64,
    border: Border,
) -> Tensor<D> {
    let [height_axis, width_axis] = plane_axes::<D>();
    let shape = images.dims();
    let (height, width) = (shape[height_axis], shape[width_axis]);
    let planes: usize = shape[..height_axis].iter().product();
    let sources = |length: usize, by: i64| -> Vec<usize> {
        (0..length as i64)
            .map(|at| border.index(at.saturating_sub(by), length))
            .collect()
    };
    let (rows, columns) = (sources(height, down), sources(width, right));
    let [framed_height, framed_width] = [height, width].map(|side| side + 2 * border.ring());
    let row = |row: &usize| {
        let start = row * framed_width;
        columns.iter().map(move |column| start + column)
    };
    let table = indices(rows.iter().flat_map(row), &images.device());
    border
        .frame(images)
        .reshape([planes, framed_height * framed_width])
        .select(1, table)
        .reshape(shape)
}

fn plane_axes<const D: usize>() -> [usize; 2] {
    assert!(D >= 2, "a plane has two axes, this tensor has {D}");
    [D - 2, D - 1]
}
