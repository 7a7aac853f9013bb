use crate::base::{Bounds, Error, Precision, Result, indices, read};
use burn::tensor::{DType, Int, Tensor};

/// Images with their labels, their places in the data set and their pixel range.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Images `[batch, channel, height, width]`.
    pub images: Tensor<4>,
    /// True classes `[batch]`, counted from 0.
    pub labels: Tensor<1, Int>,
    /// Index of each image in its data set. An image's random draws depend on this id, never on
    /// its place in the batch.
    pub ids: Vec<u64>,
    /// The range of valid pixels.
    pub bounds: Bounds,
}

impl Batch {
    /// A batch of `[0, 1]` images whose ids count from 0.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] unless there are as many labels as images.
    pub fn new(images: Tensor<4>, labels: Tensor<1, Int>) -> Result<Self> {
        let count = images.dims()[0];
        one_each("labels", labels.dims()[0], count)?;
        Ok(Self {
            images,
            labels,
            ids: (0..count as u64).collect(),
            bounds: Bounds::default(),
        })
    }

    /// The same batch with these ids.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] unless there are as many ids as images.
    pub fn with_ids(mut self, ids: Vec<u64>) -> Result<Self> {
        one_each("ids", ids.len(), self.len())?;
        self.ids = ids;
        Ok(self)
    }

    /// The same batch with this pixel range.
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// The same batch with other images in place of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] unless there are as many images as before.
    pub fn with_images(mut self, images: Tensor<4>) -> Result<Self> {
        one_each("labels", self.len(), images.dims()[0])?;
        self.images = images;
        Ok(self)
    }

    /// The same batch with images of this element type.
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.images = self.images.cast(precision.dtype());
        self
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The images at these positions of the batch.
    ///
    /// # Panics
    ///
    /// Panics if a position is not in the batch.
    pub fn select(&self, positions: &[usize]) -> Self {
        let indices = indices(positions.iter().copied(), &self.images.device());
        Self {
            images: self.images.clone().select(0, indices.clone()),
            labels: self.labels.clone().select(0, indices),
            ids: positions.iter().map(|&p| self.ids[p]).collect(),
            bounds: self.bounds,
        }
    }

    /// The labels as plain numbers, of whatever type of whole numbers they are; those beyond
    /// [`i64::MAX`] as that.
    pub fn labels_to_vec(&self) -> Vec<i64> {
        match self.labels.dtype() {
            DType::U64 => {
                let labels: Vec<u64> = read(&self.labels);
                let each = |label| i64::try_from(label).unwrap_or(i64::MAX);
                labels.into_iter().map(each).collect()
            }
            _ => read(&self.labels),
        }
    }

    /// Refuses images that no attack or evaluation may silently accept.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for an empty batch, pixels of another type than [`Precision`] knows, a pixel
    /// that is NaN or outside the [`bounds`](Batch::bounds), or a label that is not below `classes`.
    pub fn check(&self, classes: usize) -> Result<()> {
        if self.is_empty() {
            return Err(Error::input("batch", "no image", "at least one image"));
        }
        Precision::of("images", &self.images)?;
        self.check_labels(classes)?;
        self.check_pixels()
    }

    /// Refuses a label that is not below `classes`.
    pub(crate) fn check_labels(&self, classes: usize) -> Result<()> {
        for (position, label) in self.labels_to_vec().into_iter().enumerate() {
            if label < 0 || label >= classes as i64 {
                return Err(Error::input(
                    format!("label of image {}", self.ids[position]),
                    label,
                    format!(
                        "0 to {} (the classifier has {classes} classes)",
                        classes - 1
                    ),
                ));
            }
        }
        Ok(())
    }

    fn check_pixels(&self) -> Result<()> {
        // Pixels travel to the host only when something is wrong.
        let wrong = self.bounds.holds(self.images.clone()).bool_not();
        if !read::<bool, _, _>(&wrong.any())[0] {
            return Ok(());
        }
        let [_, channels, height, width] = self.images.dims();
        let per_image = channels * height * width;
        let precision = Precision::of("images", &self.images)?;
        let [low, high] = self.bounds.limits(precision);
        let pixels: Vec<f64> = read(&self.images);
        let wrong = |v: &f64| !(low..=high).contains(v);
        let Some(at) = pixels.iter().position(wrong) else {
            return Ok(());
        };
        let (image, inside) = (self.ids[at / per_image], at % per_image);
        let (channel, row) = (inside / (height * width), inside / width % height);
        Err(Error::input(
            format!(
                "pixel [channel {channel}, row {row}, column {}] of image {image}",
                inside % width
            ),
            precision.show(pixels[at]),
            format!(
                "a finite number in [{}, {}] (the batch's bounds; put normalisation inside the \
                 model, as `nn::Normalize`)",
                self.bounds.low(),
                self.bounds.high()
            ),
        ))
    }
}

fn one_each(what: &str, found: usize, images: usize) -> Result<()> {
    match found == images {
        true => Ok(()),
        false => {
            let expected = format!("one for each of the {images} images");
            Err(Error::input(format!("{what} of a batch"), found, expected))
        }
    }
}
