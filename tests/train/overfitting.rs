//! Catastrophic overfitting is provoked, and reported while it happens.

use super::fitting::GENERATOR;
use super::warnings;
use fireproof::curriculum::Curriculum;
use fireproof::data::embedded_mnist;
use fireproof::group::Group;
use fireproof::model::{CnnConfig, Widths};
use fireproof::train::{EpochRecord, FastFgsm, Progress, Training};
use std::sync::PoisonError;

const NUMBERS: [&str; 3] = [
    "one-step accuracy",
    "PGD accuracy",
    "catastrophic overfitting",
];

fn history(objective: FastFgsm, epsilon: f64, epochs: usize) -> Vec<EpochRecord> {
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    let digits = embedded_mnist();
    let train = digits.train.take(1000);
    let model = CnnConfig::new(Group::P1, train.shape(), 10)
        .with_widths(Widths::Given([6, 6, 12, 12]))
        .with_batch_norm(Some(true))
        .with_dropout(Some(0.0))
        .with_seed(7)
        .init(&device)
        .unwrap();
    let curriculum = Curriculum::new(epochs)
        .with_epsilon(epsilon)
        .with_learning_rate(0.05);
    let training = Training::new(curriculum, objective)
        .with_batch_size(50)
        .with_seed(7)
        .with_progress(Progress::Quiet);
    let watch = digits.test.take(50);
    let trained = training.fit(model, &train, &watch, &device).unwrap();
    trained.history
}

#[test]
fn convention_catastrophic_overfitting_is_reported_as_it_happens() {
    warnings::keep();
    let often = FastFgsm::default().with_check_every(5);
    // ε large, the whole step, from the image itself.
    // Checked before anything is learnt, and then as each epoch of 20 steps begins.
    let provoked = often.with_check_every(20);
    let provoked = provoked.with_alpha(1.0).with_random_start(false);
    let provoked = history(provoked, 0.3, 6);
    let found = |epoch: &EpochRecord| NUMBERS.map(|name| epoch.train_numbers[name]);
    // It begins in some epoch, and from then on every check finds it.
    let shares = provoked.iter().map(|epoch| found(epoch)[2]);
    let shares: Vec<f64> = shares.collect();
    assert_eq!(shares[0], 0.0, "nothing is learnt yet");
    assert!(shares.is_sorted() && shares[3..] == [1.0; 3], "{shares:?}");
    let [one_step, pgd, _] = found(&provoked[5]);
    assert!(one_step > 0.5 && pgd < 0.2, "{one_step} {pgd}");
    // What the numbers are of is what is learnt from: it seems to do well.
    let losses: Vec<f64> = provoked.iter().map(|epoch| epoch.train_loss).collect();
    assert!(losses.is_sorted_by(|a, b| a > b), "{losses:?}");
    let ours = warnings::kept(|text| text.ends_with("ε = 0.3"));
    let warned = |epoch: usize| {
        let beginning = format!("epoch {epoch}: catastrophic overfitting: of 32 images");
        ours.iter().any(|text| text.starts_with(&beginning))
    };
    for (epoch, share) in shares.iter().enumerate() {
        assert_eq!(warned(epoch + 1), *share > 0.0, "epoch {}", epoch + 1);
    }

    // As published, at a radius that one step does not fail at.
    let healthy = history(often, 0.1, 6);
    assert!(healthy.iter().all(|epoch| found(epoch)[2] == 0.0));
    let [one_step, pgd, _] = found(&healthy[5]);
    assert!(pgd > 0.7 && one_step - pgd < 0.15, "{one_step} {pgd}");
    // Without checks there is nothing to show, and the training is the same.
    let unchecked = history(often.with_check_every(0), 0.1, 1);
    for (checked, unchecked) in healthy.iter().zip(&unchecked) {
        assert!(unchecked.train_numbers.is_empty());
        assert_eq!(checked.train_loss, unchecked.train_loss);
    }
}

#[test]
fn convention_every_epoch_is_checked_whichever_images_there_are() {
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    let digits = embedded_mnist();
    // Images whose numbers are no multiples of anything that has to do with batches.
    let train = digits
        .train
        .subset(&[1, 3, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41]);
    let model = CnnConfig::new(Group::P1, train.shape(), 10)
        .with_widths(Widths::Given([2; 4]))
        .init(&device)
        .unwrap();
    let curriculum = Curriculum::new(2)
        .with_epsilon(0.1)
        .with_learning_rate(0.01);
    let training = Training::new(curriculum, FastFgsm::default()).with_batch_size(4);
    let training = training.with_progress(Progress::Quiet);
    let trained = training.fit(model, &train, &train, &device).unwrap();
    assert_eq!(trained.history.len(), 2);
    for epoch in trained.history {
        for name in NUMBERS {
            assert!(epoch.train_numbers.contains_key(name), "{name}");
        }
    }
}
