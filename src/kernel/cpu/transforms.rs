//! A tile's ways into Winograd space and out of it, along both axes.

use super::isa::{Line, Simd};
use super::tile::{Tile, Two};

/// The columns of a tile of `$n` lines square, each transformed to `$m` numbers: `[$m][$n]`, to be
/// transformed once more along the rows. `$line` is where row `$y` and column `$x` of the tile are.
macro_rules! columns {
    ($w:ident::$along:ident($s:ident), $n:ident => $m:ident, |$y:ident, $x:ident| $line:expr) => {{
        let zero = $s.splat(0.0);
        let mut half = [[zero; $n]; $m];
        for $x in 0..$n {
            let mut column = [zero; $n];
            for $y in 0..$n {
                column[$y] = $s.load($line);
            }
            let column = $w::$along($s, column);
            for $y in 0..$m {
                half[$y][$x] = column[$y];
            }
        }
        half
    }};
}

/// `Bᵀ d B` of one tile, or `A y Aᵀ` for the adjoint; a point of the result goes `point` lines behind
/// the one before.
#[inline(always)]
pub(crate) fn enter<S, W, const I: usize, const O: usize, const ADJOINT: bool>(
    s: S,
    from: &[Line],
    cols: usize,
    to: &mut [Line],
    point: usize,
) where
    S: Simd,
    W: Tile<I, O>,
{
    if ADJOINT {
        let half = columns!(W::spread(s), O => I, |y, x| &from[y * cols + x]);
        for y in 0..I {
            points(s, W::spread(s, half[y]), &mut to[y * I * point..], point);
        }
    } else {
        let half = columns!(W::analyse(s), I => I, |y, x| &from[y * cols + x]);
        for y in 0..I {
            points(s, W::analyse(s, half[y]), &mut to[y * I * point..], point);
        }
    }
}

/// Stores the points of a row.
#[inline(always)]
fn points<S: Simd, const I: usize>(s: S, row: [S::V; I], to: &mut [Line], point: usize) {
    for x in 0..I {
        s.store(row[x], &mut to[x * point]);
    }
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
    let half = columns!(W::combine(s), I => O, |y, x| &from[(y * I + x) * point]);
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

/// `B m Bᵀ` of one tile, in row and column `[ty, tx]` of tiles, `across` in a row; added where
/// tiles overlap, in `I - O` rows and columns. `open` holds the last such columns of the tile to the left.
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
    let half = columns!(W::synthesise(s), I => I, |y, x| &from[(y * I + x) * point]);
    let (last, shared) = (tx + 1 == across, I - O);
    for y in 0..I {
        let mut m = W::synthesise(s, half[y]);
        let open = &mut open[shared * y..][..shared];
        for x in 0..shared {
            if tx > 0 {
                m[x] = s.add(s.load(&open[x]), m[x]);
            }
        }
        for x in 0..shared {
            s.store(m[O + x], &mut open[x]);
        }
        let to = &mut to[y * cols..];
        for x in 0..I {
            if x < O || last {
                let mut m = m[x];
                if y < shared && ty > 0 {
                    m = s.add(s.load(&to[x]), m);
                }
                s.store(m, &mut to[x]);
            }
        }
    }
}

/// Points of F(2,3) along an axis, and taps of a filter.
const POINTS: usize = 4;
const SIDE: usize = 3;

/// `Gᵀ m G` of the points of a filter: the gradient of its taps, of which `m` is that of its points.
#[inline(always)]
pub(crate) fn taps<S: Simd>(s: S, from: &[Line], point: usize, to: &mut [Line]) {
    let half = columns!(Two::learn(s), POINTS => SIDE, |y, x| &from[(y * POINTS + x) * point]);
    for y in 0..SIDE {
        let row = Two::learn(s, half[y]);
        for x in 0..SIDE {
            s.store(row[x], &mut to[y * SIDE + x]);
        }
    }
}
