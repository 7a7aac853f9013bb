//! Trainings that go on where they were, and at a pace of their own.

use super::fitting::{checkpoints, files, fit, training, weights};
use super::given::{CALM, HARD};
use fireproof::base::{Kind, named};
use fireproof::curriculum::{Curriculum, Stage};
use fireproof::train::{EpochRecord, Pace, Training};
use std::sync::Arc;

#[test]
fn convention_resumed_training_is_the_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let stages = [CALM, HARD, HARD];
    let settings = training(&stages);
    let whole = fit(&settings.clone().with_directory(folder.path())).unwrap();
    assert_eq!(
        weights(&whole.model),
        weights(&fit(&settings).unwrap().model)
    );
    assert_eq!(
        files(folder.path()),
        ["checkpoint", "history.json", "training.json"]
    );
    assert_eq!(
        files(&folder.path().join("checkpoint")),
        checkpoints(&[2, 3])
    );

    // As if it had been killed while the last checkpoint was written.
    let part = folder.path().join("checkpoint/optim-3.bpk");
    let bytes = std::fs::read(&part).unwrap();
    std::fs::write(&part, &bytes[..bytes.len() / 2]).unwrap();
    let resuming = settings
        .clone()
        .with_directory(folder.path())
        .with_resume(true);
    let resumed = fit(&resuming).unwrap();
    assert!(weights(&resumed.model) == weights(&whole.model));
    assert_eq!(resumed.history.len(), 3);
    for (resumed, whole) in resumed.history.iter().zip(&whole.history) {
        assert_eq!((resumed.epoch, resumed.stage), (whole.epoch, whole.stage));
        assert_eq!(resumed.train_loss, whole.train_loss);
        assert_eq!(resumed.valid_loss, whole.valid_loss);
    }

    // Nothing left to do: the weights of the last checkpoint.
    assert_eq!(
        weights(&fit(&resuming).unwrap().model),
        weights(&whole.model)
    );
}

/// A stage further after every epoch whose training accuracy reaches the threshold.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    pub accuracy: f64,
}

impl Pace for Advance {
    fn stage(&self, curriculum: &Curriculum, epoch: usize, past: &[EpochRecord]) -> Stage {
        assert_eq!(past.len(), epoch - 1, "all epochs before");
        let passed = past.iter().filter(|e| e.train_accuracy >= self.accuracy);
        let stages = curriculum.stages();
        stages[passed.count().min(stages.len() - 1)].1
    }

    fn settings(&self) -> serde_json::Value {
        named::<dyn Pace>("advance", self)
    }
}

#[test]
fn convention_a_pace_goes_through_the_curriculum_by_what_came_of_it() {
    let stages = [CALM, HARD, HARD, HARD, HARD];
    let steady = fit(&training(&stages)).unwrap().history;
    // Between the first two epochs' accuracies, so that the second stage waits for an epoch.
    let accuracy = (steady[0].train_accuracy + 1.0) / 2.0;
    let settings = training(&stages).with_pace(Advance { accuracy });
    let folder = tempfile::tempdir().unwrap();
    let whole = fit(&settings.clone().with_directory(folder.path())).unwrap();
    // Oracle: the rule, applied to the accuracies that were written down.
    let mut expected = Vec::new();
    for record in &whole.history {
        let passed = whole.history[..record.epoch - 1].iter();
        let any = passed.filter(|e| e.train_accuracy >= accuracy).count() > 0;
        expected.push(if any { HARD } else { CALM });
    }
    let found: Vec<Stage> = whole.history.iter().map(|e| e.stage).collect();
    assert_eq!(found, expected);
    assert!(found[1] == CALM && found[4] == HARD, "{found:?}");
    // The same without a directory, where nothing but the pace waits for the records.
    assert!(weights(&fit(&settings).unwrap().model) == weights(&whole.model));

    // Resumed, the pace knows the epochs before.
    let part = folder.path().join("checkpoint/model-5.bpk");
    std::fs::remove_file(part).unwrap();
    let resuming = settings.with_directory(folder.path()).with_resume(true);
    let resumed = fit(&resuming).unwrap();
    assert!(weights(&resumed.model) == weights(&whole.model));
    let again: Vec<Stage> = resumed.history.iter().map(|e| e.stage).collect();
    assert_eq!(again, found);
    std::fs::remove_file(folder.path().join("history.json")).unwrap();
    let refused = fit(&resuming).unwrap_err().to_string();
    assert!(refused.contains("history.json"), "{refused}");

    // In files by its name, once that is known.
    let registry = <dyn Pace>::registry();
    registry
        .add("advance", |pace: Advance| Arc::new(pace))
        .unwrap();
    let json = serde_json::to_string(&resuming).unwrap();
    let read: Training = serde_json::from_str(&json).unwrap();
    assert_eq!(read.pace, resuming.pace);
}
