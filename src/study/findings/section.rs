use super::{ArmFindings, Results};
use crate::base::Result;
use crate::base::statistics::holm;
use crate::evaluate::{Axis, Level};
use crate::study::cells::{Cell, CellResult};
use crate::study::settings::{Place, PlanePlan, SeriesPlan};
use crate::study::verdicts::{
    Arm, Bootstrap, Effect, Estimand, Front, Pairing, Scores, dominance, slope,
};
use serde::{Deserialize, Serialize};

/// Trainings that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// What the settings say of them.
    pub series: SeriesPlan,
    /// What was found of each network and training that is there.
    pub arms: Vec<ArmFindings>,
    /// Where they are in the plane of the two robustnesses, if the settings have one.
    pub plane: Option<PlaneFindings>,
}

/// Trainings in the plane of accuracy in poses and accuracy under attack, on the images that have both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaneFindings {
    /// The plane.
    pub plane: PlanePlan,
    /// The seeds that all trainings in it have.
    pub seeds: Vec<u64>,
    /// The places of all networks and trainings, which of them are on the front, and the area below it.
    pub front: Front,
    /// How many ordered pairs of trainings of one network there are.
    pub pairs: usize,
    /// Those of which the first is better than the second in both ways.
    pub dominance: Vec<Dominates>,
    /// The slope of the trade-off at equal clean accuracy for each network by name, or why there is none.
    pub slopes: Vec<(String, std::result::Result<Effect, String>)>,
}

/// A training that is better than another one of its network in both ways, on the same images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dominates {
    /// The better one.
    pub better: String,
    /// The other one.
    pub worse: String,
    /// The p-value of [`dominance`], adjusted over all ordered pairs (Holm); below 0.05.
    pub p_value: f64,
}

impl Section {
    pub(super) fn of(results: &Results, series: &SeriesPlan) -> Result<Self> {
        let mut arms = Vec::new();
        for training in &series.trainings {
            for network in networks(results, series) {
                arms.extend(ArmFindings::of(results, network, training)?);
            }
        }
        let plane = series.plane.as_ref();
        let plane = plane
            .map(|plane| PlaneFindings::of(results, &arms, plane))
            .transpose()?;
        Ok(Self {
            series: series.clone(),
            arms,
            plane: plane.flatten(),
        })
    }

    /// A place of the plane as its axis says it.
    pub(crate) fn said(&self, place: &Place) -> String {
        let mut arms = self.arms.iter();
        let curve = arms.find_map(|arm| arm.profile.curve(&place.axis).ok());
        curve.map_or_else(
            || place.level.to_string(),
            |curve| curve.label_at(&place.level),
        )
    }

    /// What a training lies at, if the settings say it.
    pub fn level(&self, training: &str) -> Option<&Level> {
        let place = self
            .series
            .trainings
            .iter()
            .position(|name| name == training)?;
        self.series.levels.get(place)
    }
}

fn networks<'a>(results: &Results<'a>, series: &'a SeriesPlan) -> Vec<&'a str> {
    let all = results
        .study
        .networks
        .iter()
        .map(|network| network.name.as_str());
    let wanted = series.networks.as_ref();
    all.filter(|name| wanted.is_none_or(|wanted| wanted.iter().any(|w| w == name)))
        .collect()
}

// A training in the plane, its scores on the images of both measurements.
struct Placed {
    name: String,
    network: String,
    scores: [Scores; 3],
}

impl Placed {
    fn arm(&self) -> Arm<'_> {
        let [clean, spatial, adversarial] = &self.scores;
        Arm {
            name: &self.name,
            clean,
            spatial,
            adversarial,
        }
    }
}

