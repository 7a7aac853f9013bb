//! The study: which networks are trained how, what is measured of them, and what that is to answer.

use crate::common;
use crate::options::Options;
use burn::tensor::Device;
use clap::ValueEnum;
use fireproof::base::Result;
use fireproof::evaluate::At;
use fireproof::prelude::*;
use fireproof::study::verdicts::{Claimed, Estimand};
use fireproof::study::{
    Contrast, DataPlan, EmbeddedMnist, EndpointPlan, Measurement, Mnist, NetworkPlan, Place,
    PlanePlan, SeriesPlan, Study, TrainingPlan,
};
use fireproof::train::ObjectiveSpec;
use serde::Serialize;

/// The radii that every network is attacked at.
pub const EPSILONS: [f64; 5] = [0.0, 0.05, 0.1, 0.15, 0.2];

/// The axis of the attack.
pub const ATTACK: &str = "epsilons";

/// The radius that the trade-off plane and the endpoints are about.
pub const EPSILON: f64 = 0.1;

/// Images in their poses, and attacked there.
pub const ATTACKED: &str = "attacked_poses";

// Rotations and shifts of claim (a), and radii of claim (b).
const ANGLES: [f64; 3] = [45.0, 90.0, 180.0];
const SHIFTS: [f64; 3] = [1.0, 2.0, 3.0];
const RADII: [f64; 3] = [0.05, 0.1, 0.2];

// Stages of CuSP in claim (c).
const ANGLES_OF_BOTH: [f64; 3] = [30.0, 60.0, 90.0];
const SHIFTS_OF_BOTH: [f64; 3] = [1.0, 2.0, 3.0];
const EPSILONS_OF_BOTH: [f64; 3] = [0.025, 0.05, 0.1];

const NOTHING: &str = "nothing";
const FIXED: &str = "fixed";
const CUSP: &str = "CuSP";

// The epochs of 120 in which the published CuSP raises its budgets.
fn stages(budgets: [f64; 3]) -> Milestones {
    Milestones::new([1, 75, 90].into_iter().zip(budgets))
}

/// The three questions of the study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Claim {
    /// Growing spatial augmentation.
    A,
    /// Growing adversarial budgets.
    B,
    /// A curriculum over both against fixed budgets.
    C,
}

impl Claim {
    pub const ALL: [Self; 3] = [Self::A, Self::B, Self::C];

    pub fn title(self, shifts: bool) -> &'static str {
        match (self, shifts) {
            (Self::A, false) => "(a) trained on growing rotations",
            (Self::A, true) => "(a) trained on growing translations",
            (Self::B, _) => "(b) adversarially trained with growing ε",
            (Self::C, _) => "(c) trained on both: CuSP against fixed budgets",
        }
    }

    /// The spatial level that the claim is about: for (c) the one that both networks are trained for.
    pub fn spatial(self, options: &Options) -> (&'static str, f64) {
        match (self, options.shifts) {
            (_, true) => ("shifts", 3.0),
            (Self::C, false) => ("angles", 90.0),
            (Self::A | Self::B, false) => ("angles", 180.0),
        }
    }

    /// The trainings of the claim with what they lie at, from none on; of (c) they lie at nothing.
    pub fn trainings(self, options: &Options) -> (Vec<String>, Vec<f64>) {
        let named = |levels: [f64; 3], name: fn(f64) -> String| {
            let names = levels.into_iter().map(name);
            let names = [NOTHING.to_owned()].into_iter().chain(names).collect();
            (names, [0.0].into_iter().chain(levels).collect())
        };
        match self {
            Self::A if options.shifts => named(SHIFTS, |shift| format!("±{shift} px")),
            Self::A => named(ANGLES, |angle| format!("±{angle}°")),
            Self::B => named(RADII, |epsilon| format!("ε {epsilon}")),
            Self::C => (vec![FIXED.to_owned(), CUSP.to_owned()], Vec::new()),
        }
    }

    fn level_words(self, options: &Options) -> (&'static str, &'static str) {
        match (self, options.shifts) {
            (Self::A, true) => ("trained with shifts up to", "±{} px"),
            (Self::A, false) => ("trained with rotations up to", "±{}°"),
            (Self::B | Self::C, _) => ("trained with", "ε = {}"),
        }
    }
}

