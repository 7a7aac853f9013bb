//! The weight gradient, sixteen output channels in the lanes: by Winograd's tiles where they save more
//! than they cost, else directly.
//!
//! Directly, the work is cut into strips of pixels: rows of an image, or several whole images where they are small and
//! the gradient is large, as every strip reads and writes all of it once. A unit is a run of strips; its gradient is the sum over
//! its strips in order, and the whole gradient the sum over units in order. The cut depends on
//! shapes only, so the result does not depend on the number of threads.

mod mirrored;
mod points;
mod taps;
mod tiles;
mod turn;

use std::ops::Range;

use rayon::prelude::*;

use super::isa::{Isa, LANES, Line};
use super::lanes::{Piece, Scatter};
use super::scratch::Scratch;
use super::shared::Shared;
use super::window::Window;
use taps::Taps;
use tiles::Tiles;
use turn::Turn;

/// Pixels of a strip, about: the gradients of three vectors of channels on them stay in the
/// first-level cache.
const STRIP: usize = 128;
/// The same where a gradient of more than so many lines would be read and written too often.
const LONG: usize = 512;
const LARGE: usize = 1 << 14;
/// Strips of a unit, about.
const STRIPS: usize = 64;
/// Units, where there are enough strips.
const UNITS: usize = 8;

/// Lines in the gradients of units that wait to be summed.
const WAITING: usize = 1 << 16;

/// What the units of a weight gradient share.
#[derive(Clone, Copy)]
pub(crate) struct Correlation<'a> {
    /// Instruction set.
    pub isa: Isa,
    /// `[batch][ci][height][width]`.
    pub x: &'a [f32],
    /// `[batch][co][output height][output width]`.
    pub dy: &'a [f32],
    /// If given, shape of `dy`: it counts where this is positive.
    pub gate: Option<&'a [f32]>,
    /// Images.
    pub batch: usize,
    /// Output and input channels.
    pub channels: [usize; 2],
    /// Rows and columns of `x`.
    pub input: [usize; 2],
    /// Rows and columns of `dy`.
    pub output: [usize; 2],
    /// What an output looks at.
    pub window: Window,
}

/// The channels of a vector, of so many.
fn channels(vector: usize, all: usize) -> Range<usize> {
    vector * LANES..all.min((vector + 1) * LANES)
}

