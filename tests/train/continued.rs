//! Trainings that go on with other epochs than they were begun with, or after a number that is
//! none.

use super::fitting::{GENERATOR, Net, contents, fit, training, weights};
use super::given::{CALM, HARD, curriculum, halves};
use super::resume::Advance;
use burn::module::Module;
use burn::tensor::Tensor;
use fireproof::base::{Classifier, Keys};
use fireproof::curriculum::{Curriculum, Linear, Stage};
use fireproof::train::{EpochRecord, Robust, Training};
use std::path::Path;
use std::sync::PoisonError;

fn resuming(settings: &Training, folder: &Path) -> Training {
    let settings = settings.clone().with_directory(folder);
    settings.with_resume(true)
}

/// A training with this curriculum.
fn by(curriculum: Curriculum) -> Training {
    training(&[CALM]).with_curriculum(curriculum)
}

fn ramp(epochs: usize) -> Linear {
    Linear::new(0.05, 0.01).between(1, epochs)
}

/// Trains by `begun`, then goes on by `longer`: the weights must be those of `longer` alone.
fn goes_on(begun: &Training, longer: &Training) {
    let folder = tempfile::tempdir().unwrap();
    fit(&begun.clone().with_directory(folder.path())).unwrap();
    let resumed = fit(&resuming(longer, folder.path())).unwrap();
    let whole = fit(longer).unwrap();
    assert!(weights(&resumed.model) == weights(&whole.model));
    let stages = |history: &[EpochRecord]| history.iter().map(|e| e.stage).collect::<Vec<Stage>>();
    assert_eq!(stages(&resumed.history), stages(&whole.history));
    // What is written down is the training that it now is.
    let text = std::fs::read_to_string(folder.path().join("training.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    let curriculum = serde_json::to_value(&longer.curriculum).unwrap();
    assert_eq!(written["curriculum"], curriculum);
    fit(&resuming(longer, folder.path())).unwrap();
    // It is not done with what it began as.
    if longer.curriculum.epochs > begun.curriculum.epochs {
        let refused = refusal(begun, folder.path());
        let (epochs, done) = (begun.curriculum.epochs, longer.curriculum.epochs);
        let part = format!("curriculum: epochs = {epochs}: expected at least the {done}");
        assert!(refused.contains(&part), "{refused}");
    }
}

/// Why the training is not gone on with by these settings; nothing in its folder changes.
fn refusal(settings: &Training, folder: &Path) -> String {
    let before = contents(folder);
    let refused = fit(&resuming(settings, folder)).unwrap_err().to_string();
    assert_eq!(contents(folder), before, "{refused}");
    refused
}

#[test]
fn convention_more_epochs_are_those_of_the_longer_training() {
    goes_on(
        &training(&[CALM, HARD]),
        &training(&[CALM, HARD, HARD, CALM]),
    );
    goes_on(&training(&[CALM]), &training(&[CALM, HARD]));
    // Other epochs to come, as many as before: there is nothing yet that would not agree.
    goes_on(&training(&[CALM, HARD]), &by(curriculum(&[CALM, HARD])));
    // A ramp that says in which epochs it is.
    let by_ramp = |epochs| by(Curriculum::new(epochs).with_learning_rate(ramp(2)));
    goes_on(&by_ramp(2), &by_ramp(4));
    // At a pace of its own, by what came of the epochs.
    let paced = |stages: &[Stage]| training(stages).with_pace(Advance { accuracy: 0.8 });
    goes_on(
        &paced(&[CALM, HARD, HARD]),
        &paced(&[CALM, HARD, HARD, HARD]),
    );
}

#[test]
fn error_epochs_that_are_done_would_be_others() {
    let folder = tempfile::tempdir().unwrap();
    // Over all epochs: in four, the second one's rate is another.
    let by_ramp = |epochs| {
        let rate = Linear::new(0.05, 0.01);
        by(Curriculum::new(epochs)
            .with_learning_rate(rate)
            .with_angle(10.0))
    };
    fit(&by_ramp(2).with_directory(folder.path())).unwrap();
    let refused = refusal(&by_ramp(4), folder.path());
    let part = "these differ: curriculum at epoch 2.learning_rate (0.01 there, 0.03";
    assert!(refused.contains(part), "{refused}");

    let turned = by_ramp(2).curriculum.with_angle(20.0);
    let refused = refusal(&by(turned), folder.path());
    let part = "these differ: curriculum at epoch 1.angle (10.0 there, 20.0 now)";
    assert!(refused.contains(part), "{refused}");
    let refused = refusal(&by_ramp(2).with_momentum(0.5), folder.path());
    let part = "these differ: momentum (0.9 there, 0.5 now)";
    assert!(refused.contains(part), "{refused}");

    // What was done is read from the history.
    let same = by_ramp(2).curriculum.with_angle(15.0);
    let history = folder.path().join("history.json");
    let text = std::fs::read_to_string(&history).unwrap();
    let mut records: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    records.remove(0);
    std::fs::write(&history, serde_json::to_string(&records).unwrap()).unwrap();
    let refused = refusal(&by(same), folder.path());
    assert!(
        refused.contains("history.json does not tell of all 2 epochs"),
        "{refused}"
    );
}

/// Learns as [`Net`] does, and cannot be validated: every logit is NaN.
#[derive(Module, Debug)]
struct Unsound {
    net: Net,
}

impl Classifier for Unsound {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.net.logits(images) * f32::NAN
    }

    fn training_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
        self.net.training_logits(images, keys)
    }
}