/// The configurations of the StdCNN and the GCNN, of about the same size, with their names.
pub fn networks(
    options: &Options,
    data: &ImageSet,
    device: &Device,
) -> Result<Vec<(String, CnnConfig)>> {
    let gcnn = (options.group, options.sizes().width);
    let groups = [Group::P1, options.group];
    let network = |group| {
        let config = common::network(group, gcnn, options.seed, data, device)?;
        Ok((common::network_name(group), config))
    };
    groups.into_iter().map(network).collect()
}

/// The study that the options say.
pub fn study(options: &Options, networks: &[(String, CnnConfig)]) -> Study {
    let sizes = options.sizes();
    let images = match &options.data {
        Some(folder) => DataPlan::new(Mnist {
            folder: folder.clone(),
        }),
        None => DataPlan::new(EmbeddedMnist),
    };
    let data = DataPlan {
        train: Some(sizes.train),
        test: Some(sizes.test),
        seed: Seed(options.data_seed),
        ..images
    };
    let of_network = |(name, config): &(String, CnnConfig)| NetworkPlan::new(name, config.clone());
    Study::new("Spatial and adversarial robustness", data)
        .with_evaluation_seed(options.test_seed)
        .with_networks(networks.iter().map(of_network).collect())
        .with_trainings(trainings(options))
        .with_measurements(vec![measurement(options)])
        .with_endpoints(endpoints(options, networks))
        .with_series(
            options
                .claims()
                .map(|claim| series(options, claim))
                .collect(),
        )
}

/// All trainings, in the order that lets the tables grow from the simplest row on.
///
/// They differ in budgets and objective only: epochs, learning rate, order of the images and initial weights
/// are the same for all.
fn trainings(options: &Options) -> Vec<TrainingPlan> {
    let sizes = options.sizes();
    let learning_rate = Milestones::new([(0.0, 0.05), (0.6, 0.02), (0.8, 0.005)]);
    let base = Curriculum::new(sizes.epochs)
        .with_steps(sizes.training_steps)
        .with_relative_step_size(2.5)
        .with_learning_rate(learning_rate.clone());
    let seeds = Vec::from_iter((0..options.seeds).map(|more| options.seed + more));
    let mut trainings = Vec::new();
    let mut add =
        |claims: &[Claim], name: &str, curriculum: Curriculum, objective: ObjectiveSpec| {
            let first = options.claims().position(|claim| claims.contains(&claim));
            if let Some(first) = first {
                let training = TrainingPlan::new(name, curriculum, objective)
                    .with_batch_size(sizes.batch)
                    .with_seeds(seeds.clone())
                    .with_priority(first as u32);
                trainings.push(training);
            }
        };
    add(&[Claim::A, Claim::B], NOTHING, base.clone(), Natural.into());
    let (names, levels) = Claim::A.trainings(options);
    for (name, level) in names.iter().zip(levels).skip(1) {
        let moved = match options.shifts {
            true => base.clone().with_shift(level),
            false => base.clone().with_angle(level),
        };
        add(&[Claim::A], name, moved, Natural.into());
    }
    let (names, levels) = Claim::B.trainings(options);
    for (name, level) in names.iter().zip(levels).skip(1) {
        let attacked = base.clone().with_epsilon(level);
        add(&[Claim::B], name, attacked, PgdTraining::default().into());
    }
    // The epochs of the published CuSP, with budgets that these networks learn either way. The
    // published code drops the learning rate as it raises the budgets; here the rate is that of all
    // other cells.
    let cusp = Curriculum::new(120).with_epsilon(stages(EPSILONS_OF_BOTH));
    let cusp = match options.shifts {
        true => cusp.with_shift(stages(SHIFTS_OF_BOTH)),
        false => cusp.with_angle(stages(ANGLES_OF_BOTH)),
    };
    let cusp = cusp
        .scaled_to(sizes.epochs_of_both())
        .with_steps(sizes.training_steps)
        .with_relative_step_size(2.5)
        .with_learning_rate(learning_rate);
    for (name, curriculum) in [(FIXED, cusp.fixed()), (CUSP, cusp)] {
        add(&[Claim::C], name, curriculum, PgdTraining::default().into());
    }
    trainings
}

