//! The convolution of sixteen images by its definition, for few input channels.

use super::filters::Packed;
use super::isa::{LANES, Line, Simd, Work};
use super::lanes::stage_width;
use super::pass::Pass;
use super::plan::Unit;
use super::scratch::Scratch;

/// Computes one unit of a convolution.
pub(crate) fn forward(pass: &Pass, filters: &Packed, unit: &Unit) {
    let isa = pass.isa;
    let size = unit.reach();
    let inputs = filters.inputs;
    let outputs = filters.rows * filters.blocks;
    let mut data = Scratch::new(inputs * size[0] * size[1]);
    let mut result = Scratch::new(outputs * unit.high * unit.wide);
    let stage_len = LANES * stage_width(size[1]);
    let mut stage = Scratch::floats(stage_len);
    let data = data.lines(inputs * size[0] * size[1]);
    let result = result.lines(outputs * unit.high * unit.wide);
    let stage = stage.numbers(stage_len);
    pass.gather(unit, pass.padding, size, data, stage);
    isa.run(Taps {
        filters,
        from: data,
        size,
        bias: pass.bias,
        relu: pass.relu,
        to: result,
    });
    pass.scatter(unit, result, stage);
}

/// All outputs of a block.
struct Taps<'a> {
    filters: &'a Packed,
    from: &'a [Line],
    size: [usize; 2],
    bias: Option<&'a [f32]>,
    relu: bool,
    to: &'a mut [Line],
}

impl Work for Taps<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        macro_rules! sizes {
            ($($m:literal: $n:literal;)*) => {
                match self.filters.rows {
                    $($m => self.rows::<S, $m, $n>(s),)*
                    rows => unreachable!("micro-kernel of {rows} rows"),
                }
            };
        }
        sizes! { 1: 8; 2: 8; 3: 8; 4: 6; 5: 5; 6: 4; 7: 3; 8: 3; }
    }
}

impl Taps<'_> {
    /// Blocks of `M` output channels; `N` neighbours at a time, or what the instruction set holds.
    #[inline(always)]
    fn rows<S: Simd, const M: usize, const N: usize>(self, s: S) {
        let [high, wide] = [self.size[0] - 2, self.size[1] - 2];
        let block_len = self.filters.inputs * 9 * M;
        let narrow = S::vectors(M) < N;
        for y in 0..high {
            for (block, u) in self.filters.data.chunks_exact(block_len).enumerate() {
                let mut bias = [0.0; M];
                for m in 0..M {
                    let all = self.bias.unwrap_or(&[]);
                    bias[m] = all.get(block * M + m).copied().unwrap_or(0.0);
                }
                let to = &mut self.to[block * M * high * wide + y * wide..];
                let mut x = 0;
                while x < wide {
                    // The last neighbours overlap those before: the same values once more.
                    let start = x.min(wide.saturating_sub(N));
                    let whole = !narrow && wide >= N;
                    let at = if whole { start } else { x };
                    let place = Place {
                        from: self.from,
                        size: self.size,
                        y,
                        x: at,
                    };
                    let to = &mut to[at..];
                    if whole {
                        registers::<S, M, N>(s, u, place, &bias, self.relu, to, high * wide);
                        x += N;
                    } else {
                        registers::<S, M, 1>(s, u, place, &bias, self.relu, to, high * wide);
                        x += 1;
                    }
                }
            }
        }
    }
}

/// Where a micro-kernel reads.
struct Place<'a> {
    from: &'a [Line],
    size: [usize; 2],
    y: usize,
    x: usize,
}

/// `M` output channels of `N` neighbours, accumulated in registers over channels and taps.
#[inline(always)]
fn registers<S: Simd, const M: usize, const N: usize>(
    s: S,
    u: &[f32],
    place: Place,
    bias: &[f32; M],
    relu: bool,
    to: &mut [Line],
    plane: usize,
) {
    let zero = s.splat(0.0);
    let mut sums = [[zero; N]; M];
    let [rows, cols] = place.size;
    for (u, from) in u
        .chunks_exact(9 * M)
        .zip(place.from.chunks_exact(rows * cols))
    {
        for ky in 0..3 {
            let from = &from[(place.y + ky) * cols + place.x..][..N + 2];
            for kx in 0..3 {
                let u = &u[(3 * ky + kx) * M..][..M];
                for m in 0..M {
                    let w = s.splat(u[m]);
                    for n in 0..N {
                        sums[m][n] = s.fma(w, s.load(&from[kx + n]), sums[m][n]);
                    }
                }
            }
        }
    }
    for m in 0..M {
        let bias = s.splat(bias[m]);
        let to = &mut to[m * plane..][..N];
        for n in 0..N {
            let mut y = s.add(sums[m][n], bias);
            if relu {
                y = s.relu(y);
            }
            s.store(y, &mut to[n]);
        }
    }
}
