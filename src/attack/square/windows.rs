use super::pattern::Pattern;
use super::place::{Place, side, sign, tensor};
use super::{L1, Limits, Squares};
use crate::attack::Norm;
use crate::attack::norm::one_where_zero;
use crate::base::{Draws, widened};
use burn::tensor::Tensor;

/// Squares of the norms that are sums over pixels: one window takes over the length of another one,
/// which is emptied, and all that the perturbation has not used.
///
/// (L2: Andriushchenko et al. 2020, algorithm 3. L1: Croce, Hein 2021, section 4.)
#[derive(Clone, Copy, Debug)]
pub(in crate::attack) enum Windows {
    /// Those of L1.
    L1,
    /// Those of L2.
    L2,
}

impl Squares for Windows {
    /// A grid of five by five patterns, or more where the side of the image is not divided by 5.
    fn start(&self, within: Limits, draws: &mut [Draws]) -> Tensor<4> {
        let [count, channels, height, width] = within.originals.dims();
        let side = (height.min(width) / 5).max(1);
        let pattern = self.pattern(side);
        let mut changes = vec![0.0f64; count * channels * height * width];
        for (image, draws) in changes.chunks_mut(channels * height * width).zip(draws) {
            for top in tiles(height, side) {
                for left in tiles(width, side) {
                    let value = turned(&pattern, draws);
                    for plane in image.chunks_mut(height * width) {
                        let sign = sign(draws);
                        let place = Place::at(top, left, side);
                        place.write(plane, width, |row, column| sign * value(row, column));
                    }
                }
            }
        }
        let originals = widened(within.originals.clone());
        self.bring(tensor(changes, originals.dims(), &originals), within)
    }

    fn change(&self, images: Tensor<4>, part: f64, to: Limits, draws: &mut [Draws]) -> Tensor<4> {
        let [count, channels, height, width] = images.dims();
        let size = [height, width];
        // Odd, where the image is large enough.
        let side = ((side(part, size).round() as usize).max(3) | 1).min(height.min(width));
        let pattern = self.pattern(side);
        let plane = height * width;
        let (mut filled, mut kept) = (vec![0.0f32; count * plane], vec![1.0f32; count * plane]);
        let mut patterns = vec![0.0f64; count * plane];
        let mut signs = Vec::with_capacity(count * channels);
        for (at, draws) in draws.iter_mut().enumerate() {
            let of_image = at * plane..(at + 1) * plane;
            let [to, from] = [0, 1].map(|_| Place::draw(side, size, draws));
            to.write(&mut filled[of_image.clone()], width, |_, _| 1.0);
            for place in [to, from] {
                place.write(&mut kept[of_image.clone()], width, |_, _| 0.0);
            }
            to.write(&mut patterns[of_image], width, turned(&pattern, draws));
            signs.extend((0..channels).map(|_| sign(draws)));
        }
        let change = widened(images) - widened(to.originals.clone());
        let planes = [count, 1, height, width];
        let [filled, kept] = [filled, kept].map(|values| tensor(values, planes, &change));
        let patterns = tensor(patterns, planes, &change);
        let signs = tensor(signs, [count, channels, 1, 1], &change);
        let before = change.clone() * filled;
        let before = before.clone() / one_where_zero(self.lengths(before, &[2, 3]));
        let fresh = patterns * signs + before;
        let fresh = fresh.clone() / one_where_zero(self.lengths(fresh, &[2, 3]));
        let rest = change.clone() * kept;
        let fresh = fresh * self.budget(change, &rest, to.epsilon);
        self.bring(rest + fresh, to)
    }
}

impl Windows {
    fn pattern(self, side: usize) -> Pattern {
        match self {
            Self::L1 => Pattern::new(side, 4, 1),
            Self::L2 => Pattern::new(side, 2, 2),
        }
    }

    fn lengths(self, changes: Tensor<4>, dims: &[usize]) -> Tensor<4> {
        match self {
            Self::L1 => changes.abs().sum_dims(dims),
            Self::L2 => changes.square().sum_dims(dims).sqrt(),
        }
    }

    // The length of each channel of the new window, given the change and what is kept of it: that of
    // both windows, and a share of what is left to the radius.
    fn budget(self, change: Tensor<4>, rest: &Tensor<4>, epsilon: f64) -> Tensor<4> {
        let channels = change.dims()[1] as f64;
        let whole = self.lengths(change.clone(), &[1, 2, 3]);
        let windows = self.lengths(change - rest.clone(), &[2, 3]);
        let share = |left: Tensor<4>| left.clamp_min(0.0) / channels;
        match self {
            // As published, times the number of channels: the projection takes what is too much.
            Self::L1 => (share(whole.neg() + epsilon) + windows) * channels,
            Self::L2 => (share(whole.square().neg() + epsilon * epsilon) + windows.square()).sqrt(),
        }
    }

    // Images with changes brought into ball and bounds. In L2 every change has length ε before it is
    // clipped.
    fn bring(self, change: Tensor<4>, within: Limits) -> Tensor<4> {
        let originals = within.originals;
        let change = match self {
            Self::L1 => change,
            Self::L2 => {
                let length = one_where_zero(self.lengths(change.clone(), &[1, 2, 3]));
                change * (length.recip() * within.epsilon)
            }
        };
        let moved = (widened(originals.clone()) + change).cast(originals.dtype());
        match self {
            Self::L1 => L1.project(moved, within),
            Self::L2 => within.bounds.clamp(moved),
        }
    }
}

// Where tiles of this side begin: as many as there is room for, in the middle.
fn tiles(size: usize, side: usize) -> impl Iterator<Item = usize> {
    let count = size / side;
    let first = (size - count * side) / 2;
    (0..count).map(move |tile| first + tile * side)
}

// The pattern, or its transpose, as likely.
fn turned<'a>(pattern: &'a Pattern, draws: &mut Draws) -> impl Fn(usize, usize) -> f64 + use<'a> {
    let transposed = draws.chance(0.5);
    move |row, column| match transposed {
        true => pattern.at(column, row),
        false => pattern.at(row, column),
    }
}
