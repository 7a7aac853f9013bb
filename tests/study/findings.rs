//! What a study says of its cells, and the page that says it. Oracle: the profiles of single cells.

use super::given::whole;
use fireproof::attack::Frozen;
use fireproof::base::Seed;
use fireproof::evaluate::{Profile, Report, SurfaceMap, Volume};
use fireproof::prelude::*;
use fireproof::study::verdicts::Finding;
use fireproof::study::{
    ArmName, Cell, Contrast, EndpointPlan, Findings, Shard, TrainingPlan, Work,
};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The whole study, made once.
fn made() -> &'static (TempDir, Work, Findings) {
    static MADE: OnceLock<(TempDir, Work, Findings)> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut study = whole();
        study.title = "A <b>study</b> & more".to_owned();
        let work = study.begin(folder.path(), &fireproof::device()).unwrap();
        assert_eq!(work.run(Shard::ALL, |_| {}).unwrap().now, 8);
        let findings = work.findings().unwrap();
        (folder, work, findings)
    })
}

/// The mean over seeds of a number of a network's profile of its first or second measurement.
fn mean(arm: (&str, &str), measurement: usize, number: impl Fn(&Profile) -> f64) -> f64 {
    let (_, work, _) = made();
    let is_of = |cell: &&Cell| (cell.network.as_str(), cell.training.as_str()) == arm;
    let seeds = Vec::from_iter(work.cells().iter().filter(is_of));
    assert_eq!(seeds.len(), 2);
    let each = seeds
        .iter()
        .map(|cell| number(&work.profiles(cell).unwrap().unwrap()[measurement]));
    each.sum::<f64>() / 2.0
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
}

#[test]
fn value_means_over_seeds() {
    let (.., findings) = made();
    assert_eq!(findings.sections[0].arms.len(), 4);
    for arm in &findings.sections[0].arms {
        let of = (arm.network.as_str(), arm.training.as_str());
        assert_eq!(arm.seeds, [1, 2]);
        near(
            arm.profile.clean.value,
            mean(of, 0, |profile| profile.clean.value),
        );
        for (axis, level, measurement) in [("angles", 180.0, 0), ("epsilons", 0.05, 1)] {
            let point = arm.profile.at((axis, level)).unwrap();
            let at = |of_point: fn(&fireproof::evaluate::Point) -> f64| {
                mean(of, measurement, move |profile| {
                    of_point(profile.at((axis, level)).unwrap())
                })
            };
            near(point.accuracy.value, at(|point| point.accuracy.value));
            near(point.fooling.value, at(|point| point.fooling.value));
            near(
                point.gap.unwrap().value,
                at(|point| point.gap.unwrap().value),
            );
            let of_right = at(|point| point.fooling_of_right.unwrap().value);
            near(point.fooling_of_right.unwrap().value, of_right);
        }
    }
}

#[test]
fn value_verdicts() {
    let (.., findings) = made();
    let names = Vec::from_iter(findings.verdicts.iter().map(|judged| judged.name.as_str()));
    let expected = [
        "StdCNN, accuracy when turned",
        "GCNN, accuracy when turned",
        "StdCNN, fooling rate",
        "GCNN, fooling rate",
    ];
    assert_eq!(names, expected);
    for (judged, network) in findings
        .verdicts
        .iter()
        .zip(["StdCNN", "GCNN", "StdCNN", "GCNN"])
    {
        let verdict = judged.verdict.as_ref().unwrap();
        let of = |training: &str| match judged.name.contains("turned") {
            true => mean((network, training), 0, |p| {
                p.at(("angles", 180.0)).unwrap().accuracy.value
            }),
            false => mean((network, training), 1, |p| {
                p.at(("epsilons", 0.05)).unwrap().fooling.value
            }),
        };
        near(verdict.effect.value, of("PGD") - of("natural"));
        assert_eq!(
            (verdict.family, verdict.effect.seeds, judged.open),
            (4, 2, 0)
        );
        // Two epochs on 40 images are no training.
        assert_eq!(judged.not_learned.len(), 2);
        assert!(judged.sentence().contains("had not learned"));
    }
    let plane = findings.sections[0].plane.as_ref().unwrap();
    assert_eq!(
        (plane.seeds.as_slice(), plane.front.places.len()),
        (&[1, 2][..], 4)
    );
}

