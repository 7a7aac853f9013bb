//! Element-wise passes: a number from the numbers at its place.

use rayon::prelude::*;

use super::isa::{Isa, Simd, Work};

/// Writes to every place of `to` what a function makes of the numbers of `from` at that place.
///
/// Threads take `piece` places at a time; `of` gives the function for each piece in turn.
///
/// # Panics
/// If lengths differ, or `piece` is 0.
pub(crate) fn map<const N: usize, F: Fn([f32; N]) -> f32>(
    isa: Isa,
    from: [&[f32]; N],
    piece: usize,
    to: &mut [f32],
    of: impl Fn(usize) -> F + Sync,
) {
    let len = to.len();
    assert!(from.iter().all(|from| from.len() == len), "lengths differ");
    to.par_chunks_mut(piece).enumerate().for_each(|(at, to)| {
        let from = from.map(|from| &from[at * piece..][..to.len()]);
        map_here(isa, from, to, of(at));
    });
}

/// Writes to every place of `to` what `f` makes of the numbers of `from` at that place, on this thread.
///
/// # Panics
/// If a slice of `from` is shorter.
pub(crate) fn map_here<const N: usize>(
    isa: Isa,
    from: [&[f32]; N],
    to: &mut [f32],
    f: impl Fn([f32; N]) -> f32,
) {
    isa.run(Map { from, f, to });
}

struct Map<'a, F, const N: usize> {
    from: [&'a [f32]; N],
    f: F,
    to: &'a mut [f32],
}

impl<F: Fn([f32; N]) -> f32, const N: usize> Work for Map<'_, F, N> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { from, f, to } = self;
        // Once more, and by index, so that the loop is without checks.
        let from = from.map(|from| &from[..to.len()]);
        for at in 0..to.len() {
            to[at] = f(from.map(|from| from[at]));
        }
    }
}
