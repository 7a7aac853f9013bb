//! From images to lanes and back.

use std::ops::Range;

use super::isa::{LANES, Line, Simd, Work};
use super::plan::Unit;
use super::shared::Shared;

/// Reads blocks of sixteen images into lanes, with zeros outside the images and in unused lanes.
pub(crate) struct Gather<'a> {
    /// `[batch][channel][height][width]`.
    pub from: &'a [f32],
    /// If given, same shape: values pass where it is positive.
    pub gate: Option<&'a [f32]>,
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Where to read: row `y` of the result is row `top + y - padding` of the image.
    pub unit: &'a Unit,
    /// Zeros in front of the first row and column.
    pub padding: usize,
    /// Rows and columns of the result.
    pub size: [usize; 2],
    /// `[channel][row][column]`.
    pub to: &'a mut [Line],
}

/// How far ahead of what is read from an image the memory is told of it, in numbers.
///
/// Sixteen images are more streams than a processor follows by itself, and with common sizes
/// they begin at the same places of its smallest cache.
const AHEAD: usize = 6 * LANES;

/// What is `AHEAD` of `at`, of `len` numbers in each plane of this size.
#[inline(always)]
fn soon(at: usize, len: usize, plane: usize) -> usize {
    match at + AHEAD {
        soon if soon < len => soon,
        soon => soon - len + plane,
    }
}

impl Work for Gather<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [_, _, width] = self.shape;
        let first = self.unit.cells[0];
        let same = self
            .unit
            .cells
            .iter()
            .all(|c| c.top == first.top && c.left == 0);
        let whole = same && self.size[1] >= self.padding + width;
        match (whole, self.unit.used == LANES) {
            (true, true) => self.whole_rows::<S, true>(s),
            (true, false) => self.whole_rows::<S, false>(s),
            (false, _) => self.by_row(s),
        }
    }
}

