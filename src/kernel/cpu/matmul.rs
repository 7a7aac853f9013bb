//! Matrix products for linear layers, each element summed in one fixed order.

use rayon::prelude::*;

use super::count;
use super::isa::{Isa, LANES, Line, Simd, Work};
use super::scratch::Scratch;

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
    let blocks = columns.div_ceil(LANES);
    let mut packed = Scratch::new(blocks * inner);
    let packed = packed.lines(blocks * inner);
    pack(b, packed);
    let packed = &*packed;
    let unit = |(at, c): (usize, &mut [f32])| {
        isa.run(Rows {
            a,
            first: at * ROWS,
            packed,
            bias,
            relu,
            columns,
            c,
        })
    };
    if rows * columns * inner <= SMALL {
        c.chunks_mut(ROWS * columns).enumerate().for_each(unit);
    } else {
        c.par_chunks_mut(ROWS * columns).enumerate().for_each(unit);
    }
}

/// `[block of sixteen columns][row]`, filled up with zeros.
fn pack(b: Matrix, packed: &mut [Line]) {
    let [inner, columns] = b.size;
    let [down, across] = b.steps;
    for (block, lines) in packed.chunks_mut(inner.max(1)).enumerate() {
        let first = block * LANES;
        let used = LANES.min(columns - first);
        for (row, line) in lines.iter_mut().enumerate() {
            *line = Line::ZERO;
            let from = row * down + first * across;
            for (lane, to) in line.0[..used].iter_mut().enumerate() {
                *to = b.data[from + lane * across];
            }
        }
    }
}

struct Rows<'a> {
    a: Matrix<'a>,
    first: usize,
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
        let blocks = self.columns.div_ceil(LANES);
        let mut block = 0;
        while block < blocks {
            let wide = (blocks - block).min(3);
            macro_rules! sizes {
                ($($m:literal)*) => {
                    match (rows, wide) {
                        $(
                            ($m, 1) => self.tile::<S, $m, 1>(s, block),
                            ($m, 2) => self.tile::<S, $m, 2>(s, block),
                            ($m, 3) => self.tile::<S, $m, 3>(s, block),
                        )*
                        _ => unreachable!("a tile of {rows} rows"),
                    }
                };
            }
            sizes!(1 2 3 4 5 6 7 8);
            block += wide;
        }
    }
}

impl Rows<'_> {
    #[inline(always)]
    fn tile<S: Simd, const M: usize, const N: usize>(&mut self, s: S, block: usize) {
        let inner = self.a.size[1];
        let [down, across] = self.a.steps;
        let panels: [&[Line]; N] =
            std::array::from_fn(|n| &self.packed[(block + n) * inner..][..inner]);
        let a: [&[f32]; M] = std::array::from_fn(|m| &self.a.data[(self.first + m) * down..]);
        let mut sums = [[s.splat(0.0); N]; M];
        for p in 0..inner {
            let b: [S::V; N] = std::array::from_fn(|n| s.load(&panels[n][p]));
            for m in 0..M {
                let x = s.splat(a[m][p * across]);
                for n in 0..N {
                    sums[m][n] = s.fma(x, b[n], sums[m][n]);
                }
            }
        }
        for n in 0..N {
            let first = (block + n) * LANES;
            let used = LANES.min(self.columns - first);
            let bias = self.bias.map(|bias| &bias[first..first + used]);
            let bias = bias.map(|bias| match bias.first_chunk::<LANES>() {
                Some(bias) => s.load16(bias),
                None => s.load_part(bias),
            });
            for m in 0..M {
                let sum = bias.map_or(sums[m][n], |bias| s.add(sums[m][n], bias));
                let sum = if self.relu { s.relu(sum) } else { sum };
                let to = &mut self.c[m * self.columns + first..][..used];
                match to.first_chunk_mut::<LANES>() {
                    Some(to) => s.store16(sum, to),
                    None => s.store_part(sum, to),
                }
            }
        }
    }
}
