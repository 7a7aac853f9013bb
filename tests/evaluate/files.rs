//! JSON, and what a reader does not know. Reports touch no tensor: they are made on the device of
//! the build.

use super::given::{brighter_half, full, halves, point, run};
use crate::common::On;
use fireproof::base::{Error, Seed};
use fireproof::evaluate::{Profile, Report, TrainingRecord, Versions, compare};

#[test]
fn convention_sections_that_a_reader_does_not_know_stay() {
    let mut report = study();
    let mut json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    json["entries"][0]["profile"]["extras"]["flags"] = serde_json::json!(["gradients vanish"]);
    json["extras"]["certificates"] = serde_json::json!({ "poses": 12 });
    // What stands elsewhere is ignored.
    json["entries"][0]["profile"]["curves"][0]["later"] = true.into();
    let read: Report = serde_json::from_value(json).unwrap();
    let flags: Vec<String> = read.entries[0]
        .profile
        .extras
        .get("flags")
        .unwrap()
        .unwrap();
    assert_eq!(flags, ["gradients vanish"]);
    let error = read.extras.get::<Vec<u8>>("certificates").unwrap_err();
    assert!(
        error.to_string().contains("section `certificates`"),
        "{error}"
    );
    let again: Report = serde_json::from_str(&read.to_json()).unwrap();
    assert_eq!(again, read);
    assert_ne!(read, report);
    report.extras = report
        .extras
        .with("certificates", &1)
        .with("certificates", &2);
    assert_eq!(report.extras.get("certificates").unwrap(), Some(2));
    assert_eq!(report.extras.names().collect::<Vec<_>>(), ["certificates"]);
}

pub fn study() -> Report {
    let data = halves(30);
    let mut record = TrainingRecord::new("Cnn, \"p4\"", 1234, "natural", Seed(3))
        .with_curriculum(&[0.1, 0.2])
        .with_train_size(2000)
        .with_epochs(4)
        .with_seconds(1.5);
    record.extras = record.extras.with("history", &[2.3, 0.4]);
    let versions = Versions::of(&fireproof::device());
    let settings = serde_json::json!({ "quick": true });
    let mut report = Report::new("A study", Seed(3), versions).with_settings(settings);
    for (name, flip) in [("right, or so", false), ("wrong | turned", true)] {
        let profile = run(&On::new(None), &full(), &brighter_half(flip), &data).with_name(name);
        report.push("a: halves", (!flip).then(|| record.clone()), profile);
    }
    report
}

/// Equal but for the last digit of numbers, which serde_json's fast reader may miss.
fn close(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-14,
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(a, b)),
        (Object(a), Object(b)) => {
            a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| close(a, b))
        }
        (a, b) => a == b,
    }
}

#[test]
fn smoke_json_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let report = study();
    let path = folder.path().join("new/folder/report.json");
    report.write_json(&path).unwrap();
    let read = Report::read_json(&path).unwrap();
    let json = |report: &Report| serde_json::from_str(&report.to_json()).unwrap();
    assert!(close(&json(&read), &json(&report)));
    assert_eq!(read.entries[1].training, report.entries[1].training);
    assert_eq!(
        read.entries[0].profile.settings,
        report.entries[0].profile.settings
    );
    let profile = &report.entries[0].profile;
    profile.write_json(&path).unwrap();
    let read = Profile::read_json(&path).unwrap();
    assert_eq!(
        point(&read, "angles", 2).correct,
        point(profile, "angles", 2).correct
    );
    assert!(
        compare(&read, profile).unwrap().curves[0].points[1]
            .accuracy
            .p_value
            == 1.0
    );
    // Nothing but the file itself is left behind.
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1
    );
}

#[test]
fn error_files_name_their_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let message = |path: &std::path::Path| Report::read_json(path).unwrap_err().to_string();
    assert!(message(&path).contains("report.json"));
    std::fs::write(&path, "{\n  \"schema\": 1,\n  \"title\": 7 }").unwrap();
    let error = message(&path);
    assert!(
        error.contains("report.json: at byte") && error.contains("JSON of a Report"),
        "{error}"
    );
    std::fs::write(&path, "{ \"schema\": 99 }").unwrap();
    assert!(message(&path).contains("expected schema 1, found schema 99"));
    // A folder stands where the file should go.
    let error = study().write_csv(folder.path()).unwrap_err();
    let shown = folder.path().display().to_string();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains(&shown));
    let error = study()
        .write_csv(path.join("below/a/file.csv"))
        .unwrap_err();
    assert!(error.to_string().contains("report.json"), "{error}");
}

// Oracle: the lock file that this crate is tested with.
#[test]
fn convention_burn_version_is_the_locked_one() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"))
        .expect("Cargo.lock");
    let burn = Versions::of(&fireproof::device()).burn;
    assert!(lock.contains(&format!("name = \"burn\"\nversion = \"{burn}\"")));
}
