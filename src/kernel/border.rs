use burn::tensor::{Int, Tensor, ops::PadMode};
use derive_more::Display;
use serde::{Deserialize, Serialize};

/// What lies outside an image.
///
/// Every border extends the image to an infinite lattice of pixels, which is then sampled. On a
/// row `a b c d` (the names in brackets are `numpy.pad`'s modes):
///
/// | border | | extension |
/// |---|---|---|
/// | [`Zeros`](Border::Zeros) | `constant` | `0 0 0 0 [a b c d] 0 0 0 0` |
/// | [`Edge`](Border::Edge) | `edge` | `a a a a [a b c d] d d d d` |
/// | [`Reflect`](Border::Reflect) | `reflect` | `c d c b [a b c d] c b a b` |
/// | [`Circular`](Border::Circular) | `wrap` | `a b c d [a b c d] a b c d` |
///
/// In PyTorch's `grid_sample(align_corners=True)` the first three are `zeros`, `border` and
/// `reflection`.
///
/// Between pixels, [`Reflect`](Border::Reflect) and [`Circular`](Border::Circular) give NaN farther
/// than 2²³ pixels from the image's first one, where an `f32` no longer says which pixel of the
/// repeated image it is.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[display(rename_all = "snake_case")]
pub enum Border {
    /// Zeros, as the published augmentation has it: black in `[0, 1]` images.
    #[default]
    Zeros,
    /// The nearest pixel of the image.
    Edge,
    /// The image mirrored about the centre of its outermost pixels, which are not repeated.
    Reflect,
    /// The image repeated: what leaves on one side comes in on the other.
    Circular,
}

impl Border {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Zeros, Self::Edge, Self::Reflect, Self::Circular];
}

/// For sampling whole pixels: a ring of zeros is put around the image if the border is `Zeros`.
/// Then *every* place of the infinite lattice is some pixel of the framed image, so that no
/// sampling needs a mask.
impl Border {
    /// The image with what the border adds to its last two axes.
    pub(crate) fn frame<const D: usize>(self, images: Tensor<D>) -> Tensor<D> {
        match self.ring() {
            0 => images,
            ring => images.pad((ring, ring, ring, ring), 0.0),
        }
    }

    /// The width of the ring.
    pub(crate) fn ring(self) -> usize {
        match self {
            Self::Zeros => 1,
            Self::Edge | Self::Reflect | Self::Circular => 0,
        }
    }

    /// Where place `at` of the infinite lattice is found along a framed side of an image with
    /// `length` pixels there.
    pub(crate) fn index(self, at: i64, length: usize) -> usize {
        let length = length as i64;
        let index = match self {
            Self::Zeros => at.clamp(-1, length) + 1,
            Self::Edge => at.clamp(0, length - 1),
            Self::Reflect => {
                let last = length - 1;
                last - (at.rem_euclid((2 * last).max(1)) - last).abs()
            }
            Self::Circular => at.rem_euclid(length),
        };
        index as usize
    }

    /// As [`index`](Self::index), in a plane; apart from the loops that seldom come here.
    #[cfg(feature = "flex")]
    #[cold]
    pub(crate) fn place(self, [y, x]: [i64; 2], [height, width]: [usize; 2]) -> usize {
        self.index(y, height) * width + self.index(x, width)
    }
}

/// The farthest coordinate at which images are repeated: up to here `f32` has halves of a pixel, and
/// whole periods taken off leave no rounding.
pub(crate) const FARTHEST: f32 = (1 << 23) as f32;

/// For interpolating between neighbours: the image is extended by margins and the coordinate
/// folded into it, so that a pixel's right and lower neighbours are *always* the next ones in
/// memory.
impl Border {
    /// The image with margins around its last two axes.
    pub(crate) fn extend(self, images: Tensor<4>) -> Tensor<4> {
        let (before, after) = self.margins();
        let margins = (before, after, before, after);
        match self {
            Self::Zeros => images.pad(margins, 0.0),
            // The pixels past the far edge only ever get the weight 0 (up to rounding).
            Self::Edge | Self::Reflect => images.pad(margins, PadMode::Edge),
            Self::Circular => {
                let again = images.clone().narrow(3, 0, 1);
                let images = Tensor::cat(vec![images, again], 3);
                let again = images.clone().narrow(2, 0, 1);
                Tensor::cat(vec![images, again], 2)
            }
        }
    }

    /// The pixels added before and after each axis by [`extend`](Border::extend).
    pub(crate) fn margins(self) -> (usize, usize) {
        match self {
            Self::Zeros => (1, 2),
            Self::Edge | Self::Reflect | Self::Circular => (0, 1),
        }
    }

