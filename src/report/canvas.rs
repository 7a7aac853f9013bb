use crate::base::{Error, Result};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

// Plotters places everything on whole units; a unit is this part of a pixel, so that nothing
// visibly snaps to a grid.
const FINE: f64 = 8.0;

pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
pub(super) const GREY: RGBColor = RGBColor(110, 110, 110);
pub(super) const PALE: RGBColor = RGBColor(228, 228, 228);

// Okabe and Ito, without their yellow, which is too faint for lines on white.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

// From dark to light, evenly for the eye (viridis, without its yellow).
const SCALE: [(f64, f64, f64); 5] = [
    (68.0, 1.0, 84.0),
    (65.0, 68.0, 135.0),
    (42.0, 120.0, 142.0),
    (34.0, 168.0, 132.0),
    (122.0, 209.0, 81.0),
];

/// The colour of a number from 0 to 1, from dark to light.
pub(super) fn scale(value: f64) -> RGBColor {
    let at = value.clamp(0.0, 1.0) * (SCALE.len() - 1) as f64;
    let from = (at as usize).min(SCALE.len() - 2);
    let (low, high, share) = (SCALE[from], SCALE[from + 1], at - from as f64);
    let mix = |low: f64, high: f64| (low + share * (high - low)).round() as u8;
    RGBColor(mix(low.0, high.0), mix(low.1, high.1), mix(low.2, high.2))
}

/// How one curve looks: the same in every panel of a row and in its legend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub colour: RGBColor,
    marker: usize,
    dashed: bool,
    hollow: bool,
}

impl Look {
    /// The look of curve number `index`. Seven colours and five markers have no common divisor:
    /// the first 35 curves differ.
    pub fn number(index: usize) -> Self {
        Self::of(index, index)
    }

    /// The look in colour number `colour`, with marker number `marker`.
    pub fn of(colour: usize, marker: usize) -> Self {
        Self {
            colour: COLOURS[colour % COLOURS.len()],
            marker: marker % 5,
            dashed: false,
            hollow: false,
        }
    }

    /// The look of things that have names and no order, of kind number `kind`: the kind is the marker's and
    /// the line's, the colour the thing's. From the eighth on markers are hollow, so that fourteen differ.
    pub fn named(kind: usize, colour: usize) -> Self {
        Self {
            dashed: kind % 2 == 1,
            hollow: colour / COLOURS.len() % 2 == 1,
            ..Self::of(colour, kind)
        }
    }

    /// The look of the curve at place `rank` of `count` that follow one another, of kind number
    /// `kind`: the place is the colour's, the kind the marker's and the line's.
    pub fn ordered(kind: usize, rank: usize, count: usize) -> Self {
        Self {
            colour: scale(rank as f64 / (count.max(2) - 1) as f64),
            marker: kind % 5,
            dashed: kind % 2 == 1,
            hollow: false,
        }
    }

    /// The same, but grey.
    pub fn in_grey(self) -> Self {
        Self {
            colour: GREY,
            ..self
        }
    }

    /// The same, but black as text is.
    pub fn in_ink(self) -> Self {
        Self {
            colour: INK,
            ..self
        }
    }
}

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Left,
    Centre,
    Right,
    /// Centred, and read from below.
    Upright,
}

/// A drawing in pixels, over plotters' SVG backend.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// The width of a text in pixels, by a generous average width of sans-serif letters.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    0.58 * size * text.chars().count() as f64
}

/// Draws an SVG of `width` × `height` pixels.
pub(super) fn draw_svg(
    width: f64,
    height: f64,
    paint: impl FnOnce(&Canvas) -> Result<()>,
) -> Result<String> {
    let fine = |length: f64| (length * FINE).round() as u32;
    let mut svg = String::new();
    {
        let backend = SVGBackend::with_string(&mut svg, (fine(width), fine(height)));
        let canvas = Canvas {
            area: backend.into_drawing_area(),
        };
        canvas.area.fill(&WHITE).map_err(failed)?;
        paint(&canvas)?;
        canvas.area.present().map_err(failed)?;
    }
    // The drawing keeps its fine units; only the size at which it is shown changes.
    let drawn = format!(
        "width=\"{}\" height=\"{}\" viewBox",
        fine(width),
        fine(height)
    );
    let shown = format!("width=\"{width:.0}\" height=\"{height:.0}\" viewBox");
    Ok(svg.replacen(&drawn, &shown, 1))
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Drawing {
        what: "a figure".to_owned(),
        reason: error.to_string(),
    }
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    ((x * FINE).round() as i32, (y * FINE).round() as i32)
}

fn stroke(colour: RGBColor, width: f64) -> ShapeStyle {
    ShapeStyle {
        color: colour.to_rgba(),
        filled: false,
        stroke_width: (width * FINE).round() as u32,
    }
}

