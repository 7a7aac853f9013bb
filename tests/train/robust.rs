//! Robustness on images held out of training: what is measured, the best model, the pace by it.

use super::fitting::{GENERATOR, Net, checkpoints, contents, files, fit, training, weights};
use super::given::{CALM, HARD, halves};
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use burn::train::metric::{Metric, MetricMetadata, Numeric, NumericEntry};
use fireproof::attack::{Attack, Frozen, Pgd, RandomPose};
use fireproof::base::{Classifier, Degrees, Keys, Pixels, Seed};
use fireproof::curriculum::{Curriculum, Milestones, Stage};
use fireproof::train::{
    Adaptive, EpochRecord, FoolingRate, Pace, Robust, RobustAccuracy, RobustInput,
    RobustValidation, Training,
};
use fireproof::transform::PoseBudget;
use std::path::Path;
use std::sync::PoisonError;

fn robust() -> RobustValidation {
    RobustValidation::new(Pgd::linf(0.15)).with_images(24)
}

fn measured(stages: &[Stage]) -> Training {
    training(stages).with_robust(robust())
}

fn resuming(settings: &Training, folder: &Path) -> Training {
    settings.clone().with_directory(folder).with_resume(true)
}

/// All but the seconds.
fn untimed(history: &[EpochRecord]) -> Vec<EpochRecord> {
    let untimed = |record: &EpochRecord| EpochRecord {
        seconds: 0.0,
        ..record.clone()
    };
    history.iter().map(untimed).collect()
}

#[test]
fn value_what_is_measured_is_the_attack_on_the_images_held_out() {
    // Oracle: the same attack on the model handed back, and the clean accuracy.
    let settings = measured(&[CALM, HARD]).with_robust(robust().with_staged(true));
    let trained = fit(&settings).unwrap();
    let device = fireproof::device();
    let (_, held_out) = halves(72).hold_out(24, Seed(3)).unwrap();
    assert_eq!(held_out.class_counts(), [12, 12]);
    let batch = held_out.batch(&Vec::from_iter(0..24), &device);
    let victim = Frozen::new(&trained.model);
    let clean = victim.predict(batch.images.clone());
    let labels = batch.labels_to_vec();
    let share =
        |right: &dyn Fn(usize) -> bool| (0..24).filter(|&at| right(at)).count() as f64 / 24.0;
    let found = Pgd::linf(0.15)
        .attack(&victim, &batch, Seed(3).derive(0))
        .unwrap();
    let last = trained.history[1].robust.unwrap();
    assert_eq!(last.clean, share(&|at| clean[at] == labels[at]));
    let robust = |at: usize| clean[at] == labels[at] && !found.fooled[at];
    assert_eq!(last.accuracy, share(&robust));
    assert!(last.accuracy < last.clean, "the attack is felt: {last:?}");
    // All are right as they are, so who falls is who is fooled.
    assert_eq!(
        (last.clean, last.fooling),
        (1.0, share(&|at| found.fooled[at]))
    );
    // In a stage that neither moves nor attacks, what is learnt is the images themselves.
    let first = trained.history[0].robust.unwrap();
    assert_eq!(first.staged, Some(first.clean));
    assert!(last.staged.unwrap() <= 1.0 && last.staged.unwrap() < last.clean);
}

#[test]
fn value_a_yardstick_may_deal_poses() {
    // Oracle: the same attack by hand. The image as it is does not belong to what it may choose.
    let budget = PoseBudget::new(Degrees(180.0), Pixels(0.0)).unwrap();
    let posed = || RandomPose::new(budget).before(Pgd::linf(0.05));
    let settings = RobustValidation::new(posed()).with_images(24);
    let trained = fit(&training(&[CALM; 3]).with_robust(settings)).unwrap();
    let (_, held_out) = halves(72).hold_out(24, Seed(3)).unwrap();
    let batch = held_out.batch(&Vec::from_iter(0..24), &fireproof::device());
    let victim = Frozen::new(&trained.model);
    let found = posed().attack(&victim, &batch, Seed(3).derive(0)).unwrap();
    let (labels, clean) = (batch.labels_to_vec(), victim.predict(batch.images));
    let share = |of: &dyn Fn(usize) -> bool| (0..24).filter(|&at| of(at)).count() as f64 / 24.0;
    let last = trained.history[2].robust.unwrap();
    assert_eq!(
        last.accuracy,
        share(&|at| found.predicted[at] == labels[at])
    );
    assert_eq!(last.fooling, share(&|at| found.predicted[at] != clean[at]));
    assert!(
        last.accuracy < 0.9 * last.clean,
        "turned over, the halves change: {last:?}"
    );
}