    /// Splits coordinates along an axis of `length` pixels into the first of the two neighbours,
    /// counted in the extended image, and the weight of the second. Only the weight has a
    /// derivative.
    pub(crate) fn split<const D: usize>(
        self,
        at: Tensor<D>,
        length: usize,
    ) -> (Tensor<D, Int>, Tensor<D>) {
        let last = length as f64 - 1.0;
        let (before, _) = self.margins();
        let folded = match self {
            Self::Zeros => at.clamp(-1.0, last + 1.0),
            Self::Edge => at.clamp(0.0, last),
            Self::Reflect => (modulo(at, (2.0 * last).max(1.0)) - last).abs().neg() + last,
            Self::Circular => modulo(at, last + 1.0),
        };
        let neighbour = folded.clone().without_autodiff().floor();
        let neighbour = match self {
            Self::Zeros | Self::Edge => neighbour,
            // Folding may round to just outside; the weight is then off [0, 1] by as little.
            Self::Reflect | Self::Circular => neighbour.clamp(0.0, last),
        };
        let weight = folded - neighbour.clone();
        // A coordinate that is NaN is so by its weight; no backend has a whole number for it.
        let lost = neighbour.clone().is_nan();
        let first = neighbour.mask_fill(lost, 0.0) + before as f64;
        (first.int(), weight)
    }
}

fn modulo<const D: usize>(at: Tensor<D>, period: f64) -> Tensor<D> {
    let place = at.clone().without_autodiff();
    let lost = place.clone().abs().greater_elem(FARTHEST);
    let periods = (place / period).floor().mask_fill(lost, f32::NAN);
    at - periods * period
}

#[cfg(test)]
mod tests {
    use super::*;

    // Oracle: numpy.pad of [1, 2, 3, 4] by 5 on each side, written out.
    #[test]
    fn value_extension_is_that_of_numpy_pad() {
        let padded: [[i64; 14]; 4] = [
            [0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0],
            [1, 1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 4, 4, 4],
            [2, 3, 4, 3, 2, 1, 2, 3, 4, 3, 2, 1, 2, 3],
            [4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1],
        ];
        for (border, expected) in Border::ALL.into_iter().zip(padded) {
            let row: &[i64] = match border {
                Border::Zeros => &[0, 1, 2, 3, 4, 0],
                _ => &[1, 2, 3, 4],
            };
            let found: Vec<i64> = (-5..9).map(|at| row[border.index(at, 4)]).collect();
            assert_eq!(found, expected, "{border:?}");
        }
    }

    // Oracle: the whole-pixel extension above, linear in between.
    #[test]
    fn value_split_interpolates_the_extension() {
        let device = crate::device();
        for border in Border::ALL {
            for length in [1, 2, 3, 7] {
                let pixels: Vec<f32> = (0..length).map(|i| ((i * i) as f32) + 1.0).collect();
                let image = Tensor::<1>::from_floats(pixels.as_slice(), &device);
                let row: Vec<f32> = border
                    .extend(image.reshape([1, 1, 1, length]))
                    .to_data()
                    .iter::<f32>()
                    .collect();
                // The second row of the extended image holds the image for every border.
                let (before, after) = border.margins();
                let width = before + length + after;
                let row = &row[before * width..(before + 1) * width];
                let framed = [&vec![0.0; border.ring()][..], &pixels, &[0.0]].concat();
                let places: Vec<f32> = (-200..200).map(|i| i as f32 / 8.0).collect();
                let (first, weight) =
                    border.split(Tensor::<1>::from_floats(places.as_slice(), &device), length);
                let weights = weight.to_data();
                let firsts = first.to_data();
                for ((first, weight), place) in
                    firsts.iter::<i64>().zip(weights.iter::<f32>()).zip(places)
                {
                    let first = first as usize;
                    let found = row[first] + (row[first + 1] - row[first]) * weight;
                    let pixel = |at: f32| framed[border.index(at as i64, length)];
                    let (left, right) = (pixel(place.floor()), pixel(place.floor() + 1.0));
                    let expected = left + (right - left) * (place - place.floor());
                    let error = (found - expected).abs();
                    assert!(error < 1e-4, "{border:?}, {length} pixels at {place}");
                }
            }
        }
    }

    #[test]
    fn error_absurd_places_stay_inside() {
        let device = crate::device();
        let absurd = [f32::INFINITY, -f32::INFINITY, 3e38, -3e38, 1e9];
        for border in Border::ALL {
            for length in [1, 5] {
                let (before, after) = border.margins();
                let (first, _) = border.split(Tensor::<1>::from_floats(absurd, &device), length);
                for index in first.to_data().iter::<i64>() {
                    assert!((0..(length + before + after) as i64 - 1).contains(&index));
                }
            }
        }
    }
}
