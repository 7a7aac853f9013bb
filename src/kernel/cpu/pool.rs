//! Max- and average-pooling of planes, with their gradients. No padding; rows and columns that fill
//! no window are left out.

use super::count;
use super::isa::Isa;

mod pass;

use pass::{Pass, Pooling};

/// Windows of `size × size` at every `stride`-th row and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Rows and columns of a plane.
    pub plane: [usize; 2],
    /// Rows and columns of a window, 1 to 15.
    pub size: usize,
    /// Rows and columns from one window to the next, at least 1.
    pub stride: usize,
}

/// The code of a window through which no gradient passes.
pub const CLOSED: u8 = u8::MAX;

impl Windows {
    /// Rows and columns of windows; zero where a window is larger than the plane.
    pub fn output(&self) -> [usize; 2] {
        assert!(
            (1..16).contains(&self.size),
            "a window's size is 1 to 15, not {}",
            self.size
        );
        assert!(self.stride > 0, "windows have a stride");
        self.plane.map(|len| {
            len.checked_sub(self.size)
                .map_or(0, |rest| rest / self.stride + 1)
        })
    }

    /// Height and width of a plane, size and stride of a window.
    pub fn sizes(&self) -> [usize; 4] {
        [self.plane[0], self.plane[1], self.size, self.stride]
    }

    fn areas(&self) -> [usize; 2] {
        [count(self.plane), count(self.output())]
    }

    /// The pass over as many planes as `large` numbers of pixels are, or `None` where there is
    /// nothing to do; checked against the numbers of windows.
    fn pass(self, large: usize, small: &[usize]) -> Option<Pass> {
        let [area, made] = self.areas();
        let planes = large.checked_div(area).unwrap_or(0);
        assert_eq!(planes * area, large, "whole planes of {:?}", self.plane);
        assert!(
            small.iter().all(|&len| len == planes * made),
            "{planes} planes of windows"
        );
        (planes > 0 && made > 0).then(|| Pass::new(self, planes))
    }

    fn apart(&self) -> bool {
        self.size == 2 && self.stride == 2
    }
}

/// Largest value of every window, and which it is: `codes` counts the window's pixels row by row,
/// the first of equal ones. A NaN counts as largest.
///
/// With `relu`, negative results become zero, and the codes of results that are not positive are
/// [`CLOSED`]: pooling and relu, in either order, are one operation with one gradient.
///
/// # Shapes
/// - `x`: planes of `windows.plane`
/// - `y`, `codes`: as many planes of `windows.output()`
///
/// # Panics
/// If a length does not fit.
pub fn max_pool(
    isa: Isa,
    x: &[f32],
    windows: Windows,
    relu: bool,
    y: &mut [f32],
    codes: &mut [u8],
) {
    if let Some(pass) = windows.pass(x.len(), &[y.len(), codes.len()]) {
        pass.run(isa, Max { relu }, x, (y, codes));
    }
}

#[derive(Clone, Copy)]
struct Max {
    relu: bool,
}

/// Whether `new` replaces `old` as the largest.
#[inline(always)]
fn larger(new: f32, old: f32) -> bool {
    new > old || new.is_nan()
}

/// Applies relu to a largest value and its code. A NaN passes.
#[inline(always)]
fn rectify(y: f32, code: u8) -> (f32, u8) {
    let shut = y <= 0.0;
    (if shut { 0.0 } else { y }, if shut { CLOSED } else { code })
}

impl Pooling<&[f32], (&mut [f32], &mut [u8])> for Max {
    #[inline(always)]
    fn plane(self, pass: &Pass, x: &[f32], (y, codes): (&mut [f32], &mut [u8])) {
        let [_, width, size, stride] = pass.windows.sizes();
        let wide = pass.output[1];
        let rows = y
            .chunks_exact_mut(wide)
            .zip(codes.chunks_exact_mut(wide))
            .enumerate();
        for (row, (y, codes)) in rows {
            let x = &x[row * stride * width..][..size * width];
            if pass.windows.apart() {
                pairs(x, width, self.relu, y, codes);
                continue;
            }
            for (at, (y, code)) in y.iter_mut().zip(codes).enumerate() {
                (*y, *code) = (x[at * stride], 0);
                for k in 1..size * size {
                    let new = x[k / size * width + at * stride + k % size];
                    if larger(new, *y) {
                        (*y, *code) = (new, k as u8);
                    }
                }
                if self.relu {
                    (*y, *code) = rectify(*y, *code);
                }
            }
        }
    }
}

/// One row of 2×2 windows, without branches, for the vector units.
#[inline(always)]
fn pairs(x: &[f32], width: usize, relu: bool, y: &mut [f32], codes: &mut [u8]) {
    let (top, bottom) = x.split_at(width);
    let pixels = top.chunks_exact(2).zip(bottom.chunks_exact(2));
    for ((y, code), (top, bottom)) in y.iter_mut().zip(codes).zip(pixels) {
        let right = larger(top[1], top[0]);
        let (a, i) = (if right { top[1] } else { top[0] }, u8::from(right));
        let right = larger(bottom[1], bottom[0]);
        let (b, j) = (
            if right { bottom[1] } else { bottom[0] },
            2 + u8::from(right),
        );
        let below = larger(b, a);
        let (best, which) = (if below { b } else { a }, if below { j } else { i });
        (*y, *code) = if relu {
            rectify(best, which)
        } else {
            (best, which)
        };
    }
}