#[test]
fn convention_the_images_held_out_are_not_learnt_from() {
    // Oracle: the training on the rest, without any measuring, to the bit.
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    let (rest, _) = halves(72).hold_out(24, Seed(3)).unwrap();
    let stages = [CALM, HARD];
    let fit = |settings: Training, set| {
        let model = Net::new(&device);
        settings.fit(model, set, &halves(40), &device).unwrap()
    };
    let plain = fit(training(&stages), &rest);
    let watched = fit(measured(&stages), &halves(72));
    assert!(weights(&watched.model) == weights(&plain.model));
    assert!(plain.best.is_none() && plain.history[0].robust.is_none());
    for (watched, plain) in watched.history.iter().zip(&plain.history) {
        assert_eq!(watched.train_loss, plain.train_loss);
        assert_eq!(watched.valid_loss, plain.valid_loss);
    }
}

/// Learns at a rate at which it gets worse again.
fn worsening() -> [Stage; 6] {
    let rate = |learning_rate| Stage {
        learning_rate,
        ..CALM
    };
    [rate(1e-4), rate(0.1), CALM, rate(8.0), rate(8.0), CALM]
}

/// The epoch of the highest robust accuracy, the first of equal ones.
fn best(history: &[EpochRecord]) -> usize {
    let accuracy = |record: &EpochRecord| record.robust.unwrap().accuracy;
    let most = history.iter().map(accuracy).fold(0.0, f64::max);
    history
        .iter()
        .find(|record| accuracy(record) == most)
        .unwrap()
        .epoch
}

#[test]
fn convention_the_best_model_is_kept_beside_the_last_and_resumes() {
    let settings = measured(&worsening());
    let folder = tempfile::tempdir().unwrap();
    let whole = fit(&settings.clone().with_directory(folder.path())).unwrap();
    let kept = whole.best.as_ref().unwrap();
    // Oracle: the rule, on the history; and the training that ends with that epoch.
    let epoch = best(&whole.history);
    assert!(
        (2..5).contains(&epoch),
        "not among the last: {:?}",
        whole.history
    );
    assert_eq!(kept.epoch, epoch);
    assert_eq!(Some(kept.robust), whole.history[epoch - 1].robust);
    let until = fit(&measured(&worsening()[..epoch])).unwrap();
    assert!(weights(&kept.model) == weights(&until.model));
    assert!(weights(&kept.model) != weights(&whole.model));
    // Beside the last two, nothing else.
    let checkpoint = folder.path().join("checkpoint");
    assert_eq!(files(&checkpoint), checkpoints(&[epoch, 5, 6]));
    // The same without a folder.
    let alone = fit(&settings).unwrap();
    assert!(weights(&alone.best.unwrap().model) == weights(&kept.model));

    // Resumed: as if killed while the last checkpoint was written, and with nothing left to do.
    std::fs::remove_file(checkpoint.join("optim-6.bpk")).unwrap();
    for _ in 0..2 {
        let resumed = fit(&resuming(&settings, folder.path())).unwrap();
        assert!(weights(&resumed.model) == weights(&whole.model));
        assert_eq!(untimed(&resumed.history), untimed(&whole.history));
        let again = resumed.best.unwrap();
        assert_eq!((again.epoch, again.robust), (kept.epoch, kept.robust));
        assert!(weights(&again.model) == weights(&kept.model));
        assert_eq!(files(&checkpoint), checkpoints(&[epoch, 5, 6]));
    }

    // The best damaged or lost: nothing is begun, nothing overwritten.
    let part = checkpoint.join(format!("model-{epoch}.bpk"));
    let mut bytes = std::fs::read(&part).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    for damage in [Some(bytes), None] {
        match damage {
            Some(bytes) => std::fs::write(&part, bytes).unwrap(),
            None => std::fs::remove_file(&part).unwrap(),
        }
        let before = contents(folder.path());
        let refused = fit(&resuming(&settings, folder.path())).unwrap_err();
        let named = refused.to_string().contains(&format!("model-{epoch}.bpk"));
        assert!(named, "{refused}");
        assert_eq!(contents(folder.path()), before);
    }
}

