//! Trainings that are not gone on with: each says why, before any step, and loses nothing.

use super::fitting::{Net, contents, fit, fit_net, training};
use super::given::{CALM, HARD, Recorder, halves};
use fireproof::base::Error;
use fireproof::kernel::Numerics;
use fireproof::train::{Natural, Training};
use std::path::PathBuf;

/// A folder with a training of one epoch.
fn trained() -> (tempfile::TempDir, Training) {
    let folder = tempfile::tempdir().unwrap();
    let settings = training(&[CALM]).with_directory(folder.path());
    fit(&settings).unwrap();
    (folder, settings.with_resume(true))
}

/// Why the net is not trained by these settings; the folder must stay as it is.
fn refusal(settings: &Training, net: Net) -> String {
    let folder: &PathBuf = settings.directory.as_ref().unwrap();
    let before = contents(folder);
    let refused = fit_net(settings, net).unwrap_err().to_string();
    assert_eq!(contents(folder), before, "{refused}");
    refused
}

fn net() -> Net {
    Net::new(&fireproof::device())
}

fn says(refused: &str, parts: &[&str]) {
    for part in parts {
        assert!(refused.contains(part), "{part}: {refused}");
    }
}

#[test]
fn error_a_training_that_is_not_to_be_resumed() {
    let (_folder, settings) = trained();
    let refused = refusal(&settings.with_resume(false), net());
    says(&refused, &["training directory = ", "with_resume(true)"]);
    // A file where the directory should be.
    let (folder, _) = trained();
    let file = folder.path().join("training.json");
    let refused = fit(&training(&[CALM]).with_directory(&file)).unwrap_err();
    assert!(matches!(refused, Error::Io { .. }), "{refused}");
}

#[test]
fn error_other_settings() {
    let (_folder, settings) = trained();
    for (other, differing) in [
        (
            settings.clone().with_momentum(0.5),
            "momentum (0.9 there, 0.5 now)",
        ),
        (settings.clone().with_seed(4), "seed (3 there, 4 now)"),
        (
            settings.clone().with_batch_size(8),
            "batch_size (16 there, 8 now)",
        ),
        (settings.clone().with_objective(Natural), "objective"),
    ] {
        let refused = refusal(&other, net());
        says(
            &refused,
            &[
                "resumed training = ",
                "training.json",
                &format!("differ: {differing}"),
            ],
        );
    }
    let both = settings.clone().with_seed(4).with_weight_decay(0.0);
    says(
        &refusal(&both, net()),
        &[
            "seed (3 there, 4 now)",
            "weight_decay (0.0005 there, 0.0 now)",
        ],
    );
    let device = fireproof::device();
    let refused = settings.fit(net(), &halves(64), &halves(40), &device);
    let refused = refused.unwrap_err().to_string();
    says(
        &refused,
        &["train set.digest", "train set.images (72 there, 64 now)"],
    );
}

#[test]
fn error_other_numerics() {
    let (_folder, settings) = trained();
    let other = match Numerics::current() {
        Numerics::Exact => Numerics::Fast,
        Numerics::Fast => Numerics::Exact,
    };
    let refused = other.run(|| refusal(&settings, net()));
    says(
        &refused,
        &["differ: numerics (\"", &format!("\"{other}\" now)")],
    );
}

#[test]
fn error_another_architecture() {
    let (folder, settings) = trained();
    let device = fireproof::device();
    // Other sizes; no parameter is another, but what has none; another network altogether.
    let refused = refusal(&settings, Net::with(8, 0.5, &device));
    says(
        &refused,
        &["model.parameters.first.weight ([64,16] there, [64,8] now)"],
    );
    let refused = refusal(&settings, Net::with(16, 0.25, &device));
    says(&refused, &["differ: model.shown[", "0.5", "0.25"]);
    assert!(!refused.contains("parameters"), "{refused}");

    let model = Recorder::new(&device);
    let seen = model.seen.clone();
    let before = contents(folder.path());
    // Longer, so that there would be steps to make.
    let longer = settings.with_curriculum(training(&[CALM, HARD]).curriculum);
    let refused = longer
        .fit(model, &halves(72), &halves(40), &device)
        .unwrap_err();
    says(
        &refused.to_string(),
        &["model.parameters.first.weight (only there)", " more"],
    );
    assert!(seen.lock().unwrap().is_empty(), "no step was made");
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn error_checkpoints_of_nobody_knows_what() {
    let (folder, settings) = trained();
    let path = folder.path().join("training.json");
    let text = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    says(
        &refusal(&settings, net()),
        &["training.json is missing", "put it back"],
    );
    // Even where no checkpoint is complete.
    let part = folder.path().join("checkpoint/optim-1.bpk");
    let bytes = std::fs::read(&part).unwrap();
    std::fs::remove_file(&part).unwrap();
    says(&refusal(&settings, net()), &["training.json is missing"]);
    std::fs::write(&part, bytes).unwrap();

    for broken in [&text[..text.len() / 2], b"", b"[]"] {
        std::fs::write(&path, broken).unwrap();
        says(&refusal(&settings, net()), &["training.json"]);
    }
    std::fs::write(&path, &text).unwrap();
    let history = folder.path().join("history.json");
    std::fs::write(&history, b"[{\"epoch\": 1").unwrap();
    says(&refusal(&settings, net()), &["history.json", "EOF"]);
    std::fs::remove_file(&history).unwrap();
    fit(&settings).unwrap();
}

#[test]
fn error_a_checkpoint_of_another_model() {
    // Not what training.json says it is.
    let (folder, settings) = trained();
    let other = tempfile::tempdir().unwrap();
    let wide = Net::with(8, 0.5, &fireproof::device());
    fit_net(&settings.clone().with_directory(other.path()), wide).unwrap();
    for name in ["model-1.bpk", "model-1.crc"] {
        let [from, to] =
            [&other, &folder].map(|folder| folder.path().join("checkpoint").join(name));
        std::fs::copy(from, to).unwrap();
    }
    says(
        &refusal(&settings, net()),
        &["model-1.bpk", "training stopped"],
    );
}
