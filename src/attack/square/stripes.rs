use super::place::{Place, side, sign, tensor};
use super::{Limits, Squares};
use crate::base::Draws;
use burn::tensor::{Bool, Tensor, TensorData};

/// Squares of L∞: every pixel at ±ε from the original, one sign for each channel of a square; at
/// first one for each column.
///
/// (Andriushchenko et al. 2020, algorithm 2.)
#[derive(Clone, Copy, Debug)]
pub(in crate::attack) struct Stripes;

impl Squares for Stripes {
    fn start(&self, within: Limits, draws: &mut [Draws]) -> Tensor<4> {
        let [count, channels, _, width] = within.originals.dims();
        let signs = signs(draws, channels * width);
        moved(within, signs, [count, channels, 1, width])
    }

    fn change(&self, images: Tensor<4>, part: f64, to: Limits, draws: &mut [Draws]) -> Tensor<4> {
        let [count, channels, height, width] = images.dims();
        let size = [height, width];
        let side = (side(part, size).round() as usize).clamp(1, height.min(width));
        let mut inside = vec![false; count * height * width];
        for (plane, draws) in inside.chunks_mut(height * width).zip(&mut *draws) {
            Place::draw(side, size, draws).write(plane, width, |_, _| true);
        }
        let inside = TensorData::new(inside, [count, 1, height, width]);
        let inside = Tensor::<4, Bool>::from_data(inside, &images.device());
        let signs = signs(draws, channels);
        let moved = moved(to, signs, [count, channels, 1, 1]);
        images.mask_where(inside.expand([count, channels, height, width]), moved)
    }
}

// So many for each image.
fn signs(draws: &mut [Draws], count: usize) -> Vec<f64> {
    let each = |draws: &mut Draws| Vec::from_iter((0..count).map(|_| sign(draws)));
    draws.iter_mut().flat_map(each).collect()
}

fn moved(within: Limits, signs: Vec<f64>, shape: [usize; 4]) -> Tensor<4> {
    let signs = tensor(signs, shape, within.originals);
    within
        .bounds
        .clamp(within.originals.clone() + signs * within.epsilon)
}