#[test]
fn convention_killed_after_a_new_best_it_falls_back_on_the_one_before() {
    // Whichever epoch's checkpoint is being written, the best of those before is still there.
    let stages = worsening();
    let settings = measured(&stages);
    let whole = fit(&settings).unwrap();
    for last in 2..=stages.len() {
        let folder = tempfile::tempdir().unwrap();
        let short = measured(&stages[..last]).with_directory(folder.path());
        fit(&short).unwrap();
        let part = folder.path().join(format!("checkpoint/optim-{last}.bpk"));
        std::fs::remove_file(part).unwrap();
        let resumed = fit(&resuming(&settings, folder.path())).unwrap();
        assert!(weights(&resumed.model) == weights(&whole.model), "{last}");
        let [again, once] = [&resumed, &whole].map(|of| of.best.as_ref().unwrap());
        assert_eq!(again.epoch, once.epoch);
        assert!(weights(&again.model) == weights(&once.model));
    }
}

#[test]
fn convention_it_is_measured_every_so_many_epochs() {
    let stages = [CALM, CALM, CALM, CALM, HARD];
    let every = fit(&measured(&stages)).unwrap();
    let third = fit(&training(&stages).with_robust(robust().with_every(3))).unwrap();
    assert!(weights(&every.model) == weights(&third.model));
    let found: Vec<_> = third.history.iter().map(|record| record.robust).collect();
    let [_, _, expected, ..] = every.history.as_slice() else {
        panic!("five epochs");
    };
    assert_eq!(found, [None, None, expected.robust, None, None]);
    assert_eq!(third.best.unwrap().epoch, 3);
}

// A record that holds nothing but how it stood.
fn stood(epoch: usize, staged: Option<f64>) -> EpochRecord {
    EpochRecord {
        epoch,
        stage: CALM,
        train_loss: 0.0,
        train_accuracy: 0.0,
        valid_loss: 0.0,
        valid_accuracy: 0.0,
        train_numbers: Default::default(),
        valid_numbers: Default::default(),
        robust: staged.map(|share| Robust {
            clean: 1.0,
            accuracy: 0.0,
            fooling: 0.0,
            staged: Some(share),
        }),
        seconds: 1.0,
    }
}

#[test]
fn value_adaptive_goes_on_once_the_threshold_is_reached() {
    // Oracle: by hand. Budgets of 2, 1 and 3 epochs; rates that fall in the second and the sixth.
    let curriculum = Curriculum::new(6)
        .with_epsilon(Milestones::new([(1, 0.1), (3, 0.2), (4, 0.3)]))
        .with_learning_rate(Milestones::new([(1, 1.0), (2, 0.5), (6, 0.25)]));
    let run = |pace: &Adaptive, shares: &[Option<f64>]| {
        let past = (1..).zip(shares).map(|(epoch, &share)| stood(epoch, share));
        let past: Vec<EpochRecord> = past.collect();
        let stage = |epoch: usize| pace.stage(&curriculum, epoch, &past[..epoch - 1]);
        let stages = (1..=6).map(|epoch| stage(epoch.min(shares.len() + 1)));
        Vec::from_iter(stages.map(|stage| (stage.epsilon, stage.learning_rate)))
    };
    let never = [Some(0.1); 5];
    let pace = Adaptive::new(0.5);
    // It waits at the last epoch of the first budgets.
    let waiting = vec![
        (0.1, 1.0),
        (0.1, 0.5),
        (0.1, 0.5),
        (0.1, 0.5),
        (0.1, 0.5),
        (0.1, 0.5),
    ];
    assert_eq!(run(&pace, &never), waiting);
    // Passed at once, then not, then passed; the threshold itself counts.
    let shares = [Some(0.5), Some(0.4), Some(0.9), Some(0.9), None];
    let expected = vec![
        (0.1, 1.0),
        (0.2, 0.5),
        (0.2, 0.5),
        (0.3, 0.5),
        (0.3, 0.5),
        (0.3, 0.25),
    ];
    assert_eq!(run(&pace, &shares), expected);
    // At most two epochs at the same budgets.
    let expected = vec![
        (0.1, 1.0),
        (0.1, 0.5),
        (0.2, 0.5),
        (0.2, 0.5),
        (0.3, 0.5),
        (0.3, 0.5),
    ];
    assert_eq!(run(&pace.with_at_most(2), &never), expected);
    // Rates by the epoch, whatever the budgets.
    let expected = vec![
        (0.1, 1.0),
        (0.1, 0.5),
        (0.1, 0.5),
        (0.1, 0.5),
        (0.1, 0.5),
        (0.1, 0.25),
    ];
    assert_eq!(run(&pace.with_coupled_rate(false), &never), expected);
    // A training that was not measured does not pass.
    assert_eq!(run(&pace, &[None; 5]), waiting);
}

