use super::canvas::{Anchor, Canvas, Look, draw_svg, text_width};
use super::timeline::{HEIGHT, Line, Timeline, WIDTH, ticks_around};
use crate::base::{Error, Result, write_atomically};
use crate::curriculum::rounded;
use crate::train::{EpochRecord, Trained, best_epoch};
use std::path::Path;

// Sizes in pixels.
const SIDE: f64 = 66.0;
const ABOVE: f64 = 34.0;
const BELOW: f64 = 44.0;
const GAP: f64 = 14.0;
const TITLE: f64 = 36.0;
const LEGEND: f64 = 24.0;
const LEGEND_LINE: f64 = 21.0;

type Number = fn(&EpochRecord) -> Option<f64>;

const ACCURACIES: [(&str, Number); 4] = [
    ("learnt from", |record| Some(record.train_accuracy)),
    ("validation, as it is", |record| Some(record.valid_accuracy)),
    ("held out, as learnt from", |record| record.robust?.staged),
    ("held out, under attack", |record| {
        Some(record.robust?.accuracy)
    }),
];

const LOSSES: [(&str, Number); 2] = [
    ("learnt from", |record| Some(record.train_loss)),
    ("validation, as it is", |record| Some(record.valid_loss)),
];

/// The course of a training: accuracies and losses over its epochs, with fine lines where the
/// curriculum's stage changes and a marker at the best epoch by robust accuracy.
///
/// Robust overfitting is what it shows: the accuracy of what is learnt from rises on while that of the
/// images held out, under attack, falls.
///
/// ```
/// use fireproof::report::History;
/// use fireproof::train::EpochRecord;
///
/// fn plot(epochs: &[EpochRecord]) -> fireproof::base::Result<()> {
///     History::new("CuSP", epochs).plot_svg("history.svg")
/// }
/// ```
#[derive(Clone, Debug)]
pub struct History {
    title: String,
    records: Vec<EpochRecord>,
}

impl History {
    /// The course of these epochs; an empty title takes no room.
    pub fn new(title: impl Into<String>, records: &[EpochRecord]) -> Self {
        Self {
            title: title.into(),
            records: records.to_vec(),
        }
    }

    /// The plot as SVG.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] if there is no epoch.
    pub fn to_svg(&self) -> Result<String> {
        if self.records.is_empty() {
            return Err(Error::Drawing {
                what: format!("the history `{}`", self.title),
                reason: "no epoch to draw".to_owned(),
            });
        }
        let accuracies = self.panel("accuracy (%)", &ACCURACIES, 100.0);
        let losses = self.panel("loss (nats)", &LOSSES, 1.0);
        let names: Vec<_> = (ACCURACIES.iter().enumerate())
            .filter(|(_, (_, of))| self.records.iter().any(|record| of(record).is_some()))
            .map(|(at, (name, _))| (Look::number(at), *name))
            .collect();
        let longest = (names.iter().map(|(_, name)| text_width(name, 12.5))).fold(0.0, f64::max);
        let above = if self.title.is_empty() { 0.0 } else { TITLE };
        let column = SIDE + WIDTH + GAP;
        let wide = (2.0 * column + LEGEND + 12.0 + longest + GAP)
            .max(text_width(&self.title, 16.0) + 2.0 * GAP);
        draw_svg(wide, above + ABOVE + HEIGHT + BELOW, |canvas| {
            if above > 0.0 {
                let at = (GAP, TITLE / 2.0 + 3.0);
                canvas.text(&self.title, at, 16.0, Anchor::Left, true)?;
            }
            let top = above + ABOVE;
            accuracies.draw(canvas, (SIDE, top))?;
            losses.draw(canvas, (SIDE + column, top))?;
            draw_legend(canvas, &names, (2.0 * column, top))
        })
    }

    /// Writes the plot as SVG, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`to_svg`](Self::to_svg), and [`Error::Io`], naming the path.
    pub fn plot_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_svg()?.as_bytes())
    }

    fn panel(&self, title: &str, numbers: &[(&str, Number)], unit: f64) -> Timeline {
        let line = |(at, (_, of)): (usize, &(&str, Number))| {
            // A network that has diverged has numbers that are none.
            let value = |record: &EpochRecord| of(record).filter(|value| value.is_finite());
            let points = self.records.iter();
            let points = points.filter_map(|r| Some((r.epoch, unit * value(r)?)));
            let line = Line {
                look: Look::number(at),
                points: points.collect(),
                holds: false,
            };
            (!line.points.is_empty()).then_some(line)
        };
        let lines: Vec<Line> = numbers.iter().enumerate().filter_map(line).collect();
        let values = lines.iter().flat_map(|line| &line.points);
        let values: Vec<f64> = values.map(|point| point.1).collect();
        let y_ticks = match unit {
            1.0 => ticks_around(&values, &[], rounded),
            _ => ticks_around(&[0.0, 100.0], &[], rounded),
        };
        let changed = |pair: &[EpochRecord]| {
            let learning_rate = pair[0].stage.learning_rate;
            let same = crate::curriculum::Stage {
                learning_rate,
                ..pair[1].stage
            };
            (same != pair[0].stage).then_some(pair[1].epoch)
        };
        let switches: Vec<usize> = self.records.windows(2).filter_map(changed).collect();
        let switches = if switches.len() <= 8 {
            switches
        } else {
            Vec::new()
        };
        Timeline {
            title: title.to_owned(),
            lines,
            epochs: self.records.last().map_or(1, |record| record.epoch),
            y_ticks,
            switches,
            best: if unit == 1.0 { None } else { self.best() },
        }
    }

    // The robust accuracy is the last line of its panel.
    fn best(&self) -> Option<(usize, f64)> {
        let best = best_epoch(&self.records)?;
        Some((best.epoch, 100.0 * best.robust?.accuracy))
    }
}

fn draw_legend(canvas: &Canvas, names: &[(Look, &str)], (left, top): (f64, f64)) -> Result<()> {
    for (line, (look, name)) in names.iter().enumerate() {
        let y = top + LEGEND_LINE * (line as f64 + 0.5);
        canvas.curve(*look, &[(left, y), (left + LEGEND, y)])?;
        canvas.text(name, (left + LEGEND + 8.0, y), 12.5, Anchor::Left, false)?;
    }
    Ok(())
}

impl<M> Trained<M> {
    /// Writes the [`History`] of the training as SVG.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] if there was no epoch, and [`Error::Io`], naming the path.
    pub fn plot_history_svg(&self, title: &str, path: impl AsRef<Path>) -> Result<()> {
        History::new(title, &self.history).plot_svg(path)
    }
}
