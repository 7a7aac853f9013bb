use super::canvas::Look;
use super::{Figure, Panel};
use crate::base::Result;
use crate::evaluate::{At, Entry, Profile, Report, axes};
use std::path::Path;

impl Profile {
    /// Accuracy and fooling rate along every axis, side by side.
    pub fn figure(&self) -> Figure {
        let panels: Vec<Panel> = self.curves.iter().map(Panel::both).collect();
        Figure::new(&self.name).with_row("", panels)
    }

    /// Writes [`figure`](Self::figure) as SVG.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`](crate::base::Error::Drawing) if only clean accuracy was measured, and
    /// [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn plot_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        self.figure().plot_svg(path)
    }
}

impl Report {
    /// Accuracy along every axis, a row per section and a curve per classifier: of each network a
    /// marker and a line, of its trainings, in their order, colours from dark to light.
    pub fn figure(&self) -> Figure {
        self.rows(Panel::accuracy)
    }

    /// Fooling rate along every axis, a row per section and a curve per classifier.
    pub fn fooling_figure(&self) -> Figure {
        self.rows(Panel::fooling)
    }

    /// All classifiers in the trade-off plane, with their Pareto front.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if a classifier lacks one of the levels.
    pub fn trade_off_figure(
        &self,
        spatial: impl Into<At>,
        adversarial: impl Into<At>,
    ) -> Result<Figure> {
        let panel = Panel::trade_off(&self.distinct_profiles(), spatial, adversarial)?;
        // Trainings of several sections are no steps of one scale.
        let look = match self.sections().len() {
            0 | 1 => Look::ordered,
            _ => |kind, rank, _| Look::named(kind, rank),
        };
        let looks = looks(&self.entries.iter().collect::<Vec<_>>(), look);
        Ok(Figure::new(&self.title).with_ordered_row("", [panel], looks))
    }

    /// Writes [`figure`](Self::figure) as SVG.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`](crate::base::Error::Drawing) if there is nothing to draw, and
    /// [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn plot_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        self.figure().plot_svg(path)
    }

    /// Writes [`trade_off_figure`](Self::trade_off_figure) as SVG.
    ///
    /// # Errors
    ///
    /// As the figure's, and [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn plot_trade_off_svg(
        &self,
        path: impl AsRef<Path>,
        spatial: impl Into<At>,
        adversarial: impl Into<At>,
    ) -> Result<()> {
        self.trade_off_figure(spatial, adversarial)?.plot_svg(path)
    }

    fn rows(&self, panel: fn(&str, &[&Profile]) -> Panel) -> Figure {
        let mut figure = Figure::new(&self.title);
        for section in self.sections() {
            let profiles = self.profiles(section);
            let panels: Vec<Panel> = (axes(&profiles).into_iter())
                .map(|curve| panel(&curve.axis, &profiles))
                .collect();
            figure = figure.with_ordered_row(
                section,
                panels,
                looks(&self.section(section), Look::ordered),
            );
        }
        figure
    }
}

// The place of each classifier among those of its network, if all are known.
fn looks(entries: &[&Entry], look: fn(usize, usize, usize) -> Look) -> Vec<(String, Look)> {
    let mut networks: Vec<(&str, Vec<&str>)> = Vec::new();
    for entry in entries {
        let Some(training) = &entry.training else {
            return Vec::new();
        };
        let at = networks
            .iter()
            .position(|(model, _)| *model == training.model);
        let at = at.unwrap_or_else(|| {
            networks.push((&training.model, Vec::new()));
            networks.len() - 1
        });
        let names = &mut networks[at].1;
        if !names.contains(&&*entry.profile.name) {
            names.push(&entry.profile.name);
        }
    }
    let ordered = networks.iter().enumerate().flat_map(|(kind, (_, names))| {
        let named =
            move |(rank, name): (usize, &&str)| ((*name).to_owned(), look(kind, rank, names.len()));
        names.iter().enumerate().map(named)
    });
    ordered.collect()
}
