//! Filters of a p4m group convolution in F(2,3)'s Winograd space, where mirrors split them.
//!
//! The filter bank `W[g][h]`, `g` and `h` being components of output and input, is tied:
//! `W[ag][ah] = a·W[g][h]` for every motion `a` of the group. Reversing the taps of a filter along
//! an axis exchanges its values at the points 0 and ∞ and keeps those at 1 and −1, so motions
//! permute the sixteen points of a tile as they permute pixels, `U_p[ag][ah] = U_q[g][h]` with the
//! point `q` that `a` moves to `p`. Two things follow.
//!
//! - Points that motions take to each other have the same matrix, up to the order of components.
//! - A matrix commutes with the motions that keep its point. Every point is kept by a mirror, `s`:
//!   the corners by those along a diagonal, the others by those along an axis. Then the sums and
//!   the differences of components `h` and `sh` do not mix, and the matrix falls into two of half
//!   its size, half the work. The four inner points are kept by both mirrors along the axes, and
//!   their matrices fall into four.
//!
//! Per tile that leaves 12 · 1/2 + 4 · 1/4 of 16 products, 448 multiplications for a pair of base
//! channels instead of 1024 (and 2304 by the definition). Tiles are transformed as ever: nothing
//! is asked of images or gradients, and the same holds for the transposed filters.

use super::filters::{Packed, Reading};
use super::isa::Isa;
use super::tile::{Tile, Two};
use crate::group::Group;

/// Components of a p4m feature.
pub(crate) const SIZE: usize = Group::P4m.size();

/// Orbits of the points whose matrices fall into halves, and points of each.
const ORBITS: usize = 3;
pub(crate) const ORBIT: usize = 4;
/// Products with halves, and with quarters.
pub(crate) const HALVES: usize = 2 * ORBITS * ORBIT;
pub(crate) const QUARTERS: usize = 4 * 4;

/// How the components at a point of a tile are split.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    /// Whether into four parts.
    pub inner: bool,
    /// Product of the first part. The others follow at a distance of [`ORBIT`] for halves, at once
    /// for quarters.
    pub slot: usize,
    /// Components, so that the `k`-th, and those at whole parts behind it, are combined; in an
    /// order that gives all points of an orbit the same matrices.
    pub order: [usize; SIZE],
}

/// A point whose matrix falls into halves.
const fn outer(orbit: usize, place: usize, order: [usize; SIZE]) -> Point {
    Point {
        inner: false,
        slot: orbit * 2 * ORBIT + place,
        order,
    }
}

/// A point whose matrix falls into quarters.
const fn inner(place: usize, order: [usize; SIZE]) -> Point {
    Point {
        inner: true,
        slot: 4 * place,
        order,
    }
}

/// The points of a tile, row by row.
pub(crate) const POINTS: [Point; 16] = [
    outer(0, 0, [0, 1, 2, 3, 5, 6, 7, 4]),
    outer(1, 0, [0, 1, 2, 3, 6, 7, 4, 5]),
    outer(2, 0, [0, 1, 2, 3, 6, 7, 4, 5]),
    outer(0, 1, [3, 0, 1, 2, 6, 7, 4, 5]),
    outer(1, 1, [1, 2, 3, 0, 5, 6, 7, 4]),
    inner(0, [0, 1, 4, 5, 6, 7, 2, 3]),
    inner(1, [0, 1, 4, 5, 6, 7, 2, 3]),
    outer(1, 2, [3, 0, 1, 2, 7, 4, 5, 6]),
    outer(2, 1, [1, 2, 3, 0, 5, 6, 7, 4]),
    inner(2, [1, 2, 7, 4, 5, 6, 3, 0]),
    inner(3, [0, 1, 4, 5, 6, 7, 2, 3]),
    outer(2, 2, [3, 0, 1, 2, 7, 4, 5, 6]),
    outer(0, 2, [1, 2, 3, 0, 4, 5, 6, 7]),
    outer(1, 3, [2, 3, 0, 1, 4, 5, 6, 7]),
    outer(2, 3, [2, 3, 0, 1, 4, 5, 6, 7]),
    outer(0, 3, [2, 3, 0, 1, 7, 4, 5, 6]),
];

