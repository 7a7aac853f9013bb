use super::pixels::{bytes, png, scaled};
use crate::attack::{Adversaries, NO_CLASS};
use crate::base::{Error, Result, write_atomically};
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
                let predicted = match self.predicted[at] {
                    NO_CLASS => "none".to_owned(),
                    class => class.to_string(),
                };
                let name = format!("{}-{}-{predicted}.png", self.ids[at], self.labels[at]);
                let path = folder.as_ref().join(name);
                let file = png("an attacked image", &pixels, [channels, height, width])?;
                write_atomically(&path, &file)?;
                Ok(path)
            })
            .collect()
    }
}
