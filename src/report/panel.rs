use super::canvas::{Anchor, Canvas, GREY, INK, Look, PALE, text_width};
use crate::base::Result;
use crate::evaluate::{Family, Level, Profile, Rate, TradeOff, pareto_front};

/// One coordinate system of a [`Figure`](super::Figure): curves over the levels of a family, or
/// models in the trade-off plane. Rates are in percent, with their 95 % intervals as bars.
#[derive(Clone, Debug)]
pub struct Panel {
    x_title: String,
    y_title: String,
    pub(super) curves: Vec<Curve>,
    plane: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub label: String,
    points: Vec<Point>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    x: f64,
    y: f64,
    // Ends of the intervals along each axis.
    x_ends: (f64, f64),
    y_ends: (f64, f64),
}

impl Panel {
    /// Accuracy over the levels of a family, one curve per profile that has any.
    pub fn accuracy(family: Family, profiles: &[&Profile]) -> Self {
        Self::over(family, profiles, "accuracy (%)", |level| level.accuracy)
    }

    /// Fooling rate over the levels of a family, one curve per profile that has any.
    pub fn fooling(family: Family, profiles: &[&Profile]) -> Self {
        Self::over(family, profiles, "fooling rate (%)", |level| level.fooling)
    }

    /// Accuracy and fooling rate of one classifier over the levels of a family.
    pub fn both(family: Family, profile: &Profile) -> Self {
        let levels = profile.levels(family);
        Self {
            x_title: family.title().to_owned(),
            y_title: "share of images (%)".to_owned(),
            curves: vec![
                Curve::over("accuracy", levels, |level| level.accuracy),
                Curve::over("fooling rate", levels, |level| level.fooling),
            ],
            plane: false,
        }
    }

    /// The trade-off plane: accuracy at a level of a spatial family against accuracy under attack
    /// at a radius, one marker per profile, with the Pareto front and what it dominates.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if a profile lacks one of the two levels.
    pub fn trade_off(profiles: &[&Profile], spatial: (Family, f64), epsilon: f64) -> Result<Self> {
        let (family, value) = spatial;
        let curves = (profiles.iter())
            .map(|profile| {
                let x = profile.level(family, value)?.accuracy;
                let y = profile.level(Family::Epsilons, epsilon)?.accuracy;
                Ok(Curve {
                    label: profile.name.clone(),
                    points: vec![Point {
                        x: 100.0 * x.value,
                        y: 100.0 * y.value,
                        x_ends: ends(x),
                        y_ends: ends(y),
                    }],
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            x_title: format!("spatial accuracy at {} (%)", family.label(value)),
            y_title: format!(
                "adversarial accuracy at {} (%)",
                Family::Epsilons.label(epsilon)
            ),
            curves,
            plane: true,
        })
    }

    fn over(family: Family, profiles: &[&Profile], title: &str, rate: fn(&Level) -> Rate) -> Self {
        let curves = (profiles.iter())
            .filter(|profile| !profile.levels(family).is_empty())
            .map(|profile| Curve::over(&profile.name, profile.levels(family), rate))
            .collect();
        Self {
            x_title: family.title().to_owned(),
            y_title: title.to_owned(),
            curves,
            plane: false,
        }
    }

    /// The width and height of the coordinate system in pixels.
    pub(super) fn size(&self) -> (f64, f64) {
        // Markers all over a plane need more room than curves one above the other.
        if self.plane {
            (420.0, 360.0)
        } else {
            (300.0, 230.0)
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
        if self.plane {
            self.draw_front(canvas, &frame)?;
        }
        for (index, curve) in self.curves.iter().enumerate() {
            // Side by side, so that bars at the same level stay readable.
            let aside = if self.plane {
                0.0
            } else {
                2.4 * (index as f64 - (self.curves.len() - 1) as f64 / 2.0)
            };
            curve.draw(canvas, &frame, look(&curve.label), aside)?;
        }
        if self.plane {
            self.draw_labels(canvas, &frame)?;
        }
        Ok(())
    }

    fn points(&self) -> impl Iterator<Item = Point> + '_ {
        self.curves
            .iter()
            .flat_map(|curve| curve.points.iter().copied())
    }

    fn frame(&self, corner: (f64, f64), size: (f64, f64)) -> Frame {
        if self.plane {
            let x = percent_ticks(self.points().map(|p| p.x_ends));
            let y = percent_ticks(self.points().map(|p| p.y_ends));
            return Frame::new(corner, size, x, y);
        }
        let mut levels: Vec<f64> = self.points().map(|point| point.x).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        Frame::new(
            corner,
            size,
            levels,
            percent_ticks([(0.0, 100.0)].into_iter()),
        )
    }

    fn draw_axes(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        let (bottom, left) = (frame.top + frame.height, frame.left);
        for &tick in &frame.y_ticks {
            let (_, y) = frame.place(frame.x.0, tick);
            canvas.line(&[(left, y), (left + frame.width, y)], PALE, 1.0)?;
            canvas.text(
                &short(tick),
                (left - 7.0, y),
                12.0,
                Anchor::Right,
                INK,
                false,
            )?;
        }
        let mut free_from = f64::NEG_INFINITY;
        for &tick in &frame.x_ticks {
            let (x, _) = frame.place(tick, frame.y.0);
            if self.plane {
                canvas.line(&[(x, frame.top), (x, bottom)], PALE, 1.0)?;
            }
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], INK, 1.0)?;
            let half = text_width(&short(tick), 12.0) / 2.0;
            if x - half >= free_from {
                canvas.text(
                    &short(tick),
                    (x, bottom + 14.0),
                    12.0,
                    Anchor::Centre,
                    INK,
                    false,
                )?;
                free_from = x + half + 5.0;
            }
        }
        let corner = [
            (left, frame.top),
            (left, bottom),
            (left + frame.width, bottom),
        ];
        canvas.line(&corner, INK, 1.0)?;
        let middle = (left + frame.width / 2.0, bottom + 34.0);
        canvas.text(&self.x_title, middle, 13.0, Anchor::Centre, INK, false)?;
        let middle = (left - 44.0, frame.top + frame.height / 2.0);
        canvas.upright_text(&self.y_title, middle, 13.0, INK)
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
            let TradeOff {
                spatial,
                adversarial,
            } = points[at];
            stairs.push(frame.place(left, adversarial));
            stairs.push(frame.place(spatial, adversarial));
            left = spatial;
        }
        stairs.push(frame.place(left, frame.y.0));
        let mut dominated = stairs.clone();
        dominated.push(frame.place(frame.x.0, frame.y.0));
        canvas.area(&dominated, GREY, 0.08)?;
        canvas.dashed(&stairs, GREY, 1.2)
    }

    // A name beside each marker where there is room for it; the legend names them all.
    fn draw_labels(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        let centres: Vec<(f64, f64)> = self.points().map(|p| frame.place(p.x, p.y)).collect();
        let mut taken = Vec::new();
        for (point, &(x, y)) in self.points().zip(&centres) {
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
        for ((curve, point), &(x, y)) in self.curves.iter().zip(self.points()).zip(&centres) {
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
                canvas.text(&curve.label, centre, 11.0, Anchor::Centre, INK, false)?;
                taken.push(area);
            }
        }
        Ok(())
    }
}

