//! Filters in the order in which the micro-kernel reads them.

use std::marker::PhantomData;
use std::ops::Range;

use rayon::prelude::*;

use super::isa::{Isa, Simd, Work};
use super::memory::Buffer;
use super::tile::Tile;

/// A stack of matrices `[point][output][input]`, packed in blocks of `rows` outputs, the last one filled up
/// with zeros: `[block][point][input][row]`.
#[derive(Debug)]
pub(crate) struct Packed {
    data: Buffer,
    points: usize,
    /// Outputs per block.
    pub rows: usize,
    /// Blocks per point.
    pub blocks: usize,
    /// Channels that are summed over.
    pub inputs: usize,
    /// Channels that are produced.
    pub outputs: usize,
}

/// How filter taps are read from weights `[co][ci][3][3]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As they are: inputs are `ci`, outputs `co`.
    Forward,
    /// Inputs are `co`, outputs `ci`, taps as they are: the adjoint in Winograd space.
    Transposed,
    /// Inputs are `co`, outputs `ci`, taps turned by 180°: the adjoint as a convolution.
    Flipped,
}

impl Reading {
    /// Outputs and inputs of the weights as those of what is read of them, and the reverse.
    pub fn turn(self, [outputs, inputs]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Forward => [outputs, inputs],
            Self::Transposed | Self::Flipped => [inputs, outputs],
        }
    }

    /// Where the filter from `input` to `output` begins.
    fn place(self, [_, ci]: [usize; 2], filter: [usize; 2]) -> usize {
        let [o, i] = self.turn(filter);
        (o * ci + i) * 9
    }

    /// The filter from `input` to `output`.
    pub fn taps(self, weights: &[f32], channels: [usize; 2], filter: [usize; 2]) -> [f32; 9] {
        let mut taps = [0.0; 9];
        taps.copy_from_slice(&weights[self.place(channels, filter)..][..9]);
        if self == Self::Flipped {
            taps.reverse();
        }
        taps
    }
}

impl Packed {
    /// The blocks that these outputs are in, the first of which begins a block.
    pub fn blocks_of(&self, outputs: &Range<usize>) -> Range<usize> {
        debug_assert!(outputs.start.is_multiple_of(self.rows));
        outputs.start / self.rows..outputs.end.div_ceil(self.rows)
    }

    /// A block of the matrix at a point: `[input][row]`.
    #[inline(always)]
    pub fn block(&self, point: usize, block: usize) -> &[f32] {
        let len = self.inputs * self.rows;
        &self.data.as_floats()[(block * self.points + point) * len..][..len]
    }

    /// A block of all points, in whatever order it was filled.
    pub fn whole_block(&self, block: usize) -> &[f32] {
        let len = self.points * self.inputs * self.rows;
        &self.data.as_floats()[block * len..][..len]
    }

    /// Packs matrices: `fill(outputs, rows, block)` writes one block of all of them. A block of fewer outputs than
    /// rows holds zeros before, others whatever was there.
    pub fn new(
        [outputs, inputs]: [usize; 2],
        isa: Isa,
        points: usize,
        fill: impl Fn(Range<usize>, usize, &mut [f32]) + Send + Sync,
    ) -> Self {
        let blocks = outputs.div_ceil(isa.max_rows());
        let rows = outputs.div_ceil(blocks.max(1)).max(1);
        let len = points * inputs * rows;
        let mut data = Buffer::new(blocks * len);
        if len > 0 {
            let each = data.as_floats_mut().par_chunks_exact_mut(len).enumerate();
            each.for_each(|(block, to)| {
                let outputs = block * rows..outputs.min((block + 1) * rows);
                if outputs.len() < rows {
                    to.fill(0.0);
                }
                fill(outputs, rows, to);
            });
        }
        Self {
            data,
            points,
            rows,
            blocks,
            inputs,
            outputs,
        }
    }

