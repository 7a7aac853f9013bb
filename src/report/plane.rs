use super::Panel;
use super::canvas::{Anchor, Canvas, GREY, INK};
use super::curve::{Curve, Point};
use super::frame::Frame;
use crate::base::Result;
use crate::evaluate::Rate;
use crate::theory::Setting;

/// What a plane shows besides markers: pairs from 0 to 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    /// What no marker can be above.
    limit: Vec<[f64; 2]>,
    named: Vec<(String, Vec<[f64; 2]>)>,
}

impl Panel {
    /// Classifiers in the plane of two accuracies, each from 0 to 100 %: name, accuracy to the right,
    /// accuracy upwards.
    pub fn plane(
        x_title: impl AsRef<str>,
        y_title: impl AsRef<str>,
        classifiers: &[(&str, Rate, Rate)],
    ) -> Self {
        let curve = |&(label, x, y): &(&str, Rate, Rate)| Curve {
            label: label.to_owned(),
            points: vec![Point::between(x, y)],
        };
        let curves = classifiers.iter().map(curve).collect();
        Self::whole_plane(x_title.as_ref(), y_title.as_ref(), curves)
    }

    /// Rules of a statistical setting, by name with S and R, under what the setting proves of every
    /// classifier whatever at this radius.
    ///
    /// ```
    /// use fireproof::evaluate::Rate;
    /// use fireproof::report::{Figure, Panel};
    /// use fireproof::theory::SignFeature;
    ///
    /// let setting = SignFeature::new(100, 0.95, 0.2)?;
    /// let mean = ("mean", Rate::of(983, 1000), Rate::of(29, 1000));
    /// let panel = Panel::under(&setting, 0.4, &[mean]).with_line("best", &setting.frontier(50)?);
    /// let svg = Figure::new("Setting A").with_row("", [panel]).to_svg()?;
    /// assert!(svg.contains("no classifier is here"));
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub fn under(setting: &dyn Setting, epsilon: f64, rules: &[(&str, Rate, Rate)]) -> Self {
        let (x, y) = (
            "S: accuracy under random shifts (%)",
            "R: attacked, then shifted (%)",
        );
        let mut panel = Self::plane(x, y, rules);
        let steps = 0..=200;
        let pair = |k: i32| {
            let spatial = f64::from(k) / 200.0;
            [spatial, setting.bound(spatial, epsilon)]
        };
        panel.lines.limit = steps.map(pair).collect();
        panel
    }

    /// With a line through pairs of the two accuracies, as shares from 0 to 1.
    pub fn with_line(mut self, name: impl Into<String>, pairs: &[[f64; 2]]) -> Self {
        self.lines.named.push((name.into(), pairs.to_vec()));
        self
    }
}

impl Lines {
    pub fn draw(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        let place = |pairs: &[[f64; 2]]| {
            let place = |[x, y]: &[f64; 2]| frame.place(100.0 * x, 100.0 * y);
            Vec::from_iter(pairs.iter().map(place))
        };
        let right = frame.left + frame.width;
        if !self.limit.is_empty() {
            let limit = place(&self.limit);
            let mut above = limit.clone();
            above.extend([[1.0, 1.0], [0.0, 1.0]].map(|[x, y]| frame.place(100.0 * x, 100.0 * y)));
            canvas.area(&above, GREY, 0.16)?;
            canvas.line(&limit, INK, 1.4)?;
            let corner = (right - 20.0, frame.top + 14.0);
            canvas.text("no classifier is here", corner, 11.0, Anchor::Right, false)?;
        }
        for (name, pairs) in &self.named {
            let line = place(pairs);
            canvas.dashed(&line, GREY, 1.2)?;
            if let Some(&(x, y)) = line.get(line.len() / 2) {
                canvas.text(name, (x - 6.0, y + 12.0), 11.0, Anchor::Right, false)?;
            }
        }
        Ok(())
    }
}
