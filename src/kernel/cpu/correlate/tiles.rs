//! The weight gradient of 3×3 neighbours by Winograd's F(2,3): channels in the lanes.
//!
//! `y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A` is linear in the filter `g`, so that its gradient is the sum over tiles of
//! `Gᵀ [(Bᵀ d B) ⊙ (A y' Aᵀ)] G`: sixteen products for each tile and pair of channels instead of 36.
//!
//! A unit is a block of output channels, one of input channels and a part of the tiles. It takes its tiles to
//! Winograd space a chunk at a time and sums, point by point, the outer products of both sides' channels.
//! Where there are few blocks the tiles are cut into parts, whose sums are added in order. All cuts depend on
//! shapes only.

use std::ops::Range;

use rayon::prelude::*;

use super::Correlation;
use super::points::{Enter, Leave, Outer};
use crate::kernel::cpu::isa::{LANES, Line};
use crate::kernel::cpu::lanes::Gather;
use crate::kernel::cpu::plan::{Cell, Unit};
use crate::kernel::cpu::scratch::Scratch;
use crate::kernel::cpu::shared::Shared;
use crate::kernel::cpu::space::lines;

/// Points of a tile.
pub(super) const POINTS: usize = 16;
/// Taps of a filter.
pub(super) const TAPS: usize = 9;
/// Tiles that are taken at once, about: those of a block of channels stay in the second-level cache.
const CHUNK: usize = 128;
/// Chunks of a part at most, about, so that sums do not become long.
const CHUNKS: usize = 64;
/// Vectors of channels of a block at most: every block of outputs transforms the inputs anew, and the reverse.
const BLOCK: usize = 6;
/// Units that there are at least, if there is so much to do.
const UNITS: usize = 16;

/// Least channels for which transforms pay: of the inputs, and of the outputs.
const LEAST: [usize; 2] = [8, 8];

/// A correlation, in tiles.
pub(super) struct Tiles<'a> {
    all: &'a Correlation<'a>,
    /// Rows and columns of tiles in an image.
    tiles: [usize; 2],
    /// Blocks of outputs, and of inputs.
    blocks: [usize; 2],
    /// Rows of tiles of a chunk, at most.
    rows: usize,
    /// Images of a chunk, at most; one if it is less than an image.
    images: usize,
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
struct Share {
    /// Vectors of outputs, and of inputs.
    vectors: [Range<usize>; 2],
    chunks: Range<usize>,
}

impl<'a> Tiles<'a> {
    /// The correlation in tiles, if that is known and faster than summing directly.
    pub fn of(all: &'a Correlation<'a>) -> Option<Self> {
        let ([co, ci], [height, width]) = (all.channels, all.output);
        let tiles = [height, width].map(|side| side.div_ceil(2));
        // Small images of odd sides have tiles that are mostly empty.
        let products = [POINTS * tiles[0] * tiles[1], TAPS * height * width];
        let pays = ci >= LEAST[0] && co >= LEAST[1] && 3 * products[0] <= 2 * products[1];
        if !(all.window.is_three() && pays) {
            return None;
        }
        let blocks = [co, ci].map(|channels| vectors(channels).div_ceil(BLOCK));
        let area = tiles[0] * tiles[1];
        let (rows, images) = match area >= CHUNK {
            true => {
                let most = (CHUNK / tiles[1]).max(1);
                (tiles[0].div_ceil(tiles[0].div_ceil(most)), 1)
            }
            false => (tiles[0], (CHUNK / area).clamp(1, all.batch.max(1))),
        };
        let made = Self {
            all,
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
        let most = |at: usize| vectors(self.all.channels[at]).div_ceil(self.blocks[at]);
        most(0) * most(1) * LANES * TAPS
    }

    fn share(&self, block: usize, at: usize) -> Share {
        let places = [block / self.blocks[1], block % self.blocks[1]];
        let of = |side: usize| {
            let all = vectors(self.all.channels[side]);
            part(all, self.blocks[side], places[side])
        };
        Share {
            vectors: [of(0), of(1)],
            chunks: part(self.chunks(), self.parts, at),
        }
    }

    /// Writes the gradient, `[co][ci][3][3]`.
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
            let used = share.vectors[0].len() * self.inputs(&share).len() * TAPS;
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
    fn inputs(&self, share: &Share) -> Range<usize> {
        let Range { start, end } = share.vectors[1];
        LANES * start..self.all.channels[1].min(LANES * end)
    }

    /// Writes a block of the gradient to its place.
    fn write(&self, share: &Share, from: &[Line], to: Shared) {
        let inputs = self.inputs(share);
        let each = share.vectors[0].clone();
        let each = each.zip(from.chunks_exact(inputs.len() * TAPS));
        for (vector, from) in each {
            self.all.write(vector, from, inputs.start * TAPS, to);
        }
    }

    /// Writes a unit's gradient.
    fn run(&self, share: &Share, to: &mut [Line]) {
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
        let inputs = self.inputs(share).len();
        for chunk in share.chunks.clone() {
            let count = self.enter(share, chunk, [&mut *dy, &mut *x], room, block);
            isa.run(Outer {
                x: &*x,
                dy: &*dy,
                point: room,
                stride: self.images * self.rows * self.tiles[1],
                count,
                outputs,
                inputs,
                sums: &mut *sums,
                sums_point,
                apart: share.vectors[1].len() * LANES,
            });
        }
        isa.run(Leave {
            from: sums,
            point: sums_point,
            apart: share.vectors[1].len() * LANES,
            inputs,
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
        let bands = self.bands();
        let (first, top) = (chunk / bands * self.images, chunk % bands * self.rows);
        let images = first..all.batch.min(first + self.images);
        let rows = self.rows.min(self.tiles[0] - top);
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