/// Signs of the four parts' sums.
pub(crate) const SIGNS: [[f64; 4]; 4] = [
    [1.0, 1.0, 1.0, 1.0],
    [1.0, -1.0, 1.0, -1.0],
    [1.0, 1.0, -1.0, -1.0],
    [1.0, -1.0, -1.0, 1.0],
];

/// Whether `[co][ci][3][3]` is bit for bit the filter bank of a p4m group convolution.
pub(crate) fn are_tied(weights: &[f32], [co, ci]: [usize; 2]) -> bool {
    if !(co.is_multiple_of(SIZE) && ci.is_multiple_of(SIZE)) {
        return false;
    }
    let indices = Group::P4m.filter_indices(3);
    let (bank, row) = (SIZE * ci * 9, ci * 9);
    weights.chunks_exact(bank).all(|bank| {
        let (first, _) = bank.split_at(row);
        bank.chunks_exact(row).enumerate().all(|(g, moved)| {
            let indices = &indices[g * SIZE * 9..][..SIZE * 9];
            let pairs = moved
                .chunks_exact(SIZE * 9)
                .zip(first.chunks_exact(SIZE * 9));
            pairs.into_iter().all(|(moved, first)| {
                let same = |(x, &at): (&f32, &usize)| x.to_bits() == first[at].to_bits();
                moved.iter().zip(indices).all(same)
            })
        })
    })
}

/// Filters of a p4m group convolution, split by mirrors.
#[derive(Debug)]
pub(crate) struct Tied {
    /// `[orbit][sums, differences]`: matrices of four components.
    pub halves: Packed,
    /// `[inner point][signs]`: matrices of two components.
    pub quarters: Packed,
}

impl Tied {
    /// Transforms, splits and packs weights that [are tied](are_tied), in f64.
    pub fn new(weights: &[f32], [co, ci]: [usize; 2], reading: Reading, isa: Isa) -> Self {
        let (outputs, inputs) = match reading {
            Reading::Forward => (co, ci),
            Reading::Transposed | Reading::Flipped => (ci, co),
        };
        let part = |inner: bool, count: usize, matrices: usize| {
            let size = SIZE / count;
            let shape = [outputs / count, inputs / count];
            Packed::stack(shape, isa, matrices, |output, input, to| {
                let base = [output, input].map(|row| row / size * SIZE);
                let at = [output % size, input % size];
                let filter = |g: usize, h: usize| {
                    reading.taps(weights, [co, ci], [base[0] + g, base[1] + h])
                };
                for (p, point) in POINTS.iter().enumerate() {
                    // One point of an orbit stands for the others.
                    let share = if inner { 1 } else { ORBIT };
                    if point.inner == inner && point.slot.is_multiple_of(share) {
                        let found = split(p, count, at, filter);
                        for (part, &x) in found.iter().take(count).enumerate() {
                            to[point.slot / share + part] = x as f32;
                        }
                    }
                }
            })
        };
        Self {
            halves: part(false, 2, HALVES / ORBIT),
            quarters: part(true, 4, QUARTERS),
        }
    }
}

/// Element `at` of the `count` parts of the matrix at point `p`.
fn split(
    p: usize,
    count: usize,
    at: [usize; 2],
    filter: impl Fn(usize, usize) -> [f32; 9],
) -> [f64; 4] {
    let order = POINTS[p].order;
    let size = SIZE / count;
    let mut parts = [0.0; 4];
    for j in 0..count {
        let u = value(p, &filter(order[at[0]], order[at[1] + j * size]));
        for (part, signs) in parts.iter_mut().zip(SIGNS).take(count) {
            // A power of two, so that whole numbers stay exact.
            *part += signs[j] * u / count as f64;
        }
    }
    parts
}

/// A filter's value at point `p` of F(2,3).
fn value(p: usize, taps: &[f32; 9]) -> f64 {
    let g = Two::filter();
    let mut sum = 0.0;
    for y in 0..3 {
        for x in 0..3 {
            sum += g[p / 4][y] * g[p % 4][x] * f64::from(taps[3 * y + x]);
        }
    }
    sum
}
