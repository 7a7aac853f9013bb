//! The document of the schema names what the code writes.

use super::csv::parse_csv;
use super::files::study;
use super::given::{brighter_half, halves};
use fireproof::attack::{Fmn, Orbit, Pgd};
use fireproof::base::Degrees;
use fireproof::evaluate::{BoundaryScan, ComponentScan, OrbitScan, Surface, TangentScan, compare};
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

// Oracle: what the code writes, of each kind of measurement one.
#[test]
fn convention_schema_document_names_every_field_of_the_measures() {
    let (device, set) = (fireproof::device(), halves(4));
    let victim = brighter_half(false);
    let attack = Pgd::linf(0.1).with_steps(1);
    let surface = Surface::rotations(attack.clone(), [0.0, 90.0].map(Degrees), [0.0, 0.1]);
    let surface = surface.run(&victim, &set, &device).unwrap();
    let boundary = BoundaryScan::new(Fmn::linf().with_steps(3)).run(&victim, &set, &device);
    let boundary = boundary.unwrap();
    let components = ComponentScan::new(attack)
        .run(&victim, &set, &device)
        .unwrap();
    let tangents = TangentScan::new().run(&victim, &set, &device).unwrap();
    let orbit = OrbitScan::new(Orbit::p4())
        .run(&victim, &set, &device)
        .unwrap();
    let opaque = [
        "profile",
        "data",
        "settings",
        "versions",
        "warp",
        "accuracy",
        "fooling",
        "fooling_of_right",
        "gap",
        "mean",
        "of_right",
        "change",
        "found",
        "average",
        "worst",
        "invariant",
        "poses[]",
        "elements[]",
        "correct",
        "same",
    ];
    for (section, json, csv) in [
        ("A surface", surface.to_json(), None),
        ("Distances to", boundary.to_json(), Some(boundary.to_csv())),
        ("Principal", components.to_json(), Some(components.to_csv())),
        ("Cosines", tangents.to_json(), Some(tangents.to_csv())),
        ("An orbit", orbit.to_json(), Some(orbit.to_csv())),
    ] {
        let mut written = BTreeSet::new();
        let json = serde_json::from_str(&json).unwrap();
        paths(&json, "", &opaque, &mut written);
        assert_eq!(written, documented(section), "{section}");
        if let Some(csv) = csv {
            let header = parse_csv(&csv).remove(0);
            let names = header.iter().map(|name| format!("`{name}`"));
            let names = Vec::from_iter(names).join(", ") + ".";
            let text = include_str!("../../docs/report-schema.md").replace('\n', " ");
            assert!(text.contains(&names), "{section}: {names}");
        }
    }
}
