use crate::base::{Bounds, Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// The pixels of all images of a set, one after the other, as they came.
#[derive(Clone)]
pub(super) enum Stored {
    /// Bytes, which stand for `[0, 1]` by byte / 255.
    Bytes(Arc<[u8]>),
    /// Numbers, and the range that they are from.
    Numbers(Arc<[f32]>, Bounds),
}

impl Stored {
    /// Numbers of images of `size` pixels, all of them finite and within the bounds.
    ///
    /// # Errors
    ///
    /// [`Error::Input`], naming the first pixel that is not.
    pub fn numbers(name: &str, numbers: Vec<f32>, size: usize, bounds: Bounds) -> Result<Self> {
        let valid = |number: &f32| number.is_finite() && bounds.contains(*number);
        if let Some(at) = numbers.iter().position(|number| !valid(number)) {
            return Err(Error::input(
                format!("{name}: pixel {} of image {}", at % size, at / size),
                numbers[at],
                format!("a finite number in [{}, {}]", bounds.low(), bounds.high()),
            ));
        }
        Ok(Self::Numbers(numbers.into(), bounds))
    }

    /// How many pixels there are in all.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Numbers(numbers, _) => numbers.len(),
        }
    }

    /// What a pixel is, in the plural.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Bytes(_) => "bytes",
            Self::Numbers(..) => "numbers",
        }
    }

    /// The range that the pixels are from.
    pub fn bounds(&self) -> Bounds {
        match self {
            Self::Bytes(_) => Bounds::default(),
            Self::Numbers(_, bounds) => *bounds,
        }
    }

    /// The bytes there, if it is bytes that are stored.
    pub fn bytes(&self, range: Range<usize>) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(&bytes[range]),
            Self::Numbers(..) => None,
        }
    }

    /// Appends the numbers there.
    pub fn read(&self, range: Range<usize>, numbers: &mut Vec<f32>) {
        match self {
            Self::Bytes(bytes) => {
                numbers.extend(bytes[range].iter().map(|&byte| f32::from(byte) / 255.0));
            }
            Self::Numbers(stored, _) => numbers.extend_from_slice(&stored[range]),
        }
    }

    /// What is stored there, byte by byte, for a digest.
    pub fn raw(&self, range: Range<usize>, mut each: impl FnMut(u8)) {
        match self {
            Self::Bytes(bytes) => bytes[range].iter().copied().for_each(each),
            Self::Numbers(numbers, _) => {
                let bytes = numbers[range]
                    .iter()
                    .flat_map(|number| number.to_le_bytes());
                bytes.for_each(&mut each);
            }
        }
    }
}