impl Canvas<'_> {
    pub fn line(&self, points: &[(f64, f64)], colour: RGBColor, width: f64) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(point).collect();
        let path = PathElement::new(points, stroke(colour, width));
        self.area.draw(&path).map_err(failed)
    }

    pub fn dashed(&self, points: &[(f64, f64)], colour: RGBColor, width: f64) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(point).collect();
        let (dash, gap) = ((5.0 * FINE) as u32, (4.0 * FINE) as u32);
        let path = DashedPathElement::new(points, dash, gap, stroke(colour, width));
        self.area.draw(&path).map_err(failed)
    }

    pub fn area(&self, points: &[(f64, f64)], colour: RGBColor, opacity: f64) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(point).collect();
        let polygon = Polygon::new(points, colour.mix(opacity));
        self.area.draw(&polygon).map_err(failed)
    }

    /// A line that lets what is behind it shine through.
    pub fn translucent(
        &self,
        points: &[(f64, f64)],
        colour: RGBColor,
        width: f64,
        opacity: f64,
    ) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(point).collect();
        let style = ShapeStyle {
            color: colour.mix(opacity),
            ..stroke(colour, width)
        };
        let path = PathElement::new(points, style);
        self.area.draw(&path).map_err(failed)
    }

    pub fn text(
        &self,
        text: &str,
        at: (f64, f64),
        size: f64,
        anchor: Anchor,
        bold: bool,
    ) -> Result<()> {
        self.write(text, at, size, anchor, bold, INK)
    }

    /// A tick below an axis, with what it says.
    pub fn tick(&self, (x, bottom): (f64, f64), text: &str) -> Result<()> {
        self.line(&[(x, bottom), (x, bottom + 4.0)], INK, 1.0)?;
        self.text(text, (x, bottom + 14.0), 12.0, Anchor::Centre, false)
    }

    /// A centred text in another colour than ink.
    pub fn coloured_text(
        &self,
        text: &str,
        at: (f64, f64),
        size: f64,
        colour: RGBColor,
    ) -> Result<()> {
        self.write(text, at, size, Anchor::Centre, false, colour)
    }

    fn write(
        &self,
        text: &str,
        at: (f64, f64),
        size: f64,
        anchor: Anchor,
        bold: bool,
        colour: RGBColor,
    ) -> Result<()> {
        let turn = match anchor {
            Anchor::Upright => FontTransform::Rotate270,
            Anchor::Left | Anchor::Centre | Anchor::Right => FontTransform::None,
        };
        let horizontal = match anchor {
            Anchor::Left => HPos::Left,
            Anchor::Centre | Anchor::Upright => HPos::Center,
            Anchor::Right => HPos::Right,
        };
        let weight = if bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        // The backend divides sizes by 1.24.
        let font = FontDesc::new(FontFamily::SansSerif, 1.24 * size * FINE, weight);
        let style = TextStyle::from(font.transform(turn))
            .color(&colour)
            .pos(Pos::new(horizontal, VPos::Center));
        let text = Text::new(text.to_owned(), point(at), style);
        self.area.draw(&text).map_err(failed)
    }

    /// The line of a curve.
    pub fn curve(&self, look: Look, points: &[(f64, f64)]) -> Result<()> {
        if look.dashed {
            self.dashed(points, look.colour, 2.0)
        } else {
            self.line(points, look.colour, 2.0)
        }
    }

    /// The same, finer.
    pub fn thin_curve(&self, look: Look, points: &[(f64, f64)]) -> Result<()> {
        match look.dashed {
            true => self.dashed(points, look.colour, 1.3),
            false => self.line(points, look.colour, 1.3),
        }
    }

    /// The marker of a curve.
    pub fn marker(&self, look: Look, at: (f64, f64), radius: f64) -> Result<()> {
        self.shape(look.marker, at, radius, look.colour)?;
        match look.hollow {
            true => self.shape(look.marker, at, 0.5 * radius, WHITE),
            false => Ok(()),
        }
    }

    /// A white rim for a marker, which lifts it off the lines behind it.
    pub fn rim(&self, look: Look, at: (f64, f64), radius: f64) -> Result<()> {
        self.shape(look.marker, at, radius + 1.2, WHITE)
    }

    fn shape(
        &self,
        marker: usize,
        (x, y): (f64, f64),
        radius: f64,
        colour: RGBColor,
    ) -> Result<()> {
        // Corners on circles that give all shapes about the same area.
        let corners = |count: usize, turn: f64, scale: f64| -> Vec<(f64, f64)> {
            (0..count)
                .map(|k| {
                    let angle = turn + std::f64::consts::TAU * k as f64 / count as f64;
                    (
                        x + scale * radius * angle.sin(),
                        y - scale * radius * angle.cos(),
                    )
                })
                .collect()
        };
        let eighth = std::f64::consts::FRAC_PI_4;
        match marker {
            0 => {
                let radius = (radius * FINE).round() as u32;
                let circle = Circle::new(point((x, y)), radius, colour.filled());
                self.area.draw(&circle).map_err(failed)
            }
            1 => self.area(&corners(4, eighth, 1.25), colour, 1.0),
            2 => self.area(&corners(3, 0.0, 1.45), colour, 1.0),
            3 => self.area(&corners(4, 0.0, 1.3), colour, 1.0),
            _ => self.area(&corners(3, 4.0 * eighth, 1.45), colour, 1.0),
        }
    }
}
