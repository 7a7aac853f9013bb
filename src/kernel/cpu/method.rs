//! The methods of a convolution: which is taken, its filters, and all its units.

use std::ops::Range;

use rayon::prelude::*;

use super::adjoint::{self, Edges};
use super::direct::Direct;
use super::filters::Reading;
use super::isa::Isa;
use super::mirrors::{Bases, Tied};
use super::pass::Pass;
use super::plain::Plain;
use super::plan::{Plan, Task};
use super::scratch::Scratch;
use super::shared::Shared;
use super::space::Space;
use super::tile::{Four, Island, Two};
use super::window::Window;
use super::winograd;
use crate::kernel::Numerics;

/// Sizes of an image between which methods differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Large,
    /// Too small for the large tiles of fast numerics.
    Small,
    /// Of 2×2 pixels, with a row and a column of zeros on every side.
    Island,
}

/// How a pass is computed. Depends on channels, an image's size, numerics and structure only, never on the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Direct,
    Two,
    Four,
    /// An image is a tile.
    Island,
    /// F(2,3), split by the mirrors of p4m.
    Tied,
}

/// Fewest channels that are summed over for Winograd's transforms to pay.
const WINOGRAD_INPUTS: usize = 8;

/// Least product of input and output channels for which splitting by mirrors beats F(2,3), and
/// F(4,3): it saves multiplications, at the price of more to do for each channel and tile.
const SPLIT_BEATS_TWO: usize = 16 * 16;
const SPLIT_BEATS_FOUR: usize = 48 * 48;

impl Method {
    pub fn new(
        [outputs, inputs]: [usize; 2],
        window: Window,
        extent: Extent,
        numerics: Numerics,
        tied: bool,
    ) -> Self {
        let filters = outputs * inputs;
        let numerics = match extent {
            Extent::Large => numerics,
            Extent::Small | Extent::Island => Numerics::Exact,
        };
        match numerics {
            _ if !window.is_three() || inputs < WINOGRAD_INPUTS => Self::Direct,
            Numerics::Exact if tied && filters >= SPLIT_BEATS_TWO => Self::Tied,
            Numerics::Fast if tied && filters >= SPLIT_BEATS_FOUR => Self::Tied,
            Numerics::Exact if extent == Extent::Island => Self::Island,
            Numerics::Exact => Self::Two,
            Numerics::Fast => Self::Four,
        }
    }

    /// Packs filters; the window is that of a direct method.
    pub fn pack(
        self,
        weights: &[f32],
        shape: [usize; 2],
        window: Window,
        reading: Reading,
        isa: Isa,
    ) -> Filters {
        match self {
            Self::Direct => Filters::Direct(match reading {
                Reading::Forward => Direct::forward(weights, shape, window, isa),
                Reading::Transposed | Reading::Flipped => {
                    Direct::adjoint(weights, shape, window, isa)
                }
            }),
            Self::Two => Filters::Two(Plain::new(weights, shape, reading, isa)),
            Self::Four => Filters::Four(Plain::new(weights, shape, reading, isa)),
            Self::Island => Filters::Island(Plain::new(weights, shape, reading, isa)),
            Self::Tied => {
                let bases = Bases::of_bank(weights, shape[1]);
                Filters::Tied(Tied::new(bases, shape, reading, isa))
            }
        }
    }
}

/// Filters, packed for a method.
#[derive(Debug)]
pub(super) enum Filters {
    Direct(Direct),
    Two(Plain<Two>),
    Four(Plain<Four>),
    Island(Plain<Island>),
    Tied(Tied),
}

impl Filters {
    /// Rows and columns of outputs per tile.
    fn step(&self) -> usize {
        match self {
            Self::Direct(direct) => direct.period(),
            Self::Two(_) | Self::Island(_) | Self::Tied(_) => 2,
            Self::Four(_) => 4,
        }
    }

    /// Numbers that a filter becomes.
    fn points(&self) -> usize {
        match self {
            Self::Direct(direct) => direct.taps(),
            Self::Two(_) => 16,
            Self::Four(_) => 36,
            Self::Island(_) => 9,
            // Of the sixteen, as structure is used.
            Self::Tied(_) => 8,
        }
    }

    /// Output channels that are computed together.
    fn grain(&self) -> usize {
        match self {
            Self::Direct(direct) => direct.grain(),
            Self::Two(space) => space.grain(),
            Self::Four(space) => space.grain(),
            Self::Island(space) => space.grain(),
            Self::Tied(space) => space.grain(),
        }
    }
}

/// Weights of transformed filters beyond which a thread takes a part of the output channels of many images
/// rather than all channels of few: else every thread reads all of them for a few columns of products.
const MANY_WEIGHTS: usize = 1 << 19;

/// Fewest channels of such a part: all of them read all images.
const LEAST_PART: usize = 32;

/// Columns of products, of small images together, beyond which reading the weights takes no time beside multiplying
/// by them.
const ENOUGH_COLUMNS: usize = 16;

/// Columns of a band of rows at least, where weights are many: half of enough, as larger bands do not stay in the cache.
const BAND_COLUMNS: usize = 8;

/// Work of a pass, in multiplications, below which other threads are not worth waking: well under a tenth of a
/// millisecond. Tests have small cases on either side of it.
const LITTLE: usize = if cfg!(test) { 1 << 16 } else { 6 << 20 };

/// Multiplications that take as long as bringing a number to the lanes or back.
const MOVE: usize = 16;

