use super::ImageSet;
use crate::base::{Bounds, Error, Result};
use std::fmt::Display;

/// Images as they come in one by one, all of one shape; an image set is made of them at the end. `T` is what a
/// channel of a pixel is.
pub(super) struct Collected<T> {
    // What the first image has, and what it is called.
    first: Option<([usize; 3], String)>,
    pixels: Vec<T>,
    labels: Vec<u8>,
}

impl<T> Default for Collected<T> {
    fn default() -> Self {
        Self {
            first: None,
            pixels: Vec::new(),
            labels: Vec::new(),
        }
    }
}

impl<T> Collected<T> {
    /// Adds an image `[channel, height, width]`, its channels one after the other.
    ///
    /// # Errors
    ///
    /// [`Error::Input`], naming the image, if it has another shape than the first one or not as many
    /// pixels, or if its class is no class.
    pub fn push(
        &mut self,
        name: &dyn Display,
        shape: [usize; 3],
        pixels: Vec<T>,
        label: usize,
    ) -> Result<()> {
        let text = |[c, h, w]: [usize; 3]| format!("{c}×{h}×{w}");
        let (first, as_first) = self.first.get_or_insert_with(|| (shape, name.to_string()));
        if shape != *first {
            return Err(Error::input(
                format!("shape of {name}"),
                text(shape),
                format!("{}, as {as_first} has", text(*first)),
            ));
        }
        let size: usize = shape.iter().product();
        if pixels.len() != size {
            let expected = format!("the {size} of {}", text(shape));
            return Err(Error::input(
                format!("pixels of {name}"),
                pixels.len(),
                expected,
            ));
        }
        let label = u8::try_from(label)
            .map_err(|_| Error::input(format!("class of {name}"), label, "0 to 255"))?;
        self.pixels.extend(pixels);
        self.labels.push(label);
        Ok(())
    }
}

/// What pixels are, and what a set of them needs to know.
pub(super) trait Pixel: Sized {
    type Range: Copy;

    /// # Errors
    ///
    /// As the constructors of [`ImageSet`].
    fn set(
        name: String,
        shape: [usize; 3],
        classes: usize,
        images: Collected<Self>,
        range: Self::Range,
    ) -> Result<ImageSet>;
}

impl Pixel for u8 {
    type Range = ();

    fn set(
        name: String,
        shape: [usize; 3],
        classes: usize,
        images: Collected<u8>,
        (): (),
    ) -> Result<ImageSet> {
        ImageSet::new(name, shape, classes, images.pixels, images.labels)
    }
}

impl Pixel for f32 {
    type Range = Bounds;

    fn set(
        name: String,
        shape: [usize; 3],
        classes: usize,
        images: Collected<f32>,
        bounds: Bounds,
    ) -> Result<ImageSet> {
        ImageSet::of_numbers(name, shape, classes, images.pixels, images.labels, bounds)
    }
}

impl<T: Pixel> Collected<T> {
    /// # Errors
    ///
    /// [`Error::Input`] if there is no image, or as [`ImageSet::new`] and [`ImageSet::of_numbers`].
    pub fn into_set(
        self,
        name: impl Into<String>,
        classes: usize,
        range: T::Range,
    ) -> Result<ImageSet> {
        let name = name.into();
        match self.first {
            Some((shape, _)) => T::set(name, shape, classes, self, range),
            None => Err(Error::input(
                format!("{name}: images"),
                "none",
                "at least one",
            )),
        }
    }
}
