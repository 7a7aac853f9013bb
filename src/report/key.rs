use super::canvas::{Anchor, Canvas, Look, text_width};
use crate::base::Result;

// Sizes in pixels.
const LINE: f64 = 21.0;
const SAMPLE: f64 = 30.0;
const LETTERS: f64 = 12.5;

/// The legend of a row whose curves differ in two ways: what a line and a marker mean, and what a colour.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// What lines and markers are, in ink.
    pub networks: Vec<(String, Look)>,
    /// What colours are.
    pub training: String,
    /// The colours, in their order.
    pub levels: Vec<(String, Look)>,
    /// Whether the colours are one scale.
    pub ordered: bool,
}

impl Key {
    pub fn height(&self) -> f64 {
        LINE * (self.networks.len() + self.levels.len() + wrapped(&self.training).len()) as f64
            + LINE
    }

    pub fn width(&self) -> f64 {
        let titles = wrapped(&self.training);
        let titles = titles.iter().map(|line| text_width(line, LETTERS));
        let names = (self.networks.iter().chain(&self.levels))
            .map(|(name, _)| SAMPLE + 8.0 + text_width(name, LETTERS));
        names.chain(titles).fold(0.0, f64::max)
    }

    pub fn draw(&self, canvas: &Canvas, (left, top): (f64, f64)) -> Result<()> {
        let mut y = top + LINE / 2.0;
        for (name, look) in &self.networks {
            draw_sample(canvas, *look, (left, y))?;
            let at = (left + SAMPLE + 8.0, y);
            canvas.text(name, at, LETTERS, Anchor::Left, false)?;
            y += LINE;
        }
        y += LINE / 2.0;
        for line in wrapped(&self.training) {
            canvas.text(&line, (left, y), LETTERS, Anchor::Left, false)?;
            y += LINE * 0.8;
        }
        y += LINE * 0.2;
        for (name, look) in &self.levels {
            match self.ordered {
                true => draw_field(canvas, *look, (left, y))?,
                false => draw_sample(canvas, *look, (left, y))?,
            }
            let at = (left + SAMPLE + 8.0, y);
            canvas.text(name, at, LETTERS, Anchor::Left, false)?;
            y += LINE;
        }
        Ok(())
    }
}

// A piece of a curve.
fn draw_sample(canvas: &Canvas, look: Look, (left, y): (f64, f64)) -> Result<()> {
    canvas.curve(look, &[(left, y), (left + SAMPLE, y)])?;
    canvas.rim(look, (left + SAMPLE / 2.0, y), 4.0)?;
    canvas.marker(look, (left + SAMPLE / 2.0, y), 4.0)
}

// Fields that touch: one scale, not so many separate things.
fn draw_field(canvas: &Canvas, look: Look, (left, y): (f64, f64)) -> Result<()> {
    let (right, half) = (left + SAMPLE, LINE / 2.0);
    let field = [
        (left, y - half),
        (right, y - half),
        (right, y + half),
        (left, y + half),
    ];
    canvas.area(&field, look.colour, 1.0)
}

// A long title in two lines.
fn wrapped(title: &str) -> Vec<String> {
    if title.chars().count() <= 24 {
        return vec![title.to_owned()];
    }
    let middle = title.len() / 2;
    let spaces = title.match_indices(' ').map(|(at, _)| at);
    match spaces.min_by_key(|at| at.abs_diff(middle)) {
        Some(at) => vec![title[..at].to_owned(), title[at + 1..].to_owned()],
        None => vec![title.to_owned()],
    }
}
