use super::csv::row;
use super::markdown::{cell, shown, table};
use super::mean::digits;
use super::{Mean, Outcomes, Versions};
use crate::base::{Result, write_atomically};
use crate::data::DataSummary;
use crate::kernel::Numerics;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// Cosines between the gradient of the loss and the tangents of rotations and shifts: what
/// [`TangentScan`](super::TangentScan) finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tangents {
    /// The classifier's name, for tables and legends.
    pub name: String,
    /// The images.
    pub data: DataSummary,
    /// The dimension of the space of images.
    pub dimension: usize,
    /// The mean absolute cosine that a direction drawn evenly in it would have, about √(2/(π d)).
    pub random: f64,
    /// With the tangent of a rotation counter-clockwise.
    pub rotation: Alignment,
    /// With that of a shift to the right.
    pub right: Alignment,
    /// With that of a shift down.
    pub down: Alignment,
    /// Whether the classifier gets each image right.
    pub correct: Outcomes,
    /// The settings that made it.
    pub settings: Value,
    /// The numerics of the gradients.
    #[serde(default)]
    pub numerics: Numerics,
    /// The software and device that made it.
    pub versions: Versions,
}

/// The cosines with one tangent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alignment {
    /// The mean of their absolute values, with its interval; none for fewer than two.
    pub mean: Option<Mean>,
    /// The number of images without a cosine: one of the two directions is 0, or not finite.
    pub undefined: usize,
    /// The cosine of each image, from -1 to 1; none where it is undefined.
    pub cosines: Vec<Option<f32>>,
}

impl Tangents {
    /// The same under another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The three tangents by name.
    pub fn each(&self) -> [(&'static str, &Alignment); 3] {
        [
            ("rotation", &self.rotation),
            ("shift to the right", &self.right),
            ("shift down", &self.down),
        ]
    }

    /// A table in Markdown, one row per tangent.
    pub fn to_markdown(&self) -> String {
        let text = format!(
            "## {}\n\nCosine between the gradient of the loss and tangents, on the {} images of {}; a \
             random direction of {} dimensions would have {} on average.\n",
            cell(&self.name),
            self.data.images,
            cell(&self.data.name),
            self.dimension,
            digits(self.random),
        );
        let rows = self.each().into_iter().map(|(name, found)| {
            let times = found.mean.map(|mean| digits(mean.value / self.random));
            vec![
                name.to_owned(),
                shown(found.mean),
                shown(times),
                found.undefined.to_string(),
            ]
        });
        let columns = [
            "tangent",
            "mean absolute cosine",
            "times random",
            "undefined",
        ];
        text + &table("lrrr", columns, rows)
    }

    /// One row per image as CSV; `docs/report-schema.md` describes the columns.
    pub fn to_csv(&self) -> String {
        let columns = [
            "name", "data", "position", "correct", "rotation", "right", "down",
        ];
        let mut text = row(columns);
        for (at, correct) in self.correct.iter().enumerate() {
            let cosines = self.each().map(|(_, found)| {
                let cosine = found.cosines.get(at).copied().flatten();
                cosine.map_or_else(String::new, |cosine| cosine.to_string())
            });
            let about = [
                self.name.clone(),
                self.data.name.clone(),
                at.to_string(),
                u8::from(correct).to_string(),
            ];
            text += &row([&about[..], &cosines].concat());
        }
        text
    }

    /// Writes [`to_csv`](Self::to_csv) to a file, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_csv().as_bytes())
    }
}
