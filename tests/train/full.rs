//! Disks that are full and folders that cannot be written.
//!
//! A process that the system lets write only so much into one file stands for a full disk: its writes fail in
//! the middle of a file.

use super::fitting::{fit, training};
use super::given::CALM;
use fireproof::base::Error;
use std::path::Path;

#[test]
fn error_a_folder_that_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    for place in [file.clone(), file.join("below")] {
        let error = fit(&training(&[CALM]).with_directory(place.clone())).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        assert!(error.to_string().contains("file"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn error_a_folder_of_which_a_file_is_in_the_way() {
    // What is to be the history is a folder with something in it.
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("history.json").join("kept");
    std::fs::create_dir_all(&kept).unwrap();
    let error = fit(&training(&[CALM]).with_directory(folder.path())).unwrap_err();
    assert!(error.to_string().contains("history.json"), "{error}");
    assert!(kept.exists());
}

#[cfg(unix)]
mod limited {
    use super::super::fitting::{Net, fit_net, weights};
    use super::*;
    use fireproof::train::Training;
    use std::collections::BTreeMap;
    use std::process::Command;

    const FOLDER: &str = "FIREPROOF_TEST_TRAIN_INTO_A_FULL";

    fn settings(epochs: usize) -> Training {
        training(&vec![CALM; epochs])
    }

    fn net() -> Net {
        // Checkpoints of 130 kB: settings and history are far below.
        Net::with(256, 0.0, &fireproof::device())
    }

    fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let each = std::fs::read_dir(folder).unwrap().map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        });
        each.collect()
    }

    /// Does nothing unless another test starts it in a process of its own.
    #[test]
    fn trains_where_little_can_be_written() {
        if let Some(folder) = std::env::var_os(FOLDER) {
            let training = settings(3).with_directory(&folder).with_resume(true);
            let error = fit_net(&training, net()).unwrap_err();
            let said = Path::new(&folder).join("said.txt");
            std::fs::write(said, format!("{error}")).unwrap();
        }
    }

    #[test]
    fn error_a_full_disk_loses_nothing() {
        // Oracle: the weights of the uninterrupted training.
        let whole = weights(&fit_net(&settings(3), net()).unwrap().model);
        let folder = tempfile::tempdir().unwrap();
        let first = settings(1).with_directory(folder.path());
        fit_net(&first, net()).unwrap();
        let checkpoints = folder.path().join("checkpoint");
        let before = bytes(&checkpoints);

        // Blocks are of 512 or 1024 bytes; the signal would end the process.
        let program = std::env::current_exe().unwrap();
        let mut limited = Command::new("sh");
        limited
            .args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" \"$@\""])
            .arg(program)
            .args([
                "--exact",
                "full::limited::trains_where_little_can_be_written",
            ])
            .env(FOLDER, folder.path());
        let output = limited.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = std::fs::read_to_string(folder.path().join("said.txt")).unwrap();
        assert!(said.contains("File too large"), "{said}");
        assert!(said.contains("-2"), "which file: {said}");

        let after = bytes(&checkpoints);
        for (name, contents) in &before {
            assert!(after.get(name) == Some(contents), "{name} of epoch 1");
        }
        let resuming = settings(3).with_directory(folder.path()).with_resume(true);
        assert!(weights(&fit_net(&resuming, net()).unwrap().model) == whole);
    }
}