#[test]
fn convention_a_loss_that_is_no_number_does_not_hinder_resuming() {
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    let fit = |settings: &Training| {
        let model = Unsound {
            net: Net::new(&device),
        };
        settings
            .fit(model, &halves(48), &halves(16), &device)
            .unwrap()
    };
    // Oracle: the uninterrupted training.
    for paced in [false, true] {
        let mut settings = training(&[CALM, CALM, CALM]);
        if paced {
            settings = settings.with_pace(Advance { accuracy: 2.0 });
        }
        let folder = tempfile::tempdir().unwrap();
        let whole = fit(&settings.clone().with_directory(folder.path()));
        for part in ["model", "optim", "scheduler"] {
            std::fs::remove_file(folder.path().join(format!("checkpoint/{part}-3.bpk"))).unwrap();
        }
        let resumed = fit(&resuming(&settings, folder.path()));
        assert!(weights(&resumed.model.net) == weights(&whole.model.net));
        assert_eq!(resumed.history.len(), 3);
        for (resumed, whole) in resumed.history.iter().zip(&whole.history) {
            assert!(whole.valid_loss.is_nan() && resumed.valid_loss.is_nan());
            assert_eq!(resumed.train_loss, whole.train_loss);
        }
    }
}

#[test]
fn convention_numbers_of_an_epoch_are_read_as_they_were() {
    let record = |value: f64| EpochRecord {
        epoch: 1,
        stage: CALM,
        train_loss: value,
        train_accuracy: 0.5,
        valid_loss: -value,
        valid_accuracy: value,
        train_numbers: [("penalty".to_owned(), value)].into(),
        valid_numbers: [("NaN".to_owned(), value)].into(),
        robust: Some(Robust {
            clean: value,
            accuracy: value,
            fooling: -value,
            staged: None,
        }),
        seconds: 1.0,
    };
    let numbers = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        1.0,
        0.1 + 0.2,
        5e-324,
    ];
    for value in numbers {
        let text = serde_json::to_string(&record(value)).unwrap();
        let read: EpochRecord = serde_json::from_str(&text).unwrap();
        let same = |found: f64, value: f64| found == value || found.is_nan() && value.is_nan();
        assert!(
            same(read.train_loss, value) && same(read.valid_loss, -value),
            "{text}"
        );
        assert!(same(read.valid_accuracy, value), "{text}");
        assert!(same(read.train_numbers["penalty"], value), "{text}");
        assert!(same(read.valid_numbers["NaN"], value), "{text}");
        let robust = read.robust.unwrap();
        assert!(
            same(robust.accuracy, value) && same(robust.fooling, -value),
            "{text}"
        );
    }
    // As serde_json alone would have it.
    let written = serde_json::to_value(record(1.0)).unwrap();
    let with = |loss: serde_json::Value| {
        let mut written = written.clone();
        written["valid_loss"] = loss;
        serde_json::from_value::<EpochRecord>(written)
    };
    assert!(with(serde_json::Value::Null).unwrap().valid_loss.is_nan());
    for wrong in ["none", "1.5"] {
        let refused = with(wrong.into()).unwrap_err().to_string();
        assert!(refused.contains("a number, NaN, inf or -inf"), "{refused}");
    }
}
