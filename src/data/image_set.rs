use super::pixels::Stored;
use crate::base::{Batch, Bounds, Error, Result};
use burn::tensor::{Device, Tensor, TensorData};
use std::ops::Range;
use std::sync::Arc;

/// Labelled images of one size, in memory, of 8 bits or of [numbers](ImageSet::of_numbers). Clones and
/// subsets share the pixels.
///
/// *Positions* count the images of this set; an image's *id* is its position in the set it was
/// first read into. Subsets keep ids, so that an image's random draws (which depend on its id)
/// are the same in every subset.
///
/// ```
/// use fireproof::data::ImageSet;
///
/// // Three 1×2 grey images of two classes.
/// let set = ImageSet::new("tiny", [1, 1, 2], 2, vec![0, 255, 10, 20, 30, 40], vec![0, 1, 0])?;
/// let last = set.subset(&[2]);
/// assert_eq!((last.len(), last.label(0), last.id(0)), (1, 0, 2));
/// assert_eq!(last.pixels(0), [30, 40]);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone)]
pub struct ImageSet {
    name: String,
    shape: [usize; 3],
    classes: usize,
    pixels: Stored,
    labels: Arc<[u8]>,
    // Positions in `pixels` of this set's images; also their ids.
    order: Arc<[u32]>,
}

impl ImageSet {
    /// A set of images `[channel, height, width]` whose bytes follow one another in the order
    /// image, channel, row, column, with one label (a class counted from 0) each.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if the shape is empty, `classes` is not within 1 to 256, there are not
    /// exactly `labels.len()` images of pixels or more than 2³² of them, or a label is not below
    /// `classes`.
    pub fn new(
        name: impl Into<String>,
        shape: [usize; 3],
        classes: usize,
        pixels: Vec<u8>,
        labels: Vec<u8>,
    ) -> Result<Self> {
        let pixels = Stored::Bytes(pixels.into());
        Self::of(name.into(), shape, classes, labels, |_| Ok(pixels))
    }

    /// A set of images whose pixels are numbers within `bounds`, or of any size with
    /// [`Bounds::none`]: the points of a statistical setting, images of more than 8 bits. Else as
    /// [`new`](Self::new). The bounds are those of every [`batch`](Self::batch).
    ///
    /// ```
    /// use fireproof::base::Bounds;
    /// use fireproof::data::ImageSet;
    ///
    /// let numbers = vec![-2.5, 0.25, 1e3, 0.0];
    /// let set = ImageSet::of_numbers("points", [1, 1, 2], 2, numbers, vec![0, 1], Bounds::none())?;
    /// assert_eq!(set.values(0), [-2.5, 0.25]);
    /// let batch = set.batch(&[0, 1], &fireproof::device());
    /// assert_eq!(batch.bounds, Bounds::none());
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and [`Error::Input`] for a pixel that is not a finite number within the
    /// bounds.
    pub fn of_numbers(
        name: impl Into<String>,
        shape: [usize; 3],
        classes: usize,
        numbers: Vec<f32>,
        labels: Vec<u8>,
        bounds: Bounds,
    ) -> Result<Self> {
        let name = name.into();
        let of_size = |size| Stored::numbers(&name, numbers, size, bounds);
        Self::of(name.clone(), shape, classes, labels, of_size)
    }

    fn of(
        name: String,
        shape: [usize; 3],
        classes: usize,
        labels: Vec<u8>,
        pixels: impl FnOnce(usize) -> Result<Stored>,
    ) -> Result<Self> {
        let [c, h, w] = shape;
        let size = c.checked_mul(h).and_then(|n| n.checked_mul(w));
        let size = size.filter(|&size| size > 0).ok_or_else(|| {
            Error::input(
                format!("{name}: shape of the images"),
                format!("{c}×{h}×{w}"),
                "at least one channel, row and column",
            )
        })?;
        check_classes(&name, classes)?;
        let pixels = pixels(size)?;
        if labels.len().checked_mul(size) != Some(pixels.len()) {
            return Err(Error::input(
                format!("{name}: pixels of {} images of {c}×{h}×{w}", labels.len()),
                format!("{} {}", pixels.len(), pixels.unit()),
                format!("{size} {} for every label", pixels.unit()),
            ));
        }
        let count = u32::try_from(labels.len())
            .map_err(|_| Error::input(format!("{name}: images"), labels.len(), "fewer than 2³²"))?;
        if let Some(at) = labels.iter().position(|&l| usize::from(l) >= classes) {
            return Err(Error::input(
                format!("{name}: label of image {at}"),
                labels[at],
                format!("0 to {}", classes - 1),
            ));
        }
        Ok(Self {
            name,
            shape,
            classes,
            pixels,
            labels: labels.into(),
            order: (0..count).collect(),
        })
    }

