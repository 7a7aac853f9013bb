use super::canvas::{Anchor, Canvas, GREY, Look, PALE, draw_svg, text_width};
use super::curve::{Curve, Point};
use crate::base::{Error, Result, write_atomically};
use crate::evaluate::{self, Profile};
use std::path::Path;

// Sizes in pixels.
const RADIUS: f64 = 190.0;
const AROUND: f64 = 46.0;
const TITLE: f64 = 40.0;
const BELOW: f64 = 34.0;
const LEGEND: f64 = 24.0;
const LEGEND_LINE: f64 = 21.0;
// More markers than this would hide the curve.
const MARKERS: usize = 40;

/// Accuracy by the angle of a rotation, all around: 0° is above, angles grow counter-clockwise as the
/// images turn, accuracy from 0 at the centre to 100 % at the rim; bands are 95 % intervals.
///
/// A network over p4 has four equal quarters, and a plain one a lobe about 0°.
///
/// ```
/// use fireproof::base::{Degrees, Result};
/// use fireproof::evaluate::{Axis, Evaluation, Profile};
/// use fireproof::report::PolarPlot;
///
/// let around = (0..24).map(|at| Degrees(15.0 * f64::from(at)));
/// let evaluation = Evaluation::new().with_axis(Axis::rotations(around));
///
/// fn plot(profiles: &[&Profile]) -> Result<String> {
///     PolarPlot::accuracy("rotations", profiles)?.to_svg()
/// }
/// # let _ = (evaluation, plot);
/// ```
#[derive(Clone, Debug)]
pub struct PolarPlot {
    title: String,
    // What happened to the images.
    words: String,
    curves: Vec<Curve>,
}

impl PolarPlot {
    /// Accuracy along the axis of this name, whose levels are angles in degrees
    /// ([`Axis::rotations`](evaluate::Axis::rotations)); one curve for each profile that was measured
    /// along it.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if none was, or if a level is not one number.
    pub fn accuracy(axis: &str, profiles: &[&Profile]) -> Result<Self> {
        Self::over(axis, profiles, "accuracy (%)", |point| point.accuracy)
    }

    /// The same of the fooling rate.
    ///
    /// # Errors
    ///
    /// As [`accuracy`](Self::accuracy).
    pub fn fooling(axis: &str, profiles: &[&Profile]) -> Result<Self> {
        Self::over(axis, profiles, "fooling rate (%)", |point| point.fooling)
    }

    fn over(
        axis: &str,
        profiles: &[&Profile],
        title: &str,
        rate: fn(&evaluate::Point) -> evaluate::Rate,
    ) -> Result<Self> {
        let measured = (profiles.iter())
            .filter_map(|profile| Some((&profile.name, profile.curve(axis).ok()?)));
        let measured = Vec::from_iter(measured);
        let Some((_, first)) = measured.first() else {
            let expected = "an axis that one of the profiles was measured along";
            return Err(Error::setting("axis", axis, expected));
        };
        let levels = measured.iter().flat_map(|(_, curve)| &curve.points);
        for point in levels {
            let single = point.level.parts().len() == 1;
            let expected = "one angle in degrees";
            let name = format_args!("level of {axis}");
            Error::unless(single, name, &point.level, expected)?;
        }
        let curves = measured
            .iter()
            .flat_map(|(name, curve)| Curve::over(name, &curve.points, rate));
        Ok(Self {
            title: title.to_owned(),
            words: first.threat.clone(),
            curves: curves.collect(),
        })
    }

