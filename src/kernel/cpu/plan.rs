//! Which part of which image runs in which lane.
//!
//! A *cell* is a block of one image's output; sixteen cells are computed together, one per lane,
//! and make a *unit*, the piece of work of one thread. In full groups of sixteen images the lanes
//! are the images, and a unit is a band of rows of all sixteen. The images that are left over (all
//! of them in a small batch) are cut into blocks, and a lane is any block of any of them. Blocks
//! begin at multiples of the Winograd tile, so that cutting changes no tile and no bit.

use std::ops::Range;

use super::isa::LANES;

/// A block of one image's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Image of the batch.
    pub image: usize,
    /// First output row.
    pub top: usize,
    /// First output column.
    pub left: usize,
}

/// Sixteen cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    /// One cell per lane; unused lanes repeat the first, and hold zeros.
    pub cells: [Cell; LANES],
    /// Lanes in use.
    pub used: usize,
    /// Output rows to compute, a multiple of the step.
    pub high: usize,
    /// Output columns to compute, a multiple of the step.
    pub wide: usize,
}

impl Unit {
    /// Rows and columns of a cell's block.
    pub fn block(&self) -> [usize; 2] {
        [self.high, self.wide]
    }

    /// Those that filters reach from the block, or that it reaches on the way back.
    pub fn reach(&self) -> [usize; 2] {
        [self.high + 2, self.wide + 2]
    }
}

/// A run of images cut in one way.
#[derive(Clone, Copy, Debug)]
struct Part {
    first: usize,
    groups: usize,
    size: usize,
    rows: usize,
    cols: usize,
    high: usize,
    wide: usize,
}

impl Part {
    fn units_per_group(&self) -> usize {
        (self.size * self.rows * self.cols).div_ceil(LANES)
    }

    fn units(&self) -> usize {
        self.groups * self.units_per_group()
    }
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// Images.
    pub batch: usize,
    /// Output rows and columns of an image.
    pub output: [usize; 2],
    /// Output rows and columns of a tile; blocks are made of whole tiles.
    pub step: usize,
    /// Lines of scratch per output pixel (channels in and out).
    pub lines: usize,
    /// Tiles that a unit of full groups has at least, if the image has.
    pub least: usize,
    /// Whether blocks may be narrower than the image.
    pub columns: bool,
    /// Threads that share the work.
    pub threads: usize,
}

/// All units of a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    parts: [Part; 2],
    output: [usize; 2],
    step: usize,
}

/// Runs of units of one shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sets {
    units: usize,
    /// The first units, which have one shape.
    alike: usize,
    /// How many of these are together, but for the last of their runs.
    together: usize,
}

impl Sets {
    fn shared(self) -> usize {
        self.alike.div_ceil(self.together)
    }

    /// Number of runs.
    pub fn len(self) -> usize {
        self.shared() + self.units - self.alike
    }

    /// The units of a run.
    pub fn get(self, index: usize) -> Range<usize> {
        match index.checked_sub(self.shared()) {
            None => index * self.together..((index + 1) * self.together).min(self.alike),
            Some(single) => self.alike + single..self.alike + single + 1,
        }
    }
}

/// The smallest block for each number of blocks, the largest first: about 2√tiles of them.
fn sizes(tiles: usize) -> impl Iterator<Item = usize> {
    let mut next = tiles;
    std::iter::from_fn(move || {
        let size = next;
        if size == 0 {
            return None;
        }
        // One more block than there are of this size.
        next = match size {
            1 => 0,
            _ => tiles.div_ceil(tiles.div_ceil(size) + 1).min(size - 1),
        };
        Some(size)
    })
}

/// Lines of scratch that a unit of full groups should not exceed by much: about the size of a
/// core's cache.
const CACHE_LINES: usize = 32 * 1024;

