//! CSV and Markdown, read back: text alone.

use super::csv::parse_csv;
use super::files::study;
use super::given::point;
use fireproof::evaluate::Rate;

#[test]
fn value_csv_parses_back() {
    let report = study();
    let rows = parse_csv(&report.to_csv());
    let header = &rows[0];
    let column = |name: &str| header.iter().position(|h| h == name).unwrap();
    let mut body = rows[1..].iter();
    for entry in &report.entries {
        let mut check = |axis: &str, level: f64, rates: [Option<Rate>; 3]| {
            let row = body.next().unwrap();
            assert_eq!(row.len(), header.len());
            assert_eq!(row[column("section")], "a: halves");
            assert_eq!(row[column("name")], entry.profile.name);
            let model = entry.training.as_ref().map_or("", |t| &t.model);
            assert_eq!(row[column("model")], model);
            assert_eq!(row[column("axis")], axis);
            assert_eq!(row[column("level")].parse::<f64>().unwrap(), level);
            for (name, rate) in ["accuracy", "fooling", "fooling_of_right"]
                .into_iter()
                .zip(rates)
            {
                let number = |suffix: &str| row[column(&format!("{name}{suffix}"))].parse().ok();
                assert_eq!(number(""), rate.map(|r| r.value));
                assert_eq!(number("_low"), rate.map(|r| r.interval.low));
                assert_eq!(number("_high"), rate.map(|r| r.interval.high));
            }
        };
        check("clean", 0.0, [Some(entry.profile.clean), None, None]);
        for curve in &entry.profile.curves {
            for point in &curve.points {
                let rates = [
                    Some(point.accuracy),
                    Some(point.fooling),
                    point.fooling_of_right,
                ];
                check(&curve.axis, point.level.parts()[0], rates);
            }
        }
    }
    assert_eq!(body.next(), None);
    let single = parse_csv(&report.entries[0].profile.to_csv());
    assert_eq!((&single[0], single.len()), (header, 1 + 1 + 3 + 3 + 2 + 2));
}

#[test]
fn value_markdown_tables_are_rectangular_and_complete() {
    let report = study();
    let text = report.to_markdown();
    for expected in [
        "# A study",
        "## a: halves",
        "| right, or so | Cnn, \"p4\" | 1234 | natural | 2000 | 4 | 2 | 100.0 % (88.6–100.0) |",
        "| wrong \\| turned | – |",
        "±60°",
        "a = 0.5",
        "ε = 0.1",
        "angles: one random pose per image",
        "seed 11.",
        "PGD-3 L∞ ε=0.1",
    ] {
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        if pair.iter().all(|line| line.starts_with('|')) {
            assert_eq!(cells(pair[0]), cells(pair[1]), "{pair:?}");
        }
    }
    let profile = &report.entries[0].profile;
    let table = profile.to_markdown();
    let row = format!(
        "| ±60° | {} | {} |",
        point(profile, "angles", 1).accuracy,
        point(profile, "angles", 1).fooling
    );
    assert!(table.contains(&row), "{table}");
    let front = report
        .trade_off_markdown(("angles", 60.0), ("epsilons", 0.1))
        .unwrap();
    assert!(front.contains("Hypervolume from (0, 0): "), "{front}");
    assert!(
        report
            .trade_off_markdown(("angles", 61.0), ("epsilons", 0.1))
            .is_err()
    );
    // A classifier shared by two sections is one point of the plane.
    let mut shared = study();
    let profile = shared.entries[0].profile.clone();
    shared.push("b: again", None, profile);
    let again = shared.trade_off_markdown(("angles", 60.0), ("epsilons", 0.1));
    assert_eq!(again.unwrap(), front);
}
