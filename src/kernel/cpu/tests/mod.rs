//! Oracles and helpers; the tests are in the files below.

mod bank;
mod conv;
mod edges;
mod few;
#[cfg(target_os = "linux")]
mod memory;
mod plan;
mod pool;
mod tied;
mod warp;

use super::conv::{Images, Prepared};
use super::isa::Isa;
use super::{After, Window};
use crate::kernel::Numerics;

/// Reproducible numbers in [-1, 1).
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    pub fn bits(&mut self) -> u64 {
        // xorshift*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn number(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    pub fn numbers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.number()).collect()
    }

    /// From `low` to `high`, both possible.
    pub fn pick(&mut self, low: usize, high: usize) -> usize {
        low + (self.bits() >> 33) as usize % (high - low + 1)
    }

    pub fn coin(&mut self) -> bool {
        self.pick(0, 1) == 0
    }

    /// One of the instruction sets of this CPU.
    pub fn isa(&mut self) -> Isa {
        let isas = isas();
        isas[self.pick(0, isas.len() - 1)]
    }
}

/// Debug builds are slow.
pub fn count(release: u64) -> u64 {
    if cfg!(debug_assertions) {
        release / 20
    } else {
        release
    }
}

/// Cases with their seeds and the noise that is left after them.
pub fn cases(
    release: u64,
    first: u64,
    draw: impl Fn(&mut Noise) -> Case,
) -> impl Iterator<Item = (u64, Noise, Case)> {
    (0..count(release)).map(move |seed| {
        let mut noise = Noise::new(seed + first);
        let case = draw(&mut noise);
        (seed, noise, case)
    })
}

/// The instruction sets of this CPU.
pub fn isas() -> Vec<Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.available()).collect()
}

pub fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// Runs `work` on a pool of this many threads.
pub fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("a pool").install(work)
}

/// Whether no two numbers of a pair are farther apart than this.
pub fn close(found: &[f32], expected: &[f64], most: f64) -> bool {
    let near = |(&a, b): (&f32, &f64)| (f64::from(a) - b).abs() < most;
    found.len() == expected.len() && found.iter().zip(expected).all(near)
}

/// Largest absolute error over the root mean square of the expected values.
pub fn error(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let rms = (expected.iter().map(|x| x * x).sum::<f64>() / expected.len() as f64).sqrt();
    let worst = found
        .iter()
        .zip(expected)
        .map(|(&a, b)| (f64::from(a) - b).abs());
    // A NaN is the worst error, not the least.
    worst.fold(0.0, |a: f64, b| if b >= a || b.is_nan() { b } else { a }) / rms.max(1e-30)
}

/// A convolution and its gradients by their definitions, in f64.
pub struct Naive {
    /// Of the output and of the input.
    pub channels: [usize; 2],
    pub images: Images,
    pub window: Window,
}

impl Naive {
    pub fn output(&self) -> [usize; 2] {
        let [_, height, width] = self.images;
        [height, width].map(|side| self.window.output(side).expect("the window fits"))
    }

    /// Of input, filters and output.
    pub fn lengths(&self) -> [usize; 3] {
        let ([co, ci], [batch, height, width]) = (self.channels, self.images);
        let [oh, ow] = self.output();
        [
            batch * ci * height * width,
            co * ci * self.window.taps(),
            batch * co * oh * ow,
        ]
    }

    /// Calls `f(x index, w index, y index)` for every product, `y` outermost.
    fn products(&self, mut f: impl FnMut(usize, usize, usize)) {
        let ([co, ci], [batch, height, width]) = (self.channels, self.images);
        let [oh, ow] = self.output();
        let Window {
            side,
            stride,
            dilation,
            padding,
        } = self.window;
        for n in 0..batch {
            for o in 0..co {
                for i in 0..ci {
                    for k in 0..side * side {
                        let w = (o * ci + i) * side * side + k;
                        let [down, right] = [k / side, k % side].map(|tap| tap * dilation);
                        let low = padding.saturating_sub(right).div_ceil(stride);
                        let high = (width + padding).saturating_sub(right).div_ceil(stride);
                        for y in 0..oh {
                            let row = (y * stride + down).wrapping_sub(padding);
                            if row >= height {
                                continue;
                            }
                            let xs = ((n * ci + i) * height + row) * width;
                            let ys = ((n * co + o) * oh + y) * ow;
                            for x in low..high.min(ow) {
                                f(xs + x * stride + right - padding, w, ys + x);
                            }
                        }
                    }
                }
            }
        }
    }

    pub fn forward(&self, x: &[f32], w: &[f32], after: After) -> Vec<f64> {
        let After { bias, beside, relu } = after;
        let area: usize = self.output().iter().product();
        let mut y = vec![0.0; self.lengths()[2]];
        self.products(|a, b, c| y[c] += f64::from(x[a]) * f64::from(w[b]));
        for (index, y) in y.iter_mut().enumerate() {
            let o = index / area % self.channels[0];
            *y += bias.map_or(0.0, |bias| f64::from(bias[o]));
            *y += beside.map_or(0.0, |beside| f64::from(beside[index]));
            if relu {
                *y = y.max(0.0);
            }
        }
        y
    }

