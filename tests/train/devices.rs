//! Trainings on several devices: two of Flex's one.
//!
//! Oracle: the same training on one device, and for the loader its batches.

use super::fitting::GENERATOR;
use super::given::{CALM, HARD, curriculum, epoch, halves, ids, loader};
use crate::common::values;
use burn::data::dataloader::split::split_dataloader;
use fireproof::base::{Error, Result};
use fireproof::curriculum::Stage;
use fireproof::data::ImageSet;
use fireproof::group::Group;
use fireproof::model::{Cnn, CnnConfig, Widths};
use fireproof::train::{
    Ema, Fat, Mart, Natural, Objective, ObjectiveSpec, PgdTraining, PoseKl, Progress, StagedBatch,
    Step, Student, Trades, Trained, Training, WorstPose,
};
use std::sync::{Arc, PoisonError};

/// `halves` made larger, as convolutions take them.
fn images(count: usize) -> ImageSet {
    let set = halves(count);
    let large = |at: usize| {
        let small = set.pixels(at).to_vec();
        (0..784).map(move |p| small[(p / 28 * 8 / 28) * 8 + p % 28 * 8 / 28])
    };
    let pixels = (0..count).flat_map(large).collect();
    ImageSet::new("large halves", [1, 28, 28], 2, pixels, set.labels()).unwrap()
}

fn network() -> Cnn {
    let config = CnnConfig::new(Group::P4, [1, 28, 28], 2).with_widths(Widths::Given([2, 2, 3, 3]));
    config.with_seed(4).init(&fireproof::device()).unwrap()
}

fn training(stages: &[Stage], objective: impl Into<ObjectiveSpec>) -> Training {
    Training::new(curriculum(stages), objective)
        .with_batch_size(16)
        .with_seed(3)
        .with_progress(Progress::Quiet)
}

fn fit_on(training: &Training, count: usize, devices: usize) -> Result<Trained<Cnn>> {
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let devices = vec![fireproof::device(); devices];
    training.fit_on(network(), &images(count), &images(8), &devices)
}

fn weights(model: &Cnn) -> Vec<f32> {
    let weights = model.weights().into_iter();
    weights.flat_map(|weight| values(weight.values)).collect()
}

/// The largest difference of weights, of the largest way that a weight went from where it began.
fn apart(one: &Trained<Cnn>, other: &Trained<Cnn>) -> f32 {
    let begun = weights(&network());
    let [one, other] = [one, other].map(|trained| weights(&trained.model));
    let most = |a: &[f32], b: &[f32]| {
        let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        differences.fold(0.0, f32::max)
    };
    let way = most(&one, &begun);
    assert!(way > 1e-4, "nothing learnt");
    most(&one, &other) / way
}

#[test]
fn value_a_step_on_several_devices_is_that_of_all_images() {
    // Steps that are large beside the rounding of the weights themselves.
    let pixels = Stage {
        learning_rate: 0.05,
        ..HARD
    };
    let poses = Stage {
        epsilon: 0.0,
        steps: 0,
        ..pixels
    };
    let cases: [(Stage, ObjectiveSpec); 8] = [
        (CALM, Natural.into()),
        (pixels, PgdTraining::default().into()),
        (pixels, Trades::new(6.0).into()),
        (pixels, Mart::new(5.0).into()),
        (pixels, Fat::new(1).into()),
        (pixels, Ema::new(PgdTraining::default()).into()),
        (poses, WorstPose::default().into()),
        (poses, PoseKl::new(1.0).into()),
    ];
    for (stage, objective) in cases {
        let training = training(&[stage], objective.clone());
        let [one, two] = [1, 2].map(|devices| fit_on(&training, 16, devices).unwrap());
        let apart = apart(&one, &two);
        assert!(apart <= 1e-5, "{apart} of a step by {objective:?}");
    }
    // From three on sums come in any order: over many steps a rounding may turn something.
    let training = training(&[CALM], Natural);
    let [one, four] = [1, 4].map(|devices| fit_on(&training, 16, devices).unwrap());
    let apart = apart(&one, &four);
    assert!(apart <= 1e-5, "{apart} of a step on four devices");
}

