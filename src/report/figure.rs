use super::canvas::{Anchor, Canvas, Look, draw_svg, text_width};
use super::key::Key;
use super::{Panel, plane};
use crate::base::{Error, Result, write_atomically};
use std::path::Path;

// Sizes in pixels.
const SIDE: f64 = 66.0;
const ABOVE: f64 = 34.0;
const ABOVE_UNTITLED: f64 = 12.0;
const BELOW: f64 = 58.0;
const GAP: f64 = 14.0;
const TITLE: f64 = 40.0;
const LEGEND: f64 = 24.0;
const LEGEND_LINE: f64 = 21.0;

/// A figure of panels in rows, written as SVG. Each row has a title and a legend of its own.
///
/// ```
/// use fireproof::evaluate::Report;
/// use fireproof::report::{Figure, Panel};
///
/// /// Rotations beside attacks, for one part of a study.
/// fn overview(report: &Report, section: &str) -> Figure {
///     let profiles = report.profiles(section);
///     let panels = ["angles", "epsilons"].map(|axis| Panel::accuracy(axis, &profiles));
///     Figure::new(&report.title).with_row(section, panels)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Figure {
    title: String,
    rows: Vec<Row>,
}

/// Panels side by side, with what they share.
#[derive(Clone, Debug)]
struct Row {
    title: String,
    panels: Vec<Panel>,
    // Curves that have a place among others; all else is told apart by number.
    looks: Vec<(String, Look)>,
    // A legend in place of one line for each curve.
    key: Option<Key>,
}

impl Figure {
    /// A figure without panels; an empty title takes no room.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            rows: Vec::new(),
        }
    }

    /// With a row of panels; an empty title is not drawn.
    pub fn with_row(self, title: impl Into<String>, panels: impl Into<Vec<Panel>>) -> Self {
        let panels = panels.into();
        let looks = match panels.iter().all(Panel::is_whole_plane) {
            true => plane::looks(&labels(&panels)),
            false => Vec::new(),
        };
        self.with_ordered_row(title, panels, looks)
    }

    /// With a row of panels in which curves of these names look so.
    pub(super) fn with_ordered_row(
        mut self,
        title: impl Into<String>,
        panels: impl Into<Vec<Panel>>,
        looks: Vec<(String, Look)>,
    ) -> Self {
        self.rows.push(Row {
            title: title.into(),
            panels: panels.into(),
            looks,
            key: None,
        });
        self
    }

    /// With a row of panels whose curves look so, and a legend of its own.
    pub(super) fn with_row_by_key(
        self,
        title: impl Into<String>,
        panels: impl Into<Vec<Panel>>,
        looks: Vec<(String, Look)>,
        key: Key,
    ) -> Self {
        let mut figure = self.with_ordered_row(title, panels, looks);
        if let Some(row) = figure.rows.last_mut() {
            row.key = Some(key);
        }
        figure
    }

    /// The figure as SVG.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] if there is no panel, or no curve in a panel.
    pub fn to_svg(&self) -> Result<String> {
        let panels = || self.rows.iter().flat_map(|row| &row.panels);
        if panels().next().is_none() || panels().any(|panel| panel.curves.is_empty()) {
            return Err(Error::Drawing {
                what: format!("the figure `{}`", self.title),
                reason: "no measured levels to draw".to_owned(),
            });
        }
        let title = if self.title.is_empty() { 0.0 } else { TITLE };
        let tall = (self.rows.iter()).map(row_height).sum::<f64>() + title;
        let wide = (self.rows.iter()).map(row_width).fold(0.0, f64::max);
        let wide = wide.max(text_width(&self.title, 17.0) + 2.0 * GAP);
        draw_svg(wide, tall, |canvas| {
            if !self.title.is_empty() {
                let at = (GAP, TITLE / 2.0 + 3.0);
                canvas.text(&self.title, at, 17.0, Anchor::Left, true)?;
            }
            let mut top = title;
            for row in &self.rows {
                draw_row(canvas, row, top)?;
                top += row_height(row);
            }
            Ok(())
        })
    }

    /// Writes the figure as SVG, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`to_svg`](Self::to_svg), and [`Error::Io`], naming the path.
    pub fn plot_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_svg()?.as_bytes())
    }
}

// The names of a row's curves, in the order of their first appearance.
fn labels(panels: &[Panel]) -> Vec<&str> {
    let mut labels = Vec::new();
    for curve in panels.iter().flat_map(|panel| &panel.curves) {
        if !labels.contains(&curve.label.as_str()) {
            labels.push(&curve.label);
        }
    }
    labels
}

// The names of the lines of a row's planes, and whether each is dashed.
fn lines(panels: &[Panel]) -> Vec<(&str, bool)> {
    let mut lines = Vec::new();
    for line in panels.iter().flat_map(|panel| panel.lines.names()) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

fn above(title: &str) -> f64 {
    if title.is_empty() {
        ABOVE_UNTITLED
    } else {
        ABOVE
    }
}

fn row_height(
    Row {
        title, panels, key, ..
    }: &Row,
) -> f64 {
    let legend = match key {
        Some(key) => key.height(),
        None => LEGEND_LINE * (labels(panels).len() + lines(panels).len()) as f64,
    };
    let plots = (panels.iter()).map(|panel| panel.size().1);
    above(title) + plots.fold(legend, f64::max) + BELOW
}

fn row_width(Row { panels, key, .. }: &Row) -> f64 {
    let names = lines(panels).into_iter().map(|(name, _)| name);
    let longest = (labels(panels).into_iter().chain(names))
        .map(|label| text_width(label, 12.5))
        .fold(0.0, f64::max);
    let plots: f64 = (panels.iter())
        .map(|panel| SIDE + panel.size().0 + GAP)
        .sum();
    let legend = (key.as_ref()).map_or(LEGEND + 12.0 + longest, |key| 12.0 + key.width());
    plots + legend + GAP
}

fn draw_row(canvas: &Canvas, row: &Row, top: f64) -> Result<()> {
    let Row {
        title,
        panels,
        looks,
        key,
    } = row;
    let labels = labels(panels);
    let look = |label: &str| {
        let index = labels.iter().position(|&other| other == label);
        let ordered = looks.iter().find(|(name, _)| name == label);
        ordered.map_or_else(|| Look::number(index.unwrap_or(0)), |(_, look)| *look)
    };
    canvas.text(title, (GAP, top + ABOVE / 2.0), 14.0, Anchor::Left, true)?;
    let top = top + above(title);
    let mut left = 0.0;
    for panel in panels {
        panel.draw(canvas, (left + SIDE, top), look)?;
        left += SIDE + panel.size().0 + GAP;
    }
    if let Some(key) = key {
        return key.draw(canvas, (left + 4.0, top));
    }
    for (line, label) in labels.iter().enumerate() {
        let y = top + LEGEND_LINE * (line as f64 + 0.5);
        let look = look(label);
        canvas.curve(look, &[(left, y), (left + LEGEND, y)])?;
        canvas.marker(look, (left + LEGEND / 2.0, y), 4.0)?;
        canvas.text(label, (left + LEGEND + 8.0, y), 12.5, Anchor::Left, false)?;
    }
    for (line, (name, dashed)) in lines(panels).into_iter().enumerate() {
        let y = top + LEGEND_LINE * ((labels.len() + line) as f64 + 0.5);
        plane::sample(canvas, &[(left, y), (left + LEGEND, y)], dashed)?;
        canvas.text(name, (left + LEGEND + 8.0, y), 12.5, Anchor::Left, false)?;
    }
    Ok(())
}
