//! The convolution of sixteen images by Winograd tiles.

use super::filters::Packed;
use super::gemm::Products;
use super::isa::{Isa, LANES, Line, Simd, Work};
use super::lanes::{Gather, Piece, Scatter, Shared, stage_width};
use super::plan::Unit;
use super::scratch::Scratch;
use super::tile::Tile;

/// Lines of transformed data that are worked on at once, so that they stay in the cache.
const CHUNK_LINES: usize = 8 * 1024;

/// Columns of products that are computed at once: whole micro-kernels, within the cache.
pub(crate) fn chunk(isa: Isa, filters: &Packed, points: usize, tiles: usize) -> usize {
    let step = isa.columns(filters.rows);
    let column = points * (filters.inputs + filters.rows * filters.blocks);
    let most = (CHUNK_LINES / column / step).max(1) * step;
    let chunks = tiles.div_ceil(most);
    tiles.div_ceil(chunks).next_multiple_of(step).min(tiles)
}

/// What a pass over a batch shares.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    /// Instruction set.
    pub isa: Isa,
    /// Prepared filters.
    pub filters: &'a Packed,
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
            shape: [self.filters.outputs, self.output[0], self.output[1]],
            stage,
        });
    }
}

/// Computes one unit of a convolution.
pub(crate) fn forward<W: Tile<I, O>, const I: usize, const O: usize>(pass: &Pass, unit: &Unit) {
    let Pass { isa, filters, .. } = *pass;
    let (inputs, outputs) = (filters.inputs, filters.outputs);
    let size = [unit.high + 2, unit.wide + 2];
    let (area, made) = (size[0] * size[1], unit.high * unit.wide);
    let tiles = [unit.high / O, unit.wide / O];
    let count = tiles[0] * tiles[1];
    let stride = chunk(isa, filters, I * I, count);
    // An odd line keeps the points of one channel off the same cache sets.
    let data_point = inputs * stride + 1;
    let out_point = filters.rows * filters.blocks * stride + 1;

    let mut data = Scratch::new(inputs * area);
    let mut result = Scratch::new(outputs * made);
    let mut points = Scratch::new(I * I * data_point);
    let mut products = Scratch::new(I * I * out_point);
    let stage_len = LANES * stage_width(size[1]);
    let mut stage = Scratch::floats(stage_len);
    let (data, result) = (data.lines(inputs * area), result.lines(outputs * made));
    let points = points.lines(I * I * data_point);
    let products = products.lines(I * I * out_point);
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
        isa.run(Analyse::<W, I, O> {
            span,
            channels: inputs,
            from: data,
            size,
            to: points,
            point: data_point,
            tile: std::marker::PhantomData,
        });
        isa.run(Products {
            filters,
            points: I * I,
            count,
            stride,
            data: points,
            data_point,
            out: products,
            out_point,
        });
        isa.run(Combine::<W, I, O> {
            span,
            channels: outputs,
            from: products,
            point: out_point,
            bias: pass.bias,
            relu: pass.relu,
            to: result,
            size: [unit.high, unit.wide],
            tile: std::marker::PhantomData,
        });
        first += count;
    }
    pass.scatter(unit, result, stage);
}

/// A run of tiles.
#[derive(Clone, Copy)]
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

/// `Bᵀ d B` of every channel and tile.
struct Analyse<'a, W, const I: usize, const O: usize> {
    span: Span,
    channels: usize,
    from: &'a [Line],
    size: [usize; 2],
    to: &'a mut [Line],
    point: usize,
    tile: std::marker::PhantomData<W>,
}

impl<W: Tile<I, O>, const I: usize, const O: usize> Work for Analyse<'_, W, I, O> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Span {
            first,
            count,
            stride,
            across,
        } = self.span;
        let [rows, cols] = self.size;
        let zero = s.splat(0.0);
        for c in 0..self.channels {
            let from = &self.from[c * rows * cols..][..rows * cols];
            for t in 0..count {
                let (ty, tx) = ((first + t) / across, (first + t) % across);
                let from = &from[(ty * cols + tx) * O..];
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
                let to = &mut self.to[c * stride + t..];
                for y in 0..I {
                    let d = W::analyse(s, half[y]);
                    for x in 0..I {
                        s.store(d[x], &mut to[(y * I + x) * self.point]);
                    }
                }
            }
        }
    }
}

/// `Aᵀ m A` of every channel and tile, with bias and relu.
struct Combine<'a, W, const I: usize, const O: usize> {
    span: Span,
    channels: usize,
    from: &'a [Line],
    point: usize,
    bias: Option<&'a [f32]>,
    relu: bool,
    to: &'a mut [Line],
    size: [usize; 2],
    tile: std::marker::PhantomData<W>,
}

impl<W: Tile<I, O>, const I: usize, const O: usize> Work for Combine<'_, W, I, O> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Span {
            first,
            count,
            stride,
            across,
        } = self.span;
        let [rows, cols] = self.size;
        let zero = s.splat(0.0);
        for c in 0..self.channels {
            let bias = s.splat(self.bias.map_or(0.0, |bias| bias[c]));
            let to = &mut self.to[c * rows * cols..][..rows * cols];
            for t in 0..count {
                let (ty, tx) = ((first + t) / across, (first + t) % across);
                let from = &self.from[c * stride + t..];
                let mut half = [[zero; I]; O];
                for x in 0..I {
                    let mut m = [zero; I];
                    for y in 0..I {
                        m[y] = s.load(&from[(y * I + x) * self.point]);
                    }
                    let m = W::combine(s, m);
                    for y in 0..O {
                        half[y][x] = m[y];
                    }
                }
                let to = &mut to[(ty * cols + tx) * O..];
                for y in 0..O {
                    let m = W::combine(s, half[y]);
                    for x in 0..O {
                        let mut m = s.add(m[x], bias);
                        if self.relu {
                            m = s.relu(m);
                        }
                        s.store(m, &mut to[y * cols + x]);
                    }
                }
            }
        }
    }
}