    /// Filters in Winograd space, `I·I` points, computed in f64.
    pub fn winograd<W: Tile<I, O>, const I: usize, const O: usize>(
        weights: &[f32],
        [co, ci]: [usize; 2],
        reading: Reading,
        isa: Isa,
    ) -> Self {
        let shape = reading.turn([co, ci]);
        Self::new(shape, isa, I * I, |outputs, rows, to| {
            isa.run(Transform::<W, I, O> {
                tile: PhantomData,
                weights,
                channels: [co, ci],
                reading,
                outputs,
                inputs: shape[1],
                rows,
                to,
            });
        })
    }

    /// Packs matrices so that those of an input are beside one another: `[block][input][point][row]`.
    pub fn together(
        shape: [usize; 2],
        isa: Isa,
        points: usize,
        fill: impl Fn(usize, usize, usize) -> f32 + Send + Sync,
    ) -> Self {
        Self::new(shape, isa, points, |outputs, rows, to| {
            for (row, output) in outputs.enumerate() {
                for input in 0..shape[1] {
                    for point in 0..points {
                        to[(input * points + point) * rows + row] = fill(output, input, point);
                    }
                }
            }
        })
    }
}

/// A block of filters to Winograd space, the filters of an input's outputs beside one another.
struct Transform<'a, W, const I: usize, const O: usize> {
    tile: PhantomData<W>,
    weights: &'a [f32],
    channels: [usize; 2],
    reading: Reading,
    outputs: Range<usize>,
    inputs: usize,
    rows: usize,
    to: &'a mut [f32],
}

/// Rows that are transformed together; the most that a block has.
const TOGETHER: usize = 8;

/// Inputs whose points are written together. All points of one lie at the same places of a cache, more of them than
/// it has room for there.
const INPUTS: usize = 16;

/// How many inputs ahead the memory is told of what will be read: those of an output, or the outputs of an input,
/// lie too far apart for the processor to see a pattern.
const AHEAD: usize = 6;

impl<W: Tile<I, O>, const I: usize, const O: usize> Work for Transform<'_, W, I, O> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let rows = self.rows;
        let mut made = [[[[0.0; TOGETHER]; INPUTS]; I]; I];
        for first in (0..self.inputs).step_by(INPUTS) {
            let inputs = first..self.inputs.min(first + INPUTS);
            let count = inputs.len();
            for (at, input) in inputs.enumerate() {
                self.transform(s, input, |i, j, points| made[i][j][at] = points);
            }
            for (point, made) in made.as_flattened().iter().enumerate() {
                let to = &mut self.to[(point * self.inputs + first) * rows..][..count * rows];
                if rows == TOGETHER {
                    to.copy_from_slice(made[..count].as_flattened());
                } else {
                    for (to, made) in to.chunks_exact_mut(rows).zip(made) {
                        to.copy_from_slice(&made[..rows]);
                    }
                }
            }
        }
    }
}

impl<W: Tile<I, O>, const I: usize, const O: usize> Transform<'_, W, I, O> {
    /// Gives the rows of an input at every point.
    #[inline(always)]
    fn transform<S: Simd>(
        &self,
        s: S,
        input: usize,
        mut give: impl FnMut(usize, usize, [f32; TOGETHER]),
    ) {
        let mut taps = [[0.0f64; TOGETHER]; 9];
        for (row, output) in self.outputs.clone().enumerate() {
            let soon = self.reading.place(self.channels, [output, input + AHEAD]);
            s.prefetch(self.weights.as_ptr().wrapping_add(soon));
            let filter = self
                .reading
                .taps(self.weights, self.channels, [output, input]);
            for tap in 0..9 {
                taps[tap][row] = f64::from(filter[tap]);
            }
        }
        let mut half = [[[0.0f64; TOGETHER]; 3]; I];
        for x in 0..3 {
            let column = W::prepare([taps[x], taps[3 + x], taps[6 + x]]);
            for i in 0..I {
                half[i][x] = column[i];
            }
        }
        for i in 0..I {
            for (j, points) in W::prepare(half[i]).into_iter().enumerate() {
                give(i, j, points.map(|point| point as f32));
            }
        }
    }
}
