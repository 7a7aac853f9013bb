//! The findings of a study as files: pictures, and one HTML page that has everything.

mod figures;
mod html;
mod tables;

use super::findings::Findings;
use crate::base::{Result, write_atomically};
use figures::Drawing;
use std::path::Path;

impl Findings {
    /// Writes everything into a folder:
    ///
    /// | file | |
    /// |---|---|
    /// | `index.html` | all of it on one page that needs nothing else: verdicts, tables that sort, plots, settings |
    /// | `report.json`, `report.csv` | means over seeds, as [`report`](Self::report) has them |
    /// | `report.md` | verdicts and tables |
    /// | `verdicts.csv` | the verdicts |
    /// | `*.svg` | the plots |
    ///
    /// The bytes depend on the settings and the results of the cells alone.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::base::Error::Io), naming the path, and
    /// [`Error::Drawing`](crate::base::Error::Drawing).
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let report = self.report();
        report.write_json(folder.join("report.json"))?;
        report.write_csv(folder.join("report.csv"))?;
        let write = |name: &str, text: &str| write_atomically(&folder.join(name), text.as_bytes());
        write("report.md", &self.to_markdown())?;
        write("verdicts.csv", &self.verdicts_csv())?;
        let drawings = self.drawings()?;
        for drawing in drawings.iter().flatten() {
            write(&format!("{}.svg", drawing.file), &drawing.svg)?;
        }
        write("index.html", &self.page(&drawings))
    }

    /// The page alone, as [`write`](Self::write) writes it.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`](crate::base::Error::Drawing).
    pub fn to_html(&self) -> Result<String> {
        Ok(self.page(&self.drawings()?))
    }

    fn drawings(&self) -> Result<Vec<Vec<Drawing>>> {
        let drawings = self.sections.iter().map(|section| section.drawings());
        let mut drawings = drawings.collect::<Result<Vec<Vec<Drawing>>>>()?;
        figures::tell_apart(drawings.iter_mut().flatten());
        Ok(drawings)
    }
}
