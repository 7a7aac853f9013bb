//! Settings in files. Oracle: the values that code makes of the same words.

use fireproof::attack::RandomPose as Dealt;
use fireproof::base::Seed;
use fireproof::curriculum::Milestones;
use fireproof::evaluate::{RandomPose, WorstCase};
use fireproof::prelude::*;
use fireproof::study::verdicts::{Claimed, Estimand, Weights};
use fireproof::study::{Contrast, Mnist, Priority, Study, TrainingPlan};
use fireproof::transform::Warp;
use serde_json::{Value, json};

fn written() -> Value {
    json!({
        "title": "a study",
        "data": {"images": "embedded_mnist", "train": 100, "test": 50, "seed": 4},
        "evaluation_seed": 5,
        "networks": [
            {"name": "A", "model": {"model": "cnn", "image": [1, 28, 28], "classes": 10}},
            {"name": "B", "model": {"model": "cnn", "group": "p4", "image": [1, 28, 28], "classes": 10}}],
        "common": {
            "objective": "natural", "batch_size": 50, "seeds": [1, 2],
            "curriculum": {"epochs": 12, "learning_rate": 0.05, "steps": 7}},
        "trainings": [
            {"name": "natural"},
            {"name": "turned", "curriculum": {"angle": 60, "epochs": 3}, "augmentation": "bilinear"},
            {"name": "CuSP", "objective": {"objective": "pgd_training"}, "priority": [0, 1],
             "curriculum": {"preset": "cusp_mnist", "learning_rate": null}},
            {"name": "fixed", "objective": "pgd_training", "networks": ["B"],
             "curriculum": {"preset": "cusp_mnist", "arm": ["fixed", "uncoupled"]}},
            {"name": "as they are", "objective": null, "curriculum": null}],
        "measurements": [
            {"name": "poses", "axes": [{"axis": "angles", "levels": [30, 180], "draws": 4}]},
            {"name": "attacks", "images": 20, "numerics": "fast",
             "only": {"networks": ["B"], "trainings": ["natural"], "seeds": [1]},
             "axes": [
                {"axis": "epsilons", "attack": pgd(), "levels": [0.1], "name": "pgd"},
                {"axis": "attacked_poses", "attack": pgd(), "poses": [[30, 3]], "epsilons": [0.1], "draws": 2}]}],
        "endpoints": [
            {"name": "cost", "networks": ["A", "B"], "axis": "angles", "level": 30, "claimed": "falls",
             "estimand": "fooling_of_right", "margin": 0.01, "family": "b",
             "contrast": {"trend": {"arms": ["natural", "turned", "CuSP"], "levels": [0, 0.1, 0.3]}}},
            {"name": "networks", "axis": "clean", "contrast": {"difference":
                [{"network": "B", "training": "natural"}, {"network": "A", "training": "natural"}]}}]
    })
}

fn pgd() -> Value {
    json!({"attack": "pgd", "norm": "linf", "epsilon": 0.0, "steps": 20})
}

fn read(value: &Value) -> fireproof::base::Result<Study> {
    Study::from_json(&value.to_string())
}

fn training<'a>(study: &'a Study, name: &str) -> &'a TrainingPlan {
    study
        .trainings
        .iter()
        .find(|plan| plan.name == name)
        .unwrap()
}

#[test]
fn value_what_trainings_have_in_common() {
    let study = read(&written()).unwrap();
    let base = Curriculum::new(12).with_learning_rate(0.05).with_steps(7);
    let natural = training(&study, "natural");
    assert_eq!(natural.curriculum.as_ref(), Some(&base));
    assert_eq!((natural.batch_size, &natural.seeds), (50, &vec![1, 2]));
    let turned = training(&study, "turned");
    let of_three = Curriculum::new(3).with_learning_rate(0.05).with_steps(7);
    assert_eq!(turned.curriculum, Some(of_three.with_angle(60.0)));
    assert_eq!(turned.augmentation, Augmentation::new(Warp::bilinear()));
    assert!(training(&study, "as they are").objective.is_none());
}