#[test]
fn convention_files_of_findings() {
    let (folder, _, findings) = made();
    let into = folder.path().join("report");
    findings.write(&into).unwrap();
    let report = Report::read_json(into.join("report.json")).unwrap();
    assert_eq!(report, findings.report());
    let csv = std::fs::read_to_string(into.join("verdicts.csv")).unwrap();
    assert_eq!(csv.lines().count(), 5);
    let markdown = std::fs::read_to_string(into.join("report.md")).unwrap();
    assert!(markdown.contains(&findings.paragraphs()[0]));

    // What was measured on how many images of which seeds.
    assert!(markdown.contains("\n20 images, seeds 1, 2.\n"));
    assert!(findings.to_html().unwrap().contains(", 20 images<"));
    let curve = &report.entries[0].profile.curve("epsilons").unwrap();
    assert_eq!(curve.seeds, [1, 2]);
    let csv = std::fs::read_to_string(into.join("report.csv")).unwrap();
    let mut rows = csv.lines().map(|row| Vec::from_iter(row.split(',')));
    let names = rows.next().unwrap();
    let at = |name: &str| names.iter().position(|one| *one == name).unwrap();
    for row in rows {
        // Names and sections have a comma.
        let field = |name: &str| row[row.len() - names.len() + at(name)];
        let images = if field("axis") == "epsilons" {
            "20"
        } else {
            "30"
        };
        assert_eq!((field("images"), field("seeds")), (images, "1 2"));
    }
}

#[test]
fn value_networks_with_nothing_in_common_need_no_common_seeds() {
    // Oracle: the same trainings with all seeds, compared by themselves.
    let arm = |network: &str, training: &str| ArmName::Of {
        network: network.to_owned(),
        training: training.to_owned(),
    };
    let mut study = whole();
    study.trainings[1].seeds = vec![3, 4, 5];
    let networks = Contrast::Difference([arm("GCNN", "PGD"), arm("StdCNN", "natural")]);
    let apart = EndpointPlan::new("networks", networks, ("angles", 180.0));
    study.endpoints = vec![apart];
    let folder = tempfile::tempdir().unwrap();
    let work = study.begin(folder.path(), &fireproof::device()).unwrap();
    work.run(Shard::ALL, |_| {}).unwrap();
    let judged = &work.findings().unwrap().verdicts[0];
    assert_eq!(judged.seeds, [1, 2, 3, 4, 5]);
    let effect = judged.verdict.as_ref().unwrap().effect;
    assert_eq!((effect.seeds, effect.freedom), (2, Some(1.0)));
    let rate = |network: &str, training: &str| {
        let of = |cell: &&Cell| cell.network == network && cell.training == training;
        let cells = work.cells().iter().filter(of);
        let profiles = cells.map(|cell| work.profiles(cell).unwrap().unwrap());
        let rates = profiles.map(|all| all[0].at(("angles", 180.0)).unwrap().accuracy.value);
        let rates = Vec::from_iter(rates);
        rates.iter().sum::<f64>() / rates.len() as f64
    };
    near(
        effect.value,
        rate("GCNN", "PGD") - rate("StdCNN", "natural"),
    );
}