    pub fn input_gradient(&self, dy: &[f32], w: &[f32]) -> Vec<f64> {
        let mut dx = vec![0.0; self.lengths()[0]];
        self.products(|a, b, c| dx[a] += f64::from(dy[c]) * f64::from(w[b]));
        dx
    }

    pub fn weight_gradient(&self, x: &[f32], dy: &[f32]) -> Vec<f64> {
        let mut dw = vec![0.0; self.lengths()[1]];
        self.products(|a, b, c| dw[b] += f64::from(x[a]) * f64::from(dy[c]));
        dw
    }
}

/// A convolution with numbers to run it on.
pub struct Case {
    pub naive: Naive,
    pub numerics: Numerics,
    pub isa: Isa,
    pub x: Vec<f32>,
    pub w: Vec<f32>,
    pub dy: Vec<f32>,
}

/// What goes along with a convolution.
#[derive(Clone, Copy, Default)]
pub struct Along<'a> {
    pub after: After<'a>,
    pub gate: Option<&'a [f32]>,
}

impl Case {
    pub fn new(naive: Naive, on: (Numerics, Isa), mut number: impl FnMut() -> f32) -> Self {
        let numbers = |len: usize| (0..len).map(|_| number()).collect();
        let [x, w, dy] = naive.lengths().map(numbers);
        Self {
            naive,
            numerics: on.0,
            isa: on.1,
            x,
            w,
            dy,
        }
    }

    pub fn name(&self) -> String {
        let ([co, ci], [batch, height, width]) = (self.naive.channels, self.naive.images);
        let (window, numerics, isa) = (self.naive.window, self.numerics, self.isa);
        format!("{batch}×{ci}×{height}×{width} → {co}, {window:?}, {numerics:?}, {isa:?}")
    }

    pub fn prepared(&self) -> Prepared {
        let naive = &self.naive;
        let filters = self.w.clone();
        Prepared::new(filters, naive.channels, naive.window, self.numerics).on(self.isa)
    }

    /// The result and the input gradient.
    pub fn run(&self, prepared: &Prepared) -> [Vec<f32>; 2] {
        self.run_with(prepared, Along::default())
    }

    fn run_with(&self, prepared: &Prepared, along: Along) -> [Vec<f32>; 2] {
        let Along { after, gate } = along;
        let (mut y, mut dx) = (vec![f32::NAN; self.dy.len()], vec![f32::NAN; self.x.len()]);
        prepared.forward(&self.x, self.naive.images, after, &mut y);
        prepared.input_gradient(&self.dy, gate, self.naive.images, &mut dx);
        [y, dx]
    }

    /// The gradient of the result where it counts.
    pub fn masked(&self, gate: Option<&[f32]>) -> Vec<f32> {
        let shut = |i: usize| gate.is_some_and(|gate| gate[i] <= 0.0);
        (self.dy.iter().enumerate())
            .map(|(i, &dy)| if shut(i) { 0.0 } else { dy })
            .collect()
    }

    /// Errors of the result and of the input gradient, none where nothing is expected but zeros.
    pub fn errors(&self, prepared: &Prepared, along: Along) -> [f64; 2] {
        let [y, dx] = self.run_with(prepared, along);
        let Along { after, gate } = along;
        let error = |found: &[f32], expected: &[f64]| match expected.iter().all(|&e| e == 0.0) {
            true => 0.0,
            false => error(found, expected),
        };
        [
            error(&y, &self.naive.forward(&self.x, &self.w, after)),
            error(&dx, &self.naive.input_gradient(&self.masked(gate), &self.w)),
        ]
    }

    /// Images alone, in chunks, in another order and with other thread counts: the same bits.
    pub fn assert_independent(&self, noise: &mut Noise, prepare: impl Fn() -> Prepared) {
        let [batch, height, width] = self.naive.images;
        let (xi, yi) = (self.x.len() / batch, self.dy.len() / batch);
        let run = |first: usize, some: usize, threads: usize| {
            let (x, dy) = (
                &self.x[first * xi..][..some * xi],
                &self.dy[first * yi..][..some * yi],
            );
            let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
            let (prepared, images) = (prepare(), [some, height, width]);
            on_threads(threads, || {
                prepared.forward(x, images, After::default(), &mut y);
                prepared.input_gradient(dy, None, images, &mut dx);
            });
            [bits(&y), bits(&dx)]
        };
        let [y, dx] = run(0, batch, 1);
        let (threads, one, cut) = (
            noise.pick(2, 9),
            noise.pick(0, batch - 1),
            noise.pick(0, batch - 1),
        );
        for (first, some, threads) in [(0, batch, threads), (one, 1, 2), (cut, batch - cut, 2)] {
            let same = [
                &y[first * yi..][..some * yi],
                &dx[first * xi..][..some * xi],
            ];
            assert!(run(first, some, threads) == same, "{}", self.name());
        }
    }
}
