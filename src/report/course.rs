use super::canvas::{Canvas, GREY, Look};
use super::curve::Curve;
use super::frame::Frame;
use crate::base::Result;

// Sizes in pixels: what is left free about a marker, and the head.
const FREE: f64 = 7.0;
const HEAD: f64 = 8.0;
const HALF: f64 = 3.6;

/// What leads from marker to marker of a plane.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// From which curve to which an arrow leads.
    pub arrows: Vec<[usize; 2]>,
    /// Smaller markers, without bars.
    pub small: Vec<Curve>,
}

impl Course {
    /// Under the markers of these curves.
    pub fn draw(
        &self,
        curves: &[Curve],
        canvas: &Canvas,
        frame: &Frame,
        look: &impl Fn(&str) -> Look,
    ) -> Result<()> {
        for curve in &self.small {
            for point in &curve.points {
                let at = frame.place(point.x, point.y);
                canvas.marker(look(&curve.label), at, 2.2)?;
            }
        }
        for arrow in &self.arrows {
            let [from, to] = arrow.map(|at| curves[at].points[0]);
            let ends = [from, to].map(|point| frame.place(point.x, point.y));
            draw_arrow(canvas, look(&curves[arrow[1]].label), ends)?;
        }
        Ok(())
    }
}

// From one marker to another, its line as the look has it. None where the two nearly touch.
fn draw_arrow(canvas: &Canvas, look: Look, [from, to]: [(f64, f64); 2]) -> Result<()> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    if length < 2.0 * FREE + 1.0 {
        return Ok(());
    }
    let (dx, dy) = (dx / length, dy / length);
    let along =
        |by: f64, aside: f64| (from.0 + by * dx - aside * dy, from.1 + by * dy + aside * dx);
    let tip = length - FREE;
    let head = HEAD.min(tip - FREE);
    let look = look.in_grey();
    canvas.thin_curve(look, &[along(FREE, 0.0), along(tip - head, 0.0)])?;
    let wings = [
        along(tip, 0.0),
        along(tip - head, HALF),
        along(tip - head, -HALF),
    ];
    canvas.area(&wings, GREY, 1.0)
}