#[test]
fn convention_the_page_needs_nothing_else() {
    let (.., findings) = made();
    let page = findings.to_html().unwrap();
    assert_eq!(page, findings.to_html().unwrap());
    assert!(
        page.contains("<h1>A &lt;b&gt;study&lt;/b&gt; &amp; more</h1>"),
        "escaped"
    );
    let outside = page.replace("http://www.w3.org/2000/svg", "");
    for part in ["http://", "https://", "src=", "<link", "@import", "url("] {
        assert!(!outside.contains(part), "{part}");
    }
    // Four estimands of two networks, a plane, and the history of each of eight networks, as none has learned.
    assert_eq!(page.matches("<svg").count(), 8 + 1 + 8);
    assert_eq!(
        page.matches("<table>").count(),
        page.matches("</table>").count()
    );
    for part in [
        &findings.families()[0].0,
        "data-v=",
        "All settings of the study",
        "aria-sort",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

// Oracle: the surface of each network measured at once, from the weights that the study keeps.
#[test]
fn value_means_over_surfaces() {
    let device = fireproof::device();
    let poses = [(Degrees(30.0), Pixels(0.0)), (Degrees(90.0), Pixels(0.0))];
    let pgd = Pgd::linf(0.0).with_steps(2);
    let axis = Axis::attacked_poses(pgd, poses, [0.0, 0.05, 0.2]);
    let mut study = whole();
    study.measurements[1].axes.push(axis);
    let arms = Contrast::Difference(["PGD".into(), "natural".into()]);
    let mut volume = EndpointPlan::new("volume", arms, ("attacked_poses", 0.0))
        .with_networks(vec!["GCNN".to_owned()]);
    volume.level = None;
    study.endpoints = vec![volume];
    let folder = tempfile::tempdir().unwrap();
    let work = study.begin(folder.path(), &device).unwrap();
    work.run(Shard::ALL, |_| {}).unwrap();
    let tests = embedded_mnist().test.balanced(30, Seed(0)).unwrap();
    let set = tests.balanced(20, Seed(0)).unwrap();
    let findings = work.findings().unwrap();
    let mut means = Vec::new();
    for arm in &findings.sections[0].arms {
        let of = |cell: &&Cell| (&cell.network, &cell.training) == (&arm.network, &arm.training);
        let volumes = work.cells().iter().filter(of).map(|cell| {
            let network = study.networks.iter().find(|n| n.name == cell.network);
            let weights = work.weights(cell).unwrap().unwrap();
            let model = network.unwrap().model.load(weights, &device).unwrap();
            let victim = Frozen::from_shared(model.inference());
            let evaluation = study.measurements[1].evaluation(study.evaluation_seed);
            let profile = evaluation.run(&victim, &set, &device).unwrap();
            SurfaceMap::of(&profile, "attacked_poses").unwrap().volume
        });
        let volumes = Vec::from_iter(volumes);
        let over = &arm.surfaces[0];
        assert_eq!(
            (over.axis.as_str(), over.accuracy.seeds),
            ("attacked_poses", 2)
        );
        let mean = |of: fn(&Volume) -> f64| volumes.iter().map(of).sum::<f64>() / 2.0;
        near(over.accuracy.value, mean(|volume| volume.accuracy.value));
        near(over.fooling.value, mean(|volume| volume.fooling.value));
        if arm.network == "GCNN" {
            means.push(over.accuracy.value);
        }
    }
    let effect = findings.verdicts[0].verdict.as_ref().unwrap().effect;
    near(effect.value, means[1] - means[0]);
    // A curve over the angle for each radius, in the plots of both networks.
    let page = findings.to_html().unwrap();
    assert!(page.contains("±…° ±0 px, ε = 0.05") && page.contains("whole surfaces"));
}

// An axis of poses, as of the worst of several, has two numbers for each level: plots are over the one that grows.
#[test]
fn smoke_axes_of_poses_have_plots() {
    let poses = |angles: &[f64]| {
        let poses = angles.iter().map(|&angle| (Degrees(angle), Pixels(3.0)));
        Axis::poses(Vec::from_iter(poses))
    };
    for (angles, ordered) in [(&[30.0, 60.0][..], true), (&[30.0][..], false)] {
        let mut study = whole();
        study.measurements[0].axes = vec![poses(angles)];
        study.measurements.truncate(1);
        study.endpoints.clear();
        study.series[0].plane = None;
        if !ordered {
            study.series.clear();
        }
        study.learned = 0.0;
        for training in &mut study.trainings {
            training.seeds = vec![1];
        }
        let folder = tempfile::tempdir().unwrap();
        let work = study.begin(folder.path(), &fireproof::device()).unwrap();
        work.run(Shard::ALL, |_| {}).unwrap();
        let page = work.findings().unwrap().to_html().unwrap();
        let title = Axis::poses([(Degrees(30.0), Pixels(3.0))]).label;
        let title = title.replacen("{}", "…", 1).replace("{}", "3");
        assert!(page.contains(&title), "{title}");
        // Four estimands, of each network or of both, and four histories: all have learned by this rule.
        let figures = if ordered { 8 } else { 4 };
        assert_eq!(page.matches("<svg").count(), figures + 4, "{angles:?}");
        assert!(!page.contains("not learned"));
    }
    // One pose under several radii: over these.
    let mut study = whole();
    let pgd = Pgd::linf(0.0).with_steps(1);
    let poses = [(Degrees(30.0), Pixels(0.0))];
    study.measurements[1].axes = vec![Axis::attacked_poses(pgd, poses, [0.0, 0.05])];
    study.measurements.remove(0);
    study.endpoints.clear();
    study.series.clear();
    study.networks.truncate(1);
    let folder = tempfile::tempdir().unwrap();
    let work = study.begin(folder.path(), &fireproof::device()).unwrap();
    work.run(Shard::ALL, |_| {}).unwrap();
    let page = work.findings().unwrap().to_html().unwrap();
    assert!(page.contains("±30° ±0 px, ε = …"));
    assert!(made().2.to_html().unwrap().contains("(not learned)"));
}

// Oracle: a network that has learned something beside one that has not, of one seed, whose images tell them apart.
#[test]
fn value_dominance() {
    let mut study = whole();
    study.data.train = Some(1000);
    study.networks.truncate(1);
    let natural = &mut study.trainings[0];
    natural.curriculum = Some(Curriculum::new(4).with_learning_rate(0.05));
    let mut idle = TrainingPlan::given("PGD");
    for plan in [natural, &mut idle] {
        plan.seeds = vec![1];
    }
    study.trainings[1] = idle;
    study.data.test = Some(200);
    study.measurements[1].images = Some(100);
    study.endpoints.clear();
    let folder = tempfile::tempdir().unwrap();
    let work = study.begin(folder.path(), &fireproof::device()).unwrap();
    work.run(Shard::ALL, |_| {}).unwrap();
    let findings = work.findings().unwrap();
    let plane = findings.sections[0].plane.as_ref().unwrap();
    let [found] = &plane.dominance[..] else {
        panic!("{:?}, {:?}", plane.dominance, plane.front);
    };
    let names = (found.better.as_str(), found.worse.as_str());
    assert_eq!(names, ("StdCNN, natural", "StdCNN, PGD"));
    assert!(plane.pairs == 2 && found.p_value < 1e-4, "{found:?}");
    assert!(plane.sentences()[0].contains("StdCNN, natural over StdCNN, PGD"));

    // Networks that have learned nothing do not dominate each other: two trainings of two networks, either way.
    let (.., nothing) = made();
    let plane = nothing.sections[0].plane.as_ref().unwrap();
    assert_eq!((plane.pairs, plane.dominance.len()), (4, 0));
    assert!(plane.sentences()[0].contains("4 ordered pairs"));
}

#[test]
fn convention_names_that_are_spelt_alike() {
    let mut study = whole();
    study.series[0].name = "数字".to_owned();
    study.trainings[0].name = "训练".to_owned();
    study.trainings[1].name = "обучение".to_owned();
    study.series[0].trainings = vec!["训练".to_owned(), "обучение".to_owned()];
    study.endpoints.clear();
    let folder = tempfile::tempdir().unwrap();
    let work = study.begin(folder.path(), &fireproof::device()).unwrap();
    work.run(Shard::ALL, |_| {}).unwrap();
    let findings = work.findings().unwrap();
    findings.write(folder.path()).unwrap();
    let files = std::fs::read_dir(folder.path()).unwrap();
    let is_plot = |name: &str| name.ends_with(".svg") && !name.starts_with('.');
    let plots = files.filter(|file| is_plot(&file.as_ref().unwrap().file_name().to_string_lossy()));
    let drawn = findings.to_html().unwrap().matches("<svg").count();
    assert_eq!((plots.count(), drawn), (17, 17));
}

#[test]
fn convention_of_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let work = whole().begin(folder.path(), &fireproof::device()).unwrap();
    let refused = work.findings().unwrap_err().to_string();
    assert!(refused.contains("no cell of this study"), "{refused}");
    for cell in work
        .cells()
        .iter()
        .filter(|cell| cell.training == "natural" || cell.network == "GCNN")
    {
        work.run_cell(cell, |_| {}).unwrap();
    }
    let findings = work.findings().unwrap();
    assert_eq!(
        findings.missing,
        ["StdCNN, PGD, seed 1", "StdCNN, PGD, seed 2"]
    );
    assert!(
        findings
            .provisional()
            .starts_with("Provisional: 2 of 8 cells")
    );
    let there = Vec::from_iter(
        findings
            .verdicts
            .iter()
            .map(|judged| judged.verdict.is_some()),
    );
    assert_eq!(there, [false, true, false, true]);
    // The others count for the adjustment all the same.
    let (.., complete) = made();
    for (judged, known) in findings.verdicts.iter().zip(&complete.verdicts) {
        assert_eq!(judged.open, 2);
        if let (Some(verdict), Some(known)) = (&judged.verdict, &known.verdict) {
            assert_eq!((verdict.effect, verdict.family), (known.effect, 4));
            assert!(verdict.finding == Finding::Undecided || verdict.finding == known.finding);
        } else {
            assert!(judged.sentence().ends_with("not measured yet."));
        }
    }
    assert!(findings.paragraphs()[0].contains("2 are not measured yet"));
    assert!(
        findings
            .to_html()
            .unwrap()
            .contains("class=\"provisional\"")
    );
}
