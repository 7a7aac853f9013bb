//! Winograd space: filters at the points of a tile, and the ways in and out.

use std::marker::PhantomData;

use super::adjoint::{spread, synthesise};
use super::filters::{Packed, Reading};
use super::gemm::Products;
use super::isa::{Isa, Line, Simd, Work};
use super::tile::Tile;
use super::winograd::{Span, analyse, chunk, combine};

/// Where tiles are read: `[channel][row][column]`.
#[derive(Clone, Copy)]
pub(crate) struct Blocks<'a> {
    pub from: &'a [Line],
    /// Rows and columns.
    pub size: [usize; 2],
}

/// Where tiles of outputs are written: `[channel][row][column]`.
pub(crate) struct Rim<'a> {
    pub bias: Option<&'a [f32]>,
    pub relu: bool,
    pub to: &'a mut [Line],
    /// Rows and columns.
    pub size: [usize; 2],
}

/// Where overlapping tiles are added: `[channel][row][column]`.
pub(crate) struct Overlap<'a> {
    /// Last two columns of the tile to the left: `[channel][I][2]`.
    pub open: &'a mut [Line],
    pub to: &'a mut [Line],
    /// Rows and columns.
    pub size: [usize; 2],
}

/// Filters in Winograd space, and how tiles come to their products and back.
pub(crate) trait Space<const I: usize, const O: usize>: Sync {
    /// Columns of products to compute at once.
    fn chunk(&self, isa: Isa, tiles: usize) -> usize;
    /// Lines that data and products take, with `stride` columns.
    fn room(&self, stride: usize) -> [usize; 2];
    /// `Bᵀ d B` of every channel and tile.
    fn analyse(&self, isa: Isa, span: Span, from: Blocks, to: &mut [Line]);
    /// `A y Aᵀ` of every channel and tile.
    fn spread(&self, isa: Isa, span: Span, from: Blocks, to: &mut [Line]);
    /// Products with the filters.
    fn multiply(&self, isa: Isa, span: Span, data: &[Line], out: &mut [Line]);
    /// `Aᵀ m A` of every channel and tile, with bias and relu.
    fn combine(&self, isa: Isa, span: Span, from: &[Line], to: Rim);
    /// `B m Bᵀ` of every channel and tile, added where tiles overlap.
    fn synthesise(&self, isa: Isa, span: Span, from: &[Line], to: Overlap);
}

/// Lines of one matrix's rows. An odd line keeps the points of one channel off the same cache sets.
pub(crate) fn lines(rows: usize, stride: usize) -> usize {
    rows * stride + 1
}

/// Filters without structure: one matrix per point.
#[derive(Debug)]
pub(crate) struct Plain<W> {
    packed: Packed,
    tile: PhantomData<W>,
}

impl<W> Plain<W> {
    /// Transforms and packs.
    pub fn new<const I: usize, const O: usize>(
        weights: &[f32],
        shape: [usize; 2],
        reading: Reading,
        isa: Isa,
    ) -> Self
    where
        W: Tile<I, O>,
    {
        Self {
            packed: Packed::winograd::<W, I, O>(weights, shape, reading, isa),
            tile: PhantomData,
        }
    }

    /// Lines of one point of data and of products.
    fn point(&self, stride: usize) -> [usize; 2] {
        let made = self.packed.rows * self.packed.blocks;
        [lines(self.packed.inputs, stride), lines(made, stride)]
    }
}

impl<W: Tile<I, O>, const I: usize, const O: usize> Space<I, O> for Plain<W> {
    fn chunk(&self, isa: Isa, tiles: usize) -> usize {
        let packed = &self.packed;
        let lines = I * I * (packed.inputs + packed.rows * packed.blocks);
        chunk(lines, isa.columns(packed.rows), tiles)
    }

    fn room(&self, stride: usize) -> [usize; 2] {
        self.point(stride).map(|lines| I * I * lines)
    }

    fn analyse(&self, isa: Isa, span: Span, from: Blocks, to: &mut [Line]) {
        isa.run(Enter::<W, I, O, false> {
            span,
            channels: self.packed.inputs,
            from,
            to,
            point: self.point(span.stride)[0],
            tile: PhantomData,
        });
    }

