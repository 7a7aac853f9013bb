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

use std::ops::Range;

use super::filters::{Packed, Reading};
use super::isa::{Isa, Simd, Work};
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

/// The weights `[co / 8][ci / 8][8][3][3]` that a filter bank is made of, in memory of their own or in the
/// bank, where they are the first of each eight rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bases<'a> {
    weights: &'a [f32],
    /// Numbers from one output's to the next's.
    apart: usize,
}

/// Numbers of a pair of base channels.
const BASE: usize = SIZE * 9;

impl<'a> Bases<'a> {
    /// Those of a bank `[co][ci][3][3]`.
    pub fn of_bank(weights: &'a [f32], ci: usize) -> Self {
        Self {
            weights,
            apart: SIZE * ci * 9,
        }
    }

    /// These weights themselves, for a bank of `ci` input channels.
    pub fn alone(weights: &'a [f32], ci: usize) -> Self {
        Self {
            weights,
            apart: ci * 9,
        }
    }

    fn get(self, reading: Reading, output: usize, input: usize) -> &'a [f32] {
        let [o, i] = reading.turn([output, input]);
        &self.weights[o * self.apart + i * BASE..][..BASE]
    }
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
    /// Transforms, splits and packs the filters of a bank `[co][ci][3][3]`, in f64.
    pub fn new(bases: Bases, [co, ci]: [usize; 2], reading: Reading, isa: Isa) -> Self {
        let [halves, quarters] = Sources::of(reading);
        let shape = reading.turn([co, ci]);
        Self {
            halves: packed::<2>(bases, reading, &halves, shape, isa),
            quarters: packed::<4>(bases, reading, &quarters, shape, isa),
        }
    }
}

/// All matrices that fall into `COUNT` parts.
fn packed<const COUNT: usize>(
    bases: Bases,
    reading: Reading,
    sources: &Sources,
    [outputs, inputs]: [usize; 2],
    isa: Isa,
) -> Packed {
    let shape = [outputs / COUNT, inputs / COUNT];
    let matrices = sources.matrices * COUNT;
    Packed::new(shape, isa, matrices, |outputs, rows, to| {
        isa.run(Fill::<COUNT> {
            bases,
            reading,
            sources,
            outputs,
            inputs: inputs / SIZE,
            rows,
            to,
        });
    })
}

/// Of which values of the eight base filters the parts of the matrices are made.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    /// Parts of a matrix.
    count: usize,
    /// Matrices.
    pub matrices: usize,
    /// `[matrix][output component][input component]`: the values, each at `point · 8 + filter`, of which
    /// element they are the sums with [`SIGNS`].
    sources: Vec<[usize; 4]>,
}

impl Sources {
    /// Halves and quarters.
    pub fn of(reading: Reading) -> [Self; 2] {
        let indices = Group::P4m.filter_indices(3);
        [(false, 2, ORBITS), (true, 4, QUARTERS / 4)].map(|(inner, count, matrices)| {
            let size = SIZE / count;
            // One point of an orbit stands for the others.
            let share = if inner { 1 } else { ORBIT };
            let stands =
                |point: &Point| point.inner == inner && point.slot.is_multiple_of(share * count);
            let mut sources = vec![[0; 4]; matrices * size * size];
            for (p, point) in POINTS.iter().enumerate().filter(|(_, point)| stands(point)) {
                let matrix = point.slot / (share * count);
                for (a, b) in (0..size).flat_map(|a| (0..size).map(move |b| (a, b))) {
                    let from = &mut sources[(matrix * size + a) * size + b];
                    for (j, from) in from.iter_mut().enumerate().take(count) {
                        let pair = [point.order[a], point.order[b + j * size]];
                        *from = source(&indices, reading, p, pair);
                    }
                }
            }
            Self {
                count,
                matrices,
                sources,
            }
        })
    }

    /// Components of a part.
    fn size(&self) -> usize {
        SIZE / self.count
    }

    /// The sources of an element.
    #[inline(always)]
    pub fn at(&self, matrix: usize, a: usize, b: usize) -> &[usize] {
        let size = self.size();
        &self.sources[(matrix * size + a) * size + b][..self.count]
    }
}

/// Which value of a base filter, at `point · 8 + filter`, is that of the filter of a pair of components, of the
/// output and of the input, at point `p`: a motion takes taps to taps, and so points to points.
fn source(indices: &[usize], reading: Reading, p: usize, pair: [usize; 2]) -> usize {
    let [row, column] = reading.turn(pair);
    let taps = &indices[(row * SIZE + column) * 9..][..9];
    let tap = |at: usize| match reading {
        Reading::Flipped => taps[8 - at] % 9,
        Reading::Forward | Reading::Transposed => taps[at] % 9,
    };
    // The first row's ends are in one column if rows become columns.
    let (first, end) = (tap(0), tap(2));
    let axes = match first % 3 == end % 3 {
        true => [p % 4, p / 4],
        false => [p / 4, p % 4],
    };
    let reversed = [first / 3 == 2, first % 3 == 2];
    let mut point = 0;
    for (place, reversed) in axes.into_iter().zip(reversed) {
        // Reversing taps exchanges the points 0 and ∞.
        point = 4 * point + if reversed { [3, 1, 2, 0][place] } else { place };
    }
    point * SIZE + taps[0] / 9
}

/// A block of parts.
struct Fill<'a, const COUNT: usize> {
    bases: Bases<'a>,
    reading: Reading,
    sources: &'a Sources,
    outputs: Range<usize>,
    /// Base channels that are summed over.
    inputs: usize,
    rows: usize,
    to: &'a mut [f32],
}

impl<const COUNT: usize> Work for Fill<'_, COUNT> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let size = SIZE / COUNT;
        let Range { start, end } = self.outputs;
        for input in 0..self.inputs {
            for base in start / size..end.div_ceil(size) {
                let u = values(self.bases.get(self.reading, base, input));
                for row in start.max(base * size)..end.min((base + 1) * size) {
                    for matrix in 0..self.sources.matrices {
                        for b in 0..size {
                            let from = self.sources.at(matrix, row - base * size, b);
                            let mut sums = [0.0; COUNT];
                            for j in 0..COUNT {
                                for part in 0..COUNT {
                                    // A power of two, so that whole numbers stay exact.
                                    sums[part] += SIGNS[part][j] * u[from[j]] / COUNT as f64;
                                }
                            }
                            for part in 0..COUNT {
                                let matrix = matrix * COUNT + part;
                                let column = (matrix * self.inputs + input) * size + b;
                                self.to[column * self.rows + row - start] = sums[part] as f32;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The values of eight filters at the points of F(2,3): `[point][filter]`.
#[inline(always)]
fn values(base: &[f32]) -> [f64; 16 * SIZE] {
    let mut taps = [[0.0; SIZE]; 9];
    for (filter, from) in base.chunks_exact(9).enumerate() {
        for tap in 0..9 {
            taps[tap][filter] = f64::from(from[tap]);
        }
    }
    let columns = [0, 1, 2].map(|x| Two::prepare([taps[x], taps[3 + x], taps[6 + x]]));
    let mut values = [0.0; 16 * SIZE];
    for (i, row) in values.chunks_exact_mut(4 * SIZE).enumerate() {
        let points = Two::prepare([columns[0][i], columns[1][i], columns[2][i]]);
        row.copy_from_slice(points.as_flattened());
    }
    values
}
