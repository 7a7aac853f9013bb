use super::curve::Curve;
use super::stairs::Scale;
use super::{Figure, Panel};
use crate::attack::Whole;
use crate::base::Result;
use std::path::Path;

impl Panel {
    /// Robust accuracy against the passes that an image may cost, one curve for each run and its
    /// name: [`Whole::curve`]. Passes stand in ratios.
    pub fn robust_by_passes(runs: &[(&str, &Whole)]) -> Self {
        let curve = |&(name, whole): &(&str, &Whole)| {
            let steps = whole
                .curve()
                .into_iter()
                .map(|(passes, share)| (passes as f64, share));
            Curve::falling(name, whole.images.len(), &Vec::from_iter(steps))
        };
        let curves = runs.iter().map(curve).collect();
        let title = "passes for an image, forward and backward";
        Self::stairs(title, "robust accuracy (%)", Scale::Ratios, curves)
    }

    /// Robust accuracy against the radius of the ball, one curve for each run of a minimum-norm
    /// attack and its name: [`Whole::distance_curve`].
    pub fn robust_by_distance(runs: &[(&str, &Whole)]) -> Self {
        let curve = |&(name, whole): &(&str, &Whole)| {
            Curve::falling(name, whole.images.len(), &whole.distance_curve().steps())
        };
        let curves = runs.iter().map(curve).collect();
        Self::stairs("radius ε", "robust accuracy (%)", Scale::Even, curves)
    }
}

impl Whole {
    /// Robust accuracy against passes and, for an attack that looks for the nearest image that fools,
    /// against the radius.
    pub fn figure(&self, name: &str) -> Figure {
        let mut panels = vec![Panel::robust_by_passes(&[(name, self)])];
        if self.goes_on {
            panels.insert(0, Panel::robust_by_distance(&[(name, self)]));
        }
        Figure::new(self.data.name.clone()).with_row("", panels)
    }

    /// Writes [`figure`](Self::figure) as SVG.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn plot_svg(&self, name: &str, path: impl AsRef<Path>) -> Result<()> {
        self.figure(name).plot_svg(path)
    }
}
