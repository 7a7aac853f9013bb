//! Matrix products for linear layers, each element summed in one fixed order.

use rayon::prelude::*;

use super::isa::{Isa, LANES, Line, Simd, Work};
use super::scratch::Scratch;
use super::{count, few, gemm};

/// A matrix in a slice: element (i, j) is at `i · steps[0] + j · steps[1]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    data: &'a [f32],
    size: [usize; 2],
    steps: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// A matrix of this size, row after row.
    ///
    /// # Panics
    /// If the length does not fit.
    pub fn new(data: &'a [f32], size: [usize; 2]) -> Self {
        assert_eq!(data.len(), count(size), "a matrix of {size:?}");
        Self {
            data,
            size,
            steps: [size[1], 1],
        }
    }

    /// Rows and columns.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// From one row to the next, and from one column to the next.
    pub(super) fn steps(&self) -> [usize; 2] {
        self.steps
    }

    /// The numbers that [`steps`](Self::steps) lead through.
    pub(super) fn data(&self) -> &'a [f32] {
        self.data
    }

    /// The number in a row and a column.
    #[inline(always)]
    pub(super) fn at(&self, row: usize, column: usize) -> f32 {
        self.data[row * self.steps[0] + column * self.steps[1]]
    }

    /// Rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            size: [self.size[1], self.size[0]],
            steps: [self.steps[1], self.steps[0]],
        }
    }
}

/// Rows of a register tile; the most that any tile has.
const ROWS: usize = 8;
/// Rows that a thread takes at a time, so that columns stay in its cache for several tiles.
const TALL: usize = 4 * ROWS;
/// Vectors across a register tile; the most that any tile has.
const WIDE: usize = 3;
/// Multiplications below which a thread is not worth waking.
const SMALL: usize = 1 << 16;

/// `c = a · b (+ bias)`, then `max(c, 0)` if `relu`; the bias is added to every row.
///
/// Every element is the sum over the inner index in its order, whatever the other rows and columns.
///
/// # Panics
/// If a size does not fit.
pub fn matmul(isa: Isa, mut a: Matrix, b: Matrix, bias: Option<&[f32]>, relu: bool, c: &mut [f32]) {
    let [rows, inner] = a.size;
    let columns = b.size[1];
    assert_eq!(inner, b.size[0], "inner sizes are alike");
    assert_eq!(c.len(), count([rows, columns]), "c is {rows} × {columns}");
    assert!(
        bias.is_none_or(|bias| bias.len() == columns),
        "one bias per column"
    );
    if c.is_empty() {
        return;
    }
    if inner == 0 {
        // Rows without numbers have no places in a slice, unless all are at its beginning.
        a = Matrix::new(&[], a.size);
    }
    if rows <= few::ROWS && b.steps.contains(&1) {
        return few::few(isa, a, b, bias, relu, c);
    }
    let blocks = columns.div_ceil(LANES);
    let mut packed = Scratch::new(blocks * inner);
    let packed = packed.lines(blocks * inner);
    let panel = |(at, lines)| {
        let first = at * WIDE;
        isa.run(Panel { b, first, lines });
    };
    let size = (inner * WIDE).max(1);
    if columns * inner <= SMALL {
        packed.chunks_mut(size).enumerate().for_each(panel);
    } else {
        packed.par_chunks_mut(size).enumerate().for_each(panel);
    }
    let packed = &*packed;
    let unit = |(at, c): (usize, &mut [f32])| {
        let rows = c.len() / columns;
        let mut tile = Scratch::floats(rows * inner);
        isa.run(Rows {
            a,
            first: at * TALL,
            tile: tile.numbers(rows * inner),
            packed,
            bias,
            relu,
            columns,
            c,
        })
    };
    if rows * columns * inner <= SMALL {
        c.chunks_mut(TALL * columns).enumerate().for_each(unit);
    } else {
        c.par_chunks_mut(TALL * columns).enumerate().for_each(unit);
    }
}

/// Sixteen columns in a line, of `WIDE` neighbouring blocks or what is left: `[row][block]`, filled up
/// with zeros.
struct Panel<'a> {
    b: Matrix<'a>,
    /// The first block.
    first: usize,
    lines: &'a mut [Line],
}

