//! Where a point is sampled, and planes with margins.

use super::{Border, Frame, LANES};
use crate::kernel::border::FARTHEST;

/// A coordinate as the first of its two neighbours and the weight of the second.
#[derive(Clone, Copy)]
pub struct Split {
    /// The neighbour, counted in the plane with margins; NaN if the coordinate is.
    pub neighbour: f32,
    /// Weight of the next one.
    pub weight: f32,
    /// Derivative of the weight in the coordinate: 1, 0 or -1.
    pub slope: f32,
}

/// How the coordinates of one border are folded into an axis whose last pixel is given.
pub trait Fold: Copy {
    /// Splits a coordinate.
    fn split(self, at: f32, last: f32) -> Split;
}

/// [`Border::Zeros`].
#[derive(Clone, Copy)]
pub struct Zeros;
/// [`Border::Edge`].
#[derive(Clone, Copy)]
pub struct Edge;
/// [`Border::Reflect`].
#[derive(Clone, Copy)]
pub struct Reflect;
/// [`Border::Circular`].
#[derive(Clone, Copy)]
pub struct Circular;

/// `f32::clamp` of ordered limits, NaN kept.
#[inline(always)]
fn hold(at: f32, low: f32, high: f32) -> f32 {
    let at = if at < low { low } else { at };
    if at > high { high } else { at }
}

/// 0 where a coordinate is held at a limit, so not at the limit itself.
#[inline(always)]
fn free(at: f32, low: f32, high: f32) -> f32 {
    if (at < low) | (at > high) { 0.0 } else { 1.0 }
}

#[inline(always)]
fn modulo(at: f32, period: f32) -> f32 {
    let periods = (at / period).floor();
    let periods = if at.abs() > FARTHEST {
        f32::NAN
    } else {
        periods
    };
    at - periods * period
}

impl Fold for Zeros {
    #[inline(always)]
    fn split(self, at: f32, last: f32) -> Split {
        let folded = hold(at, -1.0, last + 1.0);
        let neighbour = folded.floor();
        Split {
            neighbour: neighbour + 1.0,
            weight: folded - neighbour,
            slope: free(at, -1.0, last + 1.0),
        }
    }
}

impl Fold for Edge {
    #[inline(always)]
    fn split(self, at: f32, last: f32) -> Split {
        let folded = hold(at, 0.0, last);
        let neighbour = folded.floor();
        Split {
            neighbour,
            weight: folded - neighbour,
            slope: free(at, 0.0, last),
        }
    }
}

impl Fold for Reflect {
    #[inline(always)]
    fn split(self, at: f32, last: f32) -> Split {
        let aside = modulo(at, (2.0 * last).max(1.0)) - last;
        let folded = -aside.abs() + last;
        // Folding may round to just outside; the weight is then off [0, 1] by as little.
        let neighbour = hold(folded.floor(), 0.0, last);
        let before = if aside < 0.0 { 1.0 } else { 0.0 };
        let after = if aside > 0.0 { 1.0 } else { 0.0 };
        Split {
            neighbour,
            weight: folded - neighbour,
            slope: before - after,
        }
    }
}

impl Fold for Circular {
    #[inline(always)]
    fn split(self, at: f32, last: f32) -> Split {
        let folded = modulo(at, last + 1.0);
        let neighbour = hold(folded.floor(), 0.0, last);
        Split {
            neighbour,
            weight: folded - neighbour,
            slope: 1.0,
        }
    }
}

/// The two axes of an image and its planes with margins.
#[derive(Clone, Copy)]
pub struct Axes {
    /// What is in the margins.
    pub border: Border,
    /// Rows of the image.
    pub height: usize,
    /// Columns of the image.
    pub width: usize,
    /// Rows and columns before the image in its plane.
    pub before: usize,
    /// Columns of the plane.
    pub stride: usize,
    /// Pixels of the plane.
    pub plane: usize,
}

