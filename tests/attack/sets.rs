//! Attacks on whole image sets: survivors, shards, interruptions.

use super::network::Net;
use crate::common::On;
use fireproof::attack::{
    Apgd, Attack, AttackSpec, Dlr, Fgsm, Found, Frozen, Pgd, Progress, Run, Whole,
};
use fireproof::base::Seed;
use fireproof::data::ImageSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

// Not on every device: what it asks of a device, trials' tests ask of every one.
on_this_device![
    value_verdicts_are_those_image_by_image,
    value_shards_join_to_the_whole,
    value_interrupted_runs_go_on,
    value_counts_and_curves_agree,
    convention_the_table_of_a_run,
    error_runs_and_states,
];

pub fn setup(on: &On) -> (Frozen, ImageSet) {
    let victim = Frozen::new(&Net::random(on, 3));
    let count = on.pick(23, 5);
    let byte = |at: usize| {
        let (image, y, x) = (at / 784, at / 28 % 28, at % 28);
        let phase = image as f64 * 1.7;
        let wave = (0.31 * x as f64 * (1.0 + phase.sin()) + phase).sin();
        (127.5 + 127.5 * wave * (0.23 * y as f64 + 2.0 * phase).cos()) as u8
    };
    let pixels: Vec<u8> = (0..count * 784).map(byte).collect();
    let set = |labels| ImageSet::new("waves", [1, 28, 28], 10, pixels.clone(), labels).unwrap();
    let positions = Vec::from_iter(0..count);
    let images = set(vec![0; count]).batch(&positions, &on.device()).images;
    let mut labels: Vec<u8> = victim.predict(images).iter().map(|&c| c as u8).collect();
    labels
        .iter_mut()
        .step_by(7)
        .for_each(|class| *class = (*class + 1) % 10);
    (victim, set(labels))
}

pub fn attack() -> AttackSpec {
    let apgd = Apgd::linf(0.02).with_steps(4);
    let led = apgd.clone().with_loss(Dlr).towards_each(3);
    AttackSpec::from(Fgsm::linf(0.02).or(apgd.restarts(2)))
        .or(led)
        .into()
}

fn run(on: &On, run: Run) -> Whole {
    let (victim, set) = setup(on);
    run.attack(&*attack(), &victim, &set, &on.device()).unwrap()
}

// Seconds are of the moment.
pub fn timeless(mut whole: Whole) -> Whole {
    whole.parts.iter_mut().for_each(|part| part.seconds = 0.0);
    whole
}

fn value_verdicts_are_those_image_by_image(on: &On) {
    let (victim, set) = setup(on);
    let whole = run(on, Run::new(5).with_batch_size(4));
    assert_eq!(
        timeless(run(on, Run::new(5).with_batch_size(3))),
        timeless(whole.clone())
    );
    let single = |at: usize| -> Found {
        let batch = set.batch(&[at], &on.device());
        attack().attack(&victim, &batch, Seed(5)).unwrap()
    };
    let singles = Vec::from_iter((0..set.len()).map(single));
    let verdicts = Vec::from_iter(singles.iter().map(|found| found.fooled[0]));
    let found = Vec::from_iter(whole.images.iter().map(|image| image.fooled_by.is_some()));
    assert_eq!(found, verdicts);
    // All kinds of images are among them, if they are not too few.
    let by = |part| {
        whole
            .images
            .iter()
            .any(|image| image.fooled_by == Some(part))
    };
    let kinds = by(0) && by(1) && whole.standing() > 0;
    assert!(on.pick(kinds, by(0)), "{whole}");
    // An image that stands has met everything, one that is wrong as it is nothing.
    for image in &whole.images {
        match image.fooled_by {
            None => assert_eq!(image.gradients, 1 + 2 * 4 + 3 * 4),
            Some(by) => assert_eq!(image.parts, by + 1),
        }
        assert!(image.fooled_by != Some(0) || image.gradients == 0);
    }
}

fn value_shards_join_to_the_whole(on: &On) {
    let (_, set) = setup(on);
    let whole = timeless(run(on, Run::new(5)));
    let shard = |index| run(on, Run::new(5).with_batch_size(2).with_shard([index, 3]));
    let mut shards = Vec::from_iter([2, 0, 1].map(shard));
    let joined = Whole::join(shards.clone(), &set).unwrap();
    assert_eq!(timeless(joined), whole);
    shards.pop();
    let error = Whole::join(shards, &set).unwrap_err().to_string();
    assert!(error.contains("every shard of one run"), "{error}");
}

fn value_interrupted_runs_go_on(on: &On) {
    let (victim, set) = setup(on);
    let folder = tempfile::tempdir().unwrap();
    let whole = timeless(run(on, Run::new(5).with_batch_size(3)));
    let mut calls = 0;
    let mut count = |_: Progress| calls += 1;
    let settings = Run::new(5).with_batch_size(3);
    let device = on.device();
    settings
        .attack_with_progress(&*attack(), &victim, &set, &device, &mut count)
        .unwrap();
    for stop in on.pick(vec![1, 2, 5, calls / 2, calls - 1], vec![calls / 2]) {
        let path = folder.path().join(format!("state{stop}.json"));
        let settings = settings.clone().with_state(&path);
        let mut left = stop;
        let interrupted = catch_unwind(AssertUnwindSafe(|| {
            settings.attack_with_progress(&*attack(), &victim, &set, &device, |_| {
                assert!(left > 0, "interrupted on purpose");
                left -= 1;
            })
        }));
        assert!(interrupted.is_err());
        let mut again = 0;
        let resumed = settings
            .attack_with_progress(&*attack(), &victim, &set, &device, |_| again += 1)
            .unwrap();
        assert_eq!(timeless(resumed), whole);
        assert_eq!(again, calls - stop, "nothing is done twice");
    }
}