impl Correlation<'_> {
    /// Lines of a gradient: `[co / 16, rounded up][ci][taps]`.
    fn lines(&self) -> usize {
        self.channels[0].div_ceil(LANES) * self.filter()
    }

    /// Weights of an output channel.
    fn filter(&self) -> usize {
        self.channels[1] * self.window.taps()
    }

    /// Rows of `x` that this many rows of `dy` meet; columns alike.
    fn meets(&self, rows: usize) -> usize {
        (rows - 1) * self.window.stride + self.window.extent()
    }

    fn is_large(&self) -> bool {
        self.lines() > LARGE
    }

    /// Pixels of a strip, about.
    fn strip(&self) -> usize {
        if self.is_large() { LONG } else { STRIP }
    }

    /// Rows of a strip.
    fn rows(&self) -> usize {
        let [height, width] = self.output;
        let rows = (self.strip() / width).clamp(1, height);
        height.div_ceil(height.div_ceil(rows))
    }

    /// Whole images of a strip, or one that is cut.
    fn images(&self) -> usize {
        let [height, width] = self.output;
        match self.is_large() {
            true => (self.strip() / (height * width)).clamp(1, self.batch),
            false => 1,
        }
    }

    fn strips(&self) -> usize {
        self.batch.div_ceil(self.images()) * self.output[0].div_ceil(self.rows())
    }

    /// Number of units.
    fn units(&self) -> usize {
        let strips = self.strips();
        strips.div_ceil(STRIPS).max(UNITS).min(strips)
    }

    /// Strips of a unit.
    fn unit(&self, unit: usize) -> Range<usize> {
        let (strips, units) = (self.strips(), self.units());
        unit * strips / units..(unit + 1) * strips / units
    }

    /// Writes the gradient, `[co][ci][taps]`.
    pub fn sum(&self, dw: &mut [f32]) {
        if self.batch == 0 {
            dw.fill(0.0);
            return;
        }
        match Tiles::of(self) {
            Some(tiles) => tiles.sum(dw),
            None => self.sum_directly(dw),
        }
    }

    /// Writes the gradient of the weights `[co / 8][ci / 8][8][3][3]` that the filters of a p4m group convolution
    /// are copies of, if that is faster by the mirrors; says whether it did.
    pub fn sum_mirrored(&self, dw: &mut [f32]) -> bool {
        if self.batch == 0 {
            dw.fill(0.0);
            return true;
        }
        let tiles = Tiles::mirrored(self);
        tiles.as_ref().inspect(|tiles| tiles.sum(dw)).is_some()
    }

    /// Units in waves, their gradients summed in order.
    fn sum_directly(&self, dw: &mut [f32]) {
        let filter = self.filter();
        let (lines, threads) = (self.lines(), rayon::current_num_threads());
        let units = self.units();
        // Few units are cut into vectors of output channels, which changes no sum.
        let vectors = self.channels[0].div_ceil(LANES);
        let part = vectors.div_ceil(UNITS.div_ceil(units).min(vectors));
        let wave = (WAITING / lines).clamp(threads, 4 * threads).min(units);
        let mut memory = Scratch::new((wave + 1) * lines);
        let (sum, waiting) = memory.lines((wave + 1) * lines).split_at_mut(lines);
        sum.fill(Line::ZERO);
        for start in (0..units).step_by(wave) {
            let waiting = &mut waiting[..wave.min(units - start) * lines];
            let each = waiting.par_chunks_exact_mut(lines).with_max_len(1);
            each.enumerate().for_each(|(index, dw)| {
                let parts = dw.par_chunks_mut(part * filter).with_max_len(1);
                parts
                    .enumerate()
                    .for_each(|(at, dw)| self.run(start + index, at * part, dw));
            });
            let waiting = &*waiting;
            sum.par_chunks_mut(1 << 10)
                .enumerate()
                .for_each(|(chunk, sum)| {
                    for unit in waiting.chunks_exact(lines) {
                        for (sum, part) in sum.iter_mut().zip(&unit[chunk << 10..]) {
                            for (sum, part) in sum.0.iter_mut().zip(part.0) {
                                *sum += part;
                            }
                        }
                    }
                });
        }
        let (sum, to) = (&*sum, Shared::new(dw));
        let each = sum.par_chunks(filter).enumerate();
        each.for_each(|(vector, sum)| {
            self.write(channels(vector, self.channels[0]), sum, 0, to);
        });
    }

    /// Writes a part of the filters of a vector of outputs, `[weight]`, from this weight on.
    fn write(&self, outputs: Range<usize>, from: &[Line], first: usize, to: Shared) {
        let mut pieces = [Piece::default(); LANES];
        for (piece, output) in pieces.iter_mut().zip(outputs) {
            *piece = Piece {
                image: output,
                rows: 1,
                left: first,
                cols: from.len(),
                ..Piece::default()
            };
        }
        self.isa.run(Scatter {
            from,
            size: [1, from.len()],
            pieces,
            beside: None,
            part: 0..1,
            to,
            shape: [1, 1, self.filter()],
        });
    }

    /// Writes one unit's gradient of as many vectors of output channels as there is room for, from one on.
    fn run(&self, unit: usize, first_vector: usize, dw: &mut [Line]) {
        dw.fill(Line::ZERO);
        let ci = self.channels[1];
        let [height, width] = self.output;
        let (rows, most) = (self.rows(), self.images());
        let bands = height.div_ceil(rows);
        let pixels = most * rows * width;
        let vectors = dw.len() / self.filter();
        let mut dy = Scratch::new(vectors * pixels);
        let dy = dy.lines(vectors * pixels);
        let [high, wide] = [rows, width].map(|side| self.meets(side));
        let padded = match self.window.padding {
            0 => 0,
            _ => most * ci * high * wide,
        };
        let mut x = Scratch::floats(padded);
        let x = x.numbers(padded);
        for strip in self.unit(unit) {
            let (first, top) = (strip / bands * most, strip % bands * rows);
            let rows = rows.min(height - top);
            let images = first..self.batch.min(first + most);
            self.isa.run(Turn {
                shared: self,
                images: images.clone(),
                first_vector,
                top,
                rows,
                to: &mut *dy,
                pixels,
            });
            let (x, plane, columns, start) = if padded > 0 {
                let high = self.meets(rows);
                let each = x.chunks_exact_mut(ci * high * wide);
                for (image, x) in images.clone().zip(each) {
                    self.pad(image, top, [high, wide], x);
                }
                (&*x, high * wide, wide, 0)
            } else {
                let [high, wide] = self.input;
                let x = &self.x[images.start * ci * high * wide..];
                (x, high * wide, wide, top * self.window.stride * wide)
            };
            self.isa.run(Taps {
                x,
                images: images.len(),
                plane,
                columns,
                start,
                dy,
                pixels,
                vectors,
                inputs: ci,
                window: self.window,
                size: [rows, width],
                dw: &mut *dw,
            });
        }
    }

    /// Copies the part of `x` that a strip meets, `[ci][high][wide]`, with its padding.
    fn pad(&self, image: usize, top: usize, [high, wide]: [usize; 2], to: &mut [f32]) {
        let (ci, [height, width], padding) = (self.channels[1], self.input, self.window.padding);
        let used = wide.saturating_sub(padding).min(width);
        for c in 0..ci {
            for y in 0..high {
                let to = &mut to[(c * high + y) * wide..][..wide];
                let row = (top * self.window.stride + y).wrapping_sub(padding);
                if row >= height || used == 0 {
                    to.fill(0.0);
                    continue;
                }
                let from = ((image * ci + c) * height + row) * width;
                to[..padding].fill(0.0);
                to[padding..padding + used].copy_from_slice(&self.x[from..from + used]);
                to[padding + used..].fill(0.0);
            }
        }
    }
}
