//! What the outcomes of a study's cells say: means over seeds, verdicts on the declared endpoints.

mod arm;
mod csv;
mod judged;
mod learned;
mod markdown;
mod scans;
mod section;

pub use arm::{ArmFindings, OverSurface};
pub use judged::Judged;
pub use learned::{Learned, PLATEAU};
#[cfg(feature = "report")]
pub(super) use markdown::row;
pub use scans::{ScanFindings, ScanMean, ScanRow, ScanTable};
pub use section::{Dominates, PlaneFindings, Section};

use super::cells::{Cell, CellResult, Measured, Work};
use super::settings::{SeriesPlan, Study};
use super::verdicts::{Bits, Estimand, Scores};
use crate::base::{Error, Result};
use crate::evaluate::{Level, Outcomes, Versions, base};
use serde::{Deserialize, Serialize};

/// What a study found: a function of its settings and of the results of its cells alone, whoever made them in
/// whatever order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// The settings.
    pub study: Study,
    /// The software that read the cells, and its device.
    pub versions: Versions,
    /// How many cells the study has.
    pub cells: usize,
    /// The names of those that are not there.
    pub missing: Vec<String>,
    /// The sections, in the order of the settings.
    pub sections: Vec<Section>,
    /// A verdict on each declared endpoint of each network, as far as it is measured.
    pub verdicts: Vec<Judged>,
    /// What scans found, if any network is scanned.
    pub scans: Option<ScanFindings>,
}

impl Work {
    /// What the cells that are there say.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if no cell is there, or one cannot be used.
    pub fn findings(&self) -> Result<Findings> {
        let results = Results::of(self)?;
        if results.cells.is_empty() {
            let folder = self.folder().display().to_string();
            return Err(Error::input(
                folder,
                "no cell of this study",
                "at least one",
            ));
        }
        let study = self.study();
        let all = Vec::from_iter(
            study
                .trainings
                .iter()
                .map(|training| training.name.as_str()),
        );
        let whole = [SeriesPlan::new(&study.title, &all)];
        let series = if study.series.is_empty() {
            &whole[..]
        } else {
            &study.series
        };
        let sections = series.iter().map(|series| Section::of(&results, series));
        Ok(Findings {
            study: study.clone(),
            versions: results.versions.clone(),
            cells: self.cells().len(),
            missing: results.missing.clone(),
            sections: sections.collect::<Result<_>>()?,
            verdicts: judged::all(&results)?,
            scans: ScanFindings::of(self),
        })
    }
}

/// The results of all cells that are there.
struct Results<'a> {
    work: &'a Work,
    study: &'a Study,
    versions: Versions,
    cells: Vec<(&'a Cell, CellResult)>,
    missing: Vec<String>,
}

impl<'a> Results<'a> {
    fn of(work: &'a Work) -> Result<Self> {
        let (mut cells, mut missing) = (Vec::new(), Vec::new());
        for cell in work.cells() {
            match work.result(cell)? {
                Some(result) => cells.push((cell, result)),
                None => missing.push(cell.to_string()),
            }
        }
        Ok(Self {
            work,
            study: work.study(),
            versions: work.versions(),
            cells,
            missing,
        })
    }

    /// The results of a network that was trained so, in the order of the seeds.
    fn arm(&self, network: &str, training: &str) -> Vec<(&Cell, &CellResult)> {
        let cells = self.cells.iter().map(|(cell, result)| (*cell, result));
        let mut arm = Vec::from_iter(
            cells.filter(|(cell, _)| cell.network == network && cell.training == training),
        );
        let plan = self
            .study
            .trainings
            .iter()
            .find(|plan| plan.name == training);
        let place = |seed: u64| plan.and_then(|plan| plan.seeds.iter().position(|&s| s == seed));
        arm.sort_by_key(|(cell, _)| place(cell.seed));
        arm
    }

    /// What this measurement found of a cell, if it was made.
    fn measured<'r>(
        &self,
        (cell, result): (&Cell, &'r CellResult),
        at: usize,
    ) -> Option<&'r Measured> {
        let place = cell
            .measurements
            .iter()
            .position(|(measurement, _)| *measurement == at)?;
        result.measured.get(place)
    }

    /// The scores of cells at a level of an axis, or as they are; the images are those of the measurement.
    fn scores(
        &self,
        cells: &[(&Cell, &CellResult)],
        (measurement, axis, level): (usize, &str, Option<&Level>),
        estimand: Estimand,
    ) -> Result<Scores> {
        let axes = &self.study.measurements[measurement].axes;
        if level.is_none() && axis != "clean" {
            return self.mean_over(cells, (measurement, axis), estimand);
        }
        let axis = axes.iter().position(|one| one.name == axis);
        let met = cells.iter().map(|cell| {
            let measured = self.measured(*cell, measurement);
            let at = |measured: &Measured| {
                let clean = measured.clean_outcomes();
                match (level, axis) {
                    (None, _) => {
                        let nothing = Outcomes::new(clean.iter().map(|_| false));
                        Some((clean.clone(), (1, clean, nothing)))
                    }
                    (Some(level), Some(axis)) => Some((clean, measured.outcomes(axis, level)?)),
                    (Some(_), None) => None,
                }
            };
            let missing =
                || Error::input(format!("cell {}", cell.0), "not measured there", "outcomes");
            measured.and_then(at).ok_or_else(missing)
        });
        let met = met.collect::<Result<Vec<_>>>()?;
        let bits = met.iter().map(|(clean, (draws, correct, fooled))| Bits {
            clean,
            correct,
            fooled,
            draws: *draws,
        });
        estimand.scores(&Vec::from_iter(bits))
    }

    /// The scores of cells over the whole surface of an axis whose levels are a grid: the volume below it.
    fn mean_over(
        &self,
        cells: &[(&Cell, &CellResult)],
        (measurement, name): (usize, &str),
        estimand: Estimand,
    ) -> Result<Scores> {
        let axes = &self.study.measurements[measurement].axes;
        let axis = axes.iter().position(|one| one.name == name);
        let missing = || Error::setting("axis", name, "one of the measurement");
        let axis = axis.ok_or_else(missing)?;
        let levels = &axes[axis].levels;
        let (_, _, weights) = base(name, levels.iter())?;
        let rows = cells.iter().map(|cell| {
            let missing =
                || Error::input(format!("cell {}", cell.0), "not measured there", "outcomes");
            let measured = self.measured(*cell, measurement).ok_or_else(missing)?;
            let mut sums = vec![0.0; measured.data.images];
            for (level, weight) in levels.iter().zip(&weights) {
                let (draws, correct, fooled) =
                    measured.outcomes(axis, level).ok_or_else(missing)?;
                let outcomes = match estimand {
                    Estimand::Fooling => fooled,
                    _ => correct,
                };
                let outcomes = Vec::from_iter(outcomes.iter());
                for (sum, draws_of) in sums.iter_mut().zip(outcomes.chunks(draws)) {
                    let count = draws_of.iter().filter(|&&is| is).count();
                    *sum += weight * count as f64 / draws as f64;
                }
            }
            // The weights add up to 1 but for rounding.
            Ok(Vec::from_iter(sums.iter().map(|sum| sum.clamp(0.0, 1.0))))
        });
        Scores::within(rows.collect::<Result<_>>()?, None, [0.0, 1.0])
    }
}
