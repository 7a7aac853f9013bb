use super::{Learned, Results};
use crate::base::{Error, Result};
use crate::data::DataSummary;
use crate::evaluate::{Curve, Difference, Extras, Level, Point, Profile, Rate, TrainingRecord};
use crate::study::cells::{Cell, CellResult};
use crate::study::verdicts::{Estimand, Estimate};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A network trained in one way, over all of its seeds that are there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmFindings {
    /// The network's name.
    pub network: String,
    /// The training's name.
    pub training: String,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// How it was trained, without times; the first seed's history under `history`.
    pub record: TrainingRecord,
    /// Whether it has learned; none if it was not trained.
    pub learned: Option<Learned>,
    /// Means over seeds and images, with intervals of both, along the axes of all measurements. An axis that
    /// only some seeds were measured along has those.
    pub profile: Profile,
    /// Means over the whole surface of every axis whose levels are a grid of poses and radii.
    pub surfaces: Vec<OverSurface>,
}

/// The mean over a surface of poses and radii, as of a [`Volume`](crate::evaluate::Volume), over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverSurface {
    /// The axis.
    pub axis: String,
    /// Of accuracy.
    pub accuracy: Estimate,
    /// Of the fooling rate.
    pub fooling: Estimate,
}

impl ArmFindings {
    /// Nothing if no cell of it is there.
    pub(super) fn of(results: &Results, network: &str, training: &str) -> Result<Option<Self>> {
        let cells = results.arm(network, training);
        let (Some((first, result)), Some((plan, how))) = (
            cells.first(),
            cells
                .first()
                .and_then(|(cell, _)| results.study.plans(cell)),
        ) else {
            return Ok(None);
        };
        let trained = how.training(first.seed);
        let objective = how
            .objective
            .as_ref()
            .map_or("none".to_owned(), |o| o.name());
        let mut record = TrainingRecord::new(network, result.parameters, objective, first.seed)
            .with_train_size(if trained.is_some() {
                results.work.train_images()
            } else {
                0
            })
            .with_settings(json!({"network": plan.model, "training": trained}));
        if let Some(curriculum) = &how.curriculum {
            record = record
                .with_curriculum(curriculum)
                .with_epochs(curriculum.epochs());
        }
        record.extras = record.extras.with("history", &result.history);
        let failed = cells
            .iter()
            .filter(|(_, result)| Learned::failed(result, results.study.learned));
        let failed = failed.map(|(cell, result)| (cell.seed, &result.history));
        let failed = Vec::from_iter(failed);
        if !failed.is_empty() {
            record.extras = record.extras.with("not learned", &failed);
        }
        let names = |(cell, _): &(&Cell, &CellResult)| cell.seed;
        Ok(Some(Self {
            network: network.to_owned(),
            training: training.to_owned(),
            seeds: cells.iter().map(names).collect(),
            record,
            learned: Learned::of(
                cells.iter().map(|(_, result)| *result),
                results.study.learned,
            ),
            profile: profile(results, &cells, format!("{network}, {training}"))?,
            surfaces: surfaces(results, &cells)?,
        }))
    }
}

fn surfaces(results: &Results, cells: &[(&Cell, &CellResult)]) -> Result<Vec<OverSurface>> {
    let mut surfaces = Vec::new();
    for (at, measurement) in results.study.measurements.iter().enumerate() {
        let here = cells.iter().copied();
        let here = Vec::from_iter(here.filter(|cell| results.measured(*cell, at).is_some()));
        for axis in measurement.axes.iter().filter(|axis| axis.is_surface()) {
            if here.is_empty() {
                continue;
            }
            let mean = |estimand| {
                let scores = results.scores(&here, (at, &axis.name, None), estimand)?;
                Ok::<_, Error>(scores.estimate())
            };
            surfaces.push(OverSurface {
                axis: axis.name.clone(),
                accuracy: mean(Estimand::Accuracy)?,
                fooling: mean(Estimand::Fooling)?,
            });
        }
    }
    Ok(surfaces)
}

