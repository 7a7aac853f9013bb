use super::pixels::{bytes, png, scaled};
use super::{ContactSheet, names};
use crate::attack::{Adversaries, Found, Frozen};
use crate::base::{Batch, Error, Result, write_atomically};
use crate::transform::Pose;
use burn::tensor::Tensor;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

impl Adversaries {
    /// Writes each attacked image to a file of its own in a folder, which is made if there is none,
    /// and returns their paths: `12-7-3.png` is the image of id 12 and class 7 that is taken for a 3;
    /// `none` is the class of a classifier without an answer.
    ///
    /// For eyes: PNG, grey or RGB, has 8 bits for each channel, from the lower to the upper one of the
    /// [`bounds`](Self::bounds). Rounding to them moves a pixel by up to 1/510 of that range, which may
    /// undo a perturbation as well as lead out of its ball. [`save`](Self::save) keeps every bit.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if images are neither grey nor RGB, ids repeat or a pixel is NaN;
    /// [`Error::Io`], naming the path.
    pub fn save_images(&self, folder: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        let [_, channels, height, width] = self.images.dims();
        if !matches!(channels, 1 | 3) {
            return Err(Error::input("channels of the images", channels, "1 or 3"));
        }
        let mut seen = HashSet::new();
        if let Some(id) = self.ids.iter().find(|id| !seen.insert(**id)) {
            let expected = "one image of each id: it names the file";
            return Err(Error::input(
                "ids of the images",
                format!("{id} twice"),
                expected,
            ));
        }
        let bytes = bytes("the images", &scaled(self.images.clone(), self.bounds))?;
        let area = height * width;
        let images = bytes.chunks(channels * area).enumerate();
        images
            .map(|(at, planes)| {
                let pixel = |at| (0..channels).map(move |channel| planes[channel * area + at]);
                let pixels = Vec::from_iter((0..area).flat_map(pixel));
                let predicted = names::class(self.predicted[at]);
                let name = format!("{}-{}-{predicted}.png", self.ids[at], self.labels[at]);
                let path = folder.as_ref().join(name);
                let file = png("an attacked image", &pixels, [channels, height, width])?;
                write_atomically(&path, &file)?;
                Ok(path)
            })
            .collect()
    }
}

impl ContactSheet {
    /// The images of a batch beside what attacks found for them, each with the class that it is taken
    /// for and, where it was moved, its pose: for instance the worst pose and the joint adversary.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if images are neither grey nor RGB or a pixel is NaN, or unless there are as
    /// many of each attack as the batch has.
    ///
    /// ```
    /// use fireproof::attack::{Attack, Found, Frozen};
    /// use fireproof::base::{Batch, Result, Seed};
    /// use fireproof::report::ContactSheet;
    ///
    /// fn sheet(victim: &Frozen, batch: &Batch, attacks: &[(&str, &dyn Attack)]) -> Result<String> {
    ///     let found = |attack: &dyn Attack| attack.attack(victim, batch, Seed(1));
    ///     let found = (attacks.iter())
    ///         .map(|&(name, attack)| Ok((name, found(attack)?)))
    ///         .collect::<Result<Vec<_>>>()?;
    ///     let found = Vec::from_iter(found.iter().map(|(name, found)| (*name, found)));
    ///     ContactSheet::of_found(victim, batch, &found)?.to_svg()
    /// }
    /// # let _ = sheet;
    /// ```
    pub fn of_found(victim: &Frozen, batch: &Batch, found: &[(&str, &Found)]) -> Result<Self> {
        let clean = victim.for_ids(&batch.ids).predict(batch.images.clone());
        let about = |(id, label): (&u64, i64)| format!("{id}: class {label}");
        let rows = batch.ids.iter().zip(batch.labels_to_vec());
        let sheet = ContactSheet::new(batch.bounds)
            .with_row_labels(rows.map(about))
            .with_found("as it is", &batch.images, &clean, None)?;
        found.iter().try_fold(sheet, |sheet, (name, found)| {
            let poses = found.poses.as_deref();
            sheet.with_found(*name, &found.images, &found.predicted, poses)
        })
    }

    /// With a column of images, under each the class that it is taken for and, where images were moved,
    /// its pose.
    ///
    /// # Errors
    ///
    /// As [`with_column`](Self::with_column).
    pub fn with_found(
        self,
        caption: impl Into<String>,
        images: &Tensor<4>,
        predicted: &[i64],
        poses: Option<&[Pose]>,
    ) -> Result<Self> {
        let labels = predicted.iter().enumerate().map(|(at, &class)| {
            let taken = format!("→ {}", names::class(class));
            match poses.and_then(|poses| poses.get(at)) {
                // A line for each part that there is.
                Some(pose) => format!("{taken}, {}", names::pose(pose).replace(", ", "\n")),
                None => taken,
            }
        });
        self.with_labelled_column(caption, images.clone(), labels)
    }
}
