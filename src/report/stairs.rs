use super::canvas::{Canvas, Look};
use super::curve::{Curve, Point};
use super::frame::Frame;
use crate::base::Result;
use crate::evaluate::Rate;

/// How far apart numbers of an axis are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// From 0 on.
    Even,
    /// From 1 on, equal ratios equally far apart.
    Ratios,
}

impl Scale {
    /// Where a number stands.
    fn place(self, value: f64) -> f64 {
        match self {
            Self::Even => value,
            Self::Ratios => value.max(1.0).log10(),
        }
    }

    /// The number that stands there.
    pub fn value(self, place: f64) -> f64 {
        match self {
            Self::Even => place,
            Self::Ratios => 10f64.powf(place).round(),
        }
    }

    /// The places of round numbers around these ones.
    pub fn ticks(self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let end = values.map(|value| self.place(value)).fold(0.0, f64::max);
        let step = match self {
            Self::Ratios => 1.0,
            Self::Even if end > 0.0 => {
                let magnitude = 10f64.powf((end / 5.0).log10().floor());
                let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * magnitude);
                steps
                    .into_iter()
                    .find(|step| end / step <= 5.0)
                    .unwrap_or(end)
            }
            Self::Even => 1.0,
        };
        let count = (end / step).ceil().max(1.0) as u32;
        (0..=count).map(|k| f64::from(k) * step).collect()
    }
}

impl Curve {
    /// Shares of so many images from one number on to the next.
    pub fn falling(label: &str, count: usize, steps: &[(f64, f64)]) -> Self {
        let point = |&(x, share): &(f64, f64)| {
            let rate = Rate::of((share * count as f64).round() as usize, count);
            let point = Point::between(rate, rate);
            Point {
                x,
                x_ends: (x, x),
                ..point
            }
        };
        Self {
            label: label.to_owned(),
            points: steps.iter().map(point).collect(),
        }
    }

    /// A flat line to the right of each point, with its interval as a band, and a marker at the last
    /// one.
    pub fn draw_stairs(
        &self,
        canvas: &Canvas,
        frame: &Frame,
        look: Look,
        scale: Scale,
    ) -> Result<()> {
        let stairs = |height: fn(&Point) -> f64| {
            let mut line = Vec::new();
            for (at, point) in self.points.iter().enumerate() {
                let next = self.points.get(at + 1).map(|next| scale.place(next.x));
                let ends = [scale.place(point.x), next.unwrap_or(frame.x.1)];
                line.extend(ends.map(|x| frame.place(x, height(point))));
            }
            line
        };
        let mut band = stairs(|point| point.y_ends.0);
        band.extend(stairs(|point| point.y_ends.1).into_iter().rev());
        canvas.area(&band, look.colour, 0.15)?;
        canvas.curve(look, &stairs(|point| point.y))?;
        match self.points.last() {
            None => Ok(()),
            Some(last) => {
                let at = frame.place(scale.place(last.x), last.y);
                canvas.rim(look, at, 4.0)?;
                canvas.marker(look, at, 4.0)
            }
        }
    }
}