fn profile(results: &Results, cells: &[(&Cell, &CellResult)], name: String) -> Result<Profile> {
    let (study, mut curves) = (results.study, Vec::new());
    let (mut largest, mut doubts) = (None, Vec::new());
    for (at, measurement) in study.measurements.iter().enumerate() {
        let here = cells
            .iter()
            .copied()
            .filter(|cell| results.measured(*cell, at).is_some());
        let here = Vec::from_iter(here);
        let Some(first) = here.first().and_then(|cell| results.measured(*cell, at)) else {
            continue;
        };
        let of_seed = |cell: &(&Cell, &CellResult)| {
            let measured = results.measured(*cell, at).expect("measured here");
            measured.profile(measurement, study.evaluation_seed, &results.versions)
        };
        let seeds = here.iter().map(of_seed).collect::<Result<Vec<_>>>()?;
        if largest
            .as_ref()
            .is_none_or(|(_, data, ..): &(_, DataSummary, _, _)| data.images < first.data.images)
        {
            let clean = results.scores(&here, (at, "clean", None), Estimand::Accuracy)?;
            let seeds = Vec::from_iter(here.iter().map(|(cell, _)| cell.seed));
            let (data, numerics) = (first.data.clone(), measurement.numerics);
            largest = Some((clean.estimate(), data, numerics, seeds));
        }
        for (place, axis) in measurement.axes.iter().enumerate() {
            let points = axis.levels.iter().enumerate().map(|(nth, level)| {
                let each = Vec::from_iter(seeds.iter().map(|p| &p.curves[place].points[nth]));
                point(results, &here, (at, &axis.name, level), &each)
            });
            let curve = Curve::of(axis, points.collect::<Result<_>>()?);
            curves.push(curve.with_seeds(here.iter().map(|(cell, _)| cell.seed).collect()));
        }
        doubts.push(measurement.name.clone());
    }
    let (clean, data, numerics, seeds) = largest.ok_or_else(|| {
        Error::input(
            format!("cells of {name}"),
            "nothing measured",
            "a measurement",
        )
    })?;
    Ok(Profile {
        name,
        data,
        clean: rate(clean),
        clean_correct: None,
        curves,
        settings: json!({"seed": study.evaluation_seed, "measurements": doubts}),
        numerics,
        versions: results.versions.clone(),
        extras: Extras::default().with("seeds", &seeds),
    })
}

fn rate(estimate: Estimate) -> Rate {
    Rate {
        value: estimate.value,
        interval: estimate.interval,
        count: estimate.images,
    }
}

// One level over all seeds.
fn point(
    results: &Results,
    cells: &[(&Cell, &CellResult)],
    (at, axis, level): (usize, &str, &Level),
    seeds: &[&Point],
) -> Result<Point> {
    let estimate = |estimand| {
        let scores = results.scores(cells, (at, axis, Some(level)), estimand)?;
        Ok::<_, Error>(scores.estimate())
    };
    let mean =
        |of: fn(&Point) -> f64| seeds.iter().map(|p| of(p)).sum::<f64>() / seeds.len() as f64;
    let gap = estimate(Estimand::Gap)?;
    let some_right = seeds.iter().all(|point| point.fooling_of_right.is_some());
    Ok(Point {
        level: level.clone(),
        accuracy: rate(estimate(Estimand::Accuracy)?),
        fooling: rate(estimate(Estimand::Fooling)?),
        fooling_of_right: match some_right {
            true => Some(rate(estimate(Estimand::FoolingOfRight)?)),
            false => None,
        },
        gap: Some(Difference {
            value: gap.value,
            interval: gap.interval,
            count: gap.images,
        }),
        draws: seeds[0].draws,
        queries: mean(|point| point.queries),
        vanished: mean(|point| point.vanished),
        undefined: mean(|point| point.undefined),
        correct: None,
        fooled: None,
    })
}