/// Gradient of [`max_pool`]'s `x` from that of its `y`.
///
/// # Shapes
/// As there; `dx` is overwritten.
///
/// # Panics
/// If a length does not fit.
pub fn max_pool_gradient(isa: Isa, dy: &[f32], codes: &[u8], windows: Windows, dx: &mut [f32]) {
    match windows.pass(dx.len(), &[dy.len(), codes.len()]) {
        Some(pass) => pass.run(isa, MaxGradient, dx, (dy, codes)),
        None => dx.fill(0.0),
    }
}

#[derive(Clone, Copy)]
struct MaxGradient;

impl Pooling<&mut [f32], (&[f32], &[u8])> for MaxGradient {
    #[inline(always)]
    fn plane(self, pass: &Pass, dx: &mut [f32], (dy, codes): (&[f32], &[u8])) {
        let [height, width, size, stride] = pass.windows.sizes();
        let [high, wide] = pass.output;
        if pass.windows.apart() {
            for row in 0..high {
                let row_of = row * wide..(row + 1) * wide;
                let dx = &mut dx[2 * row * width..][..2 * width];
                let (top, bottom) = dx.split_at_mut(width);
                spread(&dy[row_of.clone()], &codes[row_of], top, bottom);
            }
            if height > 2 * high {
                dx[2 * high * width..].fill(0.0);
            }
            return;
        }
        dx.fill(0.0);
        for (at, (&dy, &code)) in dy.iter().zip(codes).enumerate() {
            if code != CLOSED {
                let code = usize::from(code);
                let row = at / wide * stride + code / size;
                dx[row * width + at % wide * stride + code % size] += dy;
            }
        }
    }
}

/// One row of 2×2 windows.
#[inline(always)]
fn spread(dy: &[f32], codes: &[u8], top: &mut [f32], bottom: &mut [f32]) {
    let used = 2 * dy.len();
    let pixels = top.chunks_exact_mut(2).zip(bottom.chunks_exact_mut(2));
    for ((&dy, &code), (top, bottom)) in dy.iter().zip(codes).zip(pixels) {
        top[0] = if code == 0 { dy } else { 0.0 };
        top[1] = if code == 1 { dy } else { 0.0 };
        bottom[0] = if code == 2 { dy } else { 0.0 };
        bottom[1] = if code == 3 { dy } else { 0.0 };
    }
    top[used..].fill(0.0);
    bottom[used..].fill(0.0);
}

/// Mean of every window.
///
/// # Shapes
/// - `x`: planes of `windows.plane`
/// - `y`: as many planes of `windows.output()`
///
/// # Panics
/// If a length does not fit.
pub fn average_pool(isa: Isa, x: &[f32], windows: Windows, y: &mut [f32]) {
    if let Some(pass) = windows.pass(x.len(), &[y.len()]) {
        pass.run(isa, Average, x, y);
    }
}

#[derive(Clone, Copy)]
struct Average;

impl Pooling<&[f32], &mut [f32]> for Average {
    #[inline(always)]
    fn plane(self, pass: &Pass, x: &[f32], y: &mut [f32]) {
        let [_, width, size, stride] = pass.windows.sizes();
        let scale = 1.0 / (size * size) as f32;
        for (row, y) in y.chunks_exact_mut(pass.output[1]).enumerate() {
            let x = &x[row * stride * width..][..size * width];
            y.fill(0.0);
            for x in x.chunks_exact(width) {
                for k in 0..size {
                    for (y, &x) in y.iter_mut().zip(x[k..].iter().step_by(stride)) {
                        *y += x;
                    }
                }
            }
            y.iter_mut().for_each(|y| *y *= scale);
        }
    }
}

/// Gradient of [`average_pool`]'s `x` from that of its `y`; `dx` is overwritten.
///
/// # Panics
/// If a length does not fit.
pub fn average_pool_gradient(isa: Isa, dy: &[f32], windows: Windows, dx: &mut [f32]) {
    match windows.pass(dx.len(), &[dy.len()]) {
        Some(pass) => pass.run(isa, AverageGradient, dx, dy),
        None => dx.fill(0.0),
    }
}

#[derive(Clone, Copy)]
struct AverageGradient;

impl Pooling<&mut [f32], &[f32]> for AverageGradient {
    #[inline(always)]
    fn plane(self, pass: &Pass, dx: &mut [f32], dy: &[f32]) {
        let [_, width, size, stride] = pass.windows.sizes();
        let scale = 1.0 / (size * size) as f32;
        dx.fill(0.0);
        for (row, dy) in dy.chunks_exact(pass.output[1]).enumerate() {
            let dx = &mut dx[row * stride * width..][..size * width];
            for dx in dx.chunks_exact_mut(width) {
                for k in 0..size {
                    for (dx, &dy) in dx[k..].iter_mut().step_by(stride).zip(dy) {
                        *dx += dy * scale;
                    }
                }
            }
        }
    }
}
