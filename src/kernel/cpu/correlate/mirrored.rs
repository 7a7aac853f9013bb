//! The weight gradient of a p4m group convolution, split by [mirrors](crate::kernel::cpu::mirrors): base channels
//! in the lanes, their components in lines.
//!
//! A part of a matrix in Winograd's space is multiplied by the same part of the data, so that its gradient is the
//! outer product of that part of the data and of the output's gradient; points of an orbit have one matrix, which
//! gets the sum of theirs. That leaves 448 products of 1,024 for a tile and a pair of base channels, and 160 sums.
//! Parts are sums of values of the base filters, which get theirs back the way they came.

use super::points::{Inputs, Outer};
use super::tiles::{Chunk, POINTS, Share, TAPS, Tiles};
use crate::kernel::cpu::isa::{LANES, Line, Simd, Work};
use crate::kernel::cpu::lanes::Gather;
use crate::kernel::cpu::mirrors::{HALVES, ORBIT, QUARTERS, SIZE, Sources};
use crate::kernel::cpu::plan::{Cell, Unit};
use crate::kernel::cpu::scratch::Scratch;
use crate::kernel::cpu::space::{Blocks, Span, lines};
use crate::kernel::cpu::tied::{Apart, Split, butterflies};
use crate::kernel::cpu::transforms::taps;

/// Products of halves and of quarters, of each of their matrices, and components of each.
const PRODUCTS: [usize; 2] = [HALVES, QUARTERS];
const SHARES: [usize; 2] = [ORBIT, 1];
const SIZES: [usize; 2] = [4, 2];

/// Lines of both kinds, one behind the other.
fn room(apart: Apart, counts: [usize; 2]) -> usize {
    counts[0] * apart[0] + counts[1] * apart[1]
}

/// Writes a unit's gradient, `[vector of outputs][input][8][3][3]`.
pub(super) fn run(all: &Tiles, sources: &[Sources; 2], share: &Share, to: &mut [Line]) {
    let isa = all.all.isa;
    let stride = all.images * all.rows * all.tiles[1];
    let vectors = share.vectors.clone().map(|vectors| vectors.len());
    let apart = vectors.map(|vectors| SIZES.map(|size| lines(size * vectors, stride)));
    let inputs = all.inputs(share).len();
    let last = inputs - (vectors[1] - 1) * LANES;
    let matrices = [0, 1].map(|kind| PRODUCTS[kind] / SHARES[kind]);
    let of = [0, 1].map(|kind| Inputs {
        lines: SIZES[kind] * vectors[1],
        last: [SIZES[kind], last],
    });
    let sums_apart = [0, 1].map(|kind| lines(SIZES[kind] * vectors[0], of[kind].apart()));

    let block = SIZE * (2 * all.rows + 2) * (2 * all.tiles[1] + 2);
    let [dy, x] = apart.map(|apart| room(apart, PRODUCTS));
    let sums = room(sums_apart, matrices);
    let mut memory = [block, dy, x, sums].map(Scratch::new);
    let [block_memory, dy_memory, x_memory, sums_memory] = &mut memory;
    let block = block_memory.lines(block);
    let dy = dy_memory.lines(dy);
    let x = x_memory.lines(x);
    let (halves, quarters) = (sums_memory.lines(sums)).split_at_mut(matrices[0] * sums_apart[0]);
    let mut sums = [halves, quarters];
    sums.iter_mut().for_each(|sums| sums.fill(Line::ZERO));

    for chunk in share.chunks.clone() {
        let chunk = all.chunk(chunk);
        enter::<true>(all, share, &chunk, block, dy, apart[0]);
        enter::<false>(all, share, &chunk, block, x, apart[1]);
        for (kind, sums) in sums.iter_mut().enumerate() {
            let first = apart.map(|apart| [0, HALVES * apart[0]][kind]);
            isa.run(Outer {
                x: &x[first[1]..],
                dy: &dy[first[0]..],
                point: apart.map(|apart| apart[kind]),
                stride,
                count: chunk.images.len() * chunk.rows * all.tiles[1],
                matrices: matrices[kind],
                share: SHARES[kind],
                outputs: SIZES[kind] * vectors[0],
                inputs: of[kind],
                sums,
                sums_point: sums_apart[kind],
            });
        }
    }
    let [halves, quarters] = sums;
    isa.run(Leave {
        sources,
        from: [&*halves, &*quarters],
        point: sums_apart,
        apart: of.map(Inputs::apart),
        inputs,
        outputs: vectors[0],
        to,
    });
}