    fn spread(&self, isa: Isa, span: Span, from: Blocks, to: &mut [Line]) {
        isa.run(Enter::<W, I, O, true> {
            span,
            channels: self.packed.inputs,
            from,
            to,
            point: self.point(span.stride)[0],
            tile: PhantomData,
        });
    }

    fn multiply(&self, isa: Isa, span: Span, data: &[Line], out: &mut [Line]) {
        let [data_point, out_point] = self.point(span.stride);
        isa.run(Products {
            filters: &self.packed,
            points: I * I,
            share: 1,
            count: span.count,
            stride: span.stride,
            data,
            data_point,
            out,
            out_point,
        });
    }

    fn combine(&self, isa: Isa, span: Span, from: &[Line], to: Rim) {
        isa.run(Combine::<W, I, O> {
            span,
            channels: self.packed.outputs,
            from,
            point: self.point(span.stride)[1],
            rim: to,
            tile: PhantomData,
        });
    }

    fn synthesise(&self, isa: Isa, span: Span, from: &[Line], to: Overlap) {
        isa.run(Synthesise::<W, I, O> {
            span,
            channels: self.packed.outputs,
            from,
            point: self.point(span.stride)[1],
            overlap: to,
            tile: PhantomData,
        });
    }
}

/// Tiles to points, by `Bᵀ d B`, or by `A y Aᵀ` for the adjoint.
struct Enter<'a, W, const I: usize, const O: usize, const ADJOINT: bool> {
    span: Span,
    channels: usize,
    from: Blocks<'a>,
    to: &'a mut [Line],
    point: usize,
    tile: PhantomData<W>,
}

impl<W: Tile<I, O>, const I: usize, const O: usize, const ADJOINT: bool> Work
    for Enter<'_, W, I, O, ADJOINT>
{
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [rows, cols] = self.from.size;
        for c in 0..self.channels {
            let from = &self.from.from[c * rows * cols..][..rows * cols];
            for t in 0..self.span.count {
                let [ty, tx] = self.span.tile(t);
                let from = &from[(ty * cols + tx) * O..];
                let to = &mut self.to[c * self.span.stride + t..];
                if ADJOINT {
                    spread::<S, W, I, O>(s, from, cols, to, self.point);
                } else {
                    analyse::<S, W, I, O>(s, from, cols, to, self.point);
                }
            }
        }
    }
}

/// Points to tiles.
struct Combine<'a, W, const I: usize, const O: usize> {
    span: Span,
    channels: usize,
    from: &'a [Line],
    point: usize,
    rim: Rim<'a>,
    tile: PhantomData<W>,
}

impl<W: Tile<I, O>, const I: usize, const O: usize> Work for Combine<'_, W, I, O> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let rim = self.rim;
        let [rows, cols] = rim.size;
        for c in 0..self.channels {
            let bias = s.splat(rim.bias.map_or(0.0, |bias| bias[c]));
            let to = &mut rim.to[c * rows * cols..][..rows * cols];
            for t in 0..self.span.count {
                let [ty, tx] = self.span.tile(t);
                let from = &self.from[c * self.span.stride + t..];
                let to = &mut to[(ty * cols + tx) * O..];
                combine::<S, W, I, O>(s, from, self.point, (bias, rim.relu), to, cols);
            }
        }
    }
}

/// Points to overlapping tiles.
struct Synthesise<'a, W, const I: usize, const O: usize> {
    span: Span,
    channels: usize,
    from: &'a [Line],
    point: usize,
    overlap: Overlap<'a>,
    tile: PhantomData<W>,
}

impl<W: Tile<I, O>, const I: usize, const O: usize> Work for Synthesise<'_, W, I, O> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Overlap { open, to, size } = self.overlap;
        let [rows, cols] = size;
        for c in 0..self.channels {
            let to = &mut to[c * rows * cols..][..rows * cols];
            let open = &mut open[c * I * 2..][..I * 2];
            for t in 0..self.span.count {
                let [ty, tx] = self.span.tile(t);
                let from = &self.from[c * self.span.stride + t..];
                let to = &mut to[(ty * cols + tx) * O..];
                let place = ([ty, tx], self.span.across);
                synthesise::<S, W, I, O>(s, from, self.point, place, open, to, cols);
            }
        }
    }
}
