use super::Versions;
use super::csv::row;
use super::markdown::{cell, table};
use super::mean::digits;
use crate::base::{Result, write_atomically};
use crate::data::DataSummary;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// Principal components of perturbations: what [`ComponentScan`](super::ComponentScan) finds. With feature
/// `report` it draws itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Components {
    /// The classifier's name, for tables and legends.
    pub name: String,
    /// The images that were attacked, if an image set was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataSummary>,
    /// The number of perturbations.
    pub count: usize,
    /// `[channel, height, width]` of each.
    pub shape: [usize; 3],
    /// Their mean, in the order channel, row, column.
    pub mean: Vec<f32>,
    /// The sum of all eigenvalues: the mean squared length of a perturbation, from the mean if they are
    /// centred.
    pub total: f64,
    /// The largest eigenvalues of the covariance (of the mean of squares, if they are not centred), falling;
    /// those that are 0 but for rounding are left out.
    pub eigenvalues: Vec<f64>,
    /// A component for each: Euclidean length 1, the largest entry positive, in the order channel, row,
    /// column.
    pub vectors: Vec<Vec<f32>>,
    /// The settings that made them.
    pub settings: Value,
    /// The software and device that made the perturbations, if an image set was attacked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<Versions>,
}

impl Components {
    /// The same under another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The share of the variance that the component of this number, from 0, explains; 0 beyond them.
    pub fn share(&self, component: usize) -> f64 {
        let value = self.eigenvalues.get(component).copied().unwrap_or(0.0);
        match self.total > 0.0 {
            true => value / self.total,
            false => 0.0,
        }
    }

    /// The share that so many components explain together.
    pub fn share_of_first(&self, components: usize) -> f64 {
        (0..components).map(|at| self.share(at)).sum()
    }

    /// A table in Markdown, one row per component.
    pub fn to_markdown(&self) -> String {
        let of = self.data.as_ref().map_or_else(String::new, |data| {
            format!(" on the {} images of {}", data.images, cell(&data.name))
        });
        let text = format!(
            "## {}\n\nPrincipal components of {} perturbations{of}.\n",
            cell(&self.name),
            self.count
        );
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let rows = self.eigenvalues.iter().enumerate().map(|(at, &value)| {
            vec![
                (at + 1).to_string(),
                digits(value),
                percent(self.share(at)),
                percent(self.share_of_first(at + 1)),
            ]
        });
        let columns = ["component", "eigenvalue", "explains", "with those before"];
        text + &table("rrrr", columns, rows)
    }

    /// One row per component as CSV; `docs/report-schema.md` describes the columns.
    pub fn to_csv(&self) -> String {
        let columns = [
            "name",
            "data",
            "perturbations",
            "component",
            "eigenvalue",
            "share",
            "cumulative",
        ];
        let mut text = row(columns);
        for (at, value) in self.eigenvalues.iter().enumerate() {
            text += &row([
                self.name.clone(),
                self.data
                    .as_ref()
                    .map_or_else(String::new, |data| data.name.clone()),
                self.count.to_string(),
                (at + 1).to_string(),
                value.to_string(),
                self.share(at).to_string(),
                self.share_of_first(at + 1).to_string(),
            ]);
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