#[test]
fn value_presets_and_their_ablations() {
    let study = read(&written()).unwrap();
    // `null` takes away what the others have in common: the preset's own rate remains.
    let cusp = Curriculum::cusp_mnist().scaled_to(12).with_steps(7);
    assert_eq!(training(&study, "CuSP").curriculum, Some(cusp.clone()));
    assert_eq!(
        training(&study, "CuSP").priority,
        Priority::BySeed(vec![0, 1])
    );
    let fixed = cusp.with_learning_rate(0.05).fixed().uncoupled();
    assert_eq!(training(&study, "fixed").curriculum, Some(fixed));
    let rates = json!({"schedule": "milestones", "values":
        [{"from": {"fraction": 0.0}, "value": 0.1}, {"from": {"fraction": 0.5}, "value": 0.01}]});
    let mut own = written();
    own["trainings"][0]["curriculum"] = json!({"learning_rate": rates});
    let study = read(&own).unwrap();
    let expected = Curriculum::new(12).with_steps(7);
    let expected = expected.with_learning_rate(Milestones::new([(0.0, 0.1), (0.5, 0.01)]));
    assert_eq!(training(&study, "natural").curriculum, Some(expected));
}

#[test]
fn value_axes_by_name() {
    let study = read(&written()).unwrap();
    let angles =
        Axis::angles([30.0, 180.0].map(Degrees)).with_threat(RandomPose::rotations().with_draws(4));
    assert_eq!(study.measurements[0].axes, [angles]);
    let pgd = Pgd::linf(0.0).with_steps(20);
    let attacked = WorstCase::new(Dealt::default().before(pgd.clone())).with_draws(2);
    let poses = [(Degrees(30.0), Pixels(3.0))];
    assert_eq!(
        study.measurements[1].axes,
        [
            Axis::epsilons(pgd.clone(), [0.1]).named("pgd"),
            Axis::attacked_poses(pgd, poses, [0.1]).with_threat(attacked),
        ]
    );
    assert_eq!(study.measurements[1].images, Some(20));
    assert_eq!(study.evaluation_seed, Seed(5));
}

#[test]
fn value_endpoints() {
    let study = read(&written()).unwrap();
    let cost = &study.endpoints[0];
    assert_eq!(
        (cost.claimed, cost.estimand),
        (Claimed::Falls, Estimand::FoolingOfRight)
    );
    let trend = Weights::trend(&[0.0, 0.1, 0.3]).unwrap();
    assert_eq!(cost.contrast.weights().unwrap(), trend);
    let networks = &study.endpoints[1];
    assert_eq!(
        (networks.margin, networks.family.as_str()),
        (0.02, "primary")
    );
    assert!(matches!(networks.contrast, Contrast::Difference(_)));
    assert_eq!(networks.contrast.arms()[0].network(), Some("B"));
}

#[test]
fn convention_settings_read_what_they_wrote() {
    let study = read(&written()).unwrap();
    let again = Study::from_json(&serde_json::to_string(&study).unwrap()).unwrap();
    assert_eq!(again, study);
}

#[test]
fn value_another_folder() {
    let study = read(&written()).unwrap();
    let refused = study
        .data
        .clone()
        .with_folder("elsewhere".as_ref())
        .unwrap_err();
    assert!(
        refused.to_string().contains("images that lie in a folder"),
        "{refused}"
    );
    let mnist = Mnist {
        folder: "here".into(),
    };
    let mut data = study.data;
    data.images = mnist.into();
    let moved = data.with_folder("elsewhere".as_ref()).unwrap();
    assert_eq!(
        moved.images,
        Mnist {
            folder: "elsewhere".into()
        }
        .into()
    );
}