fn measurement(options: &Options) -> Measurement {
    let spatial = match options.shifts {
        true => Axis::shifts([0.0, 1.0, 2.0, 3.0, 4.0].map(Pixels)),
        false => Axis::angles([0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0].map(Degrees)),
    };
    let attack = Pgd::linf(0.0).with_steps(options.sizes().attack_steps);
    Measurement::new("poses and attacks")
        .with_axis(spatial)
        .with_axis(Axis::joint([0.0, 0.05, 0.1, 0.2]))
        .with_axis(Axis::epsilons(attack.clone(), EPSILONS))
        .with_axis(Axis::attacked_poses(attack, [pose(options)], [EPSILON]))
}

// The poses that (c) trains for.
fn pose(options: &Options) -> (Degrees, Pixels) {
    match options.shifts {
        true => (Degrees(0.0), Pixels(3.0)),
        false => (Degrees(90.0), Pixels(0.0)),
    }
}

/// What each claim says, as endpoints of one family of its own.
fn endpoints(options: &Options, networks: &[(String, CnnConfig)]) -> Vec<EndpointPlan> {
    let names = Vec::from_iter(networks.iter().map(|(name, _)| name.clone()));
    let mut endpoints = Vec::new();
    for claim in options.claims() {
        let (trainings, levels) = claim.trainings(options);
        let arms = Vec::from_iter(trainings.iter().map(|name| name.as_str().into()));
        let first = trainings.first().map_or("", |name| name);
        let last = trainings.last().map_or("", |name| name);
        let (contrast, words) = match claim {
            Claim::A | Claim::B => (
                Contrast::Trend { arms, levels },
                format!("from training with {first} to {last}"),
            ),
            Claim::C => (
                Contrast::Difference([CUSP.into(), FIXED.into()]),
                "of CuSP against fixed budgets".to_owned(),
            ),
        };
        let (axis, level) = claim.spatial(options);
        let unit = if options.shifts { " px" } else { "°" };
        let (posed, attacked) = (format!("at ±{level}{unit}"), format!("at ε = {EPSILON}"));
        let both = format!("{attacked} in poses of up to ±{level}{unit}");
        let [spatial, adversarial] = [(axis, level), (ATTACK, EPSILON)].map(At::from);
        let (angle, shift) = pose(options);
        let joint = (ATTACKED, [angle.0, shift.0, EPSILON]).into();
        use Claimed::{Falls, Rises};
        use Estimand::{Accuracy, Fooling};
        let asked: Vec<(Estimand, &str, At, Claimed)> = match claim {
            Claim::A => vec![
                (Accuracy, &posed, spatial, Rises),
                (Accuracy, &attacked, adversarial.clone(), Falls),
                (Fooling, &attacked, adversarial, Rises),
            ],
            Claim::B => vec![
                (Accuracy, &attacked, adversarial, Rises),
                (Accuracy, &posed, spatial.clone(), Falls),
                (Fooling, &posed, spatial, Rises),
            ],
            Claim::C => vec![
                (Accuracy, &both, joint, Rises),
                (Accuracy, &posed, spatial, Rises),
                (Accuracy, &attacked, adversarial, Rises),
            ],
        };
        endpoints.extend(asked.into_iter().map(|(estimand, place, at, claimed)| {
            let name = format!("{estimand} {place} {words}");
            EndpointPlan::new(name, contrast.clone(), at)
                .with_networks(names.clone())
                .with_estimand(estimand)
                .with_claimed(claimed)
                .with_family(claim.title(options.shifts))
        }));
    }
    endpoints
}

fn series(options: &Options, claim: Claim) -> SeriesPlan {
    let (trainings, levels) = claim.trainings(options);
    let (title, label) = claim.level_words(options);
    let place = |(axis, level): (&str, f64)| Place {
        axis: axis.to_owned(),
        level: level.into(),
    };
    let names = Vec::from_iter(trainings.iter().map(String::as_str));
    SeriesPlan::new(claim.title(options.shifts), &names)
        .with_levels(levels.into_iter().map(Into::into).collect::<Vec<_>>())
        .with_level_title(title)
        .with_level_label(label)
        .with_plane(PlanePlan {
            spatial: place(claim.spatial(options)),
            adversarial: place((ATTACK, EPSILON)),
        })
}
