use super::canvas::{Anchor, Canvas, INK, draw_svg, scale, text_width};
use crate::base::{Error, Result, write_atomically};
use crate::evaluate::{Estimand, SurfaceMap, short, short_level};
use plotters::style::WHITE;
use std::path::Path;

// Sizes in pixels.
const LEFT: f64 = 96.0;
const TOP: f64 = 44.0;
const CELL: (f64, f64) = (72.0, 40.0);
const BELOW: f64 = 96.0;
const GAP: f64 = 22.0;
const BAR: f64 = 16.0;
const RIGHT: f64 = 84.0;

impl SurfaceMap {
    /// The surface as a heat map in SVG: radii to the right, poses upwards, in each field the share in
    /// percent, light where it is high; below it the volume. Fields are drawn alike, whatever the steps
    /// between levels are.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] if there is no field, not one for each pose and radius, or no such estimand.
    pub fn to_svg(&self, estimand: Estimand) -> Result<String> {
        let failed = |reason: &str| Error::Drawing {
            what: format!("the surface of {}", self.profile.name),
            reason: reason.to_owned(),
        };
        let points = match &self.profile.curves[..] {
            [curve] => &curve.points,
            _ => return Err(failed("not one curve")),
        };
        let count = self.poses.len() * self.radii.len();
        if count == 0 || points.len() != count {
            return Err(failed("not one field for each pose and radius"));
        }
        let shares = points.iter().map(|point| estimand.of(point));
        let shares = shares.map(|share| share.map(|(share, _)| share));
        let shares = shares.collect::<Option<Vec<f64>>>();
        let shares = shares.ok_or_else(|| failed(&format!("no {estimand} was measured")))?;
        let fields = Fields {
            map: self,
            shares,
            estimand,
        };
        let (wide, tall) = fields.size();
        let words = fields.words();
        let longest = words.iter().map(|line| text_width(line, 12.0));
        let title = text_width(&fields.title(), 15.0);
        let least = longest.fold(title, f64::max) + 28.0;
        let size = (
            (LEFT + wide + GAP + BAR + RIGHT).max(least),
            TOP + tall + BELOW,
        );
        draw_svg(size.0, size.1, |canvas| {
            canvas.text(&fields.title(), (14.0, TOP / 2.0), 15.0, Anchor::Left, true)?;
            fields.draw_fields(canvas)?;
            fields.draw_axes(canvas)?;
            fields.draw_scale(canvas)?;
            for (line, text) in words.iter().enumerate() {
                let at = (14.0, TOP + tall + 60.0 + 19.0 * line as f64);
                canvas.text(text, at, 12.0, Anchor::Left, false)?;
            }
            Ok(())
        })
    }

    /// Writes the [heat map](Self::to_svg) of accuracy, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`to_svg`](Self::to_svg), and [`Error::Io`], naming the path.
    pub fn plot_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_svg(Estimand::Accuracy)?.as_bytes())
    }
}

struct Fields<'a> {
    map: &'a SurfaceMap,
    shares: Vec<f64>,
    estimand: Estimand,
}

