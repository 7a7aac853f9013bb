//! What is shown in a pipe.

use super::fitting::{files, fit, training};
use super::given::{CALM, HARD};
use fireproof::train::Progress;

#[test]
fn convention_piped_progress_is_a_line_for_each_epoch() {
    // Runs itself again in a process whose standard error is a pipe.
    const PROBE: &str = "FIREPROOF_PROBE_PROGRESS";
    if std::env::var_os(PROBE).is_some() {
        let settings = training(&[CALM, HARD])
            .with_progress(Progress::Auto)
            .with_label("p4 7");
        fit(&settings).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .current_dir(folder.path())
        .args([
            "--exact",
            "progress::convention_piped_progress_is_a_line_for_each_epoch",
            "--nocapture",
        ])
        .env(PROBE, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("p4 7: "))
        .collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].starts_with("p4 7: epoch 1/2 rate 0.05 | train loss "),
        "{text}"
    );
    let budgets = "p4 7: epoch 2/2 ±30° ±1 px ε 0.1000 rate 0.005 | train loss ";
    assert!(
        lines[1].starts_with(budgets) && lines[1].ends_with(" s"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "no terminal codes in a pipe");
    // No metric or log files either, where no directory was given.
    assert_eq!(files(folder.path()), [""; 0]);
}
