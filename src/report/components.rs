use super::ContactSheet;
use crate::base::{Bounds, Error, Result};
use crate::evaluate::Components;
use std::path::Path;

impl Components {
    /// The components as pictures, and their mean before them: zero is middle grey, and each is as strong as
    /// its own largest entry allows. The SVG says what each explains.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] unless every component has as many entries as its shape says;
    /// [`Error::Input`] for images of other than 1 or 3 channels.
    pub fn sheet(&self) -> Result<ContactSheet> {
        let [channels, height, width] = self.shape;
        let size = channels * height * width;
        let columns = Vec::from_iter(std::iter::once(&self.mean).chain(&self.vectors));
        if size == 0 || columns.iter().any(|column| column.len() != size) {
            return Err(Error::Drawing {
                what: "principal components".to_owned(),
                reason: format!("not {size} numbers in each"),
            });
        }
        let mut sheet = ContactSheet::new(Bounds::default()).with_scale((112 / width).clamp(1, 12));
        for (at, column) in columns.into_iter().enumerate() {
            let largest = column.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            let scale = if largest > 0.0 { 0.5 / largest } else { 0.0 };
            let grey = Vec::from_iter(column.iter().map(|x| 0.5 + scale * x));
            let caption = match at {
                0 => "mean".to_owned(),
                at => format!("{at}: {:.1} %", 100.0 * self.share(at - 1)),
            };
            sheet = sheet.with_numbers(caption, [1, channels, height, width], &grey)?;
        }
        Ok(sheet)
    }

    /// Writes [`sheet`](Self::sheet) as SVG.
    ///
    /// # Errors
    ///
    /// As the sheet's, and [`Error::Io`], naming the path.
    pub fn plot_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        self.sheet()?.write_svg(path)
    }
}
