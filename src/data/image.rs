use super::ImageSet;
use crate::base::Error;
use burn::data::dataset::{Dataset, DatasetError};
use std::fmt;

/// One image of an [`ImageSet`] of bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Bytes in the order channel, row, column.
    pub pixels: Vec<u8>,
    /// The class, counted from 0.
    pub label: u8,
    /// The image's index in the full data set, kept by subsets.
    pub id: u64,
}

/// Of a set of [numbers](ImageSet::of_numbers), whose images have no bytes, no image can be had.
impl Dataset<Image> for ImageSet {
    fn get(&self, index: usize) -> std::result::Result<Image, DatasetError> {
        let bytes = self.bytes(index).ok_or_else(|| {
            let expected = "bytes; numbers are read by `ImageSet::values`";
            DatasetError::new(Error::input(self.name(), "numbers", expected))
        })?;
        Ok(Image {
            pixels: bytes.to_vec(),
            label: self.label(index),
            id: self.id(index),
        })
    }

    fn len(&self) -> usize {
        ImageSet::len(self)
    }
}

/// For example `MNIST test: 2000 images of 1×28×28, 10 classes of 200`.
impl fmt::Display for ImageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [c, h, w] = self.shape();
        let counts = self.class_counts();
        let least = counts.iter().min().copied().unwrap_or(0);
        let most = counts.iter().max().copied().unwrap_or(0);
        write!(
            f,
            "{}: {} images of {c}×{h}×{w}, {} classes of {least}",
            self.name(),
            self.len(),
            self.classes()
        )?;
        if most > least {
            write!(f, " to {most}")?;
        }
        Ok(())
    }
}

// A derived Debug would print every pixel.
impl fmt::Debug for ImageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageSet({self})")
    }
}
