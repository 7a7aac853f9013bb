//! Tables of what scans found, a row for each network.

use super::csv::quoted;
use super::markdown::cell;
use crate::base::Error;
use crate::base::statistics::{Interval, student};
use crate::evaluate::{Boundary, Mean};
use crate::study::cells::{Cell, Scanned, Work};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What scans found in the networks of a study, in the order of its cells.
#[derive(Debug)]
pub struct ScanTable {
    rows: Vec<(Cell, Scanned)>,
    failed: Vec<(Cell, Error)>,
}

/// What scans found, a row for each network and training over all of its seeds that are scanned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanFindings {
    /// How many images they looked at.
    pub images: usize,
    /// What each number is.
    pub columns: Vec<String>,
    /// The networks and trainings.
    pub rows: Vec<ScanRow>,
}

/// A network and training in [`ScanFindings`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanRow {
    /// The network's and the training's name.
    pub name: String,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Means over the seeds; none where a network has none.
    pub numbers: Vec<Option<ScanMean>>,
}

/// A mean over seeds with its 95 % interval, if there is one.
///
/// Of one network it is the scan's, by image. Of several it is of all that would be trained so:
/// √(t² s²/S + z² V), with the variance s² of S networks' numbers and the mean V of those of single
/// networks by image, which is the most that the choice of images can have in theirs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScanMean {
    /// The mean.
    pub value: f64,
    /// Its interval.
    pub interval: Option<Interval>,
}

impl ScanMean {
    // Within what is possible.
    fn of(networks: &[(f64, Option<Interval>)], most: f64) -> Self {
        let [(value, interval)] = networks else {
            let count = networks.len() as f64;
            let value = networks.iter().map(|(value, _)| value).sum::<f64>() / count;
            let square = networks
                .iter()
                .map(|(v, _)| (v - value).powi(2))
                .sum::<f64>();
            let of_seeds = square / (count - 1.0) / count;
            let (t, z) = (
                student::quantile(0.025, count - 1.0),
                student::quantile(0.025, f64::INFINITY),
            );
            let squares = networks
                .iter()
                .map(|(_, interval)| interval.map_or(0.0, |i| ((i.high - i.low) / 2.0).powi(2)));
            // Half widths by image are z times their errors.
            let of_images = squares.sum::<f64>() / count / (z * z);
            let half = (t * t * of_seeds + z * z * of_images).sqrt();
            let interval = Some(Interval {
                low: (value - half).max(0.0),
                high: (value + half).min(most),
            });
            return Self { value, interval };
        };
        Self {
            value: *value,
            interval: *interval,
        }
    }
}

impl fmt::Display for ScanMean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4}", self.value)?;
        match self.interval {
            Some(Interval { low, high }) => write!(f, " ({low:.4} to {high:.4})"),
            None => Ok(()),
        }
    }
}

impl ScanFindings {
    /// Nothing if no network is scanned.
    pub(super) fn of(work: &Work) -> Option<Self> {
        let mut arms: Vec<(String, Vec<u64>, Vec<Scanned>)> = Vec::new();
        for cell in work.cells() {
            // What is damaged, `Work::scan` tells by name.
            let Some(scanned) = work.scanned(cell).ok().flatten() else {
                continue;
            };
            let name = format!("{}, {}", cell.network, cell.training);
            match arms.iter_mut().find(|(known, ..)| *known == name) {
                Some((_, seeds, all)) => {
                    seeds.push(cell.seed);
                    all.push(scanned);
                }
                None => arms.push((name, vec![cell.seed], vec![scanned])),
            }
        }
        let (_, _, first) = arms.first()?;
        let columns = Column::all(&first[0]);
        let row = |(name, seeds, scanned): &(String, Vec<u64>, Vec<Scanned>)| ScanRow {
            name: name.clone(),
            seeds: seeds.clone(),
            numbers: Vec::from_iter(columns.iter().map(|column| {
                let all = scanned.iter().map(|scanned| (column.of)(scanned));
                let all = all.collect::<Option<Vec<_>>>()?;
                Some(ScanMean::of(&all, column.most))
            })),
        };
        Some(Self {
            images: work.scanned_images().len(),
            columns: Vec::from_iter(columns.iter().map(|column| column.title.clone())),
            rows: arms.iter().map(row).collect(),
        })
    }

