//! Small panels over the epochs of a training.

use super::canvas::{Anchor, Canvas, GREY, INK, Look, PALE, text_width};
use super::frame::{Frame, round_ticks};
use crate::base::Result;

// Sizes in pixels.
pub(super) const WIDTH: f64 = 300.0;
pub(super) const HEIGHT: f64 = 130.0;
const MARKER: f64 = 4.5;

/// Something that has a number in some epochs.
pub(super) struct Line {
    pub look: Look,
    /// Epochs in ascending order with their numbers, on the panel's scale.
    pub points: Vec<(usize, f64)>,
    /// Whether it holds over each epoch; else it was measured after them.
    pub holds: bool,
}

/// How far apart numbers are drawn.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Scale {
    Even,
    /// Equal ratios equally far apart.
    Ratios,
}

impl Scale {
    /// Equal ratios where numbers are above 0 and far apart.
    pub fn of(values: &[f64]) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        match low > 0.0 && high > 20.0 * low {
            true => Self::Ratios,
            false => Self::Even,
        }
    }

    pub fn place(self, value: f64) -> f64 {
        match self {
            Self::Even => value,
            Self::Ratios => value.log10(),
        }
    }
}

/// The numbers beside an axis, with where they stand.
pub(super) type Ticks = Vec<(f64, String)>;

/// One coordinate system: what is drawn, and the numbers beside it.
pub(super) struct Timeline {
    pub title: String,
    pub lines: Vec<Line>,
    pub epochs: usize,
    pub y_ticks: Ticks,
    /// First epochs of stages after the first: fine lines from top to bottom.
    pub switches: Vec<usize>,
    /// An epoch that stands out, with the number there.
    pub best: Option<(usize, f64)>,
}

impl Timeline {
    pub fn draw(&self, canvas: &Canvas, (left, top): (f64, f64)) -> Result<()> {
        let mut frame = Frame::new((left, top), (WIDTH, HEIGHT), Vec::new(), Vec::new());
        let ends = self.y_ticks.iter().map(|tick| tick.0);
        let low = ends.clone().fold(f64::INFINITY, f64::min);
        let high = ends.fold(f64::NEG_INFINITY, f64::max);
        frame.x = (0.5, self.epochs as f64 + 0.5);
        frame.y = match low < high {
            true => (low, high),
            false => (low, low + 1.0),
        };
        canvas.text(&self.title, (left, top - 14.0), 12.5, Anchor::Left, true)?;
        self.draw_axes(canvas, &frame)?;
        for line in &self.lines {
            draw_line(canvas, &frame, line)?;
        }
        if let (Some((epoch, value)), Some(line)) = (self.best, self.lines.last()) {
            let at = frame.place(epoch as f64, value);
            canvas.rim(line.look, at, MARKER)?;
            canvas.marker(line.look, at, MARKER)?;
        }
        Ok(())
    }

    fn draw_axes(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        let (bottom, left, right) = (
            frame.top + frame.height,
            frame.left,
            frame.left + frame.width,
        );
        for (at, label) in &self.y_ticks {
            let (_, y) = frame.place(frame.x.0, *at);
            canvas.line(&[(left, y), (right, y)], PALE, 1.0)?;
            canvas.text(label, (left - 7.0, y), 11.5, Anchor::Right, false)?;
        }
        for &switch in &self.switches {
            let (x, _) = frame.place(switch as f64 - 0.5, frame.y.0);
            canvas.dashed(&[(x, frame.top), (x, bottom)], GREY, 0.7)?;
        }
        let mut free_from = f64::NEG_INFINITY;
        for epoch in self.x_ticks() {
            let (x, _) = frame.place(epoch as f64, frame.y.0);
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], INK, 1.0)?;
            let label = epoch.to_string();
            let half = text_width(&label, 11.5) / 2.0;
            if x - half >= free_from {
                canvas.text(&label, (x, bottom + 13.0), 11.5, Anchor::Centre, false)?;
                free_from = x + half + 4.0;
            }
        }
        canvas.line(
            &[(left, frame.top), (left, bottom), (right, bottom)],
            INK,
            1.0,
        )?;
        let middle = (left + frame.width / 2.0, bottom + 30.0);
        canvas.text("epoch", middle, 12.0, Anchor::Centre, false)
    }

    // The switches, if they are few; else round numbers. The ends stand in either case.
    fn x_ticks(&self) -> Vec<usize> {
        let inner = match self.switches.len() {
            1..=6 => self.switches.clone(),
            _ => {
                let round = round_ticks(1.0, self.epochs as f64, &[1.0]);
                round.into_iter().map(|tick| tick as usize).collect()
            }
        };
        let mut ticks = vec![1];
        // Too near to an end there is no room for its number.
        let room = self.epochs / 12;
        ticks.extend(
            inner
                .into_iter()
                .filter(|&at| at > 1 + room && at + room < self.epochs),
        );
        if self.epochs > 1 {
            ticks.push(self.epochs);
        }
        ticks
    }
}

fn draw_line(canvas: &Canvas, frame: &Frame, line: &Line) -> Result<()> {
    let place = |epoch: f64, value: f64| frame.place(epoch, value);
    let points: Vec<(f64, f64)> = match line.holds {
        true => (line.points.iter())
            .flat_map(|&(epoch, value)| [-0.5, 0.5].map(|aside| place(epoch as f64 + aside, value)))
            .collect(),
        false => (line.points.iter())
            .map(|&(epoch, value)| place(epoch as f64, value))
            .collect(),
    };
    match points.as_slice() {
        [] => Ok(()),
        // One point is no line.
        [only] => canvas.marker(line.look, *only, 3.0),
        points => canvas.curve(line.look, points),
    }
}

/// Round numbers around these values, in one of these steps if one will do.
pub(super) fn ticks_around(values: &[f64], steps: &[f64], label: impl Fn(f64) -> String) -> Ticks {
    let high = values.iter().copied().fold(0.0, f64::max);
    let low = values.iter().copied().fold(0.0, f64::min);
    if low == high {
        return vec![(low, label(low))];
    }
    let mut ticks = round_ticks(low, high, steps);
    // One more where the values go on.
    if let [.., before, last] = ticks[..]
        && last < high - 1e-9 * (high - low)
    {
        ticks.push(last + (last - before));
    }
    ticks.into_iter().map(|tick| (tick, label(tick))).collect()
}