impl Gather<'_> {
    /// All lanes that are used, `FULL` if that is every one, read the same full rows.
    #[inline(always)]
    fn whole_rows<S: Simd, const FULL: bool>(self, s: S) {
        let used = if FULL { LANES } else { self.unit.used };
        let [channels, height, width] = self.shape;
        let ([rows, cols], padding) = (self.size, self.padding);
        let top = self.unit.cells[0].top;
        let begin = padding.saturating_sub(top).min(rows);
        let end = (height + padding).saturating_sub(top).clamp(begin, rows);
        for c in 0..channels {
            let to = &mut self.to[c * rows * cols..][..rows * cols];
            to[..begin * cols].fill(Line::ZERO);
            to[end * cols..].fill(Line::ZERO);
            for row in to[begin * cols..end * cols].chunks_exact_mut(cols) {
                row[..padding].fill(Line::ZERO);
                row[padding + width..].fill(Line::ZERO);
            }
            let (start, len) = ((top + begin) * width, (end - begin) * width);
            let start = start.saturating_sub(padding * width).min(height * width);
            let mut from = [&self.from[..0]; LANES];
            let mut gate = from;
            for lane in 0..used {
                let plane = (self.unit.cells[lane].image * channels + c) * height * width + start;
                from[lane] = &self.from[plane..plane + len];
                if let Some(all) = self.gate {
                    gate[lane] = &all[plane..plane + len];
                }
            }
            let to = &mut to[begin * cols..];
            let (mut x, mut index, mut at) = (0, padding, 0);
            while at < len {
                let n = LANES.min(len - at);
                let soon = soon(at, len, height * width);
                for lane in 0..LANES {
                    s.prefetch(from[lane].as_ptr().wrapping_add(soon));
                    if self.gate.is_some() {
                        s.prefetch(gate[lane].as_ptr().wrapping_add(soon));
                    }
                }
                let mut r = [s.splat(0.0); LANES];
                if n == LANES {
                    for lane in 0..LANES {
                        if lane < used {
                            r[lane] = load(s, from[lane], at);
                            if self.gate.is_some() {
                                r[lane] = s.gate(r[lane], load(s, gate[lane], at));
                            }
                        }
                    }
                    let r = s.transpose(r);
                    if let Some(to) = to[index..].first_chunk_mut::<LANES>()
                        && width - x >= LANES
                    {
                        // In one row: without a question for each of them.
                        for i in 0..LANES {
                            s.store(r[i], &mut to[i]);
                        }
                        (x, index) = (x + LANES, index + LANES);
                        if x == width {
                            (x, index) = (0, index + cols - width);
                        }
                    } else {
                        for r in r {
                            s.store(r, &mut to[index]);
                            (x, index) = (x + 1, index + 1);
                            if x == width {
                                (x, index) = (0, index + cols - width);
                            }
                        }
                    }
                } else {
                    for lane in 0..LANES {
                        if lane < used {
                            r[lane] = s.load_part(&from[lane][at..]);
                            if self.gate.is_some() {
                                r[lane] = s.gate(r[lane], s.load_part(&gate[lane][at..]));
                            }
                        }
                    }
                    let r = s.transpose(r);
                    for i in 0..LANES {
                        if i < n {
                            s.store(r[i], &mut to[index]);
                            (x, index) = (x + 1, index + 1);
                            if x == width {
                                (x, index) = (0, index + cols - width);
                            }
                        }
                    }
                }
                at += LANES;
            }
        }
    }

    /// Every lane reads its own place, row by row.
    #[inline(always)]
    fn by_row<S: Simd>(self, s: S) {
        let [channels, height, width] = self.shape;
        let ([rows, cols], padding) = (self.size, self.padding);
        // Columns `inside` of each lane's block lie inside the image, the first of them in column `left`.
        let cells = &self.unit.cells[..self.unit.used];
        let (mut inside, mut left) = ([[0; 2]; LANES], [0; LANES]);
        for (lane, cell) in cells.iter().enumerate() {
            let begin = padding.saturating_sub(cell.left).min(cols);
            let end = (width + padding).saturating_sub(cell.left);
            inside[lane] = [begin, end.clamp(begin, cols)];
            left[lane] = (cell.left + begin).saturating_sub(padding);
        }
        for c in 0..channels {
            for y in 0..rows {
                let to = &mut self.to[(c * rows + y) * cols..][..cols];
                for (block, to) in to.chunks_mut(LANES).enumerate() {
                    let at = block * LANES;
                    let mut r = [s.splat(0.0); LANES];
                    for (lane, cell) in cells.iter().enumerate() {
                        let row = (cell.top + y).wrapping_sub(padding);
                        let [begin, end] = inside[lane];
                        let (first, last) = (begin.max(at), end.min(at + LANES));
                        if row >= height || first >= last {
                            continue;
                        }
                        let line = ((cell.image * channels + c) * height + row) * width;
                        let from = line + left[lane] + (first - begin);
                        let from = from..from + (last - first);
                        let mut x = s.load_from(&self.from[from.clone()], first - at);
                        if let Some(gate) = self.gate {
                            x = s.gate(x, s.load_from(&gate[from], first - at));
                        }
                        r[lane] = x;
                    }
                    let r = s.transpose(r);
                    for i in 0..LANES {
                        if i < to.len() {
                            s.store(r[i], &mut to[i]);
                        }
                    }
                }
            }
        }
    }
}

/// Rows of one lane's block that go to one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Image of the result.
    pub image: usize,
    /// First row in the block.
    pub from: usize,
    /// Number of rows.
    pub rows: usize,
    /// First row in the result.
    pub to: usize,
    /// First column in the result.
    pub left: usize,
    /// Number of columns.
    pub cols: usize,
}

/// Writes blocks from lanes to images.
pub(crate) struct Scatter<'a> {
    /// `[channel of part][row][column]`.
    pub from: &'a [Line],
    /// Rows and columns of `from`.
    pub size: [usize; 2],
    /// What each lane writes; no rows if nothing.
    pub pieces: [Piece; LANES],
    /// Added to what is written, of the same shape, and whether negative sums become zero.
    pub beside: Option<(&'a [f32], bool)>,
    /// Channels that are written.
    pub part: Range<usize>,
    /// `[image][channel][height][width]`.
    pub to: Shared,
    /// Channels, height, width.
    pub shape: [usize; 3],
}

impl Work for Scatter<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let first = self.pieces[0];
        let whole = first.left == 0 && first.cols == self.shape[2];
        let same = |p: &Piece| Piece { image: 0, ..*p } == Piece { image: 0, ..first };
        if whole && self.pieces.iter().all(same) {
            self.whole_rows(s);
        } else {
            self.by_row(s);
        }
    }
}

