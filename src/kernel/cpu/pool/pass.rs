//! A pass of pooling over planes, forwards or backwards.

use super::super::isa::{Isa, Simd, Work};
use super::Windows;

/// Numbers that one thread takes at a time, about.
const PIECE: usize = 1 << 15;

/// A way of pooling: what is done with the pixels `x` of a plane and its windows `y`, one of which
/// is read and the other written.
pub trait Pooling<X, Y>: Copy + Send + Sync {
    /// Works on one plane. Implement it with `#[inline(always)]`.
    fn plane(self, pass: &Pass, x: X, y: Y);
}

/// Slices of planes, one plane after another; a pair of slices is cut at one place.
pub trait Cut: Sized + Send {
    /// What is before a place, and the rest.
    fn cut(self, at: usize) -> (Self, Self);
}

impl<T: Sync> Cut for &[T] {
    #[inline(always)]
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at(at)
    }
}

impl<T: Send> Cut for &mut [T] {
    #[inline(always)]
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}

impl<A: Cut, B: Cut> Cut for (A, B) {
    #[inline(always)]
    fn cut(self, at: usize) -> (Self, Self) {
        let ((a, others), (b, rest)) = (self.0.cut(at), self.1.cut(at));
        ((a, b), (others, rest))
    }
}

/// Planes with windows in them.
#[derive(Clone, Copy)]
pub struct Pass {
    pub windows: Windows,
    /// Rows and columns of windows.
    pub output: [usize; 2],
    areas: [usize; 2],
    planes: usize,
}

impl Pass {
    pub fn new(windows: Windows, planes: usize) -> Self {
        Self {
            windows,
            output: windows.output(),
            areas: windows.areas(),
            planes,
        }
    }

    /// Pools all planes, on rayon's pool.
    pub fn run<P: Pooling<X, Y>, X: Cut, Y: Cut>(self, isa: Isa, pooling: P, x: X, y: Y) {
        let Self { areas, planes, .. } = self;
        if planes == 1 || planes * areas[0] <= PIECE {
            return isa.run(Piece {
                pass: self,
                pooling,
                x,
                y,
            });
        }
        let half = planes / 2;
        let part = |planes| Self { planes, ..self };
        let (x, y) = (x.cut(half * areas[0]), y.cut(half * areas[1]));
        rayon::join(
            || part(half).run(isa, pooling, x.0, y.0),
            || part(planes - half).run(isa, pooling, x.1, y.1),
        );
    }
}

struct Piece<P, X, Y> {
    pass: Pass,
    pooling: P,
    x: X,
    y: Y,
}

impl<P: Pooling<X, Y>, X: Cut, Y: Cut> Work for Piece<P, X, Y> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let (pass, mut rest) = (self.pass, (self.x, self.y));
        for _ in 0..pass.planes {
            let (x, others) = rest.0.cut(pass.areas[0]);
            let (y, windows) = rest.1.cut(pass.areas[1]);
            rest = (others, windows);
            self.pooling.plane(&pass, x, y);
        }
    }
}
