//! The convolution of sixteen images by its definition, for few input channels and for windows that
//! Winograd's transforms do not know; and its input gradient.
//!
//! Outputs are numbered in *periods*, within which they have different taps. A convolution has one
//! output in a period. In its gradient with stride s a period is s×s pixels: which taps reach a pixel
//! depends on where in the period it is.

use std::ops::Range;

use super::filters::Packed;
use super::isa::{Isa, Line, Simd, Work};
use super::pass::Pass;
use super::plan::{Cell, Unit};
use super::scratch::Scratch;
use super::window::{MOST, Window};

/// Filters for one of the two directions.
#[derive(Debug)]
pub(crate) struct Direct {
    phases: Vec<Phase>,
    /// Rows of what is read from one period to the next.
    step: usize,
    /// Rows of what is made in a period.
    period: usize,
    /// Rows in front of the first that its period reads.
    lead: usize,
    /// Rows that a period reads.
    reach: usize,
}

/// The outputs at one place of their periods.
#[derive(Debug)]
struct Phase {
    /// Row and column.
    place: [usize; 2],
    /// Where taps read, from the first row and column that the period reads.
    taps: Vec<[usize; 2]>,
    /// `[block][input][tap][row]`.
    filters: Packed,
}

/// Along one axis: for each place of a period its taps, each with where it reads.
struct Axis {
    places: Vec<Vec<(usize, usize)>>,
    lead: usize,
    reach: usize,
}

impl Axis {
    fn forward(window: Window) -> Self {
        let taps = (0..window.side).map(|tap| (tap, tap * window.dilation));
        Self {
            places: vec![taps.collect()],
            lead: window.padding,
            reach: window.extent(),
        }
    }

    /// Tap k of output o reaches pixel o·s + k·d - p.
    fn adjoint(window: Window) -> Self {
        let [side, stride, dilation, padding] =
            [window.side, window.stride, window.dilation, window.padding]
                .map(|number| number as isize);
        let places = (0..stride).map(|place| {
            let from = |tap: isize| (tap, place + padding - tap * dilation);
            let taps = (0..side).map(from).filter(|(_, from)| from % stride == 0);
            Vec::from_iter(taps.map(|(tap, from)| (tap as usize, from / stride)))
        });
        let places = Vec::from_iter(places);
        let all = || places.iter().flatten().map(|&(_, from)| from);
        let lead = all().min().unwrap_or(0).min(0);
        let reach = all().max().unwrap_or(0) - lead + 1;
        let shift = |(tap, from): &(usize, isize)| (*tap, (from - lead) as usize);
        Self {
            places: places
                .iter()
                .map(|taps| taps.iter().map(shift).collect())
                .collect(),
            lead: -lead as usize,
            reach: reach as usize,
        }
    }
}

impl Direct {
    /// Packs filters `[co][ci][side][side]` for the convolution.
    pub fn forward(weights: &[f32], [co, ci]: [usize; 2], window: Window, isa: Isa) -> Self {
        let (axis, taps) = (Axis::forward(window), window.taps());
        let weight = |output, input, tap| weights[(output * ci + input) * taps + tap];
        Self::new([co, ci], axis, window.side, [window.stride, 1], isa, weight)
    }

    /// Packs them for the gradient of its input.
    pub fn adjoint(weights: &[f32], [co, ci]: [usize; 2], window: Window, isa: Isa) -> Self {
        let (axis, taps) = (Axis::adjoint(window), window.taps());
        let weight = |output, input, tap| weights[(input * ci + output) * taps + tap];
        Self::new([ci, co], axis, window.side, [1, window.stride], isa, weight)
    }

