//! What a robust accuracy is where an attack may spend less: passes and distances.

use super::sets::{attack, setup, timeless};
use crate::common::On;
use fireproof::attack::{AccuracyCurve, Apgd, Attack, Fab, Pgd, Run, Square, Whole};

// Not on every device: what it asks of a device, trials' tests ask of every one.
on_this_device![
    value_budgets_of_a_run_are_points_of_its_curve,
    value_curves_by_distance,
    value_curves_by_levels_never_rise,
    error_levels_of_a_curve,
];

fn value_budgets_of_a_run_are_points_of_its_curve(on: &On) {
    // Oracle: the curve of a run without a budget.
    let (victim, set) = setup(on);
    let device = on.device();
    let run = |run: Run| run.attack(&*attack(), &victim, &set, &device).unwrap();
    let whole = run(Run::new(5));
    let curve = whole.passes_curve();
    let stands = |whole: &Whole| Vec::from_iter(whole.images.iter().map(|image| image.fooled_by));
    for budget in [2, 4, 7, 8, 13, 19, 30, 44, 1000] {
        let within = run(Run::new(5).with_budget(budget).with_batch_size(4));
        assert_eq!(
            within.robust_accuracy(),
            curve.at(f64::from(budget)),
            "{budget}"
        );
        for (image, most) in within.images.iter().zip(&whole.images) {
            // Of the last part the verdict comes on top.
            assert!(image.passes() <= u64::from(budget) + 2);
            let falls = most
                .passes_to_fool
                .is_some_and(|fell| fell <= u64::from(budget));
            assert_eq!(image.fooled_by.is_some(), falls);
        }
        // As image by image.
        let single = run(Run::new(5).with_budget(budget).with_batch_size(1));
        assert_eq!(stands(&timeless(single)), stands(&timeless(within)));
    }
    assert_eq!(curve.at(1e9), whole.robust_accuracy());
    assert_eq!(
        curve.at(0.0),
        whole.clean_correct() as f64 / set.len() as f64
    );
    // A state tells of its budget.
    let folder = tempfile::tempdir().unwrap();
    let kept = Run::new(5).with_state(folder.path().join("state"));
    run(kept.clone().with_budget(3));
    let error = kept.attack(&*attack(), &victim, &set, &device).unwrap_err();
    assert!(error.to_string().contains("another budget"), "{error}");
}

fn value_curves_by_distance(on: &On) {
    // Oracle: the distances of the batch.
    let (victim, set) = setup(on);
    let device = on.device();
    let fab = Fab::l2().with_steps(10);
    let curve = fab.curve(&victim, &set, &device, &[]).unwrap();
    let batch = set.batch(&Vec::from_iter(0..set.len()), &device);
    let found = fab.attack(&victim, &batch, 0.into()).unwrap();
    assert_eq!(curve.falls, found.distance);
    for epsilon in [0.0, 0.1, 0.2, 0.4, 0.8, 9.0] {
        assert_eq!(curve.at(epsilon), found.accuracy_at(epsilon));
    }
    // A better attack takes more of the area.
    let short = Fab::l2().with_steps(2).with_final_search(0);
    let short = short.curve(&victim, &set, &device, &[]).unwrap();
    let best = AccuracyCurve::best("both", [&curve, &short]).unwrap();
    let end = best
        .falls
        .iter()
        .flatten()
        .fold(0.0, |far: f64, &fall| far.max(fall));
    let [long, short] = [&curve, &short].map(|curve| curve.optimality(&best, end));
    assert!(short < long && long <= 1.0, "{short} {long}");
}

fn value_curves_by_levels_never_rise(on: &On) {
    // Oracle: each level by itself, on all images; who falls at one falls at all higher ones.
    let (victim, set) = setup(on);
    let device = on.device();
    let levels = [0.001, 0.004, 0.01, 0.02, 0.04];
    let attacks: [&dyn Attack; 3] = [
        &Pgd::linf(1.0).with_steps(2),
        &Apgd::linf(1.0).with_steps(3),
        &Square::linf(1.0).with_queries(5),
    ];
    for attack in attacks {
        let curve = attack.curve(&victim, &set, &device, &levels).unwrap();
        let at = levels.map(|level| {
            let attack = attack.at_level(&[level]).unwrap();
            Run::new(0)
                .attack(&*attack, &victim, &set, &device)
                .unwrap()
        });
        for (image, fall) in curve.falls.iter().enumerate() {
            let fooled_by = |whole: &Whole| whole.images[image].fooled_by;
            let first = at.iter().position(|whole| fooled_by(whole).is_some());
            let expected = first.map(|first| match fooled_by(&at[first]) {
                Some(0) => 0.0,
                _ => levels[first],
            });
            assert_eq!(*fall, expected, "{attack}");
        }
        let accuracies = levels.map(|level| curve.at(level));
        assert!(accuracies.is_sorted_by(|a, b| a >= b));
        assert!(accuracies[0] > accuracies[4], "{accuracies:?}");
        // Of a shard, its own images.
        let shard = Run::new(0).with_shard([1, 3]);
        let shard = shard
            .curve(attack, &victim, &set, &device, &levels)
            .unwrap();
        let mine = curve.falls.iter().skip(1).step_by(3).copied();
        assert_eq!(shard.falls, Vec::from_iter(mine));
    }
}

fn error_levels_of_a_curve(on: &On) {
    let (victim, set) = setup(on);
    let pgd = Pgd::linf(0.1);
    for levels in [&[][..], &[0.1, 0.1], &[0.2, 0.1], &[f64::NAN]] {
        let error = pgd.curve(&victim, &set, &on.device(), levels).unwrap_err();
        assert!(
            error.to_string().starts_with("levels of a curve = "),
            "{error}"
        );
    }
}
