use super::canvas::{Anchor, Canvas, GREY, INK, Look, PALE, text_width};
use super::course::Course;
use super::curve::{Curve, Point};
use super::frame::{Frame, percent_ticks, rising_ticks};
use super::labels::draw_labels;
use super::plane::Lines;
use super::stairs::Scale;
use crate::base::{Error, Result};
use crate::evaluate::{
    self, At, Estimand, Profile, Rate, TradeOff, pareto_front, short, short_level,
};

/// One coordinate system of a [`Figure`](super::Figure): curves along an axis, or
/// models in the trade-off plane. Rates are in percent, with their 95 % intervals as bars.
#[derive(Clone, Debug)]
pub struct Panel {
    x_title: String,
    y_title: String,
    pub(super) curves: Vec<Curve>,
    kind: Kind,
    pub(super) lines: Lines,
    course: Course,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    // Levels of an axis.
    Levels,
    // Levels of an axis with numbers that are no shares.
    Numbers,
    // The plane of two shares, with arrows.
    Course,
    // The trade-off plane.
    Plane,
    // The plane of two accuracies from 0 to 100 %, with lines of its own.
    Whole,
    // Curves that fall in steps.
    Stairs(Scale),
}

impl Panel {
    /// Accuracy along the axis of this name, one curve per profile that was measured along it.
    pub fn accuracy(axis: &str, profiles: &[&Profile]) -> Self {
        Self::over(axis, profiles, "accuracy (%)", |point| point.accuracy)
    }

    /// Fooling rate along the axis of this name, one curve per profile that was measured along it.
    pub fn fooling(axis: &str, profiles: &[&Profile]) -> Self {
        Self::over(axis, profiles, "fooling rate (%)", |point| point.fooling)
    }

    /// Accuracy and fooling rate of one classifier along an axis.
    pub fn both(curve: &evaluate::Curve) -> Self {
        let accuracy = Curve::over("accuracy", &curve.points, |point| point.accuracy);
        let fooling = Curve::over("fooling rate", &curve.points, |point| point.fooling);
        Self::new(
            &curve.title,
            "share of images (%)",
            [accuracy, fooling].concat(),
        )
    }

    /// The trade-off plane: accuracy at a level of a spatial axis against accuracy at a level of an
    /// adversarial one, one marker per profile, with the Pareto front and what it dominates.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if a profile lacks one of the two levels.
    pub fn trade_off(
        profiles: &[&Profile],
        spatial: impl Into<At>,
        adversarial: impl Into<At>,
    ) -> Result<Self> {
        let named = profiles
            .iter()
            .map(|&profile| (profile.name.clone(), profile));
        Self::named_trade_off(&Vec::from_iter(named), spatial, adversarial)
    }

    /// The same by names of their own.
    pub(super) fn named_trade_off(
        named: &[(String, &Profile)],
        spatial: impl Into<At>,
        adversarial: impl Into<At>,
    ) -> Result<Self> {
        let (spatial, adversarial) = (spatial.into(), adversarial.into());
        let curves = (named.iter())
            .map(|(name, profile)| {
                let x = profile.at(spatial.clone())?.accuracy;
                let y = profile.at(adversarial.clone())?.accuracy;
                Ok(Curve {
                    label: name.clone(),
                    points: vec![Point::between(x, y)],
                })
            })
            .collect::<Result<_>>()?;
        let profiles = Vec::from_iter(named.iter().map(|(_, profile)| *profile));
        let x = format!("spatial accuracy at {} (%)", said(&spatial, &profiles));
        let y = format!(
            "adversarial accuracy at {} (%)",
            said(&adversarial, &profiles)
        );
        Ok(Self::front(&x, &y, curves))
    }

    /// Markers in the plane of two shares, with their Pareto front.
    pub(super) fn front(x_title: &str, y_title: &str, curves: Vec<Curve>) -> Self {
        Self {
            kind: Kind::Plane,
            ..Self::new(x_title, y_title, curves)
        }
    }

    /// Of a plane the curves that are within so many points of the best in both, if they are a group, of
    /// three or more, and not all.
    pub(super) fn near_the_best(&self, within: f64) -> Option<Self> {
        let best = |of: fn(Point) -> f64| self.points().map(of).fold(f64::NEG_INFINITY, f64::max);
        let (x, y) = (best(|point| point.x), best(|point| point.y));
        let near = |point: &Point| point.x >= x - within && point.y >= y - within;
        let curves = self
            .curves
            .iter()
            .filter(|curve| curve.points.iter().all(near));
        let curves = Vec::from_iter(curves.cloned());
        (curves.len() >= 3 && curves.len() < self.curves.len()).then(|| Self {
            curves,
            ..self.clone()
        })
    }

