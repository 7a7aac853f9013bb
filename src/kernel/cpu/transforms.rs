//! A tile's ways into Winograd space and out of it, along both axes.

use super::isa::{Line, Simd};
use super::tile::Tile;

/// A transform of the columns of `A` × `A` lines, which are `down` and `right` apart.
#[inline(always)]
fn columns<S: Simd, const A: usize, const B: usize>(
    s: S,
    from: &[Line],
    [down, right]: [usize; 2],
    transform: impl Fn(S, [S::V; A]) -> [S::V; B],
) -> [[S::V; A]; B] {
    let zero = s.splat(0.0);
    let mut half = [[zero; A]; B];
    for x in 0..A {
        let mut d = [zero; A];
        for y in 0..A {
            d[y] = s.load(&from[y * down + x * right]);
        }
        let d = transform(s, d);
        for y in 0..B {
            half[y][x] = d[y];
        }
    }
    half
}

/// A transform of rows, whose results are the points of a tile, `point` lines apart.
#[inline(always)]
fn points<S: Simd, const A: usize, const I: usize>(
    s: S,
    half: [[S::V; A]; I],
    to: &mut [Line],
    point: usize,
    transform: impl Fn(S, [S::V; A]) -> [S::V; I],
) {
    for y in 0..I {
        let d = transform(s, half[y]);
        for x in 0..I {
            s.store(d[x], &mut to[(y * I + x) * point]);
        }
    }
}

/// `Bᵀ d B` of one tile; a point of the result goes `point` lines behind the one before.
#[inline(always)]
pub(crate) fn analyse<S: Simd, W: Tile<I, O>, const I: usize, const O: usize>(
    s: S,
    from: &[Line],
    cols: usize,
    to: &mut [Line],
    point: usize,
) {
    let half = columns(s, from, [cols, 1], W::analyse);
    points(s, half, to, point, W::analyse);
}

/// `Aᵀ m A` of one tile, with bias and relu.
#[inline(always)]
pub(crate) fn combine<S: Simd, W: Tile<I, O>, const I: usize, const O: usize>(
    s: S,
    from: &[Line],
    point: usize,
    (bias, relu): (S::V, bool),
    to: &mut [Line],
    cols: usize,
) {
    let half = columns(s, from, [I * point, point], W::combine);
    for y in 0..O {
        let m = W::combine(s, half[y]);
        for x in 0..O {
            let mut m = s.add(m[x], bias);
            if relu {
                m = s.relu(m);
            }
            s.store(m, &mut to[y * cols + x]);
        }
    }
}

/// `A y Aᵀ` of one tile; a point of the result goes `point` lines behind the one before.
#[inline(always)]
pub(crate) fn spread<S: Simd, W: Tile<I, O>, const I: usize, const O: usize>(
    s: S,
    from: &[Line],
    cols: usize,
    to: &mut [Line],
    point: usize,
) {
    let half = columns(s, from, [cols, 1], W::spread);
    points(s, half, to, point, W::spread);
}

/// `B m Bᵀ` of one tile, in row and column `[ty, tx]` of tiles, `across` in a row; added where
/// tiles overlap. `open` holds the last two columns of the tile to the left: `[I][2]`.
#[inline(always)]
pub(crate) fn synthesise<S: Simd, W: Tile<I, O>, const I: usize, const O: usize>(
    s: S,
    from: &[Line],
    point: usize,
    ([ty, tx], across): ([usize; 2], usize),
    open: &mut [Line],
    to: &mut [Line],
    cols: usize,
) {
    let half = columns(s, from, [I * point, point], W::synthesise);
    let last = tx + 1 == across;
    for y in 0..I {
        let mut m = W::synthesise(s, half[y]);
        let open = &mut open[2 * y..][..2];
        for x in 0..2 {
            if tx > 0 {
                m[x] = s.add(s.load(&open[x]), m[x]);
            }
        }
        for x in 0..2 {
            s.store(m[O + x], &mut open[x]);
        }
        let to = &mut to[y * cols..];
        for x in 0..I {
            if x < O || last {
                let mut m = m[x];
                if y < 2 && ty > 0 {
                    m = s.add(s.load(&to[x]), m);
                }
                s.store(m, &mut to[x]);
            }
        }
    }
}
