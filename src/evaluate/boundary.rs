use super::csv::row;
use super::markdown::{cell, shown, table};
use super::mean::digits;
use super::{Level, Mean, Outcomes, Rate, Versions};
use crate::base::{Result, write_atomically};
use crate::data::DataSummary;
use crate::kernel::Numerics;
use crate::transform::{PoseBudget, Warp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// How far images are from the decision boundary, as a function of their pose: what
/// [`BoundaryScan`](super::BoundaryScan) finds. With feature `report` it draws itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Boundary {
    /// The classifier's name, for tables and legends.
    pub name: String,
    /// The images.
    pub data: DataSummary,
    /// The attack, in words.
    pub attack: String,
    /// The norm of the distances.
    pub norm: String,
    /// How moved images were sampled.
    pub warp: Warp,
    /// The pose budgets, growing, and what was found at each.
    pub points: Vec<BoundaryPoint>,
    /// The settings that made it.
    pub settings: Value,
    /// The numerics of the attack's gradients.
    #[serde(default)]
    pub numerics: Numerics,
    /// The software and device that made it.
    pub versions: Versions,
}

/// Distances to the decision boundary in poses of one budget; in units of the pixel range, by the attack's
/// norm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BoundaryPoint {
    /// Rotations and shifts up to these, either way.
    pub pose: PoseBudget,
    /// Random poses of each image.
    pub draws: usize,
    /// The mean distance, over the images of which one was [found](Self::found); none for fewer than two.
    pub mean: Option<Mean>,
    /// The same over those images (and draws) that the classifier gets right there.
    pub of_right: Option<Mean>,
    /// The mean of how much farther the same images are than as they are, if that was measured.
    pub change: Option<Mean>,
    /// The distance that half of all images (and draws) reach or exceed; none where for half of them none
    /// was found.
    pub median: Option<f64>,
    /// The share of images (and draws) for which the attack found another class at all. If it is not all,
    /// the means are too low.
    pub found: Rate,
    /// The share of them that the classifier gets right there.
    pub accuracy: Rate,
    /// Forward passes per image, on average over all draws together.
    pub queries: f64,
    /// Whether the classifier gets each image (and draw) right, if kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correct: Option<Outcomes>,
    /// The distance of each image (and draw), null where none was found, if kept: draw `d` of the image at
    /// position `i` at `i * draws + d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distances: Option<Vec<Option<f32>>>,
}

impl BoundaryPoint {
    /// The budget as a level of an axis: an angle, or an angle and a shift.
    pub fn level(&self) -> Level {
        Level::from((self.pose.angle, self.pose.shift))
    }

    fn label(&self) -> String {
        format!("±{} ±{}", self.pose.angle, self.pose.shift)
    }
}

impl Boundary {
    /// The same under another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// A table in Markdown, one row per pose budget.
    pub fn to_markdown(&self) -> String {
        let text = format!(
            "## {}\n\nDistance to the decision boundary around the classifier's own prediction, {} norm, \
             on the {} images of {}; {}; {}.\n",
            cell(&self.name),
            cell(&self.norm),
            self.data.images,
            cell(&self.data.name),
            cell(&self.attack),
            self.warp,
        );
        let columns = [
            "random pose up to",
            "mean distance",
            "of those right there",
            "farther than as they are",
            "median",
            "found",
            "accuracy",
        ];
        let rows = self.points.iter().map(|point| {
            vec![
                point.label(),
                shown(point.mean),
                shown(point.of_right),
                shown(point.change),
                shown(point.median.map(digits)),
                point.found.to_string(),
                point.accuracy.to_string(),
            ]
        });
        text + &table("lrrrrrr", columns, rows)
    }

    /// One row per pose budget as CSV; `docs/report-schema.md` describes the columns.
    pub fn to_csv(&self) -> String {
        const COLUMNS: [&str; 18] = [
            "name",
            "data",
            "images",
            "norm",
            "angle",
            "shift",
            "draws",
            "mean",
            "mean_low",
            "mean_high",
            "of_right",
            "of_right_low",
            "of_right_high",
            "change",
            "change_low",
            "change_high",
            "median",
            "found",
        ];
        let mut text = row(COLUMNS);
        for point in &self.points {
            let about = [
                self.name.clone(),
                self.data.name.clone(),
                self.data.images.to_string(),
                self.norm.clone(),
                point.pose.angle.0.to_string(),
                point.pose.shift.0.to_string(),
                point.draws.to_string(),
            ];
            let means = [point.mean, point.of_right, point.change].map(numbers);
            let median = point.median.map_or_else(String::new, |m| m.to_string());
            let rest = [median, point.found.value.to_string()];
            text += &row([&about[..], means.as_flattened(), &rest].concat());
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

pub(super) fn numbers(mean: Option<Mean>) -> [String; 3] {
    mean.map_or_else(Default::default, |mean| {
        [mean.value, mean.interval.low, mean.interval.high].map(|number| number.to_string())
    })
}
