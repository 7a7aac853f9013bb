//! The weight gradient of 3×3 neighbours by Winograd's F(2,3): channels in the lanes.
//!
//! `y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A` is linear in the filter `g`, so that its gradient is the sum over tiles of
//! `Gᵀ [(Bᵀ d B) ⊙ (A y' Aᵀ)] G`: sixteen products for each tile and pair of channels instead of 36.
//!
//! A unit is a block of output channels, one of input channels and a part of the tiles. It takes its tiles to
//! Winograd space a chunk at a time and sums, point by point, the outer products of both sides' channels.
//! Where there are few blocks the tiles are cut into parts, whose sums are added in order. All cuts depend on
//! shapes only.
//!
//! The weights of a p4m group convolution are learnt from as they are, without their copies, and mirrors split what
//! is summed: see [`mirrored`](super::mirrored).

use std::ops::Range;

use rayon::prelude::*;

use super::points::{Enter, Inputs, Leave, Outer};
use super::{Correlation, channels, mirrored};
use crate::kernel::cpu::filters::Reading;
use crate::kernel::cpu::isa::{LANES, Line};
use crate::kernel::cpu::lanes::Gather;
use crate::kernel::cpu::mirrors::{SIZE, Sources};
use crate::kernel::cpu::plan::{Cell, Unit};
use crate::kernel::cpu::scratch::Scratch;
use crate::kernel::cpu::shared::Shared;
use crate::kernel::cpu::space::lines;

/// Points of a tile.
pub(super) const POINTS: usize = 16;
/// Taps of a filter.
pub(super) const TAPS: usize = 9;
/// Tiles that are taken at once, about: those of a block of channels stay in the second-level cache. Split by mirrors
/// a channel has eight components.
const CHUNK: usize = 128;
const MIRRORED_CHUNK: usize = 32;
/// Chunks of a part at most, about, so that sums do not become long.
const CHUNKS: usize = 64;
/// Vectors of channels of a block at most: every block of outputs transforms the inputs anew, and the reverse.
const BLOCK: usize = 6;
const MIRRORED_BLOCK: usize = 2;
/// Units that there are at least, if there is so much to do.
const UNITS: usize = 16;

/// Least channels for which transforms pay: of the inputs, and of the outputs.
const LEAST: [usize; 2] = [8, 8];

/// Inputs that are multiplied together, at most: the same for all instruction sets, so that the choice is too.
const TOGETHER: usize = 8;

/// A correlation, in tiles.
pub(super) struct Tiles<'a> {
    pub all: &'a Correlation<'a>,
    /// How mirrors split a p4m group convolution, if they do.
    mirrors: Option<[Sources; 2]>,
    /// Outputs and inputs; if they are split, without their components.
    pub channels: [usize; 2],
    /// Numbers of the gradient for a pair of them.
    pub taps: usize,
    /// Rows and columns of tiles in an image.
    pub tiles: [usize; 2],
    /// Blocks of outputs, and of inputs.
    blocks: [usize; 2],
    /// Rows of tiles of a chunk, at most.
    pub rows: usize,
    /// Images of a chunk, at most; one if it is less than an image.
    pub images: usize,
    /// Parts of the chunks.
    parts: usize,
}

/// The `at`-th of `parts` even parts of `all`.
fn part(all: usize, parts: usize, at: usize) -> Range<usize> {
    at * all / parts..(at + 1) * all / parts
}

/// Vectors of these channels.
fn vectors(channels: usize) -> usize {
    channels.div_ceil(LANES)
}

/// What a unit sums up.
pub(super) struct Share {
    /// Vectors of outputs, and of inputs.
    pub vectors: [Range<usize>; 2],
    pub chunks: Range<usize>,
}

/// Images and rows of tiles of a chunk.
pub(super) struct Chunk {
    pub images: Range<usize>,
    pub top: usize,
    pub rows: usize,
}

impl<'a> Tiles<'a> {
    /// The correlation in tiles, if that is known and faster than summing directly.
    pub fn of(all: &'a Correlation<'a>) -> Option<Self> {
        Self::new(all, all.channels, TAPS)
    }

    /// That of a p4m group convolution to the weights that its filters are copies of, if splitting by mirrors is
    /// faster than summing up what all copies get.
    pub fn mirrored(all: &'a Correlation<'a>) -> Option<Self> {
        let [co, ci] = all.channels.map(|channels| channels / SIZE);
        // Of 64 pairs of components 28 are left, but lanes hold one component each, and may lie empty; three
        // quarters of the work at most, as more is done to bring them there.
        let filled = co.next_multiple_of(LANES) * ci.next_multiple_of(TOGETHER);
        let pays = 28 * filled <= 48 * co * ci;
        Self::new(all, [co, ci], SIZE * TAPS).filter(|_| pays)
    }

