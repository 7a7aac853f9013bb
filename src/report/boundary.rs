use super::curve::{Curve, Point};
use super::{Figure, Panel};
use crate::base::Result;
use crate::evaluate::{Boundary, BoundaryPoint};
use std::path::Path;

impl Panel {
    /// The mean distance to the decision boundary over the pose budgets, one curve for each: over their
    /// angles, or over their shifts where no angle differs. Bars are 95 % intervals.
    pub fn distances(boundaries: &[&Boundary]) -> Self {
        let points = || boundaries.iter().flat_map(|boundary| &boundary.points);
        let mut angles = points().map(|point| point.pose.angle.0);
        let first = angles.next();
        let turns = angles.any(|angle| Some(angle) != first);
        let level = |point: &BoundaryPoint| match turns {
            true => point.pose.angle.0,
            false => point.pose.shift.0,
        };
        let curve = |boundary: &&Boundary| Curve {
            label: boundary.name.clone(),
            points: (boundary.points.iter())
                .filter_map(|point| {
                    let mean = point.mean?;
                    Some(Point::number(level(point), mean.value, mean.interval))
                })
                .collect(),
        };
        let title = match turns {
            true => "random rotation up to ± (degrees)",
            false => "random shift up to ± (pixels)",
        };
        let norm = boundaries.first().map_or("", |boundary| &boundary.norm);
        let curves = boundaries.iter().map(curve).collect();
        Self::levels(title, &format!("mean distance to boundary, {norm}"), curves).freely()
    }
}

impl Boundary {
    /// The mean distance over the pose budgets.
    pub fn figure(&self) -> Figure {
        Figure::new(&self.name).with_row("", [Panel::distances(&[self])])
    }

    /// Writes [`figure`](Self::figure) as SVG.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn plot_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        self.figure().plot_svg(path)
    }
}