    /// What the table is of, in a sentence.
    pub fn about(&self) -> String {
        let images = self.images;
        format!(
            "What trained networks are like on {images} images, means over seeds with 95 % intervals."
        )
    }

    /// As a table in Markdown.
    pub fn to_markdown(&self) -> String {
        let titles = ["classifier", "seeds"].map(str::to_owned).into_iter();
        let rows = self.rows.iter().map(|row| {
            let seeds = Vec::from_iter(row.seeds.iter().map(u64::to_string)).join(", ");
            let numbers = row
                .numbers
                .iter()
                .map(|number| number.map_or_else(|| "–".to_owned(), |number| number.to_string()));
            line([row.name.clone(), seeds].into_iter().chain(numbers))
        });
        let rule = "|---|---|".to_owned() + &"---:|".repeat(self.columns.len()) + "\n";
        line(titles.chain(self.columns.iter().cloned())) + &rule + &rows.collect::<String>()
    }
}

/// A number of a network, or a mean with its interval.
struct Column {
    title: String,
    name: String,
    // Its largest possible value; the least is 0.
    most: f64,
    of: Box<Read>,
}

/// A value and its interval, where it has one.
type Read = dyn Fn(&Scanned) -> Option<(f64, Option<Interval>)>;

impl Work {
    /// Scans every network of the study that is trained, each once: see [`scan`](Self::scan). `tell` is told of
    /// each cell before its turn. What fails is told by the table, and keeps nothing else from its turn.
    pub fn scan_all(&self, mut tell: impl FnMut(&Cell)) -> ScanTable {
        let (mut rows, mut failed) = (Vec::new(), Vec::new());
        for cell in self.cells() {
            tell(cell);
            match self.scan(cell) {
                Ok(scanned) => rows.extend(scanned.map(|scanned| (cell.clone(), scanned))),
                Err(error) => failed.push((cell.clone(), error)),
            }
        }
        ScanTable { rows, failed }
    }
}

impl ScanTable {
    /// The networks and what was found in them.
    pub fn rows(&self) -> &[(Cell, Scanned)] {
        &self.rows
    }

    /// The networks whose scans failed, and why.
    pub fn failed(&self) -> &[(Cell, Error)] {
        &self.failed
    }

    /// A table in Markdown, one row per network.
    pub fn to_markdown(&self) -> String {
        let columns = self.columns();
        let titles = ["network", "trained", "seed"].into_iter();
        let titles = titles.chain(columns.iter().map(|column| &*column.title));
        let rows = self.rows.iter().map(|(cell, scanned)| {
            let about = [&cell.network, &cell.training, &cell.seed.to_string()].map(Clone::clone);
            let numbers = columns.iter().map(|column| match (column.of)(scanned) {
                None => "–".to_owned(),
                Some((value, Some(Interval { low, high }))) => {
                    format!("{value:.4} ({low:.4} to {high:.4})")
                }
                Some((value, None)) => format!("{value:.4}"),
            });
            line(about.into_iter().chain(numbers))
        });
        let rule = "|---|---|---:|".to_owned() + &"---:|".repeat(columns.len()) + "\n";
        line(titles.map(str::to_owned)) + &rule + &rows.collect::<String>()
    }