    /// With another title than the rate's name.
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The plot as SVG.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] if drawing fails.
    pub fn to_svg(&self) -> Result<String> {
        let names = self.curves.iter().map(|curve| &*curve.label);
        let longest = (names.map(|name| text_width(name, 12.5))).fold(0.0, f64::max);
        let side = 2.0 * (RADIUS + AROUND);
        let words = text_width(&self.words, 12.0) + 28.0;
        let wide = (side + LEGEND + longest + 24.0).max(words);
        let legend = LEGEND_LINE * self.curves.len() as f64;
        let tall = TITLE + side.max(legend) + BELOW;
        draw_svg(wide, tall, |canvas| {
            let at = (14.0, TITLE / 2.0 + 3.0);
            canvas.text(&self.title, at, 15.0, Anchor::Left, true)?;
            draw_rings(canvas)?;
            for (number, curve) in self.curves.iter().enumerate() {
                draw_curve(canvas, curve, Look::number(number))?;
            }
            for (line, curve) in self.curves.iter().enumerate() {
                let (y, look) = (
                    TITLE + AROUND / 2.0 + LEGEND_LINE * line as f64,
                    Look::number(line),
                );
                canvas.curve(look, &[(side, y), (side + LEGEND, y)])?;
                canvas.marker(look, (side + LEGEND / 2.0, y), 4.0)?;
                let at = (side + LEGEND + 8.0, y);
                canvas.text(&curve.label, at, 12.5, Anchor::Left, false)?;
            }
            let at = (14.0, tall - BELOW / 2.0);
            canvas.text(&self.words, at, 12.0, Anchor::Left, false)
        })
    }

    /// Writes [`to_svg`](Self::to_svg) to a file, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`to_svg`](Self::to_svg), and [`Error::Io`], naming the path.
    pub fn plot_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_svg()?.as_bytes())
    }
}

// Where a rate in percent at an angle stands.
fn place(degrees: f64, percent: f64) -> (f64, f64) {
    let centre = (RADIUS + AROUND, TITLE + RADIUS + AROUND);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let radius = RADIUS * percent / 100.0;
    (centre.0 - radius * sin, centre.1 - radius * cos)
}

fn draw_rings(canvas: &Canvas) -> Result<()> {
    for ring in 1..=4 {
        let percent = 25.0 * f64::from(ring);
        let circle = Vec::from_iter((0..=120).map(|at| place(3.0 * f64::from(at), percent)));
        let (colour, width) = if ring == 4 { (GREY, 1.2) } else { (PALE, 1.0) };
        canvas.line(&circle, colour, width)?;
    }
    for at in 0..12 {
        let angle = 30.0 * f64::from(at);
        canvas.line(&[place(angle, 0.0), place(angle, 100.0)], PALE, 1.0)?;
        let beyond = 100.0 * (RADIUS + 23.0) / RADIUS;
        let label = format!("{angle}°");
        canvas.text(&label, place(angle, beyond), 12.0, Anchor::Centre, false)?;
    }
    // Between two spokes, so that no line goes through.
    for ring in 1..=4 {
        let percent = 25 * ring;
        let at = place(-15.0, f64::from(percent));
        canvas.text(&percent.to_string(), at, 11.0, Anchor::Centre, false)?;
    }
    Ok(())
}

fn draw_curve(canvas: &Canvas, curve: &Curve, look: Look) -> Result<()> {
    let mut points = curve.points.clone();
    if goes_around(&points) {
        points.push(points[0]);
    }
    let line = |height: fn(&Point) -> f64| {
        let along = points.iter().map(|point| place(point.x, height(point)));
        Vec::from_iter(along)
    };
    let mut band = line(|point| point.y_ends.1);
    band.extend(line(|point| point.y_ends.0).into_iter().rev());
    canvas.area(&band, look.colour, 0.15)?;
    let line = line(|point| point.y);
    if line.len() > 1 {
        canvas.curve(look, &line)?;
    }
    if curve.points.len() <= MARKERS {
        for &at in &line {
            canvas.rim(look, at, 3.0)?;
            canvas.marker(look, at, 3.0)?;
        }
    }
    Ok(())
}

// Whether the gap between the last angle and the first is none that the others do not have as well.
fn goes_around(points: &[Point]) -> bool {
    let gap = |[a, b]: &[Point; 2]| b.x - a.x;
    let widest = points.array_windows().map(gap).fold(0.0, f64::max);
    match points {
        [first, .., last] => 360.0 - (last.x - first.x) <= 1.01 * widest,
        _ => false,
    }
}
