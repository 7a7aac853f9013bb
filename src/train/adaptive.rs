use crate::base::{Error, Result, named};
use crate::curriculum::{Curriculum, Stage};
use crate::train::{EpochRecord, Pace};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// On to harder budgets once the model withstands those that it has: an adaptive curriculum.
///
/// The training stands at an epoch *of the curriculum*, and moves on by one with each of its own, but
/// not past the last one with the same rotation, shift and attack before the share of the images held
/// out that are classified rightly as they are learnt from
/// ([`Robust::staged`](crate::train::Robust::staged)) has reached a threshold. As soon as it has, the
/// training stands at the first epoch of the next budgets. With a curriculum whose budgets rise by a
/// little each epoch, such as a number of attack steps that grows by one, it is curriculum adversarial
/// training (Q.-Z. Cai et al. 2018, "Curriculum adversarial training", algorithm 2).
///
/// What it knows is the history, so a resumed training goes on as the uninterrupted one would have.
/// It needs a [`RobustValidation`](crate::train::RobustValidation) with `staged`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Adaptive {
    /// The share to be reached, in `(0, 1]`.
    pub threshold: f64,
    /// The most epochs at the same budgets, reached or not; by default there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[setters(strip_option)]
    pub at_most: Option<usize>,
    /// Whether the learning rate is that of the curriculum's epoch at which the training stands, as the
    /// budgets are; else that of the epoch itself, whatever the budgets.
    pub coupled_rate: bool,
}

impl Adaptive {
    /// On to the next budgets once this share of the images held out is classified rightly; with the
    /// coupled learning rate.
    pub fn new(threshold: f64) -> Self {
        Self {
            threshold,
            at_most: None,
            coupled_rate: true,
        }
    }

    /// The epoch of the curriculum at which the training stands after these epochs.
    fn position(&self, curriculum: &Curriculum, past: &[EpochRecord]) -> usize {
        let starts = starts(curriculum);
        let (mut position, mut begun) = (1, 1);
        for record in past {
            let next = starts.iter().find(|&&start| start > position);
            let staged = record.robust.and_then(|robust| robust.staged);
            let passed = staged.is_some_and(|share| share >= self.threshold);
            let spent = record.epoch + 1 - begun;
            let spent = self.at_most.is_some_and(|most| spent >= most);
            position = match next {
                Some(&next) if passed || spent => {
                    begun = record.epoch + 1;
                    next
                }
                Some(&next) => (position + 1).min(next - 1),
                None => (position + 1).min(curriculum.epochs()),
            };
        }
        position
    }
}

/// The epochs of a curriculum at which rotation, shift or attack become others.
fn starts(curriculum: &Curriculum) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut before: Option<Stage> = None;
    for epoch in 1..=curriculum.epochs() {
        let budgets = Stage {
            learning_rate: 0.0,
            ..curriculum.stage(epoch)
        };
        if before.replace(budgets) != Some(budgets) {
            starts.push(epoch);
        }
    }
    starts
}

impl Pace for Adaptive {
    fn stage(&self, curriculum: &Curriculum, epoch: usize, past: &[EpochRecord]) -> Stage {
        let stage = curriculum.stage(self.position(curriculum, past));
        match self.coupled_rate {
            true => stage,
            false => Stage {
                learning_rate: curriculum.learning_rate(epoch),
                ..stage
            },
        }
    }

    fn settings(&self) -> Value {
        named::<dyn Pace>("adaptive", self)
    }

    fn needs_staged(&self) -> bool {
        true
    }

    fn check(&self, _curriculum: &Curriculum) -> Result<()> {
        let threshold = self.threshold;
        let share = threshold > 0.0 && threshold <= 1.0;
        Error::unless(
            share,
            "adaptive: threshold",
            threshold,
            "above 0, at most 1",
        )?;
        let most = self.at_most.unwrap_or(1);
        Error::unless(most > 0, "adaptive: at most", most, "1 or more epochs")
    }
}