impl Axes {
    pub fn new(border: Border, frame: Frame) -> Self {
        let Frame { height, width, .. } = frame;
        let (before, after) = border.margins();
        let stride = before + width + after;
        Self {
            border,
            height,
            width,
            before,
            stride,
            plane: (before + height + after) * stride,
        }
    }

    /// Pixels of the image.
    #[inline(always)]
    pub fn area(&self) -> usize {
        self.height * self.width
    }

    /// The pixel of the image that the one past an axis repeats.
    fn again(&self, length: usize) -> usize {
        match self.border {
            Border::Circular => 0,
            // It only ever gets the weight 0, up to rounding.
            _ => length - 1,
        }
    }

    /// Numbers that a plane needs, with room for copies that are longer than a row.
    pub fn room(&self) -> usize {
        self.plane + LANES
    }

    /// Copies an image into its plane.
    #[inline(always)]
    pub fn extend(&self, image: &[f32], plane: &mut [f32]) {
        let (width, height, stride) = (self.width, self.height, self.stride);
        let again = self.again(width);
        if self.before > 0 {
            plane[..=stride].fill(0.0);
        }
        for row in 0..height {
            let to = (row + self.before) * stride + self.before;
            copy_row(&image[row * width..], &mut plane[to..], width);
            let after = &mut plane[to + width..][..3];
            if self.before > 0 {
                // Two after this row and one before the next.
                after.fill(0.0);
            } else {
                after[0] = image[row * width + again];
            }
        }
        let below = (self.before + height) * stride;
        if self.before > 0 {
            plane[below..self.plane].fill(0.0);
        } else {
            let again = self.again(height) * stride;
            plane.copy_within(again..again + stride, below);
        }
    }

    /// Numbers before the first pixel in the sums that [`fold`](Axes::fold) takes.
    pub fn lead(&self) -> usize {
        self.stride + 1
    }

    /// The gradient of an image, from sums over its plane: for each pixel what the points whose
    /// upper left neighbour it is give to it and to its right, lower and lower right neighbours.
    ///
    /// Gathered in this order, four numbers at a time, sums of neighbouring points do not wait
    /// for each other. `sums` start with as many zeros as [`lead`](Axes::lead) says, so that
    /// every pixel has a neighbour before; columns before the first are zero as the last column
    /// of a row is no point's neighbour.
    #[inline(always)]
    pub fn fold(&self, sums: &[[f32; 4]], dimage: &mut [f32]) {
        let (width, stride) = (self.width, self.stride);
        for (at, dimage) in dimage.chunks_exact_mut(width).enumerate() {
            let start = (at + self.before) * stride + self.before;
            let above = &sums[start..][..width + 1];
            let same = &sums[start + stride..][..width + 1];
            for (i, dimage) in dimage.iter_mut().enumerate() {
                *dimage = (same[i + 1][0] + same[i][1]) + (above[i + 1][2] + above[i][3]);
            }
        }
        if self.before > 0 {
            // Zeros, whose gradient nobody wants.
            return;
        }
        let pixel = |row: usize, column: usize| {
            let above = row * stride + column;
            let same = above + stride;
            (sums[same + 1][0] + sums[same][1]) + (sums[above + 1][2] + sums[above][3])
        };
        let (height, right) = (self.height, self.again(width));
        for row in 0..height {
            dimage[row * width + right] += pixel(row, width);
        }
        let lower = &mut dimage[self.again(height) * width..][..width];
        for (column, dimage) in lower.iter_mut().enumerate() {
            *dimage += pixel(height, column);
        }
        lower[right] += pixel(height, width);
    }
}

/// Copies the first `width` numbers, and where there is room up to fifteen more: short copies of
/// one size are faster than those of any.
#[inline(always)]
fn copy_row(from: &[f32], to: &mut [f32], width: usize) {
    for start in (0..width).step_by(LANES) {
        let (from, to) = (&from[start..], &mut to[start..]);
        if let (Some(from), Some(to)) = (from.first_chunk::<LANES>(), to.first_chunk_mut()) {
            *to = *from;
        } else {
            let rest = width - start;
            to[..rest].copy_from_slice(&from[..rest]);
        }
    }
}
