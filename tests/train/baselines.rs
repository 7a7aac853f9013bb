//! The objectives that are built in, each in whole trainings and in files.

use super::fitting::{fit, training, weights};
use super::given::HARD;
use super::misspelt::assert_refused;
use fireproof::attack::{AttackSpec, Ball, JointPgd, Keep, L1, L2, Linf, Pgd, RandomSearch};
use fireproof::base::Kind;
use fireproof::train::{
    AverageOver, Awp, Ema, FastFgsm, Fat, Mart, MaxOver, MsdTraining, Natural, Objective,
    ObjectiveSpec, PgdTraining, PoseKl, Swa, Trades, WorstPose,
};
use fireproof::transform::PoseBudget;
use serde_json::json;

/// Pixels in two norms, and poses.
fn three() -> [AttackSpec; 3] {
    [
        Pgd::linf(0.1).with_keep(Keep::Last).into(),
        Pgd::l2(0.5).with_keep(Keep::Last).into(),
        RandomSearch::new(PoseBudget::default(), 3).into(),
    ]
}

/// One of each, wrappers around what has a memory or crafts nothing among them.
pub fn every_objective() -> Vec<ObjectiveSpec> {
    let balls = [Ball::new(Linf, 0.1), Ball::new(L2, 0.5), Ball::new(L1, 2.0)];
    let often = FastFgsm::default().with_check_every(1).with_check_images(4);
    vec![
        Natural.into(),
        PgdTraining::default().into(),
        PgdTraining::new(JointPgd::linf(PoseBudget::default(), 0.0)).into(),
        Trades::new(6.0).into(),
        Mart::default().into(),
        Fat::new(1).into(),
        often.into(),
        MaxOver::new(three()).into(),
        AverageOver::new(three()).into(),
        MsdTraining::new(balls).into(),
        WorstPose::new(3).into(),
        PoseKl::new(0.5).into(),
        Awp::new(Natural).into(),
        Awp::trades(6.0).with_warmup(1).into(),
        Ema::new(PgdTraining::default()).into(),
        Swa::new(PgdTraining::default(), 2).into(),
        Awp::new(Swa::new(Mart::default(), 1)).into(),
        Ema::new(Awp::new(Swa::new(WorstPose::new(2), 2)))
            .with_decay(0.9)
            .into(),
    ]
}

#[test]
fn convention_every_objective_resumes_to_the_bit() {
    // Oracle: the uninterrupted training, of weights, of what is judged and of every number shown.
    let stages = [HARD, HARD, HARD];
    let mut others = Vec::new();
    for objective in every_objective() {
        let folder = tempfile::tempdir().unwrap();
        let settings = training(&stages)
            .with_objective(objective.clone())
            .with_directory(folder.path());
        let whole = fit(&settings).unwrap();
        std::fs::remove_file(folder.path().join("checkpoint/model-3.bpk")).unwrap();
        let resumed = fit(&settings.clone().with_resume(true)).unwrap();
        let found = weights(&resumed.model);
        assert!(found == weights(&whole.model), "{objective:?}");
        assert_eq!(resumed.history.len(), 3);
        for (resumed, whole) in resumed.history.iter().zip(&whole.history) {
            let numbers = |e: &fireproof::train::EpochRecord| {
                let mut e = e.clone();
                e.seconds = 0.0;
                serde_json::to_string(&e).unwrap()
            };
            assert_eq!(numbers(resumed), numbers(whole), "{objective:?}");
        }
        assert!(found.iter().all(|weight| weight.is_finite()));
        // No two of them are the same training.
        assert!(!others.contains(&found), "{objective:?}");
        others.push(found);
    }
}

