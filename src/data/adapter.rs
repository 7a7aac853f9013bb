use super::collected::{Collected, Pixel};
use super::{Decoded, ImageSet};
use crate::base::{Bounds, Error, Result};
use burn::data::dataset::Dataset;

impl ImageSet {
    /// The images of any Burn [`Dataset`], such as burn-dataset's own or one of yours: `convert` makes of
    /// an item its pixels and its class, counted from 0. All of it is held in memory.
    ///
    /// ```
    /// use burn::data::dataset::{Dataset, InMemDataset};
    /// use fireproof::data::{Decoded, ImageSet};
    ///
    /// // Items of one's own: rows of grey pixels, and whether it is a cat.
    /// let items = InMemDataset::new(vec![(vec![vec![0u8, 255]], false), (vec![vec![9, 8]], true)]);
    /// let set = ImageSet::from_dataset("cats", &items, 2, |(rows, is_cat)| {
    ///     let shape = [1, rows.len(), rows[0].len()];
    ///     Ok((Decoded { shape, pixels: rows.concat() }, usize::from(is_cat)))
    /// })?;
    /// assert_eq!((set.len(), set.shape(), set.label(1)), (2, [1, 1, 2], 1));
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Input`], naming the item by its number, if the dataset does not give it, or its image is
    /// of another shape than the first one's or its class not below `classes`; if there is no item; and
    /// what `convert` fails with.
    pub fn from_dataset<I, E: std::error::Error + Send + Sync + 'static>(
        name: impl Into<String>,
        dataset: &impl Dataset<I, E>,
        classes: usize,
        convert: impl Fn(I) -> Result<(Decoded, usize)>,
    ) -> Result<Self> {
        adapted(name.into(), dataset, classes, (), convert)
    }

    /// The same of items whose pixels are numbers within `bounds`, or of any size with [`Bounds::none`], as
    /// [`of_numbers`](Self::of_numbers) takes them.
    ///
    /// ```
    /// use burn::data::dataset::InMemDataset;
    /// use fireproof::base::Bounds;
    /// use fireproof::data::{Decoded, ImageSet};
    ///
    /// // Points of a statistical setting.
    /// let points = InMemDataset::new(vec![([2.5f32, -1e3], true), ([0.25, 7.0], false)]);
    /// let bounds = Bounds::none();
    /// let set = ImageSet::from_dataset_of_numbers("points", &points, 2, bounds, |(point, label)| {
    ///     Ok((Decoded { shape: [1, 1, 2], pixels: point.to_vec() }, usize::from(label)))
    /// })?;
    /// assert_eq!((set.values(0), set.label(0)), (vec![2.5, -1e3], 1));
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_dataset`](Self::from_dataset), and [`Error::Input`] for a pixel that is not a finite number
    /// within the bounds.
    pub fn from_dataset_of_numbers<I, E: std::error::Error + Send + Sync + 'static>(
        name: impl Into<String>,
        dataset: &impl Dataset<I, E>,
        classes: usize,
        bounds: Bounds,
        convert: impl Fn(I) -> Result<(Decoded<f32>, usize)>,
    ) -> Result<Self> {
        adapted(name.into(), dataset, classes, bounds, convert)
    }
}

fn adapted<I, E: std::error::Error + Send + Sync + 'static, T: Pixel>(
    name: String,
    dataset: &impl Dataset<I, E>,
    classes: usize,
    range: T::Range,
    convert: impl Fn(I) -> Result<(Decoded<T>, usize)>,
) -> Result<ImageSet> {
    let mut images = Collected::default();
    for at in 0..dataset.len() {
        let item = format!("{name}: item {at}");
        let given = dataset.get(at);
        let given = given.map_err(|error| Error::input(&item, error, "an item"))?;
        let (Decoded { shape, pixels }, label) = convert(given)?;
        if label >= classes {
            let expected = format!("below the {classes} classes");
            return Err(Error::input(format!("class of {item}"), label, expected));
        }
        images.push(&item, shape, pixels, label)?;
    }
    images.into_set(name, classes, range)
}