    /// An estimand along the axis of this name, one curve for each profile that was measured along it.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if none was, or its levels have several parts.
    pub(super) fn of_estimand(
        estimand: Estimand,
        axis: &str,
        named: &[(String, &Profile)],
    ) -> Result<Self> {
        let measured =
            (named.iter()).filter_map(|(name, profile)| Some((name, profile.curve(axis).ok()?)));
        let measured = Vec::from_iter(measured);
        let Some((_, first)) = measured.first() else {
            let expected = "an axis that one of them was measured along";
            return Err(Error::setting("axis", axis, expected));
        };
        let points = || measured.iter().flat_map(|(_, curve)| &curve.points);
        let single = points().all(|point| point.level.parts().len() == 1);
        Error::unless(single, "axis", axis, "one whose levels are single numbers")?;
        let curves = (measured.iter())
            .flat_map(|(name, curve)| Curve::of_estimand(name, &curve.points, estimand))
            .collect();
        let title = match estimand {
            Estimand::Gap => "accuracy lost (points)".to_owned(),
            Estimand::FoolingOfRight => "fooling rate of those right (%)".to_owned(),
            other => format!("{other} (%)"),
        };
        let panel = Self::new(&first.title, &title, curves);
        Ok(match estimand {
            Estimand::Gap => panel.freely(),
            _ => panel,
        })
    }

    fn over(
        axis: &str,
        profiles: &[&Profile],
        title: &str,
        rate: fn(&evaluate::Point) -> Rate,
    ) -> Self {
        let measured = (profiles.iter())
            .filter_map(|profile| Some((&profile.name, profile.curve(axis).ok()?)));
        let curves = (measured.clone())
            .flat_map(|(name, curve)| Curve::over(name, &curve.points, rate))
            .collect();
        let first = measured.map(|(_, curve)| &*curve.title).next();
        Self::new(first.unwrap_or(axis), title, curves)
    }

    fn new(x_title: &str, y_title: &str, curves: Vec<Curve>) -> Self {
        Self {
            x_title: x_title.to_owned(),
            y_title: y_title.to_owned(),
            curves,
            kind: Kind::Levels,
            lines: Lines::default(),
            course: Course::default(),
        }
    }

    /// Curves over levels.
    pub(super) fn levels(x_title: &str, y_title: &str, curves: Vec<Curve>) -> Self {
        Self::new(x_title, y_title, curves)
    }

    /// Upwards not from 0 to 100 %, but as far as the numbers go.
    pub(super) fn freely(self) -> Self {
        Self {
            kind: Kind::Numbers,
            ..self
        }
    }

    /// Markers in the plane of two shares, with arrows from one to another, and smaller markers.
    pub(super) fn course(x_title: &str, y_title: &str, curves: Vec<Curve>, course: Course) -> Self {
        Self {
            kind: Kind::Course,
            course,
            ..Self::new(x_title, y_title, curves)
        }
    }

    /// Markers in a plane from 0 to 100 % both ways.
    pub(super) fn whole_plane(x_title: &str, y_title: &str, curves: Vec<Curve>) -> Self {
        Self {
            kind: Kind::Whole,
            ..Self::new(x_title, y_title, curves)
        }
    }

    /// Curves that fall in steps, with their intervals as bands.
    pub(super) fn stairs(x_title: &str, y_title: &str, scale: Scale, curves: Vec<Curve>) -> Self {
        Self {
            kind: Kind::Stairs(scale),
            ..Self::new(x_title, y_title, curves)
        }
    }

    /// Whether it is a plane from 0 to 100 % both ways.
    pub(super) fn is_whole_plane(&self) -> bool {
        self.kind == Kind::Whole
    }

    /// The width and height of the coordinate system in pixels.
    pub(super) fn size(&self) -> (f64, f64) {
        // Markers all over a plane need more room than curves one above the other.
        match self.kind {
            Kind::Plane | Kind::Course | Kind::Whole => (420.0, 360.0),
            Kind::Levels | Kind::Numbers | Kind::Stairs(_) => (300.0, 230.0),
        }
    }

    pub(super) fn draw(
        &self,
        canvas: &Canvas,
        corner: (f64, f64),
        look: impl Fn(&str) -> Look,
    ) -> Result<()> {
        let frame = self.frame(corner, self.size());
        self.draw_axes(canvas, &frame)?;
        if let Kind::Stairs(scale) = self.kind {
            for curve in &self.curves {
                curve.draw_stairs(canvas, &frame, look(&curve.label), scale)?;
            }
            return Ok(());
        }
        match self.kind {
            Kind::Plane => self.draw_front(canvas, &frame)?,
            Kind::Whole => self.lines.draw(canvas, &frame)?,
            Kind::Course => self.course.draw(&self.curves, canvas, &frame, &look)?,
            Kind::Levels | Kind::Numbers | Kind::Stairs(_) => {}
        }
        for (index, curve) in self.curves.iter().enumerate() {
            // Side by side, so that bars at the same level stay readable.
            let aside = match self.kind {
                Kind::Plane | Kind::Course | Kind::Whole => 0.0,
                Kind::Levels | Kind::Numbers | Kind::Stairs(_) => {
                    // The bars of very many would leave their level.
                    let apart = 2.4_f64.min(16.8 / (self.curves.len() - 1).max(1) as f64);
                    apart * (index as f64 - (self.curves.len() - 1) as f64 / 2.0)
                }
            };
            curve.draw(canvas, &frame, look(&curve.label), aside)?;
        }
        // The looks of a whole plane tell more than names between its markers.
        if self.kind == Kind::Plane {
            draw_labels(&self.curves, canvas, &frame)?;
        }
        Ok(())
    }