    fn new(
        shape: [usize; 2],
        axis: Axis,
        side: usize,
        [step, period]: [usize; 2],
        isa: Isa,
        weight: impl Fn(usize, usize, usize) -> f32 + Send + Sync,
    ) -> Self {
        let places = axis.places.iter().enumerate();
        let phase = |(row, rows): (usize, &Vec<_>), (column, columns): (usize, &Vec<_>)| {
            let pairs = rows
                .iter()
                .flat_map(|&(ky, y)| columns.iter().map(move |&(kx, x)| (ky * side + kx, [y, x])));
            let (taps, reads): (Vec<usize>, Vec<_>) = pairs.unzip();
            let filters = Packed::together(shape, isa, taps.len(), |output, input, at| {
                weight(output, input, taps[at])
            });
            Phase {
                place: [row, column],
                taps: reads,
                filters,
            }
        };
        let phases = places
            .clone()
            .flat_map(|row| places.clone().map(move |column| phase(row, column)));
        Self {
            phases: phases.collect(),
            step,
            period,
            lead: axis.lead,
            reach: axis.reach,
        }
    }

    /// Rows and columns of outputs in a period.
    pub fn period(&self) -> usize {
        self.period
    }

    /// Weights of a filter.
    pub fn taps(&self) -> usize {
        self.phases.iter().map(|phase| phase.taps.len()).sum()
    }

    /// Lines read for each line made of each channel, about.
    pub fn reads(&self) -> usize {
        self.step * self.step
    }

    /// Output channels that are computed together.
    pub fn grain(&self) -> usize {
        self.phases[0].filters.rows
    }

    /// Computes these output channels of one unit.
    pub fn run(&self, pass: &Pass, unit: &Unit, part: &Range<usize>) {
        let isa = pass.isa;
        let read = |side: usize| (side / self.period - 1) * self.step + self.reach;
        let mut size = unit.block().map(read);
        // Whole rows come into lanes faster.
        if unit.wide >= pass.output[1] {
            size[1] = size[1].max(self.lead + pass.input[1]);
        }
        let first = &self.phases[0].filters;
        let outputs = first.rows * first.blocks_of(part).len();
        let mut data = Scratch::new(first.inputs * size[0] * size[1]);
        let mut result = Scratch::new(outputs * unit.high * unit.wide);
        let data = data.lines(first.inputs * size[0] * size[1]);
        let result = result.lines(outputs * unit.high * unit.wide);
        let place = |cell: Cell| Cell {
            top: cell.top / self.period * self.step,
            left: cell.left / self.period * self.step,
            ..cell
        };
        let windows = Unit {
            cells: unit.cells.map(place),
            ..*unit
        };
        pass.gather(&windows, self.lead, size, data);
        for phase in &self.phases {
            isa.run(Taps {
                direct: self,
                phase,
                blocks: phase.filters.blocks_of(part),
                from: data,
                size,
                bias: pass.after.bias,
                relu: pass.after.relu_in_lanes(),
                to: &mut *result,
                block: unit.block(),
            });
        }
        pass.scatter(unit, part, result);
    }
}

/// All outputs of a block at one place of their periods.
struct Taps<'a> {
    direct: &'a Direct,
    phase: &'a Phase,
    /// Of outputs.
    blocks: Range<usize>,
    /// `[input][row][column]`, with rows and columns:
    from: &'a [Line],
    size: [usize; 2],
    bias: Option<&'a [f32]>,
    relu: bool,
    /// `[output of these blocks][row][column]`, with rows and columns:
    to: &'a mut [Line],
    block: [usize; 2],
}

impl Work for Taps<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        macro_rules! sizes {
            ($($m:literal: $n:literal;)*) => {
                match self.phase.filters.rows {
                    $($m => self.rows::<S, $m, $n>(s),)*
                    rows => unreachable!("micro-kernel of {rows} rows"),
                }
            };
        }
        sizes! { 1: 8; 2: 8; 3: 8; 4: 6; 5: 5; 6: 4; 7: 3; 8: 3; }
    }
}

/// Where the micro-kernel reads one channel.
struct Reads {
    /// From where an output begins to read, in lines.
    taps: [usize; MOST * MOST],
    /// Of them in use.
    count: usize,
    /// Lines from the first that an output reads to behind the last.
    reach: usize,
    /// Lines of a channel.
    plane: usize,
}