#[test]
fn error_settings_that_cannot_be_meant() {
    let cases = [
        ("/titel", json!("misspelt"), "unknown field `titel`"),
        ("/data/images", json!("imagenet"), "embedded_mnist"),
        ("/data/train", json!(0), "data: train"),
        ("/networks/1/name", json!("A"), "name of its own"),
        ("/networks", json!([]), "networks"),
        ("/networks/0/model/group", json!("p7"), "p7"),
        ("/trainings", json!([]), "trainings"),
        ("/trainings/0/epochs", json!(3), "unknown field `epochs`"),
        ("/trainings/0/seeds", json!([]), "training `natural`: seeds"),
        ("/trainings/0/seeds", json!([1, 1]), "each once"),
        ("/trainings/0/batch_size", json!(0), "batch size"),
        ("/trainings/0/momentum", json!(5), "momentum"),
        ("/trainings/0/weight_decay", json!(-3), "weight decay"),
        ("/trainings/1/seeds", json!([77]), "none in common"),
        ("/measurements/1/only/seeds", json!([77]), "no cell"),
        ("/measurements/1/only/seeds", json!([1, 77]), "seeds that"),
        ("/measurements/1/only/networks", json!([]), "no cell"),
        ("/learned", json!(70), "a share"),
        (
            "/measurements/0/axes/0/levels",
            json!([[30, 1], 180]),
            "levels",
        ),
        ("/endpoints/0/networks", json!(["A", "A"]), "each once"),
        (
            "/endpoints/0/contrast",
            json!({"difference": ["natural", "natural"]}),
            "each once",
        ),
        (
            "/trainings/0/objective",
            json!(null),
            "objective and curriculum, or neither",
        ),
        ("/trainings/0/augmentation", json!("cubic"), "bilinear"),
        (
            "/trainings/0/curriculum",
            json!({"preset": "cups"}),
            "cusp_mnist",
        ),
        (
            "/trainings/0/curriculum",
            json!({"arm": "fixd"}),
            "fixed_pose",
        ),
        (
            "/trainings/0/curriculum",
            json!({"angel": 3}),
            "unknown field `angel`",
        ),
        ("/trainings/0/curriculum", json!({"angle": 200}), "0 to 180"),
        (
            "/trainings/0/curriculum",
            json!({"epochs": null}),
            "no `epochs`",
        ),
        (
            "/trainings/2/priority",
            json!([0]),
            "one for each of the seeds",
        ),
        ("/trainings/3/networks", json!(["C"]), "one of: A, B"),
        ("/measurements/0/images", json!(0), "at least one"),
        (
            "/measurements/0/axes/0/axis",
            json!("angels"),
            "worst_poses",
        ),
        (
            "/measurements/0/axes/0/levels",
            json!([180, 30]),
            "growing levels",
        ),
        ("/measurements/0/axes/0/attack", pgd(), "`attack`"),
        (
            "/measurements/1/axes/0/warp",
            json!(Warp::bilinear()),
            "`warp`",
        ),
        ("/measurements/1/axes/0/name", json!("angles"), "axes: name"),
        (
            "/measurements/1/only/trainings",
            json!(["nature"]),
            "one of: natural",
        ),
        ("/endpoints/0/level", json!(31), "one of: 30, 180"),
        (
            "/endpoints/0/axis",
            json!("angels"),
            "one of: clean, angles",
        ),
        ("/endpoints/0/networks", json!(["C"]), "one of: A, B"),
        ("/endpoints/0/networks", json!([]), "in every arm"),
        (
            "/endpoints/0/contrast",
            json!({"difference": ["natural", "nothing"]}),
            "one of: natural",
        ),
        (
            "/endpoints/0/contrast",
            json!({"trend": {"arms": ["natural"]}}),
            "levels",
        ),
        ("/endpoints/0/axis", json!("pgd"), "endpoint `cost`"),
        (
            "/endpoints/0/level",
            json!(null),
            "a grid of poses and radii",
        ),
        ("/endpoints/0/margin", json!(0), "above 0"),
        ("/endpoints/1/level", json!(3), "unless the axis is `clean`"),
        ("/endpoints/1/estimand", json!("gap"), "as they are"),
    ];
    for (place, wrong, part) in cases {
        let mut value = written();
        let (above, field) = place.rsplit_once('/').unwrap();
        let above = value.pointer_mut(above).unwrap();
        match field.parse::<usize>() {
            Ok(at) => above[at] = wrong,
            Err(_) => above[field] = wrong,
        }
        let refused = read(&value).unwrap_err().to_string();
        assert!(refused.contains(part), "{place}, {part}: {refused}");
    }
}

#[test]
fn convention_ready_studies_are_right() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/study");
    let mut found = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let study = Study::read(&path).unwrap_or_else(|error| panic!("{error}"));
            assert!(!study.endpoints.is_empty(), "{}", path.display());
            found += 1;
        }
    }
    assert!(found >= 5, "{found}");
}

#[test]
fn convention_the_study_of_the_guide_is_right() {
    let guide = include_str!("../../docs/guide.md");
    let (_, section) = guide.split_once("## A study of your own").unwrap();
    let (_, begun) = section.split_once("```json\n").unwrap();
    let (settings, _) = begun.split_once("```").unwrap();
    let study = Study::from_json(settings).unwrap();
    assert_eq!(study.trainings[0].seeds.len() * study.networks.len(), 10);
    assert!(settings.lines().count() <= 17, "15 lines within brackets");
}