/// Threads for a pass that makes `output` rows and columns.
fn threads(pass: &Pass, filters: &Filters, batch: usize, output: [usize; 2]) -> usize {
    let [inputs, outputs] = pass.channels;
    let tiles = output.map(|side| side.div_ceil(filters.step()));
    let products = tiles[0] * tiles[1] * filters.points() * inputs * outputs;
    let area = |[high, wide]: [usize; 2]| high * wide;
    let moved = inputs * area(pass.input) + outputs * area(output);
    match batch.saturating_mul(products + MOVE * moved) {
        0..=LITTLE => 1,
        _ => rayon::current_num_threads(),
    }
}

/// The units of a pass that makes `output` rows and columns, in blocks of columns too or not; `whole` if
/// threads may share the channels of a unit.
fn plan(
    pass: &Pass,
    filters: &Filters,
    batch: usize,
    output: [usize; 2],
    [columns, whole]: [bool; 2],
    threads: usize,
) -> Plan {
    let reads = match filters {
        Filters::Direct(direct) => direct.reads(),
        _ => 1,
    };
    Plan::new(Task {
        batch,
        output,
        step: filters.step(),
        lines: pass.channels[0] * reads + pass.channels[1],
        columns,
        least: if whole { BAND_COLUMNS } else { 1 },
        threads: if whole { 1 } else { threads },
    })
}

/// On this thread alone, or on all of rayon's.
fn for_each(count: usize, threads: usize, work: impl Fn(usize) + Send + Sync) {
    match threads {
        1 => (0..count).for_each(work),
        _ => (0..count).into_par_iter().with_max_len(1).for_each(work),
    }
}

/// The greatest common divisor.
fn common(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common(b, a % b) }
}

/// Cuts output channels into about `parts` runs of whole grains.
fn cut(channels: usize, grain: usize, parts: usize) -> impl Fn(usize) -> Range<usize> {
    let each = channels.div_ceil(grain).div_ceil(parts) * grain;
    move |part| (part * each).min(channels)..((part + 1) * each).min(channels)
}

/// Runs all units of a convolution.
pub(super) fn convolve(pass: &Pass, filters: &Filters, batch: usize) {
    let threads = threads(pass, filters, batch, pass.output);
    let [inputs, outputs] = pass.channels;
    let whole = inputs * outputs * filters.points() >= MANY_WEIGHTS;
    let plan = plan(pass, filters, batch, pass.output, [true, whole], threads);
    let sets = plan.sets(if whole { ENOUGH_COLUMNS } else { 1 });
    // As many as keep all threads busy.
    let parts = match whole {
        true => (threads / common(sets.len(), threads)).clamp(1, outputs.div_ceil(LEAST_PART)),
        false => 1,
    };
    let part = cut(outputs, filters.grain(), parts);
    for_each(sets.len() * parts, threads, |index| {
        let (set, part) = (sets.get(index / parts), part(index % parts));
        if part.is_empty() {
            return;
        }
        let mut made = [plan.unit(set.start); ENOUGH_COLUMNS];
        for (made, unit) in made.iter_mut().zip(set.clone()) {
            *made = plan.unit(unit);
        }
        let units = &made[..set.len()];
        match filters {
            Filters::Direct(direct) => {
                units.iter().for_each(|unit| direct.run(pass, unit, &part));
            }
            Filters::Two(space) => winograd::forward(pass, space, units, part),
            Filters::Four(space) => winograd::forward(pass, space, units, part),
            Filters::Island(space) => {
                // Its tile knows of the zeros around it.
                let pass = Pass {
                    padding: 0,
                    ..*pass
                };
                winograd::forward(&pass, space, units, part);
            }
            Filters::Tied(space) => winograd::forward(pass, space, units, part),
        }
    });
}

/// Runs all units of an input gradient with overlapping tiles, and joins their boundaries.
pub(super) fn overlap_add(pass: &Pass, filters: &Filters, batch: usize) {
    let threads = threads(pass, filters, batch, pass.input);
    let plan = plan(pass, filters, batch, pass.input, [false, false], threads);
    let boundaries = plan.max_block_rows().saturating_sub(1);
    let count = batch * pass.channels[1] * boundaries * 4 * pass.output[1];
    let mut sums = Scratch::floats(count);
    let sums = sums.numbers(count);
    let edges = Edges {
        sums: Shared::new(sums),
        boundaries,
    };
    // A few images are too few units for all threads: then parts of the channels, which changes no sum.
    let units = plan.units();
    let channels = pass.channels[1];
    let parts = match units < threads {
        true => (threads / units.max(1)).clamp(1, (channels / LEAST_PART).max(1)),
        false => 1,
    };
    let part = cut(channels, filters.grain(), parts);
    for_each(units * parts, threads, |index| {
        let (unit, part) = (&plan.unit(index / parts), &part(index % parts));
        if part.is_empty() {
            return;
        }
        match filters {
            Filters::Direct(_) | Filters::Island(_) => {
                unreachable!("these gradients are convolutions")
            }
            Filters::Two(space) => adjoint::backward(pass, space, &plan, unit, part, edges),
            Filters::Four(space) => adjoint::backward(pass, space, &plan, unit, part, edges),
            Filters::Tied(space) => adjoint::backward(pass, space, &plan, unit, part, edges),
        }
    });
    if boundaries > 0 {
        let sums = &*sums;
        for_each(batch, threads, |image| {
            adjoint::join(pass, &plan, image, sums, boundaries);
        });
    }
}
