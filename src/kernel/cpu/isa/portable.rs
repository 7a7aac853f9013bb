//! Sixteen lanes as an array, for any CPU: loops of sixteen, which compilers turn into the vectors of the
//! target's baseline (SSE2 on x86-64, NEON on AArch64).

use super::{LANES, Line, Simd, Work};

/// No proof needed.
#[derive(Clone, Copy)]
pub struct Portable;

// In one instruction where every processor of the target has it: else it would be a call.
#[inline(always)]
fn multiply_add(a: f32, b: f32, c: f32) -> f32 {
    match cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        true => a.mul_add(b, c),
        false => c + a * b,
    }
}

#[inline(always)]
fn map2(a: Line, b: Line, f: impl Fn(f32, f32) -> f32) -> Line {
    let mut r = Line::ZERO;
    for i in 0..LANES {
        r.0[i] = f(a.0[i], b.0[i]);
    }
    r
}

impl Simd for Portable {
    type V = Line;
    const CORRELATE: (usize, usize) = (1, 3);
    const OUTER: (usize, usize) = (1, 2);

    #[inline(always)]
    fn vectors(_rows: usize) -> usize {
        1
    }
    #[inline(always)]
    fn vectorize<W: Work>(self, work: W) {
        work.run(self);
    }
    #[inline(always)]
    fn splat(self, x: f32) -> Line {
        Line([x; LANES])
    }
    #[inline(always)]
    fn load16(self, x: &[f32; LANES]) -> Line {
        Line(*x)
    }
    #[inline(always)]
    fn store16(self, x: Line, to: &mut [f32; LANES]) {
        *to = x.0;
    }
    #[inline(always)]
    fn add(self, a: Line, b: Line) -> Line {
        map2(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Line, b: Line) -> Line {
        map2(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Line, b: Line) -> Line {
        map2(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn fma(self, a: Line, b: Line, c: Line) -> Line {
        let mut r = c;
        for i in 0..LANES {
            r.0[i] = multiply_add(a.0[i], b.0[i], c.0[i]);
        }
        r
    }
    #[inline(always)]
    fn fnma(self, a: Line, b: Line, c: Line) -> Line {
        let mut r = c;
        for i in 0..LANES {
            r.0[i] = multiply_add(-a.0[i], b.0[i], c.0[i]);
        }
        r
    }
    #[inline(always)]
    fn relu(self, x: Line) -> Line {
        map2(x, x, |x, _| if x < 0.0 { 0.0 } else { x })
    }
    #[inline(always)]
    fn gate(self, x: Line, gate: Line) -> Line {
        map2(x, gate, |x, g| if g <= 0.0 { 0.0 } else { x })
    }
    #[inline(always)]
    fn transpose(self, rows: [Line; LANES]) -> [Line; LANES] {
        let mut r = [Line::ZERO; LANES];
        for i in 0..LANES {
            for j in 0..LANES {
                r[i].0[j] = rows[j].0[i];
            }
        }
        r
    }
}
