//! Batch normalisation of planes, `[batch][channel][area]`: by given statistics, and the parts that
//! training needs.
//!
//! Every number comes of the same operations in the same order as with Burn's element-wise tensor
//! operations, so that the results are theirs to the bit; only the passes over memory are fewer.

use super::count;
use super::elementwise::{gated, positive};
use super::isa::{Isa, Simd, Work};
use super::map::map;

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

/// The planes of all images, normalised; plus what is `beside`; and the positive parts if `relu`.
///
/// # Panics
/// If lengths do not fit.
pub fn normalise(
    isa: Isa,
    x: &[f32],
    (channels, area): (&[Channel], usize),
    beside: Option<&[f32]>,
    relu: bool,
    y: &mut [f32],
) {
    planes(channels.len(), area, y.len());
    let of = |at: usize| channels[at % channels.len()];
    let cut = move |value: f32| if relu { positive(value) } else { value };
    match beside {
        None => map(isa, [x], area, y, |at| {
            let channel = of(at);
            move |[x]| cut(channel.normalise(x))
        }),
        Some(beside) => map(isa, [x, beside], area, y, |at| {
            let channel = of(at);
            move |[x, beside]| cut(channel.normalise(x) + beside)
        }),
    }
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
    fn plane(&self, at: usize, area: usize) -> Self {
        let plane = at * area..(at + 1) * area;
        Self {
            dy: &self.dy[plane.clone()],
            gate: self.gate.map(|gate| &gate[plane]),
        }
    }

    #[inline(always)]
    fn at(&self, at: usize) -> f32 {
        match self.gate {
            Some(gate) => gated(self.dy[at], gate[at]),
            None => self.dy[at],
        }
    }

    /// Writes to every place of planes of `area` what a function makes of the number of `x` there
    /// and of the slope; `of` gives the function for each plane in turn.
    fn map<F: Fn(f32, f32) -> f32>(
        &self,
        isa: Isa,
        x: &[f32],
        area: usize,
        to: &mut [f32],
        of: impl Fn(usize) -> F + Sync,
    ) {
        match self.gate {
            None => map(isa, [x, self.dy], area, to, |at| {
                let f = of(at);
                move |[x, dy]| f(x, dy)
            }),
            Some(gate) => map(isa, [x, self.dy, gate], area, to, |at| {
                let f = of(at);
                move |[x, dy, gate]| f(x, gated(dy, gate))
            }),
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

/// The gradient of the input where the statistics are the batch's own.
///
/// # Panics
/// If lengths do not fit.
pub fn gradient(isa: Isa, x: &[f32], slope: Slope, pulls: &[Pull], area: usize, dx: &mut [f32]) {
    planes(pulls.len(), area, dx.len());
    slope.map(isa, x, area, dx, |at| {
        let Pull {
            mean,
            inverse,
            factor,
            lift,
            tilt,
        } = pulls[at % pulls.len()];
        move |x, dy| {
            let normalised = (x - mean) * inverse;
            factor * ((dy - lift) - normalised * tilt)
        }
    });
}

/// The gradient of the input where the statistics are given: `dx = dy · scale · inverse`.
///
/// # Panics
/// If lengths do not fit.
pub fn gradient_by_given(isa: Isa, slope: Slope, scales: &[[f32; 2]], area: usize, dx: &mut [f32]) {
    planes(scales.len(), area, dx.len());
    slope.map(isa, slope.dy, area, dx, |at| {
        let [scale, inverse] = scales[at % scales.len()];
        move |_, dy| dy * scale * inverse
    });
}

/// One channel of all images, in their order.
pub fn gather(x: &[f32], channel: usize, channels: usize, area: usize, row: &mut [f32]) {
    for (image, row) in row.chunks_exact_mut(area).enumerate() {
        row.copy_from_slice(&x[(image * channels + channel) * area..][..area]);
    }
}

/// One channel of a gradient of all images, in their order, and the same times the normalised input.
pub fn gather_slope(
    isa: Isa,
    x: &[f32],
    slope: Slope,
    [channel, channels, area]: [usize; 3],
    [mean, inverse]: [f32; 2],
    rows: [&mut [f32]; 2],
) {
    let [plain, weighted] = rows;
    let rows = plain
        .chunks_exact_mut(area)
        .zip(weighted.chunks_exact_mut(area));
    for (image, (plain, weighted)) in rows.enumerate() {
        let at = image * channels + channel;
        isa.run(Weigh {
            x: &x[at * area..][..area],
            slope: slope.plane(at, area),
            mean,
            inverse,
            plain,
            weighted,
        });
    }
}

struct Weigh<'a> {
    x: &'a [f32],
    slope: Slope<'a>,
    mean: f32,
    inverse: f32,
    plain: &'a mut [f32],
    weighted: &'a mut [f32],
}

impl Work for Weigh<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let rows = self.plain.iter_mut().zip(self.weighted);
        for (at, ((plain, weighted), &x)) in rows.zip(self.x).enumerate() {
            *plain = self.slope.at(at);
            *weighted = *plain * ((x - self.mean) * self.inverse);
        }
    }
}

/// Squares of the distances from a mean, in place.
pub fn squares(isa: Isa, row: &mut [f32], mean: f32) {
    isa.run(Squares { row, mean });
}

struct Squares<'a> {
    row: &'a mut [f32],
    mean: f32,
}

impl Work for Squares<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for x in self.row.iter_mut() {
            let centred = *x - self.mean;
            *x = centred * centred;
        }
    }
}

fn planes(channels: usize, area: usize, numbers: usize) {
    let image = count([channels, area]);
    assert!(
        image > 0 && numbers.is_multiple_of(image),
        "whole images of all channels"
    );
}
