//! Scans of a study's trained networks.

use super::given::study;
use fireproof::attack::{Fab, Frozen, Orbit};
use fireproof::evaluate::{BoundaryScan, ComponentScan, OrbitScan, TangentScan};
use fireproof::prelude::*;
use fireproof::study::{Scans, Shard, Study, join};

fn scans() -> Scans {
    let angles = [0.0, 90.0].map(Degrees);
    let fab = Fab::linf().with_steps(5).with_target_classes(2);
    Scans::default()
        .with_images(12)
        .with_boundary(
            BoundaryScan::new(fab)
                .with_angles(angles)
                .with_distances(false),
        )
        .with_tangents(TangentScan::new())
        .with_components(ComponentScan::new(Pgd::linf(0.1).with_steps(2)).with_count(4))
        .with_orbits(OrbitScan::new(Orbit::p4()))
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("scans")
        .join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

// Oracle: the scans themselves, on the network of the weights that the study keeps.
#[test]
fn value_scans_are_those_of_the_trained_network() {
    let device = fireproof::device();
    let plain = study();
    let scanned = plain.clone().with_scans(scans());
    let folder = folder("values");
    let work = scanned.begin(&folder, &device).unwrap();
    // What is looked at makes no other cells.
    assert_eq!(plain.cells().unwrap(), work.cells());
    let cell = work.cells()[1].clone();
    assert!(work.scan(&cell).unwrap().is_none(), "not trained");
    let shard: Shard = "2/8".parse().unwrap();
    assert_eq!(work.run(shard, |_| {}).unwrap().now, 1);
    let found = work.scan(&cell).unwrap().expect("a trained network");

    let network = &scanned
        .networks
        .iter()
        .find(|n| n.name == cell.network)
        .unwrap();
    let weights = work.weights(&cell).unwrap().unwrap();
    let model = network.model.load(weights, &device).unwrap();
    let victim = Frozen::from_shared(model.inference());
    let set = work.scanned_images();
    assert_eq!(set.len(), 12);
    let wanted = scans();
    let (boundary, tangents) = (wanted.boundary.unwrap(), wanted.tangents.unwrap());
    assert_eq!(
        found.boundary,
        Some(boundary.run(&victim, set, &device).unwrap())
    );
    assert_eq!(
        found.tangents,
        Some(tangents.run(&victim, set, &device).unwrap())
    );
    let components = wanted.components.unwrap().run(&victim, set, &device);
    assert_eq!(found.components, Some(components.unwrap()));
    let orbits = wanted.orbits.unwrap().run(&victim, set, &device).unwrap();
    assert_eq!(found.orbits.as_ref(), Some(&orbits));

    // Read again, not looked at again: without weights there is nothing to look at.
    std::fs::remove_dir_all(folder.join("models")).unwrap();
    assert_eq!(work.scan(&cell).unwrap(), Some(found.clone()));
    // Another folder gets it without the weights.
    let other = folder.with_file_name("joined");
    let _ = std::fs::remove_dir_all(&other);
    assert_eq!(join(&other, &[&folder]).unwrap().scans, 1);
    assert_eq!(join(&other, &[&folder]).unwrap().scans, 0);
    let there = scanned.begin(&other, &device).unwrap();
    assert_eq!(there.scan(&cell).unwrap(), Some(found.clone()));
    let table = work.scan_all(|_| {});
    assert!(table.failed().is_empty());
    assert_eq!(table.rows(), [(cell.clone(), found.clone())]);
    let (markdown, csv) = (table.to_markdown(), table.to_csv());
    assert_eq!(markdown.lines().count(), 3, "{markdown}");
    let fields = |line: usize| {
        csv.lines()
            .nth(line)
            .unwrap()
            .split(',')
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(0).len(), fields(1).len(), "{csv}");
    let at = fields(0)
        .iter()
        .position(|name| *name == "orbit_worst")
        .unwrap();
    assert_eq!(fields(1)[at], orbits.worst.value.to_string());
    let mean = found.boundary.unwrap().points[1].mean;
    let at = fields(0)
        .iter()
        .position(|name| name.starts_with("boundary_90"))
        .unwrap();
    assert_eq!(
        fields(1)[at],
        mean.map_or(String::new(), |mean| mean.value.to_string())
    );
}

// Oracle: numbers of three networks, put together by hand.
#[test]
fn value_scans_over_seeds_are_in_the_report() {
    let mut scanned = study().with_scans(scans());
    scanned.networks.truncate(1);
    scanned.trainings.truncate(1);
    scanned.trainings[0].seeds = vec![1, 2, 3];
    let work = scanned
        .begin(folder("report"), &fireproof::device())
        .unwrap();
    work.run(Shard::ALL, |_| {}).unwrap();
    assert_eq!(work.findings().unwrap().scans, None);
    let table = work.scan_all(|_| {});
    let findings = work.findings().unwrap();
    let scans = findings.scans.as_ref().unwrap();
    assert_eq!((scans.images, scans.rows.len()), (12, 1));
    assert_eq!(scans.rows[0].seeds, [1, 2, 3]);
    let column = |part: &str| {
        let found = scans.columns.iter().position(|name| name.contains(part));
        scans.rows[0].numbers[found.unwrap()].unwrap()
    };
    let orbits = table
        .rows()
        .iter()
        .map(|(_, scanned)| scanned.orbits.as_ref().unwrap().worst);
    let orbits = Vec::from_iter(orbits);
    let mean = orbits.iter().map(|rate| rate.value).sum::<f64>() / 3.0;
    let square = orbits
        .iter()
        .map(|rate| (rate.value - mean).powi(2))
        .sum::<f64>()
        / 2.0;
    let widths = orbits
        .iter()
        .map(|rate| rate.interval.high - rate.interval.low);
    let of_images = widths.map(|width| (width / 2.0).powi(2)).sum::<f64>() / 3.0;
    // Student's quantile of two degrees of freedom.
    let half = (4.302_652_73_f64.powi(2) * square / 3.0 + of_images).sqrt();
    let found = column("right in every pose");
    assert!((found.value - mean).abs() < 1e-12);
    let interval = found.interval.unwrap();
    let ends = [mean - half, mean + half].map(|end| end.clamp(0.0, 1.0));
    assert!((interval.low - ends[0]).abs() < 1e-6, "{interval:?}");
    assert!((interval.high - ends[1]).abs() < 1e-6, "{interval:?}");
    // Shares stay shares.
    let distance = column("mean distance");
    assert!(distance.interval.unwrap().low >= 0.0);
    assert!(column("for which one was found").interval.unwrap().high <= 1.0);
    let shown = found.to_string();
    assert!(findings.to_markdown().contains(&shown));
    assert!(findings.to_html().unwrap().contains(&shown));
    assert!(findings.report().to_json().contains("right in every pose"));
}

#[test]
fn error_scans_that_make_no_sense() {
    let refused = |scans: Scans| study().with_scans(scans).check().unwrap_err().to_string();
    let none = refused(scans().with_images(0));
    assert!(none.contains("scans: images"), "{none}");
    let far = refused(scans().with_boundary(BoundaryScan::new(Pgd::linf(0.1))));
    assert!(
        far.contains("scans") && far.contains("boundary: attack"),
        "{far}"
    );
    let text = serde_json::to_string(&study().with_scans(scans())).unwrap();
    assert_eq!(Study::from_json(&text).unwrap().scans, scans());
    let unknown = Study::from_json(&text.replace("\"tangents\":", "\"tangent\":")).unwrap_err();
    assert!(unknown.to_string().contains("tangent"), "{unknown}");
    // A file of something else under the name of a scan is told by name.
    let folder = folder("damaged");
    let work = study()
        .with_scans(scans())
        .begin(&folder, &fireproof::device())
        .unwrap();
    let cell = work.cells()[0].clone();
    work.run("1/8".parse().unwrap(), |_| {}).unwrap();
    work.scan(&cell).unwrap();
    let file = std::fs::read_dir(folder.join("scans"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(&file, "{}").unwrap();
    let damaged = work.scan(&cell).unwrap_err().to_string();
    assert!(damaged.contains(&file.display().to_string()), "{damaged}");
}