#[test]
fn value_a_training_on_two_devices_is_that_on_one() {
    // 39 images: batches of 16, 16 and 7, which does not divide. No attack: a rounding can turn a sign
    // of its steps, and with fast numerics parts of a batch round differently.
    let training = training(&[CALM, HARD], Natural);
    let [one, two] = [1, 2].map(|devices| fit_on(&training, 39, devices).unwrap());
    let apart = apart(&one, &two);
    assert!(apart <= 1e-4, "{apart}");
    for (a, b) in one.history.iter().zip(&two.history) {
        assert_eq!((a.epoch, a.stage), (b.epoch, b.stage));
        assert!((a.train_loss - b.train_loss).abs() < 1e-4, "{a:?} {b:?}");
        let gained = (a.train_accuracy - b.train_accuracy).abs();
        assert!(gained < 1e-9, "{a:?} {b:?}");
    }
}

#[test]
fn convention_other_devices_resume_a_training() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fit_on(&training(&[CALM; 3], Natural), 32, 1).unwrap();
    let kept = |stages: &[Stage]| {
        training(stages, Natural)
            .with_directory(folder.path().to_owned())
            .with_resume(true)
    };
    fit_on(&kept(&[CALM]), 32, 2).unwrap();
    fit_on(&kept(&[CALM; 2]), 32, 1).unwrap();
    let resumed = fit_on(&kept(&[CALM; 3]), 32, 2).unwrap();
    let apart = apart(&whole, &resumed);
    assert!(apart <= 1e-4, "{apart}");
}

#[test]
fn convention_devices_share_every_batch() {
    let device = fireproof::device();
    for (count, workers) in [(40, 2), (39, 2), (33, 2), (39, 4), (33, 4), (48, 8), (7, 8)] {
        let whole = loader(&device, count, &[CALM; 2], 3);
        let dealt = loader(&device, count, &[CALM; 2], 3).dealt_to(workers);
        let dealt = Arc::new(dealt.unwrap());
        let steps = dealt.batches();
        assert_eq!(steps, whole.batches());
        let parts = split_dataloader(dealt, &vec![device.clone(); workers]);
        for number in [1, 2] {
            let whole = epoch(&whole);
            let mut parts = Vec::from_iter(parts.iter().map(|part| epoch(&**part).into_iter()));
            for batch in whole {
                let of_step = Vec::from_iter(parts.iter_mut().filter_map(|part| part.next()));
                assert!(of_step.iter().all(|part| part.epoch == number));
                assert_eq!(ids(&of_step), batch.batch.ids, "{count} to {workers}");
                let of = batch.batch.len() as f64;
                for part in &of_step {
                    assert_eq!(part.share, part.batch.len() as f64 / of);
                }
            }
            assert!(parts.iter_mut().all(|part| part.next().is_none()));
        }
    }
}

#[test]
fn error_devices_that_no_batch_divides_into() {
    let training = training(&[CALM], Natural);
    for (devices, named) in [(0, "at least 1"), (3, "divides batches of 16")] {
        let error = fit_on(&training, 32, devices).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error:?}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn error_of_a_step_on_another_device_is_the_trainings() {
    #[derive(Debug)]
    struct Failing;
    impl Objective for Failing {
        fn step(&self, _: &dyn Student, staged: &StagedBatch) -> Result<Step> {
            Err(Error::setting("failing", staged.batch.len(), "success"))
        }
        fn settings(&self) -> serde_json::Value {
            "failing".into()
        }
    }
    let error = fit_on(&training(&[CALM], Failing), 32, 2).unwrap_err();
    assert!(matches!(error, Error::Setting { .. }), "{error:?}");
    assert!(error.to_string().contains("failing"), "{error}");
}
