//! Winograd space: filters at the points of a tile, and the ways in and out.

use std::ops::Range;

use super::isa::{Isa, Line};

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
    /// All `count` tiles, `across` in a row, in runs of at most `stride`.
    pub fn all(count: usize, stride: usize, across: usize) -> impl Iterator<Item = Self> {
        (0..count).step_by(stride).map(move |first| Self {
            first,
            count: stride.min(count - first),
            stride,
            across,
        })
    }

    /// Row and column of the run's `t`-th tile.
    #[inline(always)]
    pub fn tile(self, t: usize) -> [usize; 2] {
        [
            (self.first + t) / self.across,
            (self.first + t) % self.across,
        ]
    }
}

/// Columns of products.
#[derive(Clone)]
pub(crate) struct Columns {
    /// Output channels.
    pub part: Range<usize>,
    /// Columns in use.
    pub count: usize,
    /// Lines from one channel to the next.
    pub stride: usize,
}

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

/// Where products go on their way back.
pub(crate) enum Target<'a> {
    /// By `Aᵀ m A`, with bias and relu.
    Rim(Rim<'a>),
    /// By `B m Bᵀ`, added where tiles overlap.
    Overlap(Overlap<'a>),
}

/// Filters in Winograd space, and how tiles come to their products and back.
pub(crate) trait Space<const I: usize, const O: usize>: Sync {
    /// Columns of products to compute at once.
    fn chunk(&self, isa: Isa, tiles: usize) -> usize;
    /// Output channels that are computed together: a part of them begins and ends with such a run.
    fn grain(&self) -> usize;
    /// Lines that data and the products of these output channels take, with `stride` columns.
    fn room(&self, stride: usize, part: &Range<usize>) -> [usize; 2];
    /// `Bᵀ d B`, or for the adjoint `A y Aᵀ`, of every channel and tile.
    fn enter<const ADJOINT: bool>(&self, isa: Isa, span: Span, from: Blocks, to: &mut [Line]);
    /// Products with the filters of these output channels, of `count` columns.
    fn multiply(&self, isa: Isa, columns: Columns, data: &[Line], out: &mut [Line]);
    /// Brings every one of these channels and every tile of the products where the target says.
    fn leave(&self, isa: Isa, span: Span, part: &Range<usize>, from: &[Line], to: Target);
}

/// Lines of one matrix's rows. An odd line keeps the points of one channel off the same cache sets.
pub(crate) fn lines(rows: usize, stride: usize) -> usize {
    rows * stride + 1
}

/// Lines of transformed data that are worked on at once, so that they stay in the cache.
const CHUNK_LINES: usize = 8 * 1024;

/// Columns of products that are computed at once: whole micro-kernels of `step` columns, within
/// the cache if a column takes `lines`.
pub(crate) fn chunk(lines: usize, step: usize, tiles: usize) -> usize {
    let most = (CHUNK_LINES / lines / step).max(1) * step;
    let chunks = tiles.div_ceil(most);
    tiles.div_ceil(chunks).next_multiple_of(step).min(tiles)
}