impl Scatter<'_> {
    /// All lanes write the same full rows of different images.
    #[inline(always)]
    fn whole_rows<S: Simd>(self, s: S) {
        let [channels, height, width] = self.shape;
        let [rows, cols] = self.size;
        let first = self.pieces[0];
        let len = first.rows * width;
        if len == 0 {
            return;
        }
        for (c, channel) in self.part.clone().enumerate() {
            let from = &self.from[(c * rows + first.from) * cols..(c + 1) * rows * cols];
            let mut starts = [0; LANES];
            for lane in 0..LANES {
                let plane = (self.pieces[lane].image * channels + channel) * height;
                starts[lane] = (plane + first.to) * width;
            }
            let (mut x, mut index, mut at) = (0, 0, 0);
            while at < len {
                let n = LANES.min(len - at);
                let soon = soon(at, len, height * width);
                for lane in 0..LANES {
                    s.prefetch(self.to.place(starts[lane] + soon));
                    if let Some((beside, _)) = self.beside {
                        s.prefetch(beside.as_ptr().wrapping_add(starts[lane] + soon));
                    }
                }
                let mut r = [s.splat(0.0); LANES];
                if let Some(from) = from[index..].first_chunk::<LANES>()
                    && width - x >= LANES
                {
                    // In one row: without a question for each of them.
                    for i in 0..LANES {
                        r[i] = s.load(&from[i]);
                    }
                    (x, index) = (x + LANES, index + LANES);
                    if x == width {
                        (x, index) = (0, index + cols - width);
                    }
                } else {
                    for i in 0..LANES {
                        if i < n {
                            r[i] = s.load(&from[index]);
                            (x, index) = (x + 1, index + 1);
                            if x == width {
                                (x, index) = (0, index + cols - width);
                            }
                        }
                    }
                }
                let r = s.transpose(r);
                for lane in 0..LANES {
                    self.write(s, r[lane], starts[lane] + at, n);
                }
                at += LANES;
            }
        }
    }

    /// Every lane writes its own place, row by row.
    #[inline(always)]
    fn by_row<S: Simd>(self, s: S) {
        let [channels, height, width] = self.shape;
        let [rows, cols] = self.size;
        for (c, channel) in self.part.clone().enumerate() {
            for y in 0..rows {
                let inside = |p: &Piece| y >= p.from && y < p.from + p.rows;
                if !self.pieces.iter().any(inside) {
                    continue;
                }
                let from = &self.from[(c * rows + y) * cols..][..cols];
                for (block, from) in from.chunks(LANES).enumerate() {
                    let at = block * LANES;
                    let mut r = [s.splat(0.0); LANES];
                    for i in 0..LANES {
                        if i < from.len() {
                            r[i] = s.load(&from[i]);
                        }
                    }
                    let r = s.transpose(r);
                    for lane in 0..LANES {
                        let piece = &self.pieces[lane];
                        if inside(piece) && piece.cols > at {
                            let row = piece.to + y - piece.from;
                            let plane = piece.image * channels + channel;
                            let start = (plane * height + row) * width + piece.left + at;
                            self.write(s, r[lane], start, LANES.min(piece.cols - at));
                        }
                    }
                }
            }
        }
    }

    /// Writes the first `n` lanes, with what is added.
    #[inline(always)]
    fn write<S: Simd>(&self, s: S, mut y: S::V, start: usize, n: usize) {
        if let Some((beside, relu)) = self.beside {
            let beside = &beside[start..][..n];
            y = s.add(y, s.load_from(beside, 0));
            if relu {
                y = s.relu(y);
            }
        }
        // SAFETY: pieces of a pass do not overlap, and the result outlives the pass.
        let to = unsafe { self.to.slice(start, n) };
        match <&mut [f32; LANES]>::try_from(&mut *to) {
            Ok(to) => s.store16(y, to),
            Err(_) => s.store_part(y, to),
        }
    }
}

/// Sixteen neighbours from `at`.
#[inline(always)]
fn load<S: Simd>(s: S, from: &[f32], at: usize) -> S::V {
    let mut lanes = &[0.0; LANES];
    if let Some(found) = from[at..].first_chunk() {
        lanes = found;
    }
    s.load16(lanes)
}