fn value_counts_and_curves_agree(on: &On) {
    let whole = run(on, Run::new(5));
    let curve = whole.curve();
    assert!(
        curve
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 > pair[1].1)
    );
    let images = whole.images.len() as f64;
    assert_eq!(curve[0], (1, whole.clean_correct() as f64 / images));
    assert_eq!(curve.last().unwrap().1, whole.robust_accuracy());
    // Images that are wrong as they are need no perturbation.
    let near = whole.distance_curve().steps();
    assert_eq!(near[0], (0.0, whole.clean_correct() as f64 / images));
    let within = |epsilon: f64| {
        let far = |distance: Option<f64>| distance.is_none_or(|distance| distance > epsilon);
        whole
            .images
            .iter()
            .filter(|image| far(image.distance))
            .count() as f64
            / images
    };
    assert!(near.iter().all(|&(epsilon, left)| left == within(epsilon)));
    assert!(near.len() > 1 && near.iter().is_sorted_by(|a, b| a.0 < b.0 && a.1 > b.1));
    let queries: u64 = whole.images.iter().map(|image| image.queries).sum();
    assert_eq!(
        queries,
        whole.parts.iter().map(|part| part.queries).sum::<u64>()
    );
    assert_eq!(whole.passes()[0], queries as f64 / images);
    // The next part meets those that the one before left standing.
    for pair in whole.parts.windows(2) {
        assert_eq!(pair[1].met, pair[0].met - pair[0].fooled);
    }
    let text = serde_json::to_string(&whole).unwrap();
    assert_eq!(serde_json::from_str::<Whole>(&text).unwrap(), whole);
    let interval = whole.interval();
    assert!((interval.low..=interval.high).contains(&whole.robust_accuracy()));
    let device = on.device();
    let (victim, set) = setup(on);
    let nothing = Pgd::linf(0.0)
        .with_steps(1)
        .run(&victim, &set, &device)
        .unwrap();
    assert_eq!(nothing.standing(), nothing.clean_correct());
}

fn convention_the_table_of_a_run(on: &On) {
    let whole = run(on, Run::new(5));
    let table = whole.to_string();
    let widths: Vec<usize> = (table.lines().filter(|line| line.starts_with('|')))
        .map(|line| line.chars().count())
        .collect();
    assert_eq!(widths.len(), 3 + whole.parts.len());
    // All parts together, in the last row.
    let fooled = format!(" | {:>6} |", whole.images.len() - whole.standing());
    let worst = table.lines().rfind(|line| line.starts_with('|')).unwrap();
    assert!(
        worst.starts_with("| worst case ") && worst.contains(&fooled),
        "{table}"
    );
    assert!(widths.iter().all(|&width| width == widths[0]), "{table}");
    let start = "| APGD-4 L∞ ε=0.02 start 2 ";
    assert!(table.lines().any(|line| line.starts_with(start)), "{table}");
    let last = format!(
        "{} of {} images stand",
        whole.standing(),
        whole.images.len()
    );
    assert!(table.contains(&last), "{table}");
}

fn error_runs_and_states(on: &On) {
    let (victim, set) = setup(on);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let device = on.device();
    let quick = Pgd::linf(0.01).with_steps(1);
    let tried = |run: Run, attack: &Pgd| {
        let result = run.attack(attack, &victim, &set, &device);
        result.map(|_| ()).map_err(|error| error.to_string())
    };
    let refused = |run: Run, attack: &Pgd, expected: &str| {
        let error = tried(run, attack).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    refused(
        Run::new(1).with_batch_size(0),
        &quick,
        "batch_size = 0: expected",
    );
    refused(
        Run::new(1).with_shard([3, 3]),
        &quick,
        "shard = 3 of 3: expected",
    );
    refused(Run::new(1).with_shard([99, 100]), &quick, "shard 99 of 100");
    let kept = Run::new(1).with_state(&path);
    tried(kept.clone(), &quick).unwrap();
    let before = std::fs::read(&path).unwrap();
    refused(kept.clone(), &quick.clone().with_steps(2), "another attack");
    refused(kept.clone().with_seed(2), &quick, "another seed");
    refused(kept.clone().with_shard([0, 2]), &quick, "other images");
    assert_eq!(std::fs::read(&path).unwrap(), before, "nothing is lost");
    std::fs::write(&path, &before[..before.len() / 2]).unwrap();
    refused(kept, &quick, "the state of this very run");
    let nowhere = folder.path().join("state.json/below");
    refused(Run::new(1).with_state(nowhere), &quick, "state.json");
}
