use crate::base::{Bounds, Error, Result, read};
use burn::tensor::{Int, Tensor};

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
    /// # Panics
    ///
    /// Panics unless there are as many labels as images.
    pub fn new(images: Tensor<4>, labels: Tensor<1, Int>) -> Self {
        let count = images.dims()[0];
        assert_eq!(
            count,
            labels.dims()[0],
            "a batch needs as many labels as images"
        );
        Self {
            images,
            labels,
            ids: (0..count as u64).collect(),
            bounds: Bounds::default(),
        }
    }

    /// The same batch with these ids.
    ///
    /// # Panics
    ///
    /// Panics unless there are as many ids as images.
    pub fn with_ids(mut self, ids: Vec<u64>) -> Self {
        assert_eq!(ids.len(), self.len(), "a batch needs as many ids as images");
        self.ids = ids;
        self
    }

    /// The same batch with this pixel range.
    pub fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// The same batch with other images in place of its own.
    ///
    /// # Panics
    ///
    /// Panics unless there are as many images as before.
    pub fn with_images(mut self, images: Tensor<4>) -> Self {
        assert_eq!(
            images.dims()[0],
            self.len(),
            "a batch needs as many images as labels"
        );
        self.images = images;
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
        let indices: Vec<i64> = positions.iter().map(|&p| p as i64).collect();
        let indices = Tensor::<1, Int>::from_data(
            burn::tensor::TensorData::new(indices, [positions.len()]),
            &self.images.device(),
        );
        Self {
            images: self.images.clone().select(0, indices.clone()),
            labels: self.labels.clone().select(0, indices),
            ids: positions.iter().map(|&p| self.ids[p]).collect(),
            bounds: self.bounds,
        }
    }

    /// The labels as plain numbers.
    pub fn labels_to_vec(&self) -> Vec<i64> {
        read(&self.labels)
    }

    /// Refuses images that no attack or evaluation may silently accept.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for an empty batch, a pixel that is NaN or outside the
    /// [`bounds`](Batch::bounds), or a label that is not below `classes`.
    pub fn check(&self, classes: usize) -> Result<()> {
        if self.is_empty() {
            return Err(Error::input("batch", "no image", "at least one image"));
        }
        self.check_labels(classes)?;
        self.check_pixels()
    }

    fn check_labels(&self, classes: usize) -> Result<()> {
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
        let pixels: Vec<f32> = read(&self.images);
        match pixels
            .iter()
            .position(|&v| !v.is_finite() || !self.bounds.contains(v))
        {
            None => Ok(()),
            Some(at) => {
                let (image, inside) = (at / per_image, at % per_image);
                Err(Error::input(
                    format!(
                        "pixel [channel {}, row {}, column {}] of image {}",
                        inside / (height * width),
                        inside / width % height,
                        inside % width,
                        self.ids[image]
                    ),
                    pixels[at],
                    format!(
                        "a finite number in [{}, {}] (the batch's bounds; put normalisation \
                         inside the model, as `nn::Normalize`)",
                        self.bounds.low(),
                        self.bounds.high()
                    ),
                ))
            }
        }
    }
}