/// Brings one side of a chunk to Winograd's space and splits it: the output's gradient if `OUTPUT`, else the input.
fn enter<const OUTPUT: bool>(
    all: &Tiles,
    share: &Share,
    chunk: &Chunk,
    block: &mut [Line],
    to: &mut [Line],
    apart: Apart,
) {
    let correlation = all.all;
    let isa = correlation.isa;
    let (side, from, gate, [height, width]) = match OUTPUT {
        true => (0, correlation.dy, correlation.gate, correlation.output),
        false => (1, correlation.x, None, correlation.input),
    };
    let padding = if OUTPUT {
        0
    } else {
        correlation.window.padding
    };
    let reach = if OUTPUT { 0 } else { 2 };
    let size = [chunk.rows, all.tiles[1]].map(|tiles| 2 * tiles + reach);
    let block = &mut block[..SIZE * size[0] * size[1]];
    let tiles = chunk.rows * all.tiles[1];
    for (base, vector) in share.vectors[side].clone().enumerate() {
        let used = LANES.min(all.channels[side] - vector * LANES);
        for (place, image) in chunk.images.clone().enumerate() {
            let first = Cell {
                image: image * all.channels[side] + vector * LANES,
                top: 2 * chunk.top,
                left: 0,
            };
            let mut cells = [first; LANES];
            for (lane, cell) in cells.iter_mut().enumerate().take(used) {
                cell.image += lane;
            }
            let unit = Unit {
                cells,
                used,
                high: size[0],
                wide: size[1],
            };
            isa.run(Gather {
                from,
                gate,
                shape: [SIZE, height, width],
                unit: &unit,
                padding,
                size,
                to: &mut *block,
            });
            isa.run(Split::<OUTPUT> {
                span: Span {
                    first: 0,
                    count: tiles,
                    stride: all.images * all.rows * all.tiles[1],
                    across: all.tiles[1],
                },
                bases: base..base + 1,
                from: Blocks { from: block, size },
                to: &mut to[place * tiles..],
                apart,
            });
        }
    }
}

/// Sums of parts to taps.
struct Leave<'a> {
    sources: &'a [Sources; 2],
    /// Of halves and of quarters: `[matrix][output component][input component]`, vectors and lanes as they are.
    from: [&'a [Line]; 2],
    point: [usize; 2],
    /// Lines from one output component to the next.
    apart: [usize; 2],
    inputs: usize,
    outputs: usize,
    /// `[output][input][filter][tap]`.
    to: &'a mut [Line],
}

impl Work for Leave<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [halves, quarters] = self.sources;
        // `[point][filter]`
        let mut values = [Line::ZERO; POINTS * SIZE];
        for v in 0..self.outputs {
            for input in 0..self.inputs {
                values.fill(Line::ZERO);
                self.give::<S, 2>(s, 0, halves, [v, input], &mut values);
                self.give::<S, 4>(s, 1, quarters, [v, input], &mut values);
                let to = &mut self.to[(v * self.inputs + input) * SIZE * TAPS..][..SIZE * TAPS];
                for (filter, to) in to.chunks_exact_mut(TAPS).enumerate() {
                    taps(s, &values[filter..], SIZE, to);
                }
            }
        }
    }
}

impl Leave<'_> {
    /// Gives the sums of matrices in `COUNT` parts to the values that they were made of.
    #[inline(always)]
    fn give<S: Simd, const COUNT: usize>(
        &self,
        s: S,
        kind: usize,
        sources: &Sources,
        [v, input]: [usize; 2],
        values: &mut [Line],
    ) {
        let size = SIZE / COUNT;
        let share = s.splat(1.0 / COUNT as f32);
        let (vector, lane) = (input / LANES, input % LANES);
        for matrix in 0..sources.matrices {
            for (a, b) in (0..size).flat_map(|a| (0..size).map(move |b| (a, b))) {
                let mut parts = [s.splat(0.0); 4];
                for (part, found) in parts.iter_mut().enumerate().take(COUNT) {
                    let at = (matrix * COUNT + part) * self.point[kind]
                        + (v * size + a) * self.apart[kind]
                        + (vector * size + b) * LANES
                        + lane;
                    *found = s.load(&self.from[kind][at]);
                }
                // For two, the sum and the difference come twice.
                let found = butterflies(s, parts);
                for (&from, found) in sources.at(matrix, a, b).iter().zip(found) {
                    let sum = s.fma(share, found, s.load(&values[from]));
                    s.store(sum, &mut values[from]);
                }
            }
        }
    }
}