#[test]
fn smoke_every_objective_is_named_in_files() {
    let mut names = Vec::new();
    for objective in every_objective() {
        objective.check().unwrap();
        let text = serde_json::to_string(&objective).unwrap();
        let again: ObjectiveSpec = serde_json::from_str(&text).unwrap();
        assert_eq!(again, objective);
        names.push(objective.name());
    }
    names.sort();
    names.dedup();
    let registered = <dyn Objective>::registry().names();
    assert!(
        registered.iter().all(|name| names.contains(name)),
        "{registered:?}"
    );
    // The shortest forms.
    let read = |value: serde_json::Value| serde_json::from_value::<ObjectiveSpec>(value).unwrap();
    assert_eq!(
        read(json!({"objective": "trades", "beta": 6.0})),
        Trades::new(6.0).into()
    );
    assert_eq!(read(json!({"objective": "mart"})), Mart::new(5.0).into());
    assert_eq!(
        read(json!({"objective": "fat", "tau": 2})),
        Fat::new(2).into()
    );
    assert_eq!(read("fast_fgsm".into()), FastFgsm::default().into());
    assert_eq!(read("worst_pose".into()), WorstPose::new(10).into());
    assert_eq!(
        read(json!({"objective": "pose_kl", "lambda": 0.5})),
        PoseKl::new(0.5).into()
    );
    let wrapped = json!({"objective": "ema", "of": {"objective": "awp", "of": "pgd_training"}});
    assert_eq!(
        read(wrapped),
        Ema::new(Awp::new(PgdTraining::default())).into()
    );
    let swa = json!({"objective": "swa", "of": "natural", "from": 3});
    assert_eq!(read(swa.clone()), Swa::new(Natural, 3).into());
    assert_refused::<ObjectiveSpec>(
        &swa,
        [
            ("every", json!(2), "`every`"),
            ("of", json!("trades"), "missing field `beta`"),
            ("objective", json!("swat"), "one of: average_over, awp, ema"),
        ],
    );
}

#[test]
fn error_settings_that_cannot_be_meant() {
    let attack = |epsilon| Pgd::linf(epsilon);
    let none: [AttackSpec; 0] = [];
    let cases: Vec<(ObjectiveSpec, &str)> = vec![
        (Trades::new(-1.0).into(), "beta = -1"),
        (Trades::new(f64::NAN).into(), "beta = NaN"),
        (
            Trades::new(6.0).with_attack(attack(f64::NAN)).into(),
            "epsilon = NaN",
        ),
        (Mart::new(f64::INFINITY).into(), "beta = inf"),
        (
            Mart::new(1.0).with_attack(attack(-0.1)).into(),
            "epsilon = -0.1",
        ),
        (Fat::new(1).with_pgd(attack(-0.1)).into(), "pgd: epsilon"),
        (
            Fat::new(1).with_pgd(attack(0.1).with_momentum(1.0)).into(),
            "momentum",
        ),
        (FastFgsm::default().with_alpha(0.0).into(), "alpha = 0"),
        (
            FastFgsm::default().with_alpha(f64::NAN).into(),
            "alpha = NaN",
        ),
        (
            FastFgsm::default().with_check_images(0).into(),
            "check_images = 0",
        ),
        (Awp::new(Natural).with_gamma(-0.1).into(), "gamma = -0.1"),
        (Awp::new(Natural).with_gamma(f64::NAN).into(), "gamma = NaN"),
        (Awp::new(Trades::new(-1.0)).into(), "of: beta = -1"),
        (Ema::new(Natural).with_decay(1.0).into(), "decay = 1"),
        (Ema::new(Natural).with_decay(f64::NAN).into(), "decay = NaN"),
        (
            Ema::new(Awp::new(Natural).with_gamma(-1.0)).into(),
            "of: gamma",
        ),
        (Swa::new(Natural, 0).into(), "from = 0"),
        (Swa::new(Mart::new(-1.0), 1).into(), "of: beta"),
        (MaxOver::new(none.clone()).into(), "attacks = none"),
        (AverageOver::new(none).into(), "attacks = none"),
        (MaxOver::new([attack(f64::NAN)]).into(), "epsilon = NaN"),
        (
            MaxOver::new([attack(0.1), attack(0.0)]).into(),
            "one of several",
        ),
        (
            AverageOver::new([attack(0.0), attack(0.1)]).into(),
            "one of several",
        ),
        (MsdTraining::new([]).into(), "balls = none"),
        (
            MsdTraining::new([Ball::new(Linf, 0.0)]).into(),
            "epsilon = 0",
        ),
        (
            MsdTraining::new([Ball::new(Linf, f64::NAN)]).into(),
            "epsilon = NaN",
        ),
        (WorstPose::new(0).into(), "poses = 0"),
        (PoseKl::new(-1.0).into(), "lambda = -1"),
        (PoseKl::new(1.0).with_poses(0).into(), "poses = 0"),
    ];
    for (objective, part) in cases {
        let refused = objective.check().unwrap_err().to_string();
        assert!(refused.contains(part), "{part}: {refused}");
        // Before any step.
        let refused = fit(&training(&[HARD]).with_objective(objective)).unwrap_err();
        assert!(refused.to_string().contains(part), "{part}: {refused}");
    }
    // A single attack may be given at any level: the stage's takes its place.
    assert!(MaxOver::new([attack(0.0)]).check().is_ok());
}