impl PlaneFindings {
    // Nothing unless all arms have a seed in common that is measured in both.
    fn of(results: &Results, arms: &[ArmFindings], plane: &PlanePlan) -> Result<Option<Self>> {
        let [spatial, adversarial] = [&plane.spatial, &plane.adversarial].map(|place| {
            let has = |axis: &Axis| axis.name == place.axis;
            let found = results
                .study
                .measurements
                .iter()
                .position(|m| m.axes.iter().any(has));
            found.expect("checked in the settings")
        });
        let both = |cell: &(&Cell, &CellResult)| {
            [spatial, adversarial]
                .iter()
                .all(|&at| results.measured(*cell, at).is_some())
        };
        let cells = arms.iter().map(|arm| {
            let cells = results.arm(&arm.network, &arm.training).into_iter();
            cells.filter(both).collect::<Vec<_>>()
        });
        let cells = Vec::from_iter(cells);
        let in_all = |seed: &u64| {
            cells
                .iter()
                .all(|arm| arm.iter().any(|(cell, _)| cell.seed == *seed))
        };
        let first = cells.first().map_or(&[][..], |arm| &arm[..]);
        let seeds = first.iter().map(|(cell, _)| cell.seed).filter(in_all);
        let seeds = Vec::from_iter(seeds);
        if seeds.is_empty() {
            return Ok(None);
        }
        let [of_spatial, of_adversarial] = common(results, spatial, adversarial);
        let mut placed = Vec::new();
        for (arm, cells) in arms.iter().zip(&cells) {
            let cells = seeds
                .iter()
                .filter_map(|seed| cells.iter().find(|(cell, _)| cell.seed == *seed));
            let cells = Vec::from_iter(cells.copied());
            let at = |measurement, place: &Place, images: &[usize]| {
                let at = (measurement, place.axis.as_str(), Some(&place.level));
                results
                    .scores(&cells, at, Estimand::Accuracy)?
                    .of_images(images)
            };
            let clean = results.scores(&cells, (spatial, "clean", None), Estimand::Accuracy)?;
            placed.push(Placed {
                name: arm.profile.name.clone(),
                network: arm.network.clone(),
                scores: [
                    clean.of_images(&of_spatial)?,
                    at(spatial, &plane.spatial, &of_spatial)?,
                    at(adversarial, &plane.adversarial, &of_adversarial)?,
                ],
            });
        }
        let all = Vec::from_iter(placed.iter().map(Placed::arm));
        let mut slopes = Vec::new();
        for network in &results.study.networks {
            let of = placed
                .iter()
                .filter(|placed| placed.network == network.name);
            let of = Vec::from_iter(of.map(Placed::arm));
            if !of.is_empty() {
                slopes.push((
                    network.name.clone(),
                    slope(&of).map_err(|error| error.to_string()),
                ));
            }
        }
        let (pairs, dominance) = dominating(&placed)?;
        Ok(Some(Self {
            plane: plane.clone(),
            seeds,
            pairs,
            dominance,
            front: Bootstrap::default().front(&all)?,
            slopes,
        }))
    }
}

// How many ordered pairs of one network there are, and which of them dominate.
fn dominating(placed: &[Placed]) -> Result<(usize, Vec<Dominates>)> {
    let mut pairs = Vec::new();
    for first in placed {
        let others = placed
            .iter()
            .filter(|other| other.network == first.network && !std::ptr::eq(*other, first));
        for second in others {
            let found = dominance(&first.arm(), &second.arm(), Pairing::Matched)?;
            pairs.push((first, second, found.p_value));
        }
    }
    let adjusted = holm(&Vec::from_iter(pairs.iter().map(|(.., p)| *p)));
    let all = pairs.iter().zip(adjusted).filter(|(_, p)| *p < 0.05);
    let named = all.map(|((first, second, _), p_value)| Dominates {
        better: first.name.clone(),
        worse: second.name.clone(),
        p_value,
    });
    Ok((pairs.len(), named.collect()))
}

// The places of the images that both measurements have, in the order of the second one.
fn common(results: &Results, first: usize, second: usize) -> [Vec<usize>; 2] {
    let [first, second] = [first, second].map(|at| results.work.ids(at));
    let mut places = [Vec::new(), Vec::new()];
    for (at, id) in second.iter().enumerate() {
        if let Some(place) = first.iter().position(|other| other == id) {
            places[0].push(place);
            places[1].push(at);
        }
    }
    places
}
