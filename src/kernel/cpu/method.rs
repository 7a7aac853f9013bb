//! The methods of a convolution: which is taken, its filters, and all its units.

use rayon::prelude::*;

use super::adjoint::{self, Edges};
use super::direct::Direct;
use super::filters::Reading;
use super::isa::Isa;
use super::lanes::Shared;
use super::mirrors::Tied;
use super::pass::Pass;
use super::plain::Plain;
use super::plan::{Plan, Task, Unit};
use super::scratch::Scratch;
use super::tile::{Four, Two};
use super::window::Window;
use super::winograd;
use crate::kernel::Numerics;

/// How a pass is computed. Depends on channels, numerics and structure only, never on the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Direct,
    Two,
    Four,
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
        numerics: Numerics,
        tied: bool,
    ) -> Self {
        let filters = outputs * inputs;
        match numerics {
            _ if !window.is_three() || inputs < WINOGRAD_INPUTS => Self::Direct,
            Numerics::Exact if tied && filters >= SPLIT_BEATS_TWO => Self::Tied,
            Numerics::Fast if tied && filters >= SPLIT_BEATS_FOUR => Self::Tied,
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
            Self::Tied => Filters::Tied(Tied::new(weights, shape, reading, isa)),
        }
    }
}

/// Filters, packed for a method.
#[derive(Debug)]
pub(super) enum Filters {
    Direct(Direct),
    Two(Plain<Two>),
    Four(Plain<Four>),
    Tied(Tied),
}

impl Filters {
    /// Rows and columns of outputs per tile.
    fn step(&self) -> usize {
        match self {
            Self::Direct(direct) => direct.period(),
            Self::Two(_) | Self::Tied(_) => 2,
            Self::Four(_) => 4,
        }
    }
}

/// The units of a pass that makes `output` rows and columns, in blocks of columns too or not.
fn plan(pass: &Pass, filters: &Filters, batch: usize, output: [usize; 2], columns: bool) -> Plan {
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
        threads: rayon::current_num_threads(),
    })
}

fn for_each_unit(plan: &Plan, work: impl Fn(&Unit) + Sync) {
    (0..plan.units())
        .into_par_iter()
        .with_max_len(1)
        .for_each(|index| work(&plan.unit(index)));
}

/// Runs all units of a convolution.
pub(super) fn convolve(pass: &Pass, filters: &Filters, batch: usize) {
    let plan = plan(pass, filters, batch, pass.output, true);
    for_each_unit(&plan, |unit| match filters {
        Filters::Direct(direct) => direct.run(pass, unit),
        Filters::Two(space) => winograd::forward(pass, space, unit),
        Filters::Four(space) => winograd::forward(pass, space, unit),
        Filters::Tied(space) => winograd::forward(pass, space, unit),
    });
}

/// Runs all units of an input gradient with overlapping tiles, and joins their boundaries.
pub(super) fn overlap_add(pass: &Pass, filters: &Filters, batch: usize) {
    let plan = plan(pass, filters, batch, pass.input, false);
    let boundaries = plan.max_block_rows().saturating_sub(1);
    let count = batch * pass.channels[1] * boundaries * 4 * pass.output[1];
    let mut sums = Scratch::floats(count);
    let sums = sums.numbers(count);
    let edges = Edges {
        sums: Shared::new(sums),
        boundaries,
    };
    for_each_unit(&plan, |unit| match filters {
        Filters::Direct(_) => unreachable!("a direct gradient is a convolution"),
        Filters::Two(space) => adjoint::backward(pass, space, &plan, unit, edges),
        Filters::Four(space) => adjoint::backward(pass, space, &plan, unit, edges),
        Filters::Tied(space) => adjoint::backward(pass, space, &plan, unit, edges),
    });
    if boundaries > 0 {
        let sums = &*sums;
        (0..batch).into_par_iter().for_each(|image| {
            adjoint::join(pass, &plan, image, sums, boundaries);
        });
    }
}
