use crate::kernel::cpu::isa::{Line, Simd, Work};
use crate::kernel::cpu::window::{MOST, Window};

/// Adds a strip's products to the gradient.
pub(super) struct Taps<'a> {
    /// `[image][ci][plane]`, rows of `columns`.
    pub x: &'a [f32],
    pub images: usize,
    pub plane: usize,
    pub columns: usize,
    /// Where in a plane the strip begins.
    pub start: usize,
    /// `[co / 16][pixels]`, the images' one after the other.
    pub dy: &'a [Line],
    pub pixels: usize,
    /// Vectors of output channels.
    pub vectors: usize,
    /// Input channels.
    pub inputs: usize,
    pub window: Window,
    /// Rows and columns of the strip in each image.
    pub size: [usize; 2],
    /// `[co / 16][ci][taps]`.
    pub dw: &'a mut [Line],
}

impl Work for Taps<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        match self.window.stride {
            1 => self.all::<S, 1>(s),
            2 => self.all::<S, 2>(s),
            _ => self.all::<S, 0>(s),
        }
    }
}

impl Taps<'_> {
    /// With the stride, or 0 for any other.
    #[inline(always)]
    fn all<S: Simd, const STRIDE: usize>(mut self, s: S) {
        let Window { side, dilation, .. } = self.window;
        let mut taps = [0; MOST * MOST];
        for ky in 0..side {
            for kx in 0..side {
                taps[ky * side + kx] = (ky * self.columns + kx) * dilation;
            }
        }
        let taps = &taps[..side * side];
        let vectors = self.vectors;
        let (most, together) = S::CORRELATE;
        let weights = self.inputs * taps.len();
        let mut v = 0;
        while v < vectors {
            // Even parts: 4 is 2 and 2, not 3 and 1.
            let rest = vectors - v;
            let n = rest.div_ceil(rest.div_ceil(most));
            let mut at = 0;
            while at < weights {
                let some = if weights - at >= together {
                    together
                } else {
                    1
                };
                match (some, n) {
                    (9, 3) => self.registers::<S, 3, 9, STRIDE>(s, v, at, taps),
                    (9, 2) => self.registers::<S, 2, 9, STRIDE>(s, v, at, taps),
                    (9, 1) => self.registers::<S, 1, 9, STRIDE>(s, v, at, taps),
                    (3, 2) => self.registers::<S, 2, 3, STRIDE>(s, v, at, taps),
                    (3, 1) => self.registers::<S, 1, 3, STRIDE>(s, v, at, taps),
                    (_, 3) => self.registers::<S, 3, 1, STRIDE>(s, v, at, taps),
                    (_, 2) => self.registers::<S, 2, 1, STRIDE>(s, v, at, taps),
                    _ => self.registers::<S, 1, 1, STRIDE>(s, v, at, taps),
                }
                at += some;
            }
            v += n;
        }
    }

    /// `N` vectors of output channels, and `G` weights of their filters from `at`.
    #[inline(always)]
    fn registers<S: Simd, const N: usize, const G: usize, const STRIDE: usize>(
        &mut self,
        s: S,
        v: usize,
        at: usize,
        taps: &[usize],
    ) {
        let [rows, wide] = self.size;
        let stride = if STRIDE > 0 {
            STRIDE
        } else {
            self.window.stride
        };
        let zero = s.splat(0.0);
        let mut sums = [[zero; N]; G];
        let mut first = [0; G];
        for g in 0..G {
            let (c, tap) = ((at + g) / taps.len(), (at + g) % taps.len());
            first[g] = c * self.plane + self.start + taps[tap];
        }
        let meets = (wide - 1) * stride + 1;
        for image in 0..self.images {
            let (x_image, dy_image) = (
                &self.x[image * self.inputs * self.plane..],
                &self.dy[image * rows * wide..],
            );
            for y in 0..rows {
                let mut dy = [&self.dy[..0]; N];
                for n in 0..N {
                    dy[n] = &dy_image[(v + n) * self.pixels + y * wide..][..wide];
                }
                let mut x = [&self.x[..0]; G];
                for g in 0..G {
                    x[g] = &x_image[first[g] + y * stride * self.columns..][..meets];
                }
                for column in 0..wide {
                    let mut d = [zero; N];
                    for n in 0..N {
                        d[n] = s.load(&dy[n][column]);
                    }
                    for g in 0..G {
                        let x = s.splat(x[g][column * stride]);
                        for n in 0..N {
                            sums[g][n] = s.fma(x, d[n], sums[g][n]);
                        }
                    }
                }
            }
        }
        let weights = self.inputs * taps.len();
        for n in 0..N {
            let dw = &mut self.dw[(v + n) * weights + at..][..G];
            for g in 0..G {
                let sum = s.add(s.load(&dw[g]), sums[g][n]);
                s.store(sum, &mut dw[g]);
            }
        }
    }
}