impl Work for Panel<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [inner, columns] = self.b.size;
        let [down, across] = self.b.steps;
        let wide = self.lines.len() / inner;
        for block in 0..wide {
            let column = (self.first + block) * LANES;
            let used = LANES.min(columns - column);
            let mut row = 0;
            if down == 1 && used == LANES {
                // Rows are neighbours: sixteen of them at a time.
                while row + LANES <= inner {
                    let mut r = [s.splat(0.0); LANES];
                    for lane in 0..LANES {
                        let from = &self.b.data[row + (column + lane) * across..];
                        r[lane] = s.load16(from.first_chunk().expect("sixteen rows"));
                    }
                    let r = s.transpose(r);
                    for at in 0..LANES {
                        s.store(r[at], &mut self.lines[(row + at) * wide + block]);
                    }
                    row += LANES;
                }
            }
            for row in row..inner {
                let line = &mut self.lines[row * wide + block];
                *line = Line::ZERO;
                let from = &self.b.data[row * down + column * across..];
                match across {
                    1 => line.0[..used].copy_from_slice(&from[..used]),
                    _ => {
                        for lane in 0..used {
                            line.0[lane] = from[lane * across];
                        }
                    }
                }
            }
        }
    }
}

struct Rows<'a> {
    a: Matrix<'a>,
    first: usize,
    /// Room for the rows of `a`.
    tile: &'a mut [f32],
    packed: &'a [Line],
    bias: Option<&'a [f32]>,
    relu: bool,
    columns: usize,
    c: &'a mut [f32],
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let rows = self.c.len() / self.columns;
        for first in (0..rows).step_by(ROWS) {
            self.pack(first, ROWS.min(rows - first));
        }
        let blocks = self.columns.div_ceil(LANES);
        for block in (0..blocks).step_by(WIDE) {
            let wide = (blocks - block).min(WIDE);
            for first in (0..rows).step_by(ROWS) {
                macro_rules! sizes {
                    ($($m:literal)*) => {
                        match (ROWS.min(rows - first), wide) {
                            $(
                                ($m, 1) => self.columns::<S, $m, 1>(s, first, block),
                                ($m, 2) => self.columns::<S, $m, 2>(s, first, block),
                                ($m, 3) => self.columns::<S, $m, 3>(s, first, block),
                            )*
                            (rows, _) => unreachable!("a tile of {rows} rows"),
                        }
                    };
                }
                sizes!(1 2 3 4 5 6 7 8);
            }
        }
    }
}

impl Rows<'_> {
    /// Brings the rows of a tile together: `[inner][row]`.
    #[inline(always)]
    fn pack(&mut self, first: usize, rows: usize) {
        let inner = self.a.size[1];
        let [down, across] = self.a.steps;
        if inner == 0 {
            return;
        }
        let tile = &mut self.tile[first * inner..][..rows * inner];
        for row in 0..rows {
            let from = &self.a.data[(self.first + first + row) * down..];
            for (p, to) in tile[row..].iter_mut().step_by(rows).enumerate() {
                *to = from[p * across];
            }
        }
    }

    #[inline(always)]
    fn columns<S: Simd, const M: usize, const N: usize>(
        &mut self,
        s: S,
        first: usize,
        block: usize,
    ) {
        let inner = self.a.size[1];
        let tile = &self.tile[first * inner..][..M * inner];
        let c = &mut self.c[first * self.columns..];
        let panel = &self.packed[block * inner..][..N * inner];
        let sums = gemm::sums::<S, M, N>(s, tile, panel, N);
        for n in 0..N {
            let column = (block + n) * LANES;
            let used = LANES.min(self.columns - column);
            let bias = self.bias.map(|bias| &bias[column..column + used]);
            for m in 0..M {
                let to = &mut c[m * self.columns + column..][..used];
                finish(s, sums[m][n], bias, self.relu, to);
            }
        }
    }
}

/// Adds the bias, if there is one, and stores as many lanes as there is room for.
#[inline(always)]
pub(super) fn finish<S: Simd>(
    s: S,
    mut sum: S::V,
    bias: Option<&[f32]>,
    relu: bool,
    to: &mut [f32],
) {
    if let Some(bias) = bias {
        let bias = match bias.first_chunk::<LANES>() {
            Some(bias) => s.load16(bias),
            None => s.load_part(bias),
        };
        sum = s.add(sum, bias);
    }
    if relu {
        sum = s.relu(sum);
    }
    match to.first_chunk_mut::<LANES>() {
        Some(to) => s.store16(sum, to),
        None => s.store_part(sum, to),
    }
}
