//! Runs that keep their adversaries: in a file that any interruption leaves as it would have been.

use super::sets::{attack, setup};
use crate::common::{On, values};
use fireproof::attack::{Adversaries, Attack, AttackSpec, Ddn, DeepFool, Pgd, Run, Whole};
use std::fs;
use std::path::Path;

// Not on every device: files are the same there, and trials' tests ask what runs ask of a device.
on_this_device![
    value_files_agree_with_verdicts,
    value_interrupted_runs_leave_equal_files,
    value_shards_join_to_the_whole,
    error_states_and_files_of_different_runs,
];

fn kept(on: &On, attack: &AttackSpec, run: Run, path: &Path) -> (Whole, Adversaries) {
    let (victim, set) = setup(on);
    let device = on.device();
    let whole = run
        .with_adversaries(path)
        .attack(&**attack, &victim, &set, &device)
        .unwrap();
    (whole, Adversaries::load(path, &device).unwrap())
}

// Goes on with images that are fooled, for something nearer.
fn nearest() -> AttackSpec {
    DeepFool::linf()
        .with_steps(3)
        .or(DeepFool::linf().with_steps(10))
        .into()
}

fn value_files_agree_with_verdicts(on: &On) {
    // Oracle: the outcomes of the run, and the classifier.
    let (victim, set) = setup(on);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("found");
    for attack in [attack(), nearest(), Ddn::new().with_steps(5).into()] {
        let run = Run::new(5).with_batch_size(4);
        let (whole, found) = kept(on, &attack, run, &path);
        assert_eq!((found.len(), found.attack), (set.len(), attack.settings()));
        let predicted = victim.predict(found.images.clone());
        for (at, image) in whole.images.iter().enumerate() {
            assert_eq!(
                (found.ids[at], found.labels[at]),
                (image.id, image.label.into())
            );
            assert_eq!(found.fooled[at], image.fooled_by.is_some());
            assert_eq!(found.fooled[at], predicted[at] != found.labels[at]);
            assert_eq!(found.predicted[at], predicted[at]);
            if image.fooled_by.is_some() {
                assert_eq!(Some(found.predicted[at]), image.predicted);
                assert_eq!(found.distance[at], image.distance);
            }
        }
        let all = Vec::from_iter(0..set.len());
        let clean = set.batch(&all, &on.device()).images;
        assert_eq!(values(&found.originals), values(&clean));
        if let Some(ball) = attack.ball() {
            let moved = values(found.images.clone() - clean);
            assert!(
                moved
                    .iter()
                    .all(|v| f64::from(v.abs()) <= ball.epsilon * (1.0 + 1e-6))
            );
            // Images that stand are not as they were: they are where the loss is highest.
            let stands = |at: &usize| whole.images[*at].fooled_by.is_none();
            let still = |at| moved[784 * at..784 * (at + 1)].iter().all(|&v| v == 0.0);
            let mut standing = all.into_iter().filter(stands).peekable();
            assert!(standing.peek().is_some() && !standing.any(still));
        }
        let files = fs::read_dir(&folder).unwrap().count();
        assert_eq!(files, 1, "nothing else is left");
    }
}

fn value_interrupted_runs_leave_equal_files(on: &On) {
    let (victim, set) = setup(on);
    let device = on.device();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let names = ["state", "found.partial", "found.ready"];
    for attack in [attack(), nearest()] {
        let run = Run::new(5)
            .with_batch_size(9)
            .with_state(at("state"))
            .with_adversaries(at("found"));
        let _ = fs::remove_file(at("state"));
        // What there is before each batch, and at the end.
        let mut moments = Vec::new();
        let look = || names.map(|name| fs::read(at(name)).ok());
        run.attack_with_progress(&*attack, &victim, &set, &device, |_| moments.push(look()))
            .unwrap();
        let whole = fs::read(at("found")).unwrap();
        let state = fs::read(at("state")).unwrap();
        assert!(moments.len() > 5);
        // Once it is finished there is nothing to do.
        run.attack_with_progress(&*attack, &victim, &set, &device, |_| {
            panic!("it is finished")
        })
        .unwrap();
        assert!(fs::read(at("found")).unwrap() == whole);
        // A run may end at a batch, with the rows made ready, or with the state saved as well.
        for [before, after] in moments.array_windows() {
            let ends = [
                [&before[0], &before[1], &before[2]],
                [&before[0], &before[1], &after[2]],
                [&after[0], &before[1], &after[2]],
            ];
            for files in ends {
                for (name, bytes) in names.iter().zip(files) {
                    match bytes {
                        Some(bytes) => fs::write(at(name), bytes).unwrap(),
                        None => drop(fs::remove_file(at(name))),
                    }
                }
                fs::remove_file(at("found")).unwrap();
                run.attack(&*attack, &victim, &set, &device).unwrap();
                assert!(fs::read(at("found")).unwrap() == whole);
                assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
            }
        }
        assert_eq!(fs::read(at("state")).unwrap().is_empty(), state.is_empty());
    }
}

fn value_shards_join_to_the_whole(on: &On) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (_, whole) = kept(on, &attack(), Run::new(5), &at("whole"));
    let shard = |index: usize| {
        let run = Run::new(5).with_shard([index, 3]);
        kept(on, &attack(), run, &at(&format!("{index}"))).1
    };
    let joined = Adversaries::join([2, 0, 1].map(shard)).unwrap();
    assert_eq!((joined.ids, joined.fooled), (whole.ids, whole.fooled));
    // Batches of other sizes may round differently.
    let apart = values(joined.images - whole.images);
    assert!(apart.iter().all(|v| v.abs() <= 0.04), "in one ball");
    let originals = values(joined.originals);
    assert_eq!(originals, values(whole.originals));
}

fn error_states_and_files_of_different_runs(on: &On) {
    let (victim, set) = setup(on);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let device = on.device();
    let quick = Pgd::linf(0.01).with_steps(1);
    let refused = |run: &Run| {
        let error = run
            .attack(&quick, &victim, &set, &device)
            .unwrap_err()
            .to_string();
        let expected = "those of this very run so far; name another state to begin anew";
        assert!(error.contains(expected), "{error}");
    };
    let run = Run::new(1).with_state(at("state"));
    run.attack(&quick, &victim, &set, &device).unwrap();
    // Nothing was kept so far.
    let run = run.with_adversaries(at("found"));
    refused(&run);
    fs::write(at("found"), "something else").unwrap();
    refused(&run);
    let other = Run::new(2).with_adversaries(at("found"));
    other.attack(&quick, &victim, &set, &device).unwrap();
    refused(&run);
    let nowhere = Run::new(1).with_adversaries(at("state").join("below"));
    let error = nowhere.attack(&quick, &victim, &set, &device).unwrap_err();
    assert!(error.to_string().contains("state"), "{error}");
}
