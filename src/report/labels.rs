use super::canvas::{Anchor, Canvas, text_width};
use super::curve::Curve;
use super::frame::Frame;
use crate::base::Result;

/// A name beside each marker where there is room for it; the legend names them all.
pub(super) fn draw_labels(curves: &[Curve], canvas: &Canvas, frame: &Frame) -> Result<()> {
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let centres: Vec<(f64, f64)> = points().map(|p| frame.place(p.x, p.y)).collect();
    let mut taken = Vec::new();
    for (point, &(x, y)) in points().zip(&centres) {
        let ((left, low), (right, high)) = (
            frame.place(point.x_ends.0, point.y_ends.0),
            frame.place(point.x_ends.1, point.y_ends.1),
        );
        taken.push(Area::around(x, y, 7.0, 7.0));
        taken.push(Area::around(
            (left + right) / 2.0,
            y,
            (right - left) / 2.0,
            1.0,
        ));
        taken.push(Area::around(x, (low + high) / 2.0, 1.0, (low - high) / 2.0));
    }
    for ((curve, point), &(x, y)) in curves.iter().zip(points()).zip(&centres) {
        let half = text_width(&curve.label, 11.0) / 2.0;
        let (aside, above) = (half + 8.0, 9.0);
        let (_, low) = frame.place(point.x, point.y_ends.0);
        let (_, high) = frame.place(point.x, point.y_ends.1);
        let places = [
            (x + aside, y - above),
            (x - aside, y - above),
            (x + aside, y + above),
            (x - aside, y + above),
            (x, high - above),
            (x, low + above),
        ];
        let free = (places.into_iter())
            .map(|(x, y)| Area::around(x, y, half, 6.0))
            .find(|area| area.within(frame) && !taken.iter().any(|other| area.meets(other)));
        if let Some(area) = free {
            let centre = (area.x, area.y);
            canvas.text(&curve.label, centre, 11.0, Anchor::Centre, false)?;
            taken.push(area);
        }
    }
    Ok(())
}

/// A rectangle about its centre.
struct Area {
    x: f64,
    y: f64,
    half_width: f64,
    half_height: f64,
}

impl Area {
    fn around(x: f64, y: f64, half_width: f64, half_height: f64) -> Self {
        Self {
            x,
            y,
            half_width,
            half_height,
        }
    }

    fn meets(&self, other: &Self) -> bool {
        (self.x - other.x).abs() < self.half_width + other.half_width
            && (self.y - other.y).abs() < self.half_height + other.half_height
    }

    fn within(&self, frame: &Frame) -> bool {
        self.x - self.half_width >= frame.left
            && self.x + self.half_width <= frame.left + frame.width
            && self.y - self.half_height >= frame.top
            && self.y + self.half_height <= frame.top + frame.height
    }
}
