//! Matrix products of few rows, which read the other matrix once, where it is.

use rayon::prelude::*;

use super::isa::{Isa, LANES, Simd, Work};
use super::matmul::Matrix;
use super::shared::Shared;

/// The most rows: more are worth bringing columns together for.
pub(super) const ROWS: usize = 4;
/// Vectors across a unit of work.
const WIDE: usize = 4;

/// Multiplications below which a thread is not worth waking.
const SMALL: usize = 1 << 18;

/// [`matmul`](super::matmul::matmul) for at most [`ROWS`] rows, to the bit, of sizes that fit.
///
/// `b` has neighbours in its rows or in its columns.
pub(super) fn few(isa: Isa, a: Matrix, b: Matrix, bias: Option<&[f32]>, relu: bool, c: &mut [f32]) {
    let [rows, inner] = a.size();
    let columns = b.size()[1];
    let units = columns.div_ceil(WIDE * LANES);
    let c = Shared::new(c);
    let unit = |at| {
        let (first, end) = (at * WIDE * LANES, columns.min((at + 1) * WIDE * LANES));
        isa.run(Columns {
            a,
            b,
            bias,
            relu,
            first,
            end,
            c,
        });
    };
    if rows * columns * inner <= SMALL {
        (0..units).for_each(unit);
    } else {
        (0..units).into_par_iter().for_each(unit);
    }
}

struct Columns<'a> {
    a: Matrix<'a>,
    b: Matrix<'a>,
    bias: Option<&'a [f32]>,
    relu: bool,
    /// Columns of this unit.
    first: usize,
    end: usize,
    c: Shared,
}

impl Work for Columns<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        macro_rules! sizes {
            ($($m:literal)*) => {
                match self.a.size()[0] {
                    $($m => self.rows::<S, $m>(s),)*
                    rows => unreachable!("{rows} rows"),
                }
            };
        }
        sizes!(1 2 3 4);
    }
}

impl Columns<'_> {
    #[inline(always)]
    fn rows<S: Simd, const M: usize>(&self, s: S) {
        let mut column = self.first;
        if self.b.steps()[1] == 1 {
            while column + WIDE * LANES <= self.end {
                self.across::<S, M, WIDE>(s, column);
                column += WIDE * LANES;
            }
        }
        while column + LANES <= self.end {
            match self.b.steps()[1] {
                1 => self.across::<S, M, 1>(s, column),
                _ => self.down::<S, M>(s, column),
            }
            column += LANES;
        }
        if column < self.end {
            self.rest::<S, M>(s, column);
        }
    }

    /// Columns that are neighbours: `N` vectors of each row.
    #[inline(always)]
    fn across<S: Simd, const M: usize, const N: usize>(&self, s: S, column: usize) {
        let step = self.b.steps()[0];
        let mut sums = [[s.splat(0.0); N]; M];
        for p in 0..self.a.size()[1] {
            let b = &self.b.data()[p * step + column..][..N * LANES];
            let x: [S::V; N] = std::array::from_fn(|n| {
                s.load16(b[n * LANES..].first_chunk().expect("sixteen columns"))
            });
            for m in 0..M {
                let w = s.splat(self.a.at(m, p));
                for n in 0..N {
                    sums[m][n] = s.fma(w, x[n], sums[m][n]);
                }
            }
        }
        for n in 0..N {
            let sums = std::array::from_fn(|m| sums[m][n]);
            self.store::<S, M>(s, sums, column + n * LANES, LANES);
        }
    }

    /// Sixteen columns whose rows are neighbours: sixteen of these at a time, turned over.
    #[inline(always)]
    fn down<S: Simd, const M: usize>(&self, s: S, column: usize) {
        let (inner, step) = (self.a.size()[1], self.b.steps()[1]);
        let mut sums = [s.splat(0.0); M];
        let mut p = 0;
        while p + LANES <= inner {
            let mut x = [s.splat(0.0); LANES];
            for lane in 0..LANES {
                let from = &self.b.data()[p + (column + lane) * step..];
                x[lane] = s.load16(from.first_chunk().expect("sixteen rows"));
            }
            let x = s.transpose(x);
            for at in 0..LANES {
                for m in 0..M {
                    sums[m] = s.fma(s.splat(self.a.at(m, p + at)), x[at], sums[m]);
                }
            }
            p += LANES;
        }
        for p in p..inner {
            self.one(s, p, column, LANES, &mut sums);
        }
        self.store::<S, M>(s, sums, column, LANES);
    }

    /// The last columns, fewer than sixteen.
    #[inline(always)]
    fn rest<S: Simd, const M: usize>(&self, s: S, column: usize) {
        let mut sums = [s.splat(0.0); M];
        for p in 0..self.a.size()[1] {
            self.one(s, p, column, self.end - column, &mut sums);
        }
        self.store::<S, M>(s, sums, column, self.end - column);
    }

    /// Adds row `p` of `used` columns, number by number.
    #[inline(always)]
    fn one<S: Simd, const M: usize>(
        &self,
        s: S,
        p: usize,
        column: usize,
        used: usize,
        sums: &mut [S::V; M],
    ) {
        let mut lanes = [0.0; LANES];
        for lane in 0..used {
            lanes[lane] = self.b.at(p, column + lane);
        }
        let x = s.load16(&lanes);
        for m in 0..M {
            sums[m] = s.fma(s.splat(self.a.at(m, p)), x, sums[m]);
        }
    }

    #[inline(always)]
    fn store<S: Simd, const M: usize>(&self, s: S, sums: [S::V; M], column: usize, used: usize) {
        let columns = self.b.size()[1];
        let bias = self.bias.map(|bias| &bias[column..column + used]);
        for m in 0..M {
            // SAFETY: `c` is borrowed by `few` until all units are done, and these columns of a row are
            // written by this unit alone.
            let to = unsafe { self.c.slice(m * columns + column, used) };
            super::matmul::finish(s, sums[m], bias, self.relu, to);
        }
    }
}
