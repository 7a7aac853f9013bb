//! Oracles and helpers; the tests are in the files below.

mod conv;
#[cfg(target_os = "linux")]
mod memory;
mod plan;
mod pool;
mod tied;
mod warp;

use super::isa::Isa;

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
}

/// Debug builds are slow.
pub fn count(release: u64) -> u64 {
    if cfg!(debug_assertions) {
        release / 20
    } else {
        release
    }
}

/// The instruction sets of this CPU.
pub fn isas() -> Vec<Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.available()).collect()
}

pub fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
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
    pub batch: usize,
    pub co: usize,
    pub ci: usize,
    pub height: usize,
    pub width: usize,
    pub padding: usize,
}

impl Naive {
    pub fn output(&self) -> [usize; 2] {
        [
            self.height + 2 * self.padding - 2,
            self.width + 2 * self.padding - 2,
        ]
    }

    /// Calls `f(x index, w index, y index)` for every product, `y` outermost.
    fn products(&self, mut f: impl FnMut(usize, usize, usize)) {
        let [oh, ow] = self.output();
        for n in 0..self.batch {
            for o in 0..self.co {
                for i in 0..self.ci {
                    for k in 0..9 {
                        let w = (o * self.ci + i) * 9 + k;
                        for y in 0..oh {
                            let row = y + k / 3;
                            if row < self.padding || row >= self.height + self.padding {
                                continue;
                            }
                            let row = row - self.padding;
                            let low = self.padding.saturating_sub(k % 3);
                            let high = (self.width + self.padding).saturating_sub(k % 3).min(ow);
                            let xs = ((n * self.ci + i) * self.height + row) * self.width;
                            let ys = ((n * self.co + o) * oh + y) * ow;
                            for x in low..high {
                                f(xs + x + k % 3 - self.padding, w, ys + x);
                            }
                        }
                    }
                }
            }
        }
    }

    pub fn forward(&self, x: &[f32], w: &[f32], bias: Option<&[f32]>, relu: bool) -> Vec<f64> {
        let [oh, ow] = self.output();
        let mut y = vec![0.0; self.batch * self.co * oh * ow];
        self.products(|a, b, c| y[c] += f64::from(x[a]) * f64::from(w[b]));
        for (index, y) in y.iter_mut().enumerate() {
            let o = index / (oh * ow) % self.co;
            *y += bias.map_or(0.0, |bias| f64::from(bias[o]));
            if relu {
                *y = y.max(0.0);
            }
        }
        y
    }

    pub fn input_gradient(&self, dy: &[f32], w: &[f32]) -> Vec<f64> {
        let mut dx = vec![0.0; self.batch * self.ci * self.height * self.width];
        self.products(|a, b, c| dx[a] += f64::from(dy[c]) * f64::from(w[b]));
        dx
    }

    pub fn weight_gradient(&self, x: &[f32], dy: &[f32]) -> Vec<f64> {
        let mut dw = vec![0.0; self.co * self.ci * 9];
        self.products(|a, b, c| dw[b] += f64::from(x[a]) * f64::from(dy[c]));
        dw
    }
}
