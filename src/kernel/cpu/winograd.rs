//! The convolution of sixteen images by Winograd tiles.

use super::isa::{Isa, LANES, Line, Simd};
use super::lanes::{Gather, Piece, Scatter, Shared, stage_width};
use super::plan::Unit;
use super::scratch::Scratch;
use super::space::{Blocks, Rim, Space};
use super::tile::Tile;

/// Lines of transformed data that are worked on at once, so that they stay in the cache.
const CHUNK_LINES: usize = 8 * 1024;

/// Columns of products that are computed at once: whole micro-kernels of `step` columns, within
/// the cache if a column takes `lines`.
pub(crate) fn chunk(lines: usize, step: usize, tiles: usize) -> usize {
    let most = (CHUNK_LINES / lines / step).max(1) * step;
    let chunks = tiles.div_ceil(most);
    tiles.div_ceil(chunks).next_multiple_of(step).min(tiles)
}

/// What a pass over a batch shares.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    /// Instruction set.
    pub isa: Isa,
    /// Channels that are summed over, and that are produced.
    pub channels: [usize; 2],
    /// `[batch][channel][height][width]`.
    pub from: &'a [f32],
    /// If given, same shape: values of `from` count where it is positive, else as zero.
    pub gate: Option<&'a [f32]>,
    /// Rows and columns of `from`.
    pub input: [usize; 2],
    /// Zeros around `from`.
    pub padding: usize,
    /// Added to each output channel.
    pub bias: Option<&'a [f32]>,
    /// Whether negative outputs become zero.
    pub relu: bool,
    /// `[batch][channel][height][width]`.
    pub to: Shared,
    /// Rows and columns of `to`.
    pub output: [usize; 2],
}

impl Pass<'_> {
    /// Writes a unit's block of outputs.
    pub fn scatter(&self, unit: &Unit, from: &[Line], stage: &mut [f32]) {
        let mut pieces = [Piece::default(); LANES];
        for (piece, cell) in pieces.iter_mut().zip(&unit.cells).take(unit.used) {
            *piece = Piece {
                image: cell.image,
                from: 0,
                rows: unit.high.min(self.output[0] - cell.top),
                to: cell.top,
                left: cell.left,
                cols: unit.wide.min(self.output[1] - cell.left),
            };
        }
        self.isa.run(Scatter {
            from,
            size: [unit.high, unit.wide],
            pieces,
            to: self.to,
            shape: [self.channels[1], self.output[0], self.output[1]],
            stage,
        });
    }
}

/// Computes one unit of a convolution.
pub(crate) fn forward<P: Space<I, O>, const I: usize, const O: usize>(
    pass: &Pass,
    space: &P,
    unit: &Unit,
) {
    let Pass { isa, .. } = *pass;
    let [inputs, outputs] = pass.channels;
    let size = [unit.high + 2, unit.wide + 2];
    let (area, made) = (size[0] * size[1], unit.high * unit.wide);
    let tiles = [unit.high / O, unit.wide / O];
    let count = tiles[0] * tiles[1];
    let stride = space.chunk(isa, count);
    let room = space.room(stride);

    let mut data = Scratch::new(inputs * area);
    let mut result = Scratch::new(outputs * made);
    let mut points = Scratch::new(room[0]);
    let mut products = Scratch::new(room[1]);
    let stage_len = LANES * stage_width(size[1]);
    let mut stage = Scratch::floats(stage_len);
    let (data, result) = (data.lines(inputs * area), result.lines(outputs * made));
    let points = points.lines(room[0]);
    let products = products.lines(room[1]);
    let stage = stage.numbers(stage_len);

    isa.run(Gather {
        from: pass.from,
        gate: pass.gate,
        shape: [inputs, pass.input[0], pass.input[1]],
        unit,
        padding: pass.padding,
        size,
        to: data,
        stage,
    });
    let mut first = 0;
    while first < count {
        let count = stride.min(count - first);
        let span = Span {
            first,
            count,
            stride,
            across: tiles[1],
        };
        space.analyse(isa, span, Blocks { from: data, size }, points);
        space.multiply(isa, span, points, products);
        let rim = Rim {
            bias: pass.bias,
            relu: pass.relu,
            to: result,
            size: [unit.high, unit.wide],
        };
        space.combine(isa, span, products, rim);
        first += count;
    }
    pass.scatter(unit, result, stage);
}

/// A run of tiles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// First tile, counted along rows of tiles.
    pub first: usize,
    /// Number of tiles.
    pub count: usize,
    /// Lines from one channel to the next in Winograd space.
    pub stride: usize,
    /// Tiles in a row.
    pub across: usize,
}

impl Span {
    /// Row and column of the run's `t`-th tile.
    #[inline(always)]
    pub fn tile(self, t: usize) -> [usize; 2] {
        [
            (self.first + t) / self.across,
            (self.first + t) % self.across,
        ]
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
    let zero = s.splat(0.0);
    let mut half = [[zero; I]; I];
    for x in 0..I {
        let mut d = [zero; I];
        for y in 0..I {
            d[y] = s.load(&from[y * cols + x]);
        }
        let d = W::analyse(s, d);
        for y in 0..I {
            half[y][x] = d[y];
        }
    }
    for y in 0..I {
        let d = W::analyse(s, half[y]);
        for x in 0..I {
            s.store(d[x], &mut to[(y * I + x) * point]);
        }
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
    let zero = s.splat(0.0);
    let mut half = [[zero; I]; O];
    for x in 0..I {
        let mut m = [zero; I];
        for y in 0..I {
            m[y] = s.load(&from[(y * I + x) * point]);
        }
        let m = W::combine(s, m);
        for y in 0..O {
            half[y][x] = m[y];
        }
    }
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
