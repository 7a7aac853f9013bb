use crate::base::Draws;
use burn::tensor::{Tensor, TensorData};

/// A square of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    top: usize,
    left: usize,
    side: usize,
}

impl Place {
    /// One of all places that a square of this side has in an image of this size.
    pub fn draw(side: usize, [height, width]: [usize; 2], draws: &mut Draws) -> Self {
        let mut below = |size: usize| draws.below((size - side + 1) as u64) as usize;
        Self {
            top: below(height),
            left: below(width),
            side,
        }
    }

    /// The square of this side whose first corner is there.
    pub fn at(top: usize, left: usize, side: usize) -> Self {
        Self { top, left, side }
    }

    /// Writes a value for each row and column of the square into a plane of this width.
    pub fn write<T>(self, plane: &mut [T], width: usize, value: impl Fn(usize, usize) -> T) {
        for row in 0..self.side {
            let from = (self.top + row) * width + self.left;
            let cells = plane[from..from + self.side].iter_mut();
            cells
                .enumerate()
                .for_each(|(column, cell)| *cell = value(row, column));
        }
    }
}

/// The side of a square that covers this part of an image, not rounded.
pub(super) fn side(part: f64, [height, width]: [usize; 2]) -> f64 {
    (part * (height * width) as f64).sqrt()
}

/// 1 or -1, as likely.
pub(super) fn sign(draws: &mut Draws) -> f64 {
    match draws.chance(0.5) {
        true => 1.0,
        false => -1.0,
    }
}

/// Numbers from the host as a tensor like another one.
pub(super) fn tensor<T: burn::tensor::Element>(
    numbers: Vec<T>,
    shape: [usize; 4],
    like: &Tensor<4>,
) -> Tensor<4> {
    Tensor::from_data(
        TensorData::new(numbers, shape),
        (&like.device(), like.dtype()),
    )
}