impl Taps<'_> {
    /// Blocks of `M` output channels; `N` outputs at a time, or one if the instruction set holds no more.
    #[inline(always)]
    fn rows<S: Simd, const M: usize, const N: usize>(self, s: S) {
        let Direct { step, period, .. } = *self.direct;
        let [top, left] = self.phase.place;
        let [high, wide] = self.block.map(|side| side / period);
        let columns = self.size[1];
        let count = self.phase.taps.len();
        let mut reads = Reads {
            taps: [0; MOST * MOST],
            count,
            reach: 0,
            plane: self.size[0] * columns,
        };
        for (to, &[y, x]) in reads.taps.iter_mut().zip(&self.phase.taps) {
            *to = y * columns + x;
            reads.reach = reads.reach.max(*to + 1);
        }
        let plane = self.block[0] * self.block[1];
        let outputs = high * wide;
        let narrow = S::vectors(M) < N || outputs < N;
        let filters = &self.phase.filters;
        for (at, block) in self.blocks.clone().enumerate() {
            let u = filters.whole_block(block);
            let mut bias = [0.0; M];
            for m in 0..M {
                let all = self.bias.unwrap_or(&[]);
                bias[m] = all.get(block * M + m).copied().unwrap_or(0.0);
            }
            let to = &mut self.to[at * M * plane..][..M * plane];
            // Where an output is read and written.
            let place = |y: usize, x: usize| {
                let read = (y * columns + x) * step;
                (read, (y * period + top) * self.block[1] + x * period + left)
            };
            let after = (&bias, self.relu);
            let mut next = 0;
            while next < outputs {
                if narrow {
                    let (read, write) = place(next / wide, next % wide);
                    let sums = registers::<S, M, 1>(s, u, &reads, self.from, [read]);
                    store(s, sums, after, to, plane, [write]);
                    next += 1;
                    continue;
                }
                // The last ones overlap those before: the same values once more.
                let start = next.min(outputs - N);
                let (mut y, mut x) = (start / wide, start % wide);
                let (mut read, mut write) = ([0; N], [0; N]);
                for n in 0..N {
                    (read[n], write[n]) = place(y, x);
                    x += 1;
                    if x == wide {
                        (y, x) = (y + 1, 0);
                    }
                }
                let sums = registers::<S, M, N>(s, u, &reads, self.from, read);
                store(s, sums, after, to, plane, write);
                next += N;
            }
        }
    }
}

/// The sums of `M` output channels at `N` outputs, over channels and taps in their order.
#[inline(always)]
fn registers<S: Simd, const M: usize, const N: usize>(
    s: S,
    u: &[f32],
    reads: &Reads,
    from: &[Line],
    starts: [usize; N],
) -> [[S::V; N]; M] {
    let zero = s.splat(0.0);
    let mut sums = [[zero; N]; M];
    let taps = &reads.taps[..reads.count];
    if taps.is_empty() {
        return sums;
    }
    for (u, from) in u
        .chunks_exact(taps.len() * M)
        .zip(from.chunks_exact(reads.plane))
    {
        let mut outputs = [&from[..0]; N];
        for n in 0..N {
            outputs[n] = &from[starts[n]..][..reads.reach];
        }
        for (u, &tap) in u.chunks_exact(M).zip(taps) {
            let mut x = [zero; N];
            for n in 0..N {
                x[n] = s.load(&outputs[n][tap]);
            }
            for m in 0..M {
                let w = s.splat(u[m]);
                for n in 0..N {
                    sums[m][n] = s.fma(w, x[n], sums[m][n]);
                }
            }
        }
    }
    sums
}

/// Stores sums, with bias and relu.
#[inline(always)]
fn store<S: Simd, const M: usize, const N: usize>(
    s: S,
    sums: [[S::V; N]; M],
    (bias, relu): (&[f32; M], bool),
    to: &mut [Line],
    plane: usize,
    places: [usize; N],
) {
    for m in 0..M {
        let bias = s.splat(bias[m]);
        let to = &mut to[m * plane..][..plane];
        for n in 0..N {
            let mut y = s.add(sums[m][n], bias);
            if relu {
                y = s.relu(y);
            }
            s.store(y, &mut to[places[n]]);
        }
    }
}