impl Plan {
    /// Cuts the work.
    pub fn new(task: Task) -> Self {
        let (batch, output, step) = (task.batch, task.output, task.step);
        let tiles = [output[0].div_ceil(step), output[1].div_ceil(step)];
        let groups = batch / LANES;
        let mut full = Part {
            first: 0,
            groups,
            size: LANES,
            rows: 1,
            cols: 1,
            high: tiles[0] * step,
            wide: tiles[1] * step,
        };
        if groups > 0 {
            let row = tiles[1] * step * step * task.lines;
            let least = task.least.div_ceil(tiles[1]);
            let most = (CACHE_LINES / row.max(1)).max(least).clamp(1, tiles[0]);
            let mut bands = tiles[0].div_ceil(most);
            // Units for every thread, and no thread idle at the end where a cut can avoid it.
            let idle = |bands: usize| {
                let units = groups * bands;
                units.div_ceil(task.threads) * task.threads * 16 > units * 18
            };
            let enough = (bands..=tiles[0]).find(|&b| b <= 2 * bands.max(4) && !idle(b));
            bands = enough.unwrap_or(bands);
            let high = tiles[0].div_ceil(bands);
            full.rows = tiles[0].div_ceil(high);
            full.high = high * step;
        }
        let rest = batch % LANES;
        let mut left = Part {
            first: groups * LANES,
            groups: usize::from(rest > 0),
            ..full
        };
        if rest > 0 {
            left.size = rest;
            let mut best = usize::MAX;
            for high in sizes(tiles[0]) {
                for wide in sizes(tiles[1]) {
                    if !task.columns && wide != tiles[1] {
                        continue;
                    }
                    let (rows, cols) = (tiles[0].div_ceil(high), tiles[1].div_ceil(wide));
                    let units = (rest * rows * cols).div_ceil(LANES);
                    // A unit's cost: its tiles, its border, and reading the filters.
                    let cost = 4 * high * wide + 2 * (high + wide) + 4;
                    let total = units.div_ceil(task.threads) * cost;
                    if total < best {
                        best = total;
                        left.rows = rows;
                        left.cols = cols;
                        left.high = high * step;
                        left.wide = wide * step;
                    }
                }
            }
        }
        Self {
            parts: [full, left],
            output,
            step,
        }
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.parts[0].units() + self.parts[1].units()
    }

    /// The units in runs: of whole images of the same size as many as have this many tiles together, if
    /// there are so many; of all others each alone.
    pub fn sets(&self, tiles: usize) -> Sets {
        let Part { high, wide, .. } = self.parts[0];
        let each = high * wide / (self.step * self.step);
        let alike = match self.parts[0].rows {
            1 => self.parts[0].units(),
            _ => 0,
        };
        Sets {
            units: self.units(),
            alike,
            together: tiles.div_ceil(each.max(1)).clamp(1, alike.max(1)),
        }
    }

    /// Row boundaries between blocks of the given image.
    pub fn block_rows(&self, image: usize) -> (usize, usize) {
        let part = &self.parts[usize::from(image >= self.parts[1].first)];
        (part.rows, part.high)
    }

    /// Most block rows of any image.
    pub fn max_block_rows(&self) -> usize {
        let used = self.parts.iter().filter(|part| part.groups > 0);
        used.map(|part| part.rows).max().unwrap_or(0)
    }

    /// The `index`-th unit.
    pub fn unit(&self, index: usize) -> Unit {
        let (part, index) = match index.checked_sub(self.parts[0].units()) {
            None => (&self.parts[0], index),
            Some(index) => (&self.parts[1], index),
        };
        let (group, unit) = (
            index / part.units_per_group(),
            index % part.units_per_group(),
        );
        let cells = part.size * part.rows * part.cols;
        let cell = |k: usize| {
            let (image, block) = (k % part.size, k / part.size);
            Cell {
                image: part.first + group * part.size + image,
                top: block / part.cols * part.high,
                left: block % part.cols * part.wide,
            }
        };
        let start = unit * LANES;
        let used = LANES.min(cells - start);
        let mut made = [cell(start); LANES];
        for (lane, made) in made.iter_mut().enumerate().take(used) {
            *made = cell(start + lane);
        }
        let reach = |size: usize, from: usize, output: usize| {
            size.min((output - from).div_ceil(self.step) * self.step)
        };
        let high = made
            .iter()
            .map(|c| reach(part.high, c.top, self.output[0]))
            .max();
        let wide = made
            .iter()
            .map(|c| reach(part.wide, c.left, self.output[1]))
            .max();
        Unit {
            cells: made,
            used,
            high: high.unwrap_or(part.high),
            wide: wide.unwrap_or(part.wide),
        }
    }
}
