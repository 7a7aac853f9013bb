//! Checkpoints of which a kill, or what happens to files, has left a part.

use super::fitting::{checkpoints, contents, files, fit, training, weights};
use super::given::{CALM, HARD};
use super::warnings;
use fireproof::base::Error;
use fireproof::curriculum::Stage;
use fireproof::train::Training;
use std::path::Path;

const PARTS: [&str; 3] = ["model", "optim", "scheduler"];
const STAGES: [Stage; 2] = [CALM, HARD];

/// Copies a folder, and what is in it.
fn copy(from: &Path, to: &Path) {
    for (path, bytes) in contents(from) {
        let path = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// What may be left of a file, by name; nothing of it if `None`.
fn remains(bytes: &[u8]) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found = vec![("missing".to_owned(), None)];
    for length in [0, 1, bytes.len() / 4, bytes.len() / 2, bytes.len() - 1] {
        let rest = vec![0; bytes.len() - length];
        let part = bytes[..length].to_vec();
        // As a file system leaves it that had made room already.
        let zeros = [part.clone(), rest].concat();
        found.push((format!("{length} bytes"), Some(part)));
        if length < bytes.len() - 1 {
            found.push((format!("{length} bytes and zeros"), Some(zeros)));
        }
    }
    found.push((
        "another file".to_owned(),
        Some(b"not a checkpoint".to_vec()),
    ));
    found
}

fn put(path: &Path, bytes: Option<&[u8]>) {
    match bytes {
        None => std::fs::remove_file(path).unwrap(),
        Some(bytes) => std::fs::write(path, bytes).unwrap(),
    }
}

fn resuming(folder: &Path) -> Training {
    let settings = training(&STAGES).with_progress(fireproof::train::Progress::Quiet);
    settings.with_directory(folder).with_resume(true)
}

/// Resumes in a copy of `folder` that `damage` has changed; the weights must be `whole`'s and no
/// other files be left than those of an undisturbed training.
fn resumes(folder: &Path, whole: &[f32], state: &str, damage: impl Fn(&Path)) {
    let copied = tempfile::tempdir().unwrap();
    copy(folder, copied.path());
    damage(copied.path());
    let resumed = fit(&resuming(copied.path())).unwrap_or_else(|error| panic!("{state}: {error}"));
    assert!(weights(&resumed.model) == whole, "{state}");
    let epochs: Vec<usize> = resumed.history.iter().map(|record| record.epoch).collect();
    assert_eq!(epochs, [1, 2], "{state}");
    let found = files(&copied.path().join("checkpoint"));
    assert_eq!(found, checkpoints(&[1, 2]), "{state}");
}

#[test]
fn convention_whatever_is_left_of_a_checkpoint_the_weights_are_the_same() {
    // Oracle: the weights of the uninterrupted training.
    let folder = tempfile::tempdir().unwrap();
    let trained = fit(&training(&STAGES).with_directory(folder.path())).unwrap();
    let whole = weights(&trained.model);
    // As it is when the first checkpoint has just been written.
    let first = tempfile::tempdir().unwrap();
    copy(folder.path(), first.path());
    for name in checkpoints(&[2]) {
        put(&first.path().join("checkpoint").join(name), None);
    }
    resumes(first.path(), &whole, "complete", |_| ());

    for (from, epoch) in [(first.path(), 1), (folder.path(), 2)] {
        let path = |part: &str| format!("checkpoint/{part}-{epoch}.bpk");
        // Any of the parts missing.
        for missing in 1..8 {
            let missing = (0..3)
                .filter(|at| missing >> at & 1 == 1)
                .map(|at| PARTS[at]);
            let missing: Vec<&str> = missing.collect();
            resumes(
                from,
                &whole,
                &format!("epoch {epoch} without {missing:?}"),
                |copied| {
                    for part in &missing {
                        put(&copied.join(path(part)), None);
                    }
                },
            );
        }
        // One of them damaged.
        for part in PARTS {
            let bytes = std::fs::read(from.join(path(part))).unwrap();
            for (what, left) in remains(&bytes) {
                let state = format!("{part}-{epoch}: {what}");
                resumes(from, &whole, &state, |copied| {
                    put(&copied.join(path(part)), left.as_deref());
                });
            }
            // One bit of it, where its numbers are.
            let mut flipped = bytes.clone();
            *flipped.last_mut().unwrap() ^= 1;
            resumes(from, &whole, &format!("{part}-{epoch}: a bit"), |copied| {
                put(&copied.join(path(part)), Some(&flipped));
            });
            // Its checksum.
            let sum = format!("checkpoint/{part}-{epoch}.crc");
            for left in [None, Some(&b""[..]), Some(b"0000"), Some(b"00000000")] {
                resumes(from, &whole, &format!("{sum}: {left:?}"), |copied| {
                    put(&copied.join(&sum), left);
                });
            }
            // A file that has not got its name yet.
            resumes(from, &whole, &format!("{part}-{epoch} unnamed"), |copied| {
                put(&copied.join(path(part)), None);
                let unnamed = format!("{}.4242-0.tmp", path(part));
                put(&copied.join(unnamed), Some(&bytes[..bytes.len() / 3]));
            });
        }
        // The history is ahead of the checkpoints, or behind them.
        resumes(
            from,
            &whole,
            &format!("epoch {epoch}, history missing"),
            |copied| {
                put(&copied.join(path("optim")), None);
                if epoch == 1 {
                    put(&copied.join("history.json"), None);
                }
            },
        );
    }
    // Before the first checkpoint was begun there is nothing to resume, nor to refuse.
    resumes(first.path(), &whole, "no checkpoint", |copied| {
        for name in checkpoints(&[1]) {
            put(&copied.join("checkpoint").join(name), None);
        }
        put(&copied.join("history.json"), Some(b"[{\"epo"));
    });
}

#[test]
fn error_no_checkpoint_of_later_epochs_is_complete() {
    // No kill leaves this: nothing is begun, and nothing lost.
    let folder = tempfile::tempdir().unwrap();
    fit(&training(&STAGES).with_directory(folder.path())).unwrap();
    for epoch in [1, 2] {
        let path = folder.path().join(format!("checkpoint/optim-{epoch}.bpk"));
        put(&path, Some(b"not a checkpoint"));
    }
    let before = contents(folder.path());
    let refused = fit(&resuming(folder.path())).unwrap_err();
    let text = refused.to_string();
    assert!(matches!(refused, Error::Training(_)), "{text}");
    for part in [
        "no checkpoint in",
        "epoch 1: ",
        "optim-1.bpk",
        "epoch 2: ",
        "optim-2.bpk",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(contents(folder.path()), before);
}

#[test]
fn convention_a_start_afresh_is_warned_of() {
    warnings::keep();
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().display().to_string();
    let about = || warnings::kept(|text| text.contains(&name));
    let settings = training(&[CALM])
        .with_directory(folder.path())
        .with_resume(true);
    fit(&settings).unwrap();
    assert!(about().is_empty(), "{:?}", about());
    put(&folder.path().join("checkpoint/optim-1.bpk"), None);
    fit(&settings).unwrap();
    let warnings = about();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("the checkpoint of epoch 1 is incomplete"),
        "{warnings:?}"
    );
    assert!(warnings[1].ends_with("it starts afresh"), "{warnings:?}");
}

#[test]
fn error_files_that_cannot_be_read_are_not_taken_for_incomplete_ones() {
    // Of the first checkpoint, without which a training would start afresh.
    let folder = tempfile::tempdir().unwrap();
    fit(&training(&[CALM]).with_directory(folder.path())).unwrap();
    for part in PARTS {
        let path = folder.path().join(format!("checkpoint/{part}-1.bpk"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        // Reading it fails, though it is there.
        std::fs::create_dir(&path).unwrap();
        let before = contents(folder.path());
        let error = fit(&resuming(folder.path())).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(contents(folder.path()), before);
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
    }
    fit(&resuming(folder.path())).unwrap();
}