    /// One row per network as CSV: its name, training and seed, and for each number its value and the ends of
    /// its 95 % interval, where it has one.
    pub fn to_csv(&self) -> String {
        let columns = self.columns();
        let mut names = ["network", "training", "seed"].map(str::to_owned).to_vec();
        for column in &columns {
            names.extend(["", "_low", "_high"].map(|end| format!("{}{end}", column.name)));
        }
        let mut text = record(names);
        for (cell, scanned) in &self.rows {
            let mut fields = vec![
                cell.network.clone(),
                cell.training.clone(),
                cell.seed.to_string(),
            ];
            for column in &columns {
                match (column.of)(scanned) {
                    None => fields.extend(vec![String::new(); 3]),
                    Some((value, interval)) => {
                        let ends = interval.map(|Interval { low, high }| [low, high]);
                        let ends = ends
                            .map_or_else(Default::default, |ends| ends.map(|end| end.to_string()));
                        fields.push(value.to_string());
                        fields.extend(ends);
                    }
                }
            }
            text += &record(fields);
        }
        text
    }

    // Those that the study's scans make.
    fn columns(&self) -> Vec<Column> {
        self.rows
            .first()
            .map_or_else(Vec::new, |(_, first)| Column::all(first))
    }
}

impl Column {
    fn all(first: &Scanned) -> Vec<Self> {
        let mut columns = Vec::new();
        if let Some(Boundary { points, norm, .. }) = &first.boundary {
            for (at, point) in points.iter().enumerate() {
                let [angle, shift] = [point.pose.angle.0, point.pose.shift.0];
                let poses = format!("±{} ±{}", point.pose.angle, point.pose.shift);
                let label = format!("mean distance to the boundary, {norm}, poses of {poses}");
                let name = format!("boundary_{angle}_{shift}");
                let found = format!("{name}_found");
                let distance = column(label, name, move |scanned| {
                    let boundary = scanned.boundary.as_ref()?;
                    boundary.points.get(at)?.mean.map(interval)
                });
                columns.push(Self {
                    most: f64::INFINITY,
                    ..distance
                });
                let title = "of images for which one was found".to_owned();
                columns.push(column(title, found, move |scanned| {
                    let boundary = scanned.boundary.as_ref()?;
                    let found = boundary.points.get(at)?.found;
                    Some((found.value, Some(found.interval)))
                }));
            }
        }
        if let Some(tangents) = &first.tangents {
            for (at, (name, _)) in tangents.each().into_iter().enumerate() {
                let title = format!("mean |cosine| with the tangent: {name}");
                let name = format!("cosine_{}", name.replace(' ', "_"));
                columns.push(column(title, name, move |scanned| {
                    let (_, alignment) = scanned.tangents.as_ref()?.each()[at];
                    alignment.mean.map(interval)
                }));
            }
        }
        if first.components.is_some() {
            for count in [1, 4] {
                let title = format!("variance of perturbations in the first {count}");
                let name = format!("components_{count}");
                columns.push(column(title, name, move |scanned| {
                    let share = scanned.components.as_ref()?.share_of_first(count);
                    Some((share, None))
                }));
            }
        }
        if let Some(orbits) = &first.orbits {
            for (title, name, worst) in [
                ("right in every pose of", "orbit_worst", true),
                (
                    "taken for one class in every pose of",
                    "orbit_invariant",
                    false,
                ),
            ] {
                let title = format!("{title} {}", orbits.orbit);
                columns.push(column(title, name.to_owned(), move |scanned| {
                    let orbits = scanned.orbits.as_ref()?;
                    let rate = if worst {
                        orbits.worst
                    } else {
                        orbits.invariant
                    };
                    Some((rate.value, Some(rate.interval)))
                }));
            }
        }
        columns
    }
}

fn column(
    title: String,
    name: String,
    of: impl Fn(&Scanned) -> Option<(f64, Option<Interval>)> + 'static,
) -> Column {
    Column {
        title,
        name,
        most: 1.0,
        of: Box::new(of),
    }
}

fn interval(mean: Mean) -> (f64, Option<Interval>) {
    (mean.value, Some(mean.interval))
}

fn line(fields: impl Iterator<Item = String>) -> String {
    let fields = Vec::from_iter(fields.map(|field| cell(&field)));
    format!("| {} |\n", fields.join(" | "))
}

fn record(fields: Vec<String>) -> String {
    Vec::from_iter(fields.iter().map(|field| quoted(field))).join(",") + "\n"
}
