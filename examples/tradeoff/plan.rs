//! Which networks are trained how, and how long that will take.

use crate::common;
use crate::options::Options;
use burn::tensor::Device;
use clap::ValueEnum;
use fireproof::base::Result;
use fireproof::prelude::*;
use fireproof::train::{ObjectiveSpec, Progress};
use serde::Serialize;
use std::io::IsTerminal;

/// The radii that every network is attacked at.
pub const EPSILONS: [f64; 5] = [0.0, 0.05, 0.1, 0.15, 0.2];

/// The axis of the attack.
pub const ATTACK: &str = "epsilons";

/// The radius that the trade-off plane shows.
pub const EPSILON: f64 = 0.1;

// Rotations and shifts of claim (a), and radii of claim (b).
const ANGLES: [f64; 3] = [45.0, 90.0, 180.0];
const SHIFTS: [f64; 3] = [1.0, 2.0, 3.0];
const RADII: [f64; 3] = [0.05, 0.1, 0.2];

// Stages of CuSP in claim (c).
const ANGLES_OF_BOTH: [f64; 3] = [30.0, 60.0, 90.0];
const SHIFTS_OF_BOTH: [f64; 3] = [1.0, 2.0, 3.0];
const EPSILONS_OF_BOTH: [f64; 3] = [0.025, 0.05, 0.1];

// The epochs of 120 in which the published CuSP raises its budgets.
fn stages(budgets: [f64; 3]) -> Milestones {
    Milestones::new([1, 75, 90].into_iter().zip(budgets))
}

/// The spatial level that the trade-off plane shows, and the tables of (a) and (b).
pub fn spatial(options: &Options) -> (&'static str, f64) {
    if options.shifts {
        ("shifts", 3.0)
    } else {
        ("angles", 180.0)
    }
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

    /// The spatial level that the claim's table shows: for (c) the one that both networks are trained
    /// for.
    pub fn spatial(self, options: &Options) -> (&'static str, f64) {
        match self {
            Self::C if !options.shifts => ("angles", 90.0),
            Self::A | Self::B | Self::C => spatial(options),
        }
    }

    pub fn title(self, shifts: bool) -> &'static str {
        match (self, shifts) {
            (Self::A, false) => "(a) trained on growing rotations",
            (Self::A, true) => "(a) trained on growing translations",
            (Self::B, _) => "(b) adversarially trained with growing ε",
            (Self::C, _) => "(c) trained on both: CuSP against fixed budgets",
        }
    }
}

/// One network to train and measure. It may belong to several claims.
pub struct Cell {
    pub claims: Vec<Claim>,
    pub network: Network,
    pub trained: String,
    pub training: Training,
}

impl Cell {
    pub fn name(&self) -> String {
        format!("{}, {}", self.network.name(), self.trained)
    }

    /// The name as letters, digits, points and hyphens: `GCNN p4, ±45°` is `gcnn-p4-45-degrees`.
    pub fn file_name(&self) -> String {
        let spelt = self.name().replace('°', "-degrees").replace('ε', "epsilon");
        let kept = spelt.chars().filter_map(|c| match c {
            ' ' => Some('-'),
            '.' | '-' => Some(c),
            c => c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase()),
        });
        kept.collect()
    }
}

/// StdCNN or GCNN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub group: Group,
}

impl Network {
    pub fn name(self) -> String {
        common::network_name(self.group)
    }

    /// The network of the study, of the size of the GCNN.
    pub fn config(self, options: &Options, data: &ImageSet, device: &Device) -> Result<CnnConfig> {
        let gcnn = (options.group, options.sizes().width);
        common::network(self.group, gcnn, options.seed, data, device)
    }

    /// The network with its initial weights.
    pub fn build(self, options: &Options, data: &ImageSet, device: &Device) -> Result<Cnn> {
        self.config(options, data, device)?.init(device)
    }
}

/// All trainings, in the order that lets the three tables grow from the simplest row on.
///
/// They differ in budgets and objective only: epochs, learning rate, order of the images and
/// initial weights are the same for all.
pub fn cells(options: &Options) -> Vec<Cell> {
    let sizes = options.sizes();
    let networks = [Group::P1, options.group].map(|group| Network { group });
    let learning_rate = Milestones::new([(0.0, 0.05), (0.6, 0.02), (0.8, 0.005)]);
    let base = Curriculum::new(sizes.epochs)
        .with_steps(sizes.training_steps)
        .with_relative_step_size(2.5)
        .with_learning_rate(learning_rate.clone());
    // Into a file or a pipe go the tables alone.
    let progress = if std::io::stderr().is_terminal() {
        Progress::Auto
    } else {
        Progress::Quiet
    };
    let mut cells = Vec::new();
    let mut add =
        |claims: &[Claim], trained: String, curriculum: &Curriculum, objective: ObjectiveSpec| {
            let claims: Vec<Claim> = options.claims().filter(|c| claims.contains(c)).collect();
            if claims.is_empty() {
                return;
            }
            cells.extend(networks.map(|network| {
                Cell {
                    claims: claims.clone(),
                    network,
                    trained: trained.clone(),
                    training: Training::new(curriculum.clone(), objective.clone())
                        .with_batch_size(sizes.batch)
                        .with_seed(options.seed)
                        .with_progress(progress)
                        .with_label(format!("{}, {trained}", network.name())),
                }
            }));
        };

    let nothing = "nothing".to_owned();
    add(&[Claim::A, Claim::B], nothing, &base, Natural.into());
    for (angle, shift) in ANGLES.into_iter().zip(SHIFTS) {
        let (trained, moved) = if options.shifts {
            (format!("±{shift} px"), base.clone().with_shift(shift))
        } else {
            (format!("±{angle}°"), base.clone().with_angle(angle))
        };
        add(&[Claim::A], trained, &moved, Natural.into());
    }
    for epsilon in RADII {
        let attacked = base.clone().with_epsilon(epsilon);
        add(
            &[Claim::B],
            format!("ε {epsilon}"),
            &attacked,
            PgdTraining::default().into(),
        );
    }
    // The epochs of the published CuSP, with budgets that these networks learn either way. The
    // published code drops the learning rate as it raises the budgets; here the rate is that of all
    // other cells.
    let cusp = Curriculum::new(120).with_epsilon(stages(EPSILONS_OF_BOTH));
    let cusp = if options.shifts {
        cusp.with_shift(stages(SHIFTS_OF_BOTH))
    } else {
        cusp.with_angle(stages(ANGLES_OF_BOTH))
    };
    let cusp = cusp
        .scaled_to(sizes.epochs_of_both())
        .with_steps(sizes.training_steps)
        .with_relative_step_size(2.5)
        .with_learning_rate(learning_rate);
    for (name, curriculum) in [("fixed", cusp.fixed()), ("CuSP", cusp)] {
        add(
            &[Claim::C],
            name.to_owned(),
            &curriculum,
            PgdTraining::default().into(),
        );
    }
    cells
}
