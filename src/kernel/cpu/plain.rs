use std::marker::PhantomData;
use std::ops::Range;

use super::filters::{Packed, Reading};
use super::gemm::Products;
use super::isa::{Isa, Line, Simd, Work};
use super::space::{Blocks, Columns, Space, Span, Target, chunk, lines};
use super::tile::Tile;
use super::transforms::{combine, enter, synthesise};

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
    fn point(&self, stride: usize, part: &Range<usize>) -> [usize; 2] {
        let made = self.packed.rows * self.packed.blocks_of(part).len();
        [lines(self.packed.inputs, stride), lines(made, stride)]
    }
}

impl<W: Tile<I, O>, const I: usize, const O: usize> Space<I, O> for Plain<W> {
    fn chunk(&self, isa: Isa, tiles: usize) -> usize {
        let packed = &self.packed;
        let lines = I * I * (packed.inputs + packed.rows * packed.blocks);
        chunk(lines, isa.columns(packed.rows), tiles)
    }

    fn grain(&self) -> usize {
        self.packed.rows
    }

    fn room(&self, stride: usize, part: &Range<usize>) -> [usize; 2] {
        self.point(stride, part).map(|lines| I * I * lines)
    }

    fn enter<const ADJOINT: bool>(&self, isa: Isa, span: Span, from: Blocks, to: &mut [Line]) {
        isa.run(Enter::<W, I, O, ADJOINT> {
            span,
            channels: self.packed.inputs,
            from,
            to,
            point: lines(self.packed.inputs, span.stride),
            tile: PhantomData,
        });
    }

    fn multiply(&self, isa: Isa, columns: Columns, data: &[Line], out: &mut [Line]) {
        let [data_point, out_point] = self.point(columns.stride, &columns.part);
        isa.run(Products {
            filters: &self.packed,
            blocks: self.packed.blocks_of(&columns.part),
            points: I * I,
            share: 1,
            count: columns.count,
            stride: columns.stride,
            data,
            data_point,
            out,
            out_point,
        });
    }

    fn leave(&self, isa: Isa, span: Span, part: &Range<usize>, from: &[Line], to: Target) {
        isa.run(Leave::<W, I, O> {
            span,
            part: part.clone(),
            from,
            point: self.point(span.stride, part)[1],
            to,
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
                enter::<S, W, I, O, ADJOINT>(s, from, cols, to, self.point);
            }
        }
    }
}

/// Points to tiles.
struct Leave<'a, W, const I: usize, const O: usize> {
    span: Span,
    /// Output channels.
    part: Range<usize>,
    from: &'a [Line],
    point: usize,
    to: Target<'a>,
    tile: PhantomData<W>,
}

impl<W: Tile<I, O>, const I: usize, const O: usize> Work for Leave<'_, W, I, O> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { span, point, .. } = self;
        let from = |c: usize, t: usize| &self.from[c * span.stride + t..];
        match self.to {
            Target::Rim(rim) => {
                let [rows, cols] = rim.size;
                for (c, channel) in self.part.enumerate() {
                    let bias = s.splat(rim.bias.map_or(0.0, |bias| bias[channel]));
                    let to = &mut rim.to[c * rows * cols..][..rows * cols];
                    for t in 0..span.count {
                        let [ty, tx] = span.tile(t);
                        let to = &mut to[(ty * cols + tx) * O..];
                        let after = (bias, rim.relu);
                        combine::<S, W, I, O>(s, from(c, t), point, after, to, cols);
                    }
                }
            }
            Target::Overlap(overlap) => {
                let [rows, cols] = overlap.size;
                for c in 0..self.part.len() {
                    let to = &mut overlap.to[c * rows * cols..][..rows * cols];
                    let open = &mut overlap.open[c * I * 2..][..I * 2];
                    for t in 0..span.count {
                        let [ty, tx] = span.tile(t);
                        let to = &mut to[(ty * cols + tx) * O..];
                        let place = ([ty, tx], span.across);
                        synthesise::<S, W, I, O>(s, from(c, t), point, place, open, to, cols);
                    }
                }
            }
        }
    }
}