fn adaptive() -> Training {
    let hard = |epsilon| Stage { epsilon, ..HARD };
    let stages = [CALM, hard(0.02), hard(0.05), hard(0.1), hard(0.2)];
    training(&stages)
        .with_robust(robust().with_staged(true))
        .with_pace(Adaptive::new(0.9).with_at_most(3))
}

#[test]
fn convention_an_adaptive_training_resumes_to_the_bit() {
    let settings = adaptive();
    let whole = fit(&settings).unwrap();
    // Oracle: the pace itself, on the history that was written down.
    let pace = Adaptive::new(0.9).with_at_most(3);
    for (at, record) in whole.history.iter().enumerate() {
        let stage = pace.stage(&settings.curriculum, record.epoch, &whole.history[..at]);
        assert_eq!(record.stage, stage);
    }
    let held = whole
        .history
        .windows(2)
        .any(|pair| pair[0].stage == pair[1].stage);
    let last = whole.history.last().unwrap().stage;
    assert!(
        held && last != CALM,
        "it waits and goes on: {:?}",
        whole.history
    );
    for done in 1..5 {
        let folder = tempfile::tempdir().unwrap();
        fit(&settings.clone().with_directory(folder.path())).unwrap();
        // As the folder is when the epoch after those was being written.
        for epoch in done + 1..=5 {
            for name in checkpoints(&[epoch]) {
                let _ = std::fs::remove_file(folder.path().join("checkpoint").join(name));
            }
        }
        if files(&folder.path().join("checkpoint")).is_empty() {
            continue; // Only the last epochs and the best are kept.
        }
        let resumed = fit(&resuming(&settings, folder.path())).unwrap();
        assert!(
            weights(&resumed.model) == weights(&whole.model),
            "after {done}"
        );
        assert_eq!(untimed(&resumed.history), untimed(&whole.history));
    }
    // In files by its name.
    let json = serde_json::to_string(&settings).unwrap();
    let read: Training = serde_json::from_str(&json).unwrap();
    assert_eq!((read.pace, read.robust), (settings.pace, settings.robust));
}

#[test]
fn error_settings_of_robust_validations_and_paces() {
    let refused = |settings: &Training| fit(settings).unwrap_err().to_string();
    for (settings, part) in [
        (
            training(&[CALM]).with_pace(Adaptive::new(0.5)),
            "pace = adaptive: expected a robust validation with `staged`",
        ),
        (
            measured(&[CALM]).with_pace(Adaptive::new(0.5)),
            "pace = adaptive: expected a robust validation with `staged`",
        ),
        (
            training(&[CALM]).with_robust(robust().with_images(0)),
            "robust validation: images = 0: expected at least 1",
        ),
        (
            training(&[CALM]).with_robust(robust().with_every(2)),
            "robust validation: every = 2: expected 1 to the 1 epochs",
        ),
        (
            training(&[CALM]).with_robust(RobustValidation::new(Pgd::linf(-1.0))),
            "= -1: expected",
        ),
        (
            training(&[CALM]).with_robust(robust().with_images(200)),
            "balanced draw from halves: count = 200",
        ),
        (
            adaptive().with_pace(Adaptive::new(1.5)),
            "adaptive: threshold = 1.5: expected above 0, at most 1",
        ),
        (
            adaptive().with_pace(Adaptive::new(0.5).with_at_most(0)),
            "adaptive: at most = 0",
        ),
    ] {
        let message = refused(&settings);
        assert!(message.contains(part), "{message}");
    }
    // Without the history nobody knows which was the best.
    let folder = tempfile::tempdir().unwrap();
    let settings = measured(&[CALM, CALM]);
    fit(&settings.clone().with_directory(folder.path())).unwrap();
    std::fs::remove_file(folder.path().join("history.json")).unwrap();
    let message = refused(&resuming(&settings, folder.path()));
    assert!(message.contains("history.json"), "{message}");
}

