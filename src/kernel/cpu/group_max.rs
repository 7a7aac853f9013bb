//! The largest of the components of every channel, with its gradient.

use rayon::prelude::*;

use super::count;
use super::isa::{Isa, Simd, Work};

/// Numbers that one thread takes at a time, about.
const PIECE: usize = 1 << 15;

/// Channels of as many components, each a plane of so many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Components {
    /// Components of a channel, 1 to 255.
    pub group: usize,
    /// Numbers of a component.
    pub area: usize,
}

impl Components {
    /// Numbers of a piece of results and of components, or `None` where there is nothing to do.
    fn pieces(&self, large: usize, small: [usize; 2]) -> Option<[usize; 2]> {
        let Self { group, area } = *self;
        assert!(
            (1..256).contains(&group),
            "1 to 255 components, not {group}"
        );
        let channel = count([group, area]);
        let channels = large.checked_div(channel).unwrap_or(0);
        let fits = channels * channel == large && small == [channels * area; 2];
        assert!(fits, "whole channels of {self:?}");
        let together = (PIECE / channel.max(1)).max(1);
        (channels > 0).then(|| [together * area, together * channel])
    }
}

/// The largest component at every place of every channel, and which it is: the first of equal ones. A NaN counts as
/// largest.
///
/// # Shapes
/// - `x`: `[channels][group][area]`
/// - `y`, `codes`: `[channels][area]`
///
/// # Panics
/// If a length does not fit.
pub fn group_max(isa: Isa, x: &[f32], components: Components, y: &mut [f32], codes: &mut [u8]) {
    let Some([small, large]) = components.pieces(x.len(), [y.len(), codes.len()]) else {
        return;
    };
    let results = y.par_chunks_mut(small).zip(codes.par_chunks_mut(small));
    results
        .zip(x.par_chunks(large))
        .for_each(|((y, codes), x)| {
            isa.run(Largest {
                components,
                x,
                y,
                codes,
            });
        });
}

struct Largest<'a> {
    components: Components,
    x: &'a [f32],
    y: &'a mut [f32],
    codes: &'a mut [u8],
}

impl Work for Largest<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Components { group, area } = self.components;
        let results = self.y.chunks_exact_mut(area);
        let results = results.zip(self.codes.chunks_exact_mut(area));
        for ((y, codes), x) in results.zip(self.x.chunks_exact(group * area)) {
            let (first, others) = x.split_at(area);
            y.copy_from_slice(first);
            codes.fill(0);
            for (component, x) in (1..=u8::MAX).zip(others.chunks_exact(area)) {
                // Once more, and by index, so that the loop is without checks.
                let (y, codes, x) = (&mut y[..area], &mut codes[..area], &x[..area]);
                for at in 0..area {
                    let (old, new) = (y[at], x[at]);
                    let larger = !old.is_nan() && (new.is_nan() || new > old);
                    y[at] = if larger { new } else { old };
                    codes[at] = if larger { component } else { codes[at] };
                }
            }
        }
    }
}

/// Gradient of [`group_max`]'s `x` from that of its `y`; `dx` is overwritten.
///
/// # Shapes
/// As there.
///
/// # Panics
/// If a length does not fit.
pub fn group_max_gradient(
    isa: Isa,
    dy: &[f32],
    codes: &[u8],
    components: Components,
    dx: &mut [f32],
) {
    let Some([small, large]) = components.pieces(dx.len(), [dy.len(), codes.len()]) else {
        return;
    };
    let given = dy.par_chunks(small).zip(codes.par_chunks(small));
    given
        .zip(dx.par_chunks_mut(large))
        .for_each(|((dy, codes), dx)| {
            isa.run(Spread {
                components,
                dy,
                codes,
                dx,
            });
        });
}

struct Spread<'a> {
    components: Components,
    dy: &'a [f32],
    codes: &'a [u8],
    dx: &'a mut [f32],
}

impl Work for Spread<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Components { group, area } = self.components;
        let given = self.dy.chunks_exact(area);
        let given = given.zip(self.codes.chunks_exact(area));
        for ((dy, codes), dx) in given.zip(self.dx.chunks_exact_mut(group * area)) {
            for (component, dx) in (0..u8::MAX).zip(dx.chunks_exact_mut(area)) {
                let (dy, codes) = (&dy[..area], &codes[..area]);
                for at in 0..area {
                    // Added to zero, as Burn's: that makes -0 a 0.
                    dx[at] = 0.0 + if codes[at] == component { dy[at] } else { 0.0 };
                }
            }
        }
    }
}
