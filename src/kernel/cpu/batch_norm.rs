//! Batch normalisation of planes, `[batch][channel][area]`: by given statistics, and the parts that
//! training needs.
//!
//! Every number comes of the same operations in the same order as with Burn's element-wise tensor
//! operations, so that the results are theirs to the bit; only the passes over memory are fewer.

use std::ops::Range;

use super::count;
use super::elementwise::{gated, positive};
use super::isa::Isa;
use super::map::{map, map_here};
use super::strand::{Planes, Strand};

/// What is done to a channel: `y = (x - mean) / deviation · scale + shift`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channel {
    /// The mean.
    pub mean: f32,
    /// The standard deviation, ε included.
    pub deviation: f32,
    /// The factor.
    pub scale: f32,
    /// The summand.
    pub shift: f32,
}

impl Channel {
    #[inline(always)]
    fn normalise(self, x: f32) -> f32 {
        (x - self.mean) / self.deviation * self.scale + self.shift
    }
}

/// The planes of all images, normalised; and the positive parts if `relu`.
///
/// # Panics
/// If lengths do not fit.
pub fn normalise(
    isa: Isa,
    x: &[f32],
    (channels, area): (&[Channel], usize),
    relu: bool,
    y: &mut [f32],
) {
    planes(channels.len(), area, y.len());
    map(isa, [x], area, y, |at| {
        let channel = channels[at % channels.len()];
        move |[x]| cut(channel.normalise(x), relu)
    });
}

/// The planes `y` of one channel, normalised; plus what is `beside`; and the positive parts if `relu`.
pub fn normalise_channel(
    isa: Isa,
    x: &[f32],
    channel: Channel,
    beside: Option<&[f32]>,
    relu: bool,
    y: &mut Planes,
) {
    y.fill(|place, _, y| {
        let x = &x[place.clone()];
        match beside {
            None => map_here(isa, [x], y, |[x]| cut(channel.normalise(x), relu)),
            Some(beside) => map_here(isa, [x, &beside[place]], y, |[x, beside]| {
                cut(channel.normalise(x) + beside, relu)
            }),
        }
    });
}

#[inline(always)]
fn cut(value: f32, relu: bool) -> f32 {
    if relu { positive(value) } else { value }
}

/// A gradient behind a [`normalise`], and the output through which relu lets it pass where it is
/// positive.
#[derive(Clone, Copy, Debug)]
pub struct Slope<'a> {
    /// The gradient of the output.
    pub dy: &'a [f32],
    /// The output, if relu was taken along.
    pub gate: Option<&'a [f32]>,
}

impl Slope<'_> {
    /// Writes the gradient before relu, on this thread.
    fn write(&self, isa: Isa, place: Range<usize>, to: &mut [f32]) {
        let dy = &self.dy[place.clone()];
        match self.gate {
            None => to.copy_from_slice(dy),
            Some(gate) => map_here(isa, [dy, &gate[place]], to, |[dy, gate]| gated(dy, gate)),
        }
    }
}

/// What a plane's input gradient is made of: `dx = factor · ((dy - lift) - (x - mean) · inverse · tilt)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pull {
    /// The mean.
    pub mean: f32,
    /// One over the standard deviation.
    pub inverse: f32,
    /// What all is multiplied by.
    pub factor: f32,
    /// The mean of `dy`.
    pub lift: f32,
    /// The mean of `dy` times the normalised input.
    pub tilt: f32,
}

/// The gradient `dx` of one channel's input where the statistics are the batch's own, from the row of its
/// [`slopes`].
pub fn gradient(isa: Isa, x: &[f32], row: &[f32], pull: Pull, dx: &mut Planes) {
    let Pull {
        mean,
        inverse,
        factor,
        lift,
        tilt,
    } = pull;
    dx.fill(|place, in_row, dx| {
        map_here(isa, [&x[place], &row[in_row]], dx, |[x, dy]| {
            let normalised = (x - mean) * inverse;
            factor * ((dy - lift) - normalised * tilt)
        });
    });
}

/// The gradient of the input where the statistics are given: `dx = dy · scale · inverse`.
///
/// # Panics
/// If lengths do not fit.
pub fn gradient_by_given(isa: Isa, slope: Slope, scales: &[[f32; 2]], area: usize, dx: &mut [f32]) {
    planes(scales.len(), area, dx.len());
    let of = |at: usize| scales[at % scales.len()];
    match slope.gate {
        None => map(isa, [slope.dy], area, dx, |at| {
            let [scale, inverse] = of(at);
            move |[dy]| dy * scale * inverse
        }),
        Some(gate) => map(isa, [slope.dy, gate], area, dx, |at| {
            let [scale, inverse] = of(at);
            move |[dy, gate]| gated(dy, gate) * scale * inverse
        }),
    }
}

/// One channel of all images, in their order.
pub fn values(x: &[f32], strand: Strand, row: &mut [f32]) {
    strand.gather(row, |place, _, row| row.copy_from_slice(&x[place]));
}

/// The squares of one channel's distances from a mean.
pub fn squares(isa: Isa, x: &[f32], strand: Strand, mean: f32, row: &mut [f32]) {
    strand.gather(row, |place, _, row| {
        map_here(isa, [&x[place]], row, |[x]| {
            let centred = x - mean;
            centred * centred
        });
    });
}

/// One channel of a gradient of all images, in their order.
pub fn slopes(isa: Isa, slope: Slope, strand: Strand, row: &mut [f32]) {
    strand.gather(row, |place, _, row| slope.write(isa, place, row));
}

/// A row of [`slopes`] times the normalised input.
pub fn weigh(
    isa: Isa,
    x: &[f32],
    strand: Strand,
    slopes: &[f32],
    [mean, inverse]: [f32; 2],
    row: &mut [f32],
) {
    strand.gather(row, |place, in_row, row| {
        map_here(isa, [&x[place], &slopes[in_row]], row, |[x, dy]| {
            dy * ((x - mean) * inverse)
        });
    });
}

fn planes(channels: usize, area: usize, numbers: usize) {
    let image = count([channels, area]);
    assert!(
        image > 0 && numbers.is_multiple_of(image),
        "whole images of all channels"
    );
}