#[test]
fn convention_a_model_without_answers_is_not_robust() {
    // Every logit is NaN in inference: no class, right nowhere, and nothing to attack.
    #[derive(Module, Debug)]
    struct Silent {
        net: Net,
    }
    impl Classifier for Silent {
        fn logits(&self, images: Tensor<4>) -> Tensor<2> {
            self.net.logits(images) * f32::NAN
        }
        fn training_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
            self.net.training_logits(images, keys)
        }
    }
    let _shared = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    let model = Silent {
        net: Net::new(&device),
    };
    let trained = measured(&[CALM])
        .fit(model, &halves(48), &halves(16), &device)
        .unwrap();
    let found = trained.history[0].robust.unwrap();
    assert_eq!(
        (found.clean, found.accuracy, found.fooling),
        (0.0, 0.0, 0.0)
    );
}

#[test]
fn value_metrics_count_as_the_definitions_say() {
    // Oracle: by hand. Five images of two classes: right in both; right, then fooled; wrong in both;
    // wrong, then right; no answer under attack.
    let device = fireproof::device();
    let logits = |classes: &[Option<usize>]| {
        let row = |class: &Option<usize>| match class {
            Some(0) => [1.0, 0.0],
            Some(_) => [0.0, 1.0],
            None => [f32::NAN, 0.0],
        };
        let values: Vec<f32> = classes.iter().flat_map(row).collect();
        Tensor::<2>::from_data(TensorData::new(values, [classes.len(), 2]), &device)
    };
    let clean = [0, 1, 1, 0, 1].map(Some);
    let attacked = [Some(0), Some(0), Some(1), Some(1), None];
    let labels = Tensor::from_data([0i64, 1, 0, 1, 1], &device);
    let whole = RobustInput::new(logits(&clean), logits(&attacked), labels.clone());
    let metadata = MetricMetadata {
        progress: burn::data::dataloader::Progress::new(1, 1, None),
        iteration: Some(1),
        lr: None,
    };
    // In one batch and in two of other sizes.
    let part = |from: usize, to: usize| {
        let labels = labels.clone().narrow(0, from, to - from);
        RobustInput::new(
            logits(&clean[from..to]),
            logits(&attacked[from..to]),
            labels,
        )
    };
    let percent = |entry: NumericEntry| match entry {
        NumericEntry::Value(value) | NumericEntry::Final(value) => value,
        NumericEntry::Aggregated {
            aggregated_value, ..
        } => aggregated_value,
    };
    for inputs in [vec![whole.clone()], vec![part(0, 2), part(2, 5)]] {
        let (mut robust, mut fooling) = (RobustAccuracy::new(), FoolingRate::new());
        for input in &inputs {
            robust.update(input, &metadata).unwrap();
            fooling.update(input, &metadata).unwrap();
        }
        assert!((percent(robust.final_value()) - 20.0).abs() < 1e-9);
        assert!((percent(fooling.final_value()) - 60.0).abs() < 1e-9);
        robust.clear();
        robust.update(&part(0, 1), &metadata).unwrap();
        assert!((percent(robust.final_value()) - 100.0).abs() < 1e-9);
    }
    assert_eq!(*RobustAccuracy::new().name(), "Robust Accuracy");
    assert_eq!(*FoolingRate::new().name(), "Fooling Rate");
}
