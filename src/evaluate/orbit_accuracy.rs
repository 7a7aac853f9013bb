use super::csv::row;
use super::markdown::{cell, table};
use super::{Outcomes, Rate, Versions};
use crate::base::{Result, write_atomically};
use crate::data::DataSummary;
use crate::transform::Pose;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// Accuracy in every pose of an orbit: what [`OrbitScan`](super::OrbitScan) finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrbitAccuracy {
    /// The classifier's name, for tables.
    pub name: String,
    /// The images.
    pub data: DataSummary,
    /// The orbit, in words.
    pub orbit: String,
    /// Its poses, the image as it is first.
    pub poses: Vec<Pose>,
    /// The accuracy in each; the first is clean accuracy.
    pub elements: Vec<Rate>,
    /// The accuracy over all poses of all images.
    pub average: Rate,
    /// The share of images that are right in *every* pose.
    pub worst: Rate,
    /// The share of images that are taken for one class, right or wrong, in every pose.
    pub invariant: Rate,
    /// Whether each image is right in each pose: pose `g` of the image at position `i` at
    /// `i * poses + g`.
    pub correct: Outcomes,
    /// Whether each image is taken in each pose for what it is taken for as it is.
    pub same: Outcomes,
    /// The settings that made it.
    pub settings: Value,
    /// The software and device that made it.
    pub versions: Versions,
}

impl OrbitAccuracy {
    /// The same under another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// A table in Markdown, one row per pose, under the shares over all of them.
    pub fn to_markdown(&self) -> String {
        let text = format!(
            "## {}\n\nOn the {} images of {}, {}: accuracy {} over all poses, {} right in every one, {} \
             taken for one class in all.\n",
            cell(&self.name),
            self.data.images,
            cell(&self.data.name),
            cell(&self.orbit),
            self.average,
            self.worst,
            self.invariant,
        );
        let rows = self.poses.iter().zip(&self.elements);
        let rows = rows.map(|(pose, rate)| vec![pose.to_string(), rate.to_string()]);
        text + &table("lr", ["pose", "accuracy"], rows)
    }

    /// One row per pose as CSV, and one each for `average`, `worst` and `invariant`;
    /// `docs/report-schema.md` describes the columns.
    pub fn to_csv(&self) -> String {
        let columns = [
            "name", "data", "images", "pose", "angle", "right", "down", "mirrored", "share", "low",
            "high",
        ];
        let mut text = row(columns);
        let mut push = |pose: &str, at: Option<&Pose>, rate: &Rate| {
            let about = [
                self.name.clone(),
                self.data.name.clone(),
                self.data.images.to_string(),
                pose.to_owned(),
            ];
            let at = at.map_or_else(Default::default, |pose| {
                [
                    pose.angle.0.to_string(),
                    pose.right.0.to_string(),
                    pose.down.0.to_string(),
                    u8::from(pose.mirrored).to_string(),
                ]
            });
            let rate = [rate.value, rate.interval.low, rate.interval.high];
            let rate = rate.map(|number| number.to_string());
            text += &row([&about[..], &at, &rate].concat());
        };
        for (number, (pose, rate)) in self.poses.iter().zip(&self.elements).enumerate() {
            push(&number.to_string(), Some(pose), rate);
        }
        push("average", None, &self.average);
        push("worst", None, &self.worst);
        push("invariant", None, &self.invariant);
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
