use super::canvas::{Anchor, Canvas, INK, Look, draw_svg, scale, text_width};
use super::frame::round_ticks;
use super::names;
use super::regions::regions;
use crate::base::{Error, Result, write_atomically};
use crate::evaluate::{PoseMap, short};
use plotters::style::WHITE;
use std::path::Path;

// Sizes in pixels.
const LEFT: f64 = 66.0;
const TOP: f64 = 40.0;
const WIDTH: f64 = 430.0;
const HEIGHT: f64 = 270.0;
const BELOW: f64 = 98.0;
const GAP: f64 = 22.0;
const BAR: f64 = 16.0;
const RIGHT: f64 = 96.0;

// Round angles.
const TURNS: [f64; 6] = [5.0, 10.0, 15.0, 30.0, 45.0, 90.0];

impl PoseMap {
    /// The loss over angle and shift as SVG: a field for each pose, light where the loss is high. Lines
    /// stand where the predicted class changes, and its number in each larger part; a cross marks the
    /// image as it is, a ring its [worst pose](Self::worst).
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] without a pose, or unless there is one loss and one class for each.
    pub fn to_svg(&self) -> Result<String> {
        let count = self.angles.len() * self.shifts.len();
        if count == 0 || [self.losses.len(), self.predicted.len()] != [count; 2] {
            return Err(Error::Drawing {
                what: format!("the poses of image {}", self.id),
                reason: "not one loss and one class for each pose".to_owned(),
            });
        }
        let size = (LEFT + WIDTH + GAP + BAR + RIGHT, TOP + HEIGHT + BELOW);
        draw_svg(size.0, size.1, |canvas| {
            let title = format!("Image {}, class {}", self.id, self.label);
            canvas.text(&title, (14.0, TOP / 2.0), 15.0, Anchor::Left, true)?;
            let map = Fields::of(self);
            map.draw_losses(canvas)?;
            map.draw_classes(canvas)?;
            map.draw_marks(canvas)?;
            map.draw_axes(canvas)?;
            map.draw_scale(canvas)?;
            map.draw_words(canvas)
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

// A map with the range of its losses.
struct Fields<'a> {
    map: &'a PoseMap,
    low: f64,
    high: f64,
}

// Where the values of an axis stand, from 0 to 1: in the middle of as many fields.
fn place(value: f64, low: f64, high: f64, count: usize) -> f64 {
    let at = match high > low {
        true => (value - low) / (high - low) * (count - 1) as f64,
        false => 0.0,
    };
    (at + 0.5) / count as f64
}

impl<'a> Fields<'a> {
    fn of(map: &'a PoseMap) -> Self {
        let (low, high) = (map.losses.iter()).fold((f64::MAX, f64::MIN), |(low, high), &loss| {
            (low.min(loss.into()), high.max(loss.into()))
        });
        Self { map, low, high }
    }

    fn shape(&self) -> (usize, usize) {
        (self.map.angles.len(), self.map.shifts.len())
    }

    // The corner of the field of a shift and an angle, or of what comes after the last ones.
    fn corner(&self, angle: usize, shift: usize) -> (f64, f64) {
        let (angles, shifts) = self.shape();
        (
            LEFT + WIDTH * angle as f64 / angles as f64,
            TOP + HEIGHT * (1.0 - shift as f64 / shifts as f64),
        )
    }

    fn middle(&self, at: usize) -> (f64, f64) {
        let shifts = self.shape().1;
        let (x, y) = self.corner(at / shifts, at % shifts);
        let (right, above) = self.corner(at / shifts + 1, at % shifts + 1);
        ((x + right) / 2.0, (y + above) / 2.0)
    }

    fn x(&self, angle: f64) -> f64 {
        let angles = &self.map.angles;
        LEFT + WIDTH * place(angle, angles[0].0, angles[angles.len() - 1].0, angles.len())
    }

    fn y(&self, shift: f64) -> f64 {
        let shifts = &self.map.shifts;
        let at = place(shift, shifts[0].0, shifts[shifts.len() - 1].0, shifts.len());
        TOP + HEIGHT * (1.0 - at)
    }

    fn draw_losses(&self, canvas: &Canvas) -> Result<()> {
        let (angles, shifts) = self.shape();
        for angle in 0..angles {
            for shift in 0..shifts {
                let loss = f64::from(self.map.losses[angle * shifts + shift]);
                let share = match self.high > self.low {
                    true => (loss - self.low) / (self.high - self.low),
                    false => 0.0,
                };
                let ((left, bottom), (right, top)) =
                    (self.corner(angle, shift), self.corner(angle + 1, shift + 1));
                // A little over the next fields, so that no white shines through between them.
                let right = (right + 0.5).min(LEFT + WIDTH);
                let top = (top - 0.5).max(TOP);
                let field = [(left, bottom), (right, bottom), (right, top), (left, top)];
                canvas.area(&field, scale(share), 1.0)?;
            }
        }
        Ok(())
    }

    // The sides between fields of different classes.
    fn sides(&self) -> Vec<[(f64, f64); 2]> {
        let (angles, shifts) = self.shape();
        let class = |angle: usize, shift: usize| self.map.predicted[angle * shifts + shift];
        let mut sides = Vec::new();
        for angle in 0..angles {
            for shift in 0..shifts {
                let here = class(angle, shift);
                let end = self.corner(angle + 1, shift + 1);
                if angle + 1 < angles && class(angle + 1, shift) != here {
                    sides.push([self.corner(angle + 1, shift), end]);
                }
                if shift + 1 < shifts && class(angle, shift + 1) != here {
                    sides.push([self.corner(angle, shift + 1), end]);
                }
            }
        }
        sides
    }

    fn draw_classes(&self, canvas: &Canvas) -> Result<()> {
        let (angles, shifts) = self.shape();
        let sides = self.sides();
        for side in &sides {
            canvas.line(side, WHITE, 3.4)?;
        }
        for side in &sides {
            canvas.line(side, INK, 1.4)?;
        }
        // A number where there is room for one.
        let field = WIDTH * HEIGHT / (angles * shifts) as f64;
        for part in regions(&self.map.predicted, angles, shifts) {
            if part.size as f64 * field < 500.0 {
                continue;
            }
            let (angle, shift) = part.middle;
            let (x, y) = self.middle(angle * shifts + shift);
            let name = names::class(part.value);
            let half = text_width(&name, 13.0) / 2.0 + 3.0;
            let plate = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
            let plate = plate.map(|(dx, dy)| (x + dx * half, y + dy * 9.0));
            canvas.area(&plate, WHITE, 0.8)?;
            canvas.text(&name, (x, y), 13.0, Anchor::Centre, true)?;
        }
        Ok(())
    }

    fn draw_marks(&self, canvas: &Canvas) -> Result<()> {
        let (x, y) = (self.x(0.0), self.y(0.0));
        for (colour, width, arm) in [(WHITE, 3.4, 6.5), (INK, 1.4, 5.5)] {
            canvas.line(&[(x - arm, y), (x + arm, y)], colour, width)?;
            canvas.line(&[(x, y - arm), (x, y + arm)], colour, width)?;
        }
        let (at, look) = (self.middle(self.map.worst()), Look::number(0).in_ink());
        canvas.rim(look, at, 5.6)?;
        canvas.marker(look, at, 5.6)?;
        canvas.rim(look, at, 2.4)
    }

    fn draw_axes(&self, canvas: &Canvas) -> Result<()> {
        let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
        let ends = |first: f64, last: f64, steps: &[f64]| round_ticks(first, last, steps);
        let (angles, shifts) = (&self.map.angles, &self.map.shifts);
        for tick in ends(angles[0].0, angles[angles.len() - 1].0, &TURNS) {
            let x = self.x(tick);
            canvas.tick((x, bottom), &short(tick))?;
        }
        for tick in ends(shifts[0].0, shifts[shifts.len() - 1].0, &[]) {
            let y = self.y(tick);
            canvas.line(&[(LEFT - 4.0, y), (LEFT, y)], INK, 1.0)?;
            canvas.text(&short(tick), (LEFT - 7.0, y), 12.0, Anchor::Right, false)?;
        }
        let corners = [(LEFT, TOP), (LEFT, bottom), (right, bottom), (right, TOP)];
        canvas.line(&corners, INK, 1.0)?;
        canvas.line(&[(LEFT, TOP), (right, TOP)], INK, 1.0)?;
        let middle = (LEFT + WIDTH / 2.0, bottom + 32.0);
        canvas.text("rotation (degrees)", middle, 13.0, Anchor::Centre, false)?;
        let title = format!("shift {} (pixels)", self.map.direction);
        let middle = (LEFT - 44.0, TOP + HEIGHT / 2.0);
        canvas.text(&title, middle, 13.0, Anchor::Upright, false)
    }

    fn draw_scale(&self, canvas: &Canvas) -> Result<()> {
        let (left, steps) = (LEFT + WIDTH + GAP, 64);
        let height = |share: f64| TOP + HEIGHT * (1.0 - share);
        for step in 0..steps {
            let [low, high] = [step, step + 1].map(|at| height(at as f64 / steps as f64));
            let high = (high - 0.5).max(TOP);
            let field = [
                (left, low),
                (left + BAR, low),
                (left + BAR, high),
                (left, high),
            ];
            canvas.area(&field, scale((step as f64 + 0.5) / steps as f64), 1.0)?;
        }
        let right = left + BAR;
        for tick in round_ticks(self.low, self.high, &[]) {
            let y = match self.high > self.low {
                true => height((tick - self.low) / (self.high - self.low)),
                false => height(0.0),
            };
            canvas.line(&[(right, y), (right + 4.0, y)], INK, 1.0)?;
            canvas.text(&short(tick), (right + 8.0, y), 12.0, Anchor::Left, false)?;
        }
        let middle = (right + 56.0, TOP + HEIGHT / 2.0);
        let title = format!("loss: {}", &*self.map.loss);
        canvas.text(&title, middle, 13.0, Anchor::Upright, false)
    }

    fn draw_words(&self, canvas: &Canvas) -> Result<()> {
        let worst = self.map.worst();
        let lines = [
            format!(
                "○ worst pose: {}; taken for {}, loss {}",
                names::pose(&self.map.worst_pose()),
                names::class(self.map.predicted[worst]),
                short(self.map.losses[worst].into()),
            ),
            format!(
                "+ as it is; misclassified in {} % of {} poses; {}",
                short((1000.0 * self.map.wrong()).round() / 10.0),
                self.map.predicted.len(),
                self.map.warp,
            ),
        ];
        for (line, text) in lines.iter().enumerate() {
            let at = (14.0, TOP + HEIGHT + 58.0 + 19.0 * line as f64);
            canvas.text(text, at, 12.0, Anchor::Left, false)?;
        }
        Ok(())
    }
}
