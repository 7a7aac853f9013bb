use super::schedule::check;
use super::{ScheduleSpec, Stage};
use crate::base::{Degrees, Error, Pixels, Result, StepSize};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

// Checking and printing go through all epochs.
const MOST_EPOCHS: usize = 1_000_000;

/// Rotation, shift, ε, attack and learning rate for every epoch of a training.
///
/// Built with [`new`](Self::new) and `with_…`, or taken from a preset. Every `with_…` takes a
/// [`Schedule`](super::Schedule) or a plain number. [`Display`](std::fmt::Display) prints the stages as a table in
/// Markdown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_", into)]
pub struct Curriculum {
    /// The number of epochs; see [`scaled_to`](Self::scaled_to).
    #[setters(skip)]
    pub epochs: usize,
    /// Random rotations of up to this many degrees either way, 0 to 180.
    pub angle: ScheduleSpec,
    /// Random shifts of up to this many pixels either way along each axis.
    pub shift: ScheduleSpec,
    /// Radius of the ball of pixel perturbations, in units of the pixel range. Zero: no attack.
    pub epsilon: ScheduleSpec,
    /// Number of attack steps. Milestones must be whole numbers; a ramp is rounded.
    pub steps: ScheduleSpec,
    /// Size of an attack step, in units of the pixel range or as a multiple of ε/steps.
    #[setters(skip)]
    pub step_size: StepSize<ScheduleSpec>,
    /// Learning rate of the optimiser.
    pub learning_rate: ScheduleSpec,
}

impl Curriculum {
    /// Natural training for this many epochs: no rotation, no shift, no attack, and a learning
    /// rate of 0.1. An attack, once ε is given, has 10 steps of 2.5·ε/10.
    pub fn new(epochs: usize) -> Self {
        Self {
            epochs,
            angle: 0.0.into(),
            shift: 0.0.into(),
            epsilon: 0.0.into(),
            steps: 10.into(),
            step_size: StepSize::default().map(|&factor| factor.into()),
            learning_rate: 0.1.into(),
        }
    }

    /// Size of an attack step, in units of the pixel range.
    pub fn with_step_size(mut self, step_size: impl Into<ScheduleSpec>) -> Self {
        self.step_size = StepSize::Absolute(step_size.into());
        self
    }

    /// Size of an attack step, as a multiple of ε/steps, both as they are in the epoch.
    pub fn with_relative_step_size(mut self, factor: impl Into<ScheduleSpec>) -> Self {
        self.step_size = StepSize::Relative(factor.into());
        self
    }

    /// The number of epochs.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// What holds at `epoch`.
    ///
    /// # Panics
    ///
    /// Panics unless `epoch` is within 1 to [`epochs`](Self::epochs): epochs count from 1.
    pub fn stage(&self, epoch: usize) -> Stage {
        assert!(
            (1..=self.epochs).contains(&epoch),
            "epoch {epoch} is not within 1 to {}",
            self.epochs
        );
        let at = |schedule: &ScheduleSpec| schedule.at(epoch, self.epochs);
        let epsilon = at(&self.epsilon);
        let steps = at(&self.steps).round() as usize;
        Stage {
            angle: Degrees(at(&self.angle)),
            shift: Pixels(at(&self.shift)),
            epsilon,
            steps,
            step_size: self.step_size.map(at).length(epsilon, steps),
            learning_rate: at(&self.learning_rate),
        }
    }

    /// The learning rate at `epoch`.
    ///
    /// # Panics
    ///
    /// As [`stage`](Self::stage).
    pub fn learning_rate(&self, epoch: usize) -> f64 {
        self.stage(epoch).learning_rate
    }

    /// The stages in order, each with the epochs that it holds for.
    pub fn stages(&self) -> Vec<(RangeInclusive<usize>, Stage)> {
        let mut stages: Vec<(RangeInclusive<usize>, Stage)> = Vec::new();
        for epoch in 1..=self.epochs {
            let stage = self.stage(epoch);
            match stages.last_mut() {
                Some((held, same)) if *same == stage => *held = *held.start()..=epoch,
                _ => stages.push((epoch..=epoch, stage)),
            }
        }
        stages
    }

    /// Refuses a curriculum that cannot be meant. To be called on one that came from outside.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] unless there are 1 to 1,000,000 epochs; every value is finite and not
    /// negative, angles are at most 180°, learning rates above 0 and numbers of steps whole;
    /// milestones lie within the epochs in ascending order, the first at the first epoch; and
    /// wherever ε is above 0 there is at least one step of a size above 0.
    pub fn check(&self) -> Result<()> {
        let epochs = self.epochs;
        let valid = (1..=MOST_EPOCHS).contains(&epochs);
        let expected = format_args!("1 to {MOST_EPOCHS}");
        Error::unless(valid, "curriculum: epochs", epochs, expected)?;
        for (name, schedule) in self.schedules() {
            let setting = format!("curriculum: {name}");
            let check = |valid: fn(f64) -> bool, expected| {
                check(schedule, &setting, epochs, valid, expected)
            };
            match name {
                "angle" => check(|v| (0.0..=180.0).contains(&v), "0 to 180 degrees"),
                "steps" => check(
                    |v| v >= 0.0 && v.fract() == 0.0 && v <= f64::from(u32::MAX),
                    "a whole number, 0 or more",
                ),
                "learning rate" => check(|v| v.is_finite() && v > 0.0, "a finite number above 0"),
                _ => check(|v| v.is_finite() && v >= 0.0, "a finite number, 0 or more"),
            }?;
        }
        self.check_attacks()
    }

    pub(super) fn schedules(&self) -> [(&'static str, &ScheduleSpec); 6] {
        [
            ("angle", &self.angle),
            ("shift", &self.shift),
            ("epsilon", &self.epsilon),
            ("steps", &self.steps),
            ("step size", self.step_size.value()),
            ("learning rate", &self.learning_rate),
        ]
    }

    /// The curriculum of the changed schedules in this many epochs.
    pub(super) fn map(
        &self,
        epochs: usize,
        change: impl Fn(&ScheduleSpec) -> ScheduleSpec,
    ) -> Self {
        Self {
            epochs,
            angle: change(&self.angle),
            shift: change(&self.shift),
            epsilon: change(&self.epsilon),
            steps: change(&self.steps),
            step_size: self.step_size.map(&change),
            learning_rate: change(&self.learning_rate),
        }
    }

    fn check_attacks(&self) -> Result<()> {
        for epoch in 1..=self.epochs {
            let stage = self.stage(epoch);
            let (epsilon, steps, length) = (stage.epsilon, stage.steps, stage.step_size);
            let moves = epsilon <= 0.0 || (steps > 0 && length > 0.0);
            let name = format_args!("curriculum: attack at epoch {epoch}");
            let found = format_args!("{steps} steps of {length}");
            let expected = format_args!("at least one step of a size above 0 (ε is {epsilon})");
            Error::unless(moves, name, found, expected)?;
        }
        Ok(())
    }
}
