//! The document of the schema names what the code writes.

use super::files::study;
use super::tables::parse_csv;
use fireproof::evaluate::compare;
use std::collections::BTreeSet;

/// Every path to a leaf, array positions dropped; `opaque` objects count as leaves.
fn paths(value: &serde_json::Value, path: &str, opaque: &[&str], into: &mut BTreeSet<String>) {
    let whole = opaque
        .iter()
        .any(|end| path == *end || path.ends_with(&format!(".{end}")));
    match value {
        serde_json::Value::Object(fields) if !whole => {
            for (name, field) in fields {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                paths(field, &below, opaque, into);
            }
        }
        serde_json::Value::Array(items) if items.iter().any(|item| item.is_object()) => {
            for item in items {
                paths(item, &format!("{path}[]"), opaque, into);
            }
        }
        _ => {
            into.insert(path.to_owned());
        }
    }
}

/// The names in code marks in the first column of the tables of one section of the document.
fn documented(heading: &str) -> BTreeSet<String> {
    let text = include_str!("../../docs/report-schema.md");
    let section = text
        .split("\n## ")
        .find(|s| s.starts_with(heading))
        .expect(heading);
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| line.split('`').next().unwrap().to_owned())
        .collect()
}

// Oracle: what the code writes.
#[test]
fn convention_schema_document_names_every_field() {
    let report = study();
    let mut written = BTreeSet::new();
    let opaque = [
        "curriculum",
        "threat",
        "history",
        "correct",
        "fooled",
        "clean_correct",
    ];
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let mut fields = json.clone();
    fields["settings"] = serde_json::Value::Null;
    paths(&fields, "", &opaque, &mut written);
    assert_eq!(written, documented("report.json"));

    let profile = &report.entries[0].profile;
    let mut written = BTreeSet::new();
    let comparison = compare(profile, profile).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&comparison.to_json()).unwrap();
    let clean = json["clean"].take();
    assert!(clean["p_value"].is_number());
    paths(&json, "", &[], &mut written);
    assert_eq!(written, documented("A comparison"));

    let header = parse_csv(&report.to_csv()).remove(0);
    assert_eq!(
        header.into_iter().collect::<BTreeSet<_>>(),
        documented("report.csv")
    );
}