impl Curve {
    fn over(label: &str, levels: &[Level], rate: fn(&Level) -> Rate) -> Self {
        let points = (levels.iter())
            .map(|level| Point {
                x: level.value,
                y: 100.0 * rate(level).value,
                x_ends: (level.value, level.value),
                y_ends: ends(rate(level)),
            })
            .collect();
        Self {
            label: label.to_owned(),
            points,
        }
    }

    fn draw(&self, canvas: &Canvas, frame: &Frame, look: Look, aside: f64) -> Result<()> {
        let place = |x, y| {
            let (x, y) = frame.place(x, y);
            (x + aside, y)
        };
        let points: Vec<_> = self.points.iter().map(|p| place(p.x, p.y)).collect();
        if points.len() > 1 {
            canvas.line(&points, look.colour, 2.0)?;
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

// The radius of a marker in pixels.
const MARKER: f64 = 4.0;

// A coordinate system on the page.
struct Frame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    x: (f64, f64),
    y: (f64, f64),
    x_ticks: Vec<f64>,
    y_ticks: Vec<f64>,
}

impl Frame {
    fn new(
        (left, top): (f64, f64),
        (width, height): (f64, f64),
        x_ticks: Vec<f64>,
        y_ticks: Vec<f64>,
    ) -> Self {
        let span = |ticks: &[f64]| match ticks {
            [] => (0.0, 1.0),
            [only] => (only - 1.0, only + 1.0),
            [low, .., high] => (*low, *high),
        };
        Self {
            left,
            top,
            width,
            height,
            x: span(&x_ticks),
            y: span(&y_ticks),
            x_ticks,
            y_ticks,
        }
    }

    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        // Markers at the ends stay clear of the axes.
        let inset = 12.0;
        let part = |value, (low, high): (f64, f64)| (value - low) / (high - low);
        (
            self.left + inset + (self.width - 2.0 * inset) * part(x, self.x),
            self.top + self.height - self.height * part(y, self.y),
        )
    }
}

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

fn ends(rate: Rate) -> (f64, f64) {
    (100.0 * rate.interval.low, 100.0 * rate.interval.high)
}

// Round percentages around these intervals: at most 100, about five steps.
fn percent_ticks(intervals: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let (low, high) = intervals.fold((f64::MAX, f64::MIN), |(low, high), interval| {
        (low.min(interval.0), high.max(interval.1))
    });
    if low > high {
        return vec![0.0, 100.0];
    }
    let step = [2.0, 5.0, 10.0, 20.0]
        .into_iter()
        .find(|step| (high - low) / step <= 5.0)
        .unwrap_or(20.0);
    let first = (low / step).floor().max(0.0) as u32;
    let last = ((high / step).ceil() as u32).max(first + 1);
    (first..=last).map(|k| f64::from(k) * step).collect()
}

// A number without the tail of digits that 8/255 has.
fn short(value: f64) -> String {
    crate::evaluate::short(value)
}
