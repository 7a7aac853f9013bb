//! The parts of a weight gradient in Winograd's space: in, products, out.

use super::tiles::TAPS;
use crate::kernel::cpu::isa::{LANES, Line, Simd, Work};
use crate::kernel::cpu::tile::Two;
use crate::kernel::cpu::transforms::{enter, taps};

/// Tiles of sixteen channels to points: `Bᵀ d B`, or `A y' Aᵀ` for the adjoint.
pub(super) struct Enter<'a, const ADJOINT: bool> {
    pub from: &'a [Line],
    pub columns: usize,
    /// Rows and columns of tiles.
    pub tiles: [usize; 2],
    pub to: &'a mut [Line],
    pub point: usize,
}

impl<const ADJOINT: bool> Work for Enter<'_, ADJOINT> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [rows, across] = self.tiles;
        for y in 0..rows {
            for x in 0..across {
                let from = &self.from[2 * (y * self.columns + x)..];
                let to = &mut self.to[y * across + x..];
                enter::<S, Two, 4, 2, ADJOINT>(s, from, self.columns, to, self.point);
            }
        }
    }
}

/// `sums[matrix][output][input] += Σ dy[product][output][tile] · x[product][input][tile]` over the products of a
/// matrix, outputs in lanes.
pub(super) struct Outer<'a> {
    /// `[product][line][stride]`, and so is `dy`.
    pub x: &'a [Line],
    pub dy: &'a [Line],
    /// Lines of a product of `dy`, and of `x`.
    pub point: [usize; 2],
    pub stride: usize,
    /// Tiles in use.
    pub count: usize,
    /// Matrices, and products of each.
    pub matrices: usize,
    pub share: usize,
    /// Lines of outputs.
    pub outputs: usize,
    pub inputs: Inputs,
    pub sums: &'a mut [Line],
    pub sums_point: usize,
}

/// Inputs in the lanes of lines.
#[derive(Clone, Copy)]
pub(super) struct Inputs {
    pub lines: usize,
    /// How many lines the last vector of channels has, and how many channels.
    pub last: [usize; 2],
}

impl Inputs {
    /// Lines from one line of outputs to the next in sums.
    pub fn apart(self) -> usize {
        self.lines * LANES
    }

    #[inline(always)]
    fn used(self, line: usize) -> usize {
        match line + self.last[0] >= self.lines {
            true => self.last[1],
            false => LANES,
        }
    }
}

impl Work for Outer<'_> {
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (most, together) = S::OUTER;
        for matrix in 0..self.matrices {
            let mut v = 0;
            while v < self.outputs {
                // Even parts: 4 is 2 and 2, not 3 and 1.
                let rest = self.outputs - v;
                let n = rest.div_ceil(rest.div_ceil(most));
                for line in 0..self.inputs.lines {
                    for lane in (0..self.inputs.used(line)).step_by(together) {
                        let input = line * LANES + lane;
                        match (together, n) {
                            (8, 3) => self.registers::<S, 8, 3>(s, matrix, v, input),
                            (8, 2) => self.registers::<S, 8, 2>(s, matrix, v, input),
                            (8, 1) => self.registers::<S, 8, 1>(s, matrix, v, input),
                            (4, 1) => self.registers::<S, 4, 1>(s, matrix, v, input),
                            (2, 1) => self.registers::<S, 2, 1>(s, matrix, v, input),
                            _ => unreachable!("a tile of {together} by {n}"),
                        }
                    }
                }
                v += n;
            }
        }
    }
}

impl Outer<'_> {
    /// `M` inputs from one on, and `N` lines of outputs.
    #[inline(always)]
    fn registers<S: Simd, const M: usize, const N: usize>(
        &mut self,
        s: S,
        matrix: usize,
        v: usize,
        input: usize,
    ) {
        let (count, lane) = (self.count, input % LANES);
        let mut places = [0; N];
        for n in 0..N {
            places[n] = matrix * self.sums_point + (v + n) * self.inputs.apart() + input;
            // Sums of many channels are in memory, and wanted at the end.
            for to in &self.sums[places[n]..][..M] {
                s.prefetch(to.0.as_ptr());
            }
        }
        let mut sums = [[s.splat(0.0); N]; M];
        for product in matrix * self.share..(matrix + 1) * self.share {
            let x = product * self.point[1] + input / LANES * self.stride;
            let x = &self.x[x..][..count];
            let mut dy = [&self.dy[..0]; N];
            for n in 0..N {
                dy[n] = &self.dy[product * self.point[0] + (v + n) * self.stride..][..count];
            }
            for k in 0..count {
                let mut d = [s.splat(0.0); N];
                for n in 0..N {
                    d[n] = s.load(&dy[n][k]);
                }
                let x = &x[k].0[lane..lane + M];
                for m in 0..M {
                    let x = s.splat(x[m]);
                    for n in 0..N {
                        sums[m][n] = s.fma(x, d[n], sums[m][n]);
                    }
                }
            }
        }
        for n in 0..N {
            let to = &mut self.sums[places[n]..][..M];
            for m in 0..M {
                s.store(s.add(s.load(&to[m]), sums[m][n]), &mut to[m]);
            }
        }
    }
}

/// Points to taps.
pub(super) struct Leave<'a> {
    /// `[point][output][input]`.
    pub from: &'a [Line],
    pub point: usize,
    pub apart: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// `[output][input][tap]`.
    pub to: &'a mut [Line],
}

impl Work for Leave<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for v in 0..self.outputs {
            for input in 0..self.inputs {
                let from = &self.from[v * self.apart + input..];
                let to = &mut self.to[(v * self.inputs + input) * TAPS..][..TAPS];
                taps(s, from, self.point, to);
            }
        }
    }
}