    fn new(all: &'a Correlation<'a>, channels: [usize; 2], taps: usize) -> Option<Self> {
        let ([co, ci], [height, width]) = (all.channels, all.output);
        let tiles = [height, width].map(|side| side.div_ceil(2));
        // Small images of odd sides have tiles that are mostly empty.
        let products = [POINTS * tiles[0] * tiles[1], TAPS * height * width];
        let pays = ci >= LEAST[0] && co >= LEAST[1] && 3 * products[0] <= 2 * products[1];
        if !(all.window.is_three() && pays) {
            return None;
        }
        let mirrored = taps != TAPS;
        let (chunk, block) = match mirrored {
            true => (MIRRORED_CHUNK, MIRRORED_BLOCK),
            false => (CHUNK, BLOCK),
        };
        let blocks = channels.map(|channels| vectors(channels).div_ceil(block));
        let area = tiles[0] * tiles[1];
        let (rows, images) = match area >= chunk {
            true => {
                let most = (chunk / tiles[1]).max(1);
                (tiles[0].div_ceil(tiles[0].div_ceil(most)), 1)
            }
            false => (tiles[0], (chunk / area).clamp(1, all.batch.max(1))),
        };
        let made = Self {
            all,
            mirrors: mirrored.then(|| Sources::of(Reading::Forward)),
            channels,
            taps,
            tiles,
            blocks,
            rows,
            images,
            parts: 1,
        };
        let chunks = made.chunks();
        let parts = UNITS
            .div_ceil(blocks[0] * blocks[1])
            .max(chunks.div_ceil(CHUNKS));
        Some(Self {
            parts: parts.min(chunks).max(1),
            ..made
        })
    }

    /// Chunks of a row of tiles' bands.
    fn bands(&self) -> usize {
        self.tiles[0].div_ceil(self.rows)
    }

    fn chunks(&self) -> usize {
        self.all.batch.div_ceil(self.images) * self.bands()
    }

    /// Lines of a unit's gradient at most: `[vector of outputs][input][tap]`.
    fn lines(&self) -> usize {
        let most = |at: usize| vectors(self.channels[at]).div_ceil(self.blocks[at]);
        most(0) * most(1) * LANES * self.taps
    }

    fn share(&self, block: usize, at: usize) -> Share {
        let places = [block / self.blocks[1], block % self.blocks[1]];
        let of = |side: usize| {
            let all = vectors(self.channels[side]);
            part(all, self.blocks[side], places[side])
        };
        Share {
            vectors: [of(0), of(1)],
            chunks: part(self.chunks(), self.parts, at),
        }
    }

    /// Writes the gradient, `[output][input][tap]`.
    pub fn sum(&self, dw: &mut [f32]) {
        let (parts, size) = (self.parts, self.lines());
        let blocks = self.blocks[0] * self.blocks[1];
        let to = Shared::new(dw);
        if parts == 1 {
            (0..blocks).into_par_iter().with_max_len(1).for_each(|at| {
                let mut made = Scratch::new(size);
                let made = made.lines(size);
                let share = self.share(at, 0);
                self.run(&share, made);
                self.write(&share, made, to);
            });
            return;
        }
        let mut memory = Scratch::new(blocks * parts * size);
        let waiting = memory.lines(blocks * parts * size);
        let units = waiting.par_chunks_exact_mut(size).with_max_len(1);
        units.enumerate().for_each(|(unit, made)| {
            self.run(&self.share(unit / parts, unit % parts), made);
        });
        let blocks = waiting.par_chunks_exact_mut(parts * size);
        blocks.enumerate().for_each(|(block, made)| {
            let share = self.share(block, 0);
            let used = share.vectors[0].len() * self.inputs(&share).len() * self.taps;
            let (sum, others) = made.split_at_mut(size);
            let sum = &mut sum[..used];
            sum.par_chunks_mut(1 << 9)
                .enumerate()
                .for_each(|(at, sum)| {
                    for other in others.chunks_exact(size) {
                        for (sum, other) in sum.iter_mut().zip(&other[at << 9..]) {
                            for (sum, other) in sum.0.iter_mut().zip(other.0) {
                                *sum += other;
                            }
                        }
                    }
                });
            self.write(&share, sum, to);
        });
    }

    /// Inputs of a block, those that fill up the last vector left out.
    pub fn inputs(&self, share: &Share) -> Range<usize> {
        let Range { start, end } = share.vectors[1];
        LANES * start..self.channels[1].min(LANES * end)
    }

    /// Images and rows of tiles of a chunk.
    pub fn chunk(&self, chunk: usize) -> Chunk {
        let bands = self.bands();
        let (first, top) = (chunk / bands * self.images, chunk % bands * self.rows);
        Chunk {
            images: first..self.all.batch.min(first + self.images),
            top,
            rows: self.rows.min(self.tiles[0] - top),
        }
    }