impl Fields<'_> {
    fn size(&self) -> (f64, f64) {
        (
            CELL.0 * self.map.radii.len() as f64,
            CELL.1 * self.map.poses.len() as f64,
        )
    }

    fn title(&self) -> String {
        format!("{}: {} (%)", self.map.profile.name, self.estimand)
    }

    fn draw_fields(&self, canvas: &Canvas) -> Result<()> {
        let radii = self.map.radii.len();
        let (wide, tall) = self.size();
        for (at, &share) in self.shares.iter().enumerate() {
            let (pose, radius) = (at / radii, at % radii);
            let left = LEFT + CELL.0 * radius as f64;
            let bottom = TOP + tall - CELL.1 * pose as f64;
            // A little over the next fields, so that no white shines through between them.
            let right = (left + CELL.0 + 0.5).min(LEFT + wide);
            let top = (bottom - CELL.1 - 0.5).max(TOP);
            let field = [(left, bottom), (right, bottom), (right, top), (left, top)];
            canvas.area(&field, scale(share), 1.0)?;
            let middle = (left + CELL.0 / 2.0, bottom - CELL.1 / 2.0);
            let text = format!("{:.1}", 100.0 * share);
            let colour = if share < 0.6 { WHITE } else { INK };
            canvas.coloured_text(&text, middle, 13.0, colour)?;
        }
        Ok(())
    }

    fn draw_axes(&self, canvas: &Canvas) -> Result<()> {
        let (wide, tall) = self.size();
        let bottom = TOP + tall;
        for (at, &radius) in self.map.radii.iter().enumerate() {
            let x = LEFT + CELL.0 * (at as f64 + 0.5);
            let at = (x, bottom + 13.0);
            canvas.text(&short_level(radius), at, 12.0, Anchor::Centre, false)?;
        }
        for (at, pose) in self.map.poses.iter().enumerate() {
            let y = bottom - CELL.1 * (at as f64 + 0.5);
            let parts = pose.parts().iter().zip(["°", " px"]);
            let still = self.never_moved();
            let parts = parts.enumerate().filter(|(part, _)| !still.contains(part));
            let parts = parts.map(|(_, (value, unit))| format!("±{}{unit}", short(*value)));
            let label = Vec::from_iter(parts).join(" ");
            canvas.text(&label, (LEFT - 8.0, y), 12.0, Anchor::Right, false)?;
        }
        let corners = [
            (LEFT, TOP),
            (LEFT, bottom),
            (LEFT + wide, bottom),
            (LEFT + wide, TOP),
            (LEFT, TOP),
        ];
        canvas.line(&corners, INK, 1.0)?;
        let middle = (LEFT + wide / 2.0, bottom + 33.0);
        canvas.text("attack radius ε", middle, 13.0, Anchor::Centre, false)?;
        let middle = (16.0, TOP + tall / 2.0);
        canvas.text("pose up to", middle, 13.0, Anchor::Upright, false)
    }

    // Parts of poses that are always 0, unless all are.
    fn never_moved(&self) -> Vec<usize> {
        let parts = self.map.poses[0].parts().len();
        let still = |part: &usize| self.map.poses.iter().all(|p| p.parts()[*part] == 0.0);
        let still = Vec::from_iter((0..parts).filter(still));
        match still.len() == parts {
            true => Vec::from_iter(1..parts),
            false => still,
        }
    }

    fn draw_scale(&self, canvas: &Canvas) -> Result<()> {
        let (wide, tall) = self.size();
        let (left, steps) = (LEFT + wide + GAP, 64);
        let height = |share: f64| TOP + tall * (1.0 - share);
        for step in 0..steps {
            let [low, high] = [step, step + 1].map(|at| height(f64::from(at) / f64::from(steps)));
            let high = (high - 0.5).max(TOP);
            let right = left + BAR;
            let field = [(left, low), (right, low), (right, high), (left, high)];
            canvas.area(
                &field,
                scale((f64::from(step) + 0.5) / f64::from(steps)),
                1.0,
            )?;
        }
        let right = left + BAR;
        for tick in [0.0, 0.5, 1.0] {
            let y = height(tick);
            canvas.line(&[(right, y), (right + 4.0, y)], INK, 1.0)?;
            let at = (right + 8.0, y);
            canvas.text(
                &format!("{} %", 100.0 * tick),
                at,
                12.0,
                Anchor::Left,
                false,
            )?;
        }
        Ok(())
    }

    fn words(&self) -> [String; 2] {
        let volume = &self.map.volume;
        let volume = match self.estimand {
            Estimand::Accuracy => volume.accuracy.to_string(),
            Estimand::Fooling => volume.fooling.to_string(),
            Estimand::Gap => format!("{} points", volume.gap),
            Estimand::FoolingOfRight => {
                let rate = volume.fooling_of_right;
                rate.map_or_else(|| "–".to_owned(), |rate| rate.to_string())
            }
        };
        let data = &self.map.profile.data;
        [
            format!("mean over the surface: {volume}; {} images", data.images),
            self.map.profile.curves[0].threat.clone(),
        ]
    }
}
