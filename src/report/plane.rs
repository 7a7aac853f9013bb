use super::Panel;
use super::canvas::{Canvas, GREY, INK, Look};
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
    ///
    /// In names such as `dense, PGD` what stands before the comma has a marker shape and what stands
    /// after it a colour; names without one are black.
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
    /// assert!(svg.contains("no classifier is above"));
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
    /// The names of all lines, and whether each is dashed.
    pub fn names(&self) -> Vec<(&str, bool)> {
        let limit = (!self.limit.is_empty()).then_some(("no classifier is above", false));
        let named = self.named.iter().map(|(name, _)| (name.as_str(), true));
        limit.into_iter().chain(named).collect()
    }

    pub fn draw(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        let place = |pairs: &[[f64; 2]]| {
            let place = |[x, y]: &[f64; 2]| frame.place(100.0 * x, 100.0 * y);
            Vec::from_iter(pairs.iter().map(place))
        };
        if !self.limit.is_empty() {
            let limit = place(&self.limit);
            let mut above = limit.clone();
            above.extend(place(&[[1.0, 1.0], [0.0, 1.0]]));
            canvas.area(&above, GREY, 0.16)?;
            sample(canvas, &limit, false)?;
        }
        for (_, pairs) in &self.named {
            sample(canvas, &place(pairs), true)?;
        }
        Ok(())
    }
}

/// A line of a plane, or a piece of one for the legend.
pub(super) fn sample(canvas: &Canvas, points: &[(f64, f64)], dashed: bool) -> Result<()> {
    match dashed {
        true => canvas.dashed(points, GREY, 1.2),
        false => canvas.line(points, INK, 1.4),
    }
}

/// The looks of names with a comma: a marker for each thing before it, a colour for each after it.
pub(super) fn looks(names: &[&str]) -> Vec<(String, Look)> {
    let place = |of: &mut Vec<String>, part: &str| {
        let at = of.iter().position(|other| other == part);
        at.unwrap_or_else(|| {
            of.push(part.to_owned());
            of.len() - 1
        })
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let split = |name: &&&str| name.contains(", ");
    let mut looks = Vec::new();
    for name in names.iter().filter(split) {
        let (kind, way) = name.split_once(", ").unwrap_or((name, ""));
        let look = Look::of(place(&mut after, way), place(&mut before, kind));
        looks.push(((*name).to_owned(), look));
    }
    for (at, name) in names.iter().filter(|name| !split(name)).enumerate() {
        let look = Look::of(0, before.len() + at).in_ink();
        looks.push(((*name).to_owned(), look));
    }
    looks
}
