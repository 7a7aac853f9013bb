//! Tables of what scans found, a row for each network.

use super::csv::quoted;
use super::markdown::cell;
use crate::base::Error;
use crate::base::statistics::Interval;
use crate::evaluate::{Boundary, Mean};
use crate::study::cells::{Cell, Scanned, Work};

/// What scans found in the networks of a study, in the order of its cells.
#[derive(Debug)]
pub struct ScanTable {
    rows: Vec<(Cell, Scanned)>,
    failed: Vec<(Cell, Error)>,
}

/// A number of a network, or a mean with its interval.
struct Column {
    title: String,
    name: String,
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
        let mut columns = Vec::new();
        let Some((_, first)) = self.rows.first() else {
            return columns;
        };
        if let Some(Boundary { points, norm, .. }) = &first.boundary {
            for (at, point) in points.iter().enumerate() {
                let [angle, shift] = [point.pose.angle.0, point.pose.shift.0];
                let poses = format!("±{} ±{}", point.pose.angle, point.pose.shift);
                let label = format!("mean distance to the boundary, {norm}, poses of {poses}");
                let name = format!("boundary_{angle}_{shift}");
                columns.push(column(label, name, move |scanned| {
                    let boundary = scanned.boundary.as_ref()?;
                    boundary.points.get(at)?.mean.map(interval)
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