    fn points(&self) -> impl Iterator<Item = Point> + '_ {
        let points = self.curves.iter().flat_map(|curve| &curve.points);
        points.copied()
    }

    fn frame(&self, corner: (f64, f64), size: (f64, f64)) -> Frame {
        let percent = percent_ticks([(0.0, 100.0)].into_iter());
        let levels = match self.kind {
            Kind::Plane | Kind::Course => {
                let small = || self.course.small.iter().flat_map(|curve| &curve.points);
                let points = || self.points().chain(small().copied());
                let x = percent_ticks(points().map(|p| p.x_ends));
                let y = percent_ticks(points().map(|p| p.y_ends));
                return Frame::new(corner, size, x, y);
            }
            Kind::Whole => percent.clone(),
            Kind::Stairs(scale) => scale.ticks(self.points().map(|point| point.x)),
            Kind::Levels | Kind::Numbers => {
                let mut levels: Vec<f64> = self.points().map(|point| point.x).collect();
                levels.sort_by(f64::total_cmp);
                levels.dedup();
                levels
            }
        };
        if self.kind != Kind::Numbers {
            return Frame::new(corner, size, levels, percent);
        }
        let ends = || self.points().map(|point| point.y_ends);
        let mut frame = Frame::new(corner, size, levels, rising_ticks(ends()));
        // An interval may end below the lowest tick.
        frame.y.0 = ends().map(|(low, _)| low).fold(frame.y.0, f64::min);
        frame
    }

    fn draw_axes(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        let (bottom, left) = (frame.top + frame.height, frame.left);
        for &tick in &frame.y_ticks {
            let (_, y) = frame.place(frame.x.0, tick);
            canvas.line(&[(left, y), (left + frame.width, y)], PALE, 1.0)?;
            canvas.text(&short(tick), (left - 7.0, y), 12.0, Anchor::Right, false)?;
        }
        let mut free_from = f64::NEG_INFINITY;
        for &tick in &frame.x_ticks {
            let (x, _) = frame.place(tick, frame.y.0);
            if !matches!(self.kind, Kind::Levels | Kind::Numbers) {
                canvas.line(&[(x, frame.top), (x, bottom)], PALE, 1.0)?;
            }
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], INK, 1.0)?;
            let value = match self.kind {
                Kind::Stairs(scale) => scale.value(tick),
                Kind::Levels | Kind::Numbers | Kind::Plane | Kind::Course | Kind::Whole => tick,
            };
            let (label, below) = (short_level(value), (x, bottom + 14.0));
            let half = text_width(&label, 12.0) / 2.0;
            if x - half >= free_from {
                canvas.text(&label, below, 12.0, Anchor::Centre, false)?;
                free_from = x + half + 5.0;
            }
        }
        let right = (left + frame.width, bottom);
        canvas.line(&[(left, frame.top), (left, bottom), right], INK, 1.0)?;
        let middle = (left + frame.width / 2.0, bottom + 34.0);
        canvas.text(&self.x_title, middle, 13.0, Anchor::Centre, false)?;
        let middle = (left - 44.0, frame.top + frame.height / 2.0);
        canvas.text(&self.y_title, middle, 13.0, Anchor::Upright, false)
    }

    fn draw_front(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        let points: Vec<TradeOff> = (self.points())
            .map(|point| TradeOff {
                spatial: point.x,
                adversarial: point.y,
            })
            .collect();
        let mut stairs = Vec::new();
        let mut left = frame.x.0;
        for at in pareto_front(&points) {
            let point = points[at];
            stairs.push(frame.place(left, point.adversarial));
            stairs.push(frame.place(point.spatial, point.adversarial));
            left = point.spatial;
        }
        stairs.push(frame.place(left, frame.y.0));
        let mut dominated = stairs.clone();
        dominated.push(frame.place(frame.x.0, frame.y.0));
        canvas.area(&dominated, GREY, 0.08)?;
        canvas.dashed(&stairs, GREY, 1.2)
    }
}

/// A level as its axis says it, where one of these was measured along it.
pub(super) fn said(at: &At, profiles: &[&Profile]) -> String {
    let axes = evaluate::axes(profiles);
    let curve = axes.iter().find(|curve| curve.axis == at.axis);
    curve.map_or_else(|| at.level.to_string(), |curve| curve.label_at(&at.level))
}