    /// Writes a block of the gradient to its place.
    fn write(&self, share: &Share, from: &[Line], to: Shared) {
        let inputs = self.inputs(share);
        let each = share.vectors[0].clone();
        let each = each.zip(from.chunks_exact(inputs.len() * self.taps));
        for (vector, from) in each {
            let outputs = channels(vector, self.channels[0]);
            self.all.write(outputs, from, inputs.start * self.taps, to);
        }
    }

    /// Writes a unit's gradient.
    fn run(&self, share: &Share, to: &mut [Line]) {
        if let Some(sources) = &self.mirrors {
            mirrored::run(self, sources, share, to);
            return;
        }
        let isa = self.all.isa;
        let [outputs, inputs] = share.vectors.clone().map(|vectors| vectors.len());
        let count = self.images * self.rows * self.tiles[1];
        let room = [outputs, inputs].map(|vectors| lines(vectors, count));
        let sums_point = lines(outputs, inputs * LANES);
        let block = (2 * self.rows + 2) * (2 * self.tiles[1] + 2);
        let mut block_memory = Scratch::new(block);
        let mut dy_memory = Scratch::new(POINTS * room[0]);
        let mut x_memory = Scratch::new(POINTS * room[1]);
        let mut sums_memory = Scratch::new(POINTS * sums_point);
        let block = block_memory.lines(block);
        let dy = dy_memory.lines(POINTS * room[0]);
        let x = x_memory.lines(POINTS * room[1]);
        let sums = sums_memory.lines(POINTS * sums_point);
        sums.fill(Line::ZERO);
        let used = self.inputs(share).len();
        let lines = Inputs {
            lines: inputs,
            last: [1, used - (inputs - 1) * LANES],
        };
        for chunk in share.chunks.clone() {
            let count = self.enter(share, chunk, [&mut *dy, &mut *x], room, block);
            isa.run(Outer {
                x: &*x,
                dy: &*dy,
                point: room,
                stride: self.images * self.rows * self.tiles[1],
                count,
                matrices: POINTS,
                share: 1,
                outputs,
                inputs: lines,
                sums: &mut *sums,
                sums_point,
            });
        }
        isa.run(Leave {
            from: sums,
            point: sums_point,
            apart: lines.apart(),
            inputs: used,
            outputs,
            to,
        });
    }

    /// Brings both sides of a chunk to Winograd space, `[point][vector][tile]`, and says how many tiles it has.
    fn enter(
        &self,
        share: &Share,
        chunk: usize,
        to: [&mut [Line]; 2],
        room: [usize; 2],
        block: &mut [Line],
    ) -> usize {
        let all = self.all;
        let Chunk { images, top, rows } = self.chunk(chunk);
        let tiles = [rows, self.tiles[1]];
        let stride = self.images * self.rows * self.tiles[1];
        let [dy, x] = to;
        let each = |side: usize| {
            let vectors = share.vectors[side].clone().enumerate();
            let images = images.clone().enumerate();
            vectors.flat_map(move |vector| images.clone().map(move |image| (vector, image)))
        };
        let reach = [2 * rows, 2 * tiles[1]];
        for ((at, vector), (place, image)) in each(0) {
            let block = &mut block[..reach[0] * reach[1]];
            let planes = (image, vector, all.channels[0]);
            self.gather(
                (all.dy, all.gate),
                planes,
                all.output,
                (2 * top, 0),
                reach,
                block,
            );
            all.isa.run(Enter::<true> {
                from: block,
                columns: reach[1],
                tiles,
                to: &mut dy[at * stride + place * rows * tiles[1]..],
                point: room[0],
            });
        }
        let reach = reach.map(|side| side + 2);
        for ((at, vector), (place, image)) in each(1) {
            let block = &mut block[..reach[0] * reach[1]];
            let planes = (image, vector, all.channels[1]);
            let from = (2 * top, all.window.padding);
            self.gather((all.x, None), planes, all.input, from, reach, block);
            all.isa.run(Enter::<false> {
                from: block,
                columns: reach[1],
                tiles,
                to: &mut x[at * stride + place * rows * tiles[1]..],
                point: room[1],
            });
        }
        images.len() * rows * tiles[1]
    }

    /// Rows of sixteen channels of an image, with zeros around it.
    fn gather(
        &self,
        (from, gate): (&[f32], Option<&[f32]>),
        (image, vector, channels): (usize, usize, usize),
        [height, width]: [usize; 2],
        (top, padding): (usize, usize),
        size: [usize; 2],
        to: &mut [Line],
    ) {
        let first = image * channels + vector * LANES;
        let used = LANES.min(channels - vector * LANES);
        let mut cells = [Cell {
            image: first,
            top,
            left: 0,
        }; LANES];
        for (lane, cell) in cells.iter_mut().enumerate().take(used) {
            cell.image = first + lane;
        }
        let unit = Unit {
            cells,
            used,
            high: size[0],
            wide: size[1],
        };
        self.all.isa.run(Gather {
            from,
            gate,
            shape: [1, height, width],
            unit: &unit,
            padding,
            size,
            to,
        });
    }
}
