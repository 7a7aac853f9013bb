use super::canvas::{Canvas, Look};
use super::frame::Frame;
use crate::base::Result;
use crate::base::statistics::Interval;
use crate::evaluate::{self, Estimand, Rate, short};

// The radius of a marker in pixels.
const MARKER: f64 = 4.0;

/// Points with the name of what they belong to.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub label: String,
    pub points: Vec<Point>,
}

/// A rate or two, in percent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub x: f64,
    pub y: f64,
    /// Ends of the intervals along each axis.
    pub x_ends: (f64, f64),
    pub y_ends: (f64, f64),
}

impl Point {
    /// A share at a level.
    fn at(level: f64, (share, interval): (f64, Interval)) -> Self {
        Self {
            x: level,
            y: 100.0 * share,
            x_ends: (level, level),
            y_ends: ends(interval),
        }
    }

    /// A number that is no share, at a level.
    pub fn number(level: f64, number: f64, interval: Interval) -> Self {
        Self {
            x: level,
            y: number,
            x_ends: (level, level),
            y_ends: (interval.low, interval.high),
        }
    }

    /// One share against another.
    pub fn of(x: (f64, Interval), y: (f64, Interval)) -> Self {
        Self {
            x: 100.0 * x.0,
            y: 100.0 * y.0,
            x_ends: ends(x.1),
            y_ends: ends(y.1),
        }
    }

    /// One rate against another.
    pub fn between(x: Rate, y: Rate) -> Self {
        Self::of((x.value, x.interval), (y.value, y.interval))
    }
}

fn ends(interval: Interval) -> (f64, f64) {
    (100.0 * interval.low, 100.0 * interval.high)
}

impl Curve {
    /// A line over the levels; where they are tuples, over the last part of them, a line for each
    /// of what stands before it.
    pub fn over(
        label: &str,
        points: &[evaluate::Point],
        rate: fn(&evaluate::Point) -> Rate,
    ) -> Vec<Self> {
        Self::lines(label, points, |point| {
            let rate = rate(point);
            Some((rate.value, rate.interval))
        })
    }

    /// The same of an estimand, where it was measured.
    pub fn of_estimand(label: &str, points: &[evaluate::Point], estimand: Estimand) -> Vec<Self> {
        let mut lines = Self::lines(label, points, |point| estimand.of(point));
        lines.retain(|line| !line.points.is_empty());
        lines
    }

    fn lines(
        label: &str,
        points: &[evaluate::Point],
        share: impl Fn(&evaluate::Point) -> Option<(f64, Interval)>,
    ) -> Vec<Self> {
        let parts = |point: &evaluate::Point| {
            let (last, before) = point.level.parts().split_last().expect("a part");
            (before.to_vec(), *last)
        };
        let lines = points.chunk_by(|a, b| parts(a).0 == parts(b).0);
        lines
            .map(|line| {
                let before: Vec<String> = parts(&line[0]).0.into_iter().map(short).collect();
                let label = match before.join("; ") {
                    before if before.is_empty() => label.to_owned(),
                    before => format!("{label}, {before}"),
                };
                let points = line
                    .iter()
                    .filter_map(|p| Some(Point::at(parts(p).1, share(p)?)))
                    .collect();
                Self { label, points }
            })
            .collect()
    }

    pub fn draw(&self, canvas: &Canvas, frame: &Frame, look: Look, aside: f64) -> Result<()> {
        let place = |x, y| {
            let (x, y) = frame.place(x, y);
            (x + aside, y)
        };
        let points: Vec<_> = self.points.iter().map(|p| place(p.x, p.y)).collect();
        if points.len() > 1 {
            canvas.curve(look, &points)?;
        }
        for (point, &at) in self.points.iter().zip(&points) {
            canvas.rim(look, at, MARKER)?;
            let cap = 2.5;
            let (low, high) = point.y_ends;
            let ends = [place(point.x, low), place(point.x, high)];
            canvas.line(&ends, look.colour, 1.1)?;
            for (x, y) in ends {
                canvas.line(&[(x - cap, y), (x + cap, y)], look.colour, 1.1)?;
            }
            let (low, high) = point.x_ends;
            if low < high {
                let ends = [place(low, point.y), place(high, point.y)];
                canvas.line(&ends, look.colour, 1.1)?;
                for (x, y) in ends {
                    canvas.line(&[(x, y - cap), (x, y + cap)], look.colour, 1.1)?;
                }
            }
            canvas.marker(look, at, MARKER)?;
        }
        Ok(())
    }
}