    /// The same set under another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The set's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `[channel, height, width]` of every image.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// The range that pixels are from, and that batches have: `[0, 1]` for bytes.
    pub fn bounds(&self) -> Bounds {
        self.pixels.bounds()
    }

    /// The number of classes, whether each has images or not.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The class of the image at `position`.
    ///
    /// # Panics
    ///
    /// Panics if `position >= len()`.
    pub fn label(&self, position: usize) -> u8 {
        self.labels[self.at(position)]
    }

    /// The id of the image at `position`.
    ///
    /// # Panics
    ///
    /// Panics if `position >= len()`.
    pub fn id(&self, position: usize) -> u64 {
        self.at(position) as u64
    }

    /// The bytes of the image at `position`, in the order channel, row, column.
    ///
    /// # Panics
    ///
    /// Panics if `position >= len()`, and for a set of [numbers](Self::of_numbers), which has no bytes
    /// but [`values`](Self::values).
    pub fn pixels(&self, position: usize) -> &[u8] {
        let bytes = self.bytes(position);
        bytes.unwrap_or_else(|| panic!("{}: numbers, not bytes", self.name))
    }

    /// The image at `position` as numbers, in the order channel, row, column; byte / 255 for bytes.
    ///
    /// # Panics
    ///
    /// Panics if `position >= len()`.
    pub fn values(&self, position: usize) -> Vec<f32> {
        let mut numbers = Vec::new();
        self.pixels.read(self.place(position), &mut numbers);
        numbers
    }

    /// The class of every image, in order.
    pub fn labels(&self) -> Vec<u8> {
        self.order
            .iter()
            .map(|&at| self.labels[at as usize])
            .collect()
    }

    /// The id of every image, in order.
    pub fn ids(&self) -> Vec<u64> {
        self.order.iter().map(|&at| u64::from(at)).collect()
    }

    /// How many images each class has.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for label in self.labels() {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    /// The images at these positions, in this order, with their ids. A position may repeat.
    ///
    /// # Panics
    ///
    /// Panics if a position is not below [`len`](Self::len).
    pub fn subset(&self, positions: &[usize]) -> Self {
        let order = positions.iter().map(|&p| self.order[p]).collect();
        self.with_order(order)
    }

    /// The first `count` images, or all if there are fewer, as [`Iterator::take`] would.
    pub fn take(&self, count: usize) -> Self {
        self.with_order(self.order[..count.min(self.len())].into())
    }

    /// The images at these positions as floats, byte / 255 for bytes, with labels, ids and the set's
    /// [`bounds`](Self::bounds).
    ///
    /// # Panics
    ///
    /// Panics if a position is not below [`len`](Self::len).
    pub fn batch(&self, positions: &[usize], device: &Device) -> Batch {
        let [c, h, w] = self.shape;
        let count = positions.len();
        let mut pixels = Vec::with_capacity(count * c * h * w);
        let mut labels = Vec::with_capacity(count);
        let mut ids = Vec::with_capacity(count);
        for &position in positions {
            self.pixels.read(self.place(position), &mut pixels);
            labels.push(i64::from(self.label(position)));
            ids.push(self.id(position));
        }
        Batch {
            images: Tensor::from_data(TensorData::new(pixels, [count, c, h, w]), device),
            labels: Tensor::from_data(TensorData::new(labels, [count]), device),
            ids,
            bounds: self.bounds(),
        }
    }

    /// All images in order, in batches of `batch_size`; the last one may be smaller.
    ///
    /// # Panics
    ///
    /// Panics if `batch_size` is 0.
    pub fn batches<'a>(
        &'a self,
        batch_size: usize,
        device: &'a Device,
    ) -> impl ExactSizeIterator<Item = Batch> + 'a {
        assert!(batch_size > 0, "a batch needs at least one image");
        (0..self.len()).step_by(batch_size).map(move |start| {
            let end = self.len().min(start + batch_size);
            self.batch(&Vec::from_iter(start..end), device)
        })
    }

    fn at(&self, position: usize) -> usize {
        self.order[position] as usize
    }

    pub(super) fn bytes(&self, position: usize) -> Option<&[u8]> {
        self.pixels.bytes(self.place(position))
    }

    // Where the pixels of the image at this position are stored.
    fn place(&self, position: usize) -> Range<usize> {
        let size: usize = self.shape.iter().product();
        let start = self.at(position) * size;
        start..start + size
    }

    /// Calls `each` with every byte of the image at `position` as it is stored.
    pub(super) fn raw(&self, position: usize, each: impl FnMut(u8)) {
        self.pixels.raw(self.place(position), each);
    }

    fn with_order(&self, order: Arc<[u32]>) -> Self {
        Self {
            order,
            ..self.clone()
        }
    }
}

pub(super) fn check_classes(name: &str, classes: usize) -> Result<()> {
    match classes {
        1..=256 => Ok(()),
        _ => Err(Error::input(
            format!("{name}: number of classes"),
            classes,
            "1 to 256",
        )),
    }
}
