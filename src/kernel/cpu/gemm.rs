//! The micro-kernel: a stack of small matrix products, filters × sixteen-lane columns.

use std::ops::Range;

use super::filters::Packed;
use super::isa::{Line, Simd, Work};

/// `out[p][m][t] = Σ_c filters[p / share][m][c] · data[p][c][t]` for `t < count`, each element a
/// vector of sixteen images, summed in the order of `c`.
pub(crate) struct Products<'a> {
    /// The matrices.
    pub filters: &'a Packed,
    /// Of them these blocks of outputs.
    pub blocks: Range<usize>,
    /// Number of products.
    pub points: usize,
    /// Neighbouring products with the same matrix.
    pub share: usize,
    /// Columns in use.
    pub count: usize,
    /// Lines from one row of columns to the next, in `data` and `out`.
    pub stride: usize,
    /// `[point][input][stride]`, a point taking `data_point` lines.
    pub data: &'a [Line],
    /// Lines from one point of `data` to the next.
    pub data_point: usize,
    /// `[point][output of these blocks][stride]`.
    pub out: &'a mut [Line],
    /// Lines from one point of `out` to the next.
    pub out_point: usize,
}

impl Work for Products<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self {
            filters,
            blocks,
            points,
            share,
            count,
            stride,
            ..
        } = self;
        let wide = S::vectors(filters.rows);
        for p in 0..points {
            let data = &self.data[p * self.data_point..][..filters.inputs * stride];
            let out = &mut self.out[p * self.out_point..];
            let mut t = 0;
            while t < count {
                // Even parts: 4 is 2 and 2, not 3 and 1.
                let rest = count - t;
                let n = rest.div_ceil(rest.div_ceil(wide));
                for (at, block) in blocks.clone().enumerate() {
                    let u = filters.block(p / share, block);
                    let out = &mut out[at * filters.rows * stride + t..];
                    tile(s, filters.rows, n, u, &data[t..], stride, out);
                }
                t += n;
            }
        }
    }
}

/// Chooses the compiled size.
#[inline(always)]
fn tile<S: Simd>(
    s: S,
    rows: usize,
    n: usize,
    u: &[f32],
    data: &[Line],
    stride: usize,
    out: &mut [Line],
) {
    macro_rules! sizes {
        ($($m:literal: $($n:literal)*;)*) => {
            match (rows, n) {
                $($(($m, $n) => registers::<S, $m, $n>(s, u, data, stride, out),)*)*
                _ => unreachable!("micro-kernel of {rows} × {n}"),
            }
        };
    }
    sizes! {
        1: 1 2 3 4 5 6 7 8;
        2: 1 2 3 4 5 6 7 8;
        3: 1 2 3 4 5 6 7 8;
        4: 1 2 3 4 5 6;
        5: 1 2 3 4 5;
        6: 1 2 3 4;
        7: 1 2 3;
        8: 1 2 3;
    }
}

/// `M` filter rows times `N` columns, accumulated in registers.
#[inline(always)]
fn registers<S: Simd, const M: usize, const N: usize>(
    s: S,
    u: &[f32],
    data: &[Line],
    stride: usize,
    out: &mut [Line],
) {
    let sums = sums::<S, M, N>(s, u, data, stride);
    for m in 0..M {
        let out = &mut out[m * stride..][..N];
        for n in 0..N {
            s.store(sums[m][n], &mut out[n]);
        }
    }
}

/// How many weights ahead the memory is told of what will be read, where they come once for a few columns: a
/// processor does not look beyond a page by itself.
const AHEAD: usize = 512;

/// The most columns that are few.
const FEW: usize = 4;

/// The sums of `M` filter rows times `N` columns: `u` is `[c][M]`, and rows of `data` are `stride` lines
/// apart.
#[inline(always)]
pub(super) fn sums<S: Simd, const M: usize, const N: usize>(
    s: S,
    u: &[f32],
    data: &[Line],
    stride: usize,
) -> [[S::V; N]; M] {
    let zero = s.splat(0.0);
    let mut sums = [[zero; N]; M];
    for (u, data) in u.chunks_exact(M).zip(data.chunks(stride)) {
        let data = &data[..N];
        if N <= FEW {
            s.prefetch(u.as_ptr().wrapping_add(AHEAD));
        }
        let mut x = [zero; N];
        for n in 0..N {
            x[n] = s.load(&data[n]);
        }
        for m in 0..M {
            let w = s.splat(u[m]);
            for n in 0..N {
                sums[m][n] = s.fma(w, x[n], sums[m][n]);
            }
        }
    }
    sums
}
