//! Attacks on poses and pixels together.

use super::moved::{batch, budget, rounded, victim};
use crate::common::{On, bits, values};
use fireproof::attack::{
    Adversaries, Affine, Attack, AttackSpec, Found, Frozen, GridSearch, JointPgd, L2, Margin, Mask,
    Orbit, Pgd, PoseGradient, RandomPose, RandomSearch, Run, verify,
};
use fireproof::base::{Batch, Error, Keys, Purpose, Seed};
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Evaluation};
use fireproof::transform::{Border, Pose, PoseBudget, Warp};

on_every_device![
    value_before_is_the_pose_and_then_the_attack,
    value_joint_attacks_find_what_their_parts_find,
    value_a_union_is_the_best_of_its_parts,
    value_a_sum_shares_the_means_out,
    value_levels_of_joint_attacks,
    value_poses_travel_with_adversaries,
    error_attacks_that_do_not_join,
];

fn run(attack: &(impl Clone + Into<AttackSpec>), victim: &Frozen, batch: &Batch) -> Found {
    let attack: AttackSpec = attack.clone().into();
    attack.attack(victim, batch, Seed(6)).unwrap()
}

fn given(on: &On) -> (Frozen, Batch) {
    let victim = victim();
    let batch = batch(on, &victim, on.pick(24, 6), [1, 7, 7]);
    (victim, batch)
}

fn small() -> PoseBudget {
    budget(15.0, 1.0)
}

// Oracle: the moved images attacked as a batch of their own.
fn value_before_is_the_pose_and_then_the_attack(on: &On) {
    let (victim, batch) = given(on);
    let budget = budget(40.0, 2.0);
    let keys = Keys::new(6, batch.ids.clone());
    for warp in [Warp::nearest(), Warp::bilinear().with_border(Border::Edge)] {
        let poses = budget.draw_for(Purpose::TestPose, &keys);
        let poses = Vec::from_iter(poses.into_iter().map(rounded));
        let moved = warp.apply(batch.images.clone(), &poses);
        let moved = batch
            .clone()
            .with_images(batch.bounds.clamp(moved))
            .unwrap();
        let attacks: [AttackSpec; 3] = [
            Pgd::linf(0.05).with_steps(3).into(),
            Pgd::l2(0.2).with_steps(3).restarts(2).into(),
            Pgd::linf(0.03)
                .with_steps(2)
                .or(Pgd::linf(0.03).with_loss(Margin))
                .into(),
        ];
        for attack in attacks {
            let expected = run(&attack, &victim, &moved);
            let before = RandomPose::new(budget).with_warp(warp).before(attack);
            let found = run(&before, &victim, &batch);
            assert_eq!(bits(&found.images), bits(&expected.images), "{before}");
            assert_eq!(bits(&found.originals), bits(&moved.images), "{before}");
            assert_eq!(found.fooled, expected.fooled, "{before}");
            assert_eq!(found.loss, expected.loss, "{before}");
            assert_eq!(found.queries, expected.queries, "{before}");
            assert_eq!(found.poses, Some(poses.clone()), "{before}");
            let still = bits(&batch.images);
            assert_ne!(bits(&found.originals), still, "nothing has moved");
        }
    }
}

// Fooling before not, then the loss.
fn assert_at_least(found: &Found, part: &Found, what: &str) {
    for at in 0..found.len() {
        assert!(found.fooled[at] >= part.fooled[at], "{what}, image {at}");
        let higher = found.loss[at] >= part.loss[at] - 1e-5 * part.loss[at].abs();
        assert!(found.fooled[at] || higher, "{what}, image {at}");
    }
}

// Oracle: the parts by themselves, image by image.
fn value_joint_attacks_find_what_their_parts_find(on: &On) {
    let (victim, batch) = given(on);
    for (joint, epsilon) in [
        (JointPgd::linf(small(), 0.02), 0.02),
        (JointPgd::l2(small(), 0.1).with_border(Border::Reflect), 0.1),
    ] {
        let joint = joint.with_steps(4);
        let (pose, pixels) = (joint.pose(), joint.pixels());
        let sequence = GridSearch::new(small()).with_points(5, 3, 3);
        let then = sequence.clone().then(pixels.clone());
        let [of_pose, of_pixels] = [run(&pose, &victim, &batch), run(&pixels, &victim, &batch)];
        let found = run(&joint, &victim, &batch);
        assert_at_least(&found, &of_pose, "joint, pose alone");
        assert_at_least(&found, &of_pixels, "joint, pixels alone");
        verify(&found, &batch, joint.norm.clone(), epsilon).unwrap();
        // The centres are the images in the poses returned.
        let warp = Warp::bilinear().with_border(joint.border);
        let poses = found.poses.clone().unwrap();
        let centres = batch.bounds.clamp(warp.apply(batch.images.clone(), &poses));
        assert_eq!(bits(&found.originals), bits(&centres));
        let both = (0..batch.len()).filter(|&at| {
            let changed = found.select(&[at]);
            poses[at] != Pose::IDENTITY && bits(&changed.images) != bits(&changed.originals)
        });
        assert!(
            both.count() > on.pick(3, 0),
            "some image is moved and changed"
        );
        let grid = run(&sequence, &victim, &batch);
        let found = run(&then, &victim, &batch);
        assert_at_least(&found, &grid, "then, pose alone");
        assert_at_least(&found, &of_pixels, "then, pixels alone");
        verify(&found, &batch, joint.norm.clone(), epsilon).unwrap();
    }
}

// Oracle: the parts by themselves.
fn value_a_union_is_the_best_of_its_parts(on: &On) {
    let (victim, batch) = given(on);
    let grid = GridSearch::new(small()).with_points(5, 3, 3);
    let pgd = Pgd::linf(0.03).with_steps(4);
    let random = RandomSearch::new(small(), 5);
    let pgd_l2 = Pgd::l2(0.1).with_steps(3);
    let pairs: [[AttackSpec; 2]; 3] = [
        [grid.clone().into(), pgd.clone().into()],
        [pgd.into(), random.into()],
        [grid.into(), pgd_l2.into()],
    ];
    for [one, other] in pairs {
        let union = one.clone().or(other.clone());
        let parts = [run(&one, &victim, &batch), run(&other, &victim, &batch)];
        let found = run(&union, &victim, &batch);
        for at in 0..batch.len() {
            let either = parts[0].fooled[at] || parts[1].fooled[at];
            assert_eq!(found.fooled[at], either, "{union}, image {at}");
        }
        parts
            .iter()
            .for_each(|part| assert_at_least(&found, part, &union.to_string()));
        let ball = union.ball().unwrap();
        verify(&found, &batch, ball.norm, ball.epsilon).unwrap();
        let stronger = union.at_level(&[20.0, 1.0, 0.5]).unwrap();
        assert_eq!(stronger.level(), Some(vec![20.0, 1.0, 0.5]));
    }
}

// Oracle: the shares one by one.
fn value_a_sum_shares_the_means_out(on: &On) {
    let (victim, batch) = given(on);
    let grid = GridSearch::new(budget(20.0, 2.0)).with_points(5, 3, 3);
    let pgd = Pgd::l2(0.3).with_steps(4).with_random_start(false);
    let sum = Affine::new(grid.clone(), pgd.clone());
    let found = run(&sum, &victim, &batch);
    verify(&found, &batch, L2, 0.3).unwrap();
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let pose = grid.at_level(&[20.0 * share, 2.0 * share]).unwrap();
        let moved = run(&pose, &victim, &batch);
        let around = batch.clone().with_images(moved.images.clone()).unwrap();
        let pixels = pgd.clone().with_epsilon(0.3 * (1.0 - share));
        let by_hand = run(&pixels, &victim, &around);
        for at in 0..batch.len() {
            assert!(
                found.fooled[at] >= by_hand.fooled[at],
                "{share}, image {at}"
            );
        }
        let alone = sum.clone().with_shares([share]);
        let alone = run(&alone, &victim, &batch);
        for at in 0..batch.len() {
            let either = by_hand.fooled[at] || (moved.fooled[at] && share > 0.0);
            assert_eq!(alone.fooled[at], either, "{share}, image {at}");
        }
        verify(&alone, &batch, L2, 0.3 * (1.0 - share) + 1e-6).unwrap();
    }
    let level = sum.at_level(&[10.0, 1.0, 0.2]).unwrap();
    assert_eq!(level.level(), Some(vec![10.0, 1.0, 0.2]));
}

// Oracle: the levels that were asked for, and the same attack at them.
fn value_levels_of_joint_attacks(on: &On) {
    let (victim, batch) = given(on);
    let pgd = Pgd::linf(0.02).with_steps(2);
    let grid = GridSearch::new(small()).with_points(3, 3, 1);
    let attacks: [AttackSpec; 4] = [
        JointPgd::linf(small(), 0.02).with_steps(2).into(),
        RandomPose::new(small()).before(pgd.clone()).into(),
        grid.clone().then(pgd.clone()).into(),
        Affine::new(grid, pgd).into(),
    ];
    for attack in &attacks {
        assert_eq!(attack.level(), Some(vec![15.0, 1.0, 0.02]));
        let radius = attack.at_level(&[0.1]).unwrap();
        assert_eq!(radius.level(), Some(vec![15.0, 1.0, 0.1]), "{attack}");
        let turned = attack.at_level(&[30.0, 0.1]).unwrap();
        assert_eq!(turned.level(), Some(vec![30.0, 2.0, 0.1]), "{attack}");
        let nothing = attack.at_level(&[0.0, 0.0, 0.0]).unwrap();
        let found = run(&nothing, &victim, &batch);
        assert_eq!(
            found.predicted,
            victim.predict(batch.images.clone()),
            "{attack}"
        );
        assert!(attack.at_level(&[]).is_err(), "{attack}");
        let again: AttackSpec = serde_json::from_value(attack.settings()).unwrap();
        assert_eq!(again, *attack);
        assert_eq!(again.to_string(), attack.to_string());
    }
    on_sets(on, &victim, &attacks);
}

fn image_set(on: &On, victim: &Frozen, count: usize) -> ImageSet {
    let batch = batch(on, victim, count, [1, 7, 7]);
    let pixels = values(&batch.images);
    let bytes = Vec::from_iter(pixels.iter().map(|v| (v * 255.0) as u8));
    let labels = Vec::from_iter(batch.labels_to_vec().into_iter().map(|label| label as u8));
    ImageSet::new("waves", [1, 7, 7], 3, bytes, labels).unwrap()
}

// Oracle: each image alone.
fn on_sets(on: &On, victim: &Frozen, attacks: &[AttackSpec]) {
    let set = image_set(on, victim, on.pick(12, 4));
    for attack in attacks {
        let whole = Run::new(2).with_batch_size(5);
        let whole = whole.attack(&**attack, victim, &set, &on.device()).unwrap();
        for (at, outcome) in whole.images.iter().enumerate() {
            let one = set.batch(&[at], &on.device());
            let alone = attack.attack(victim, &one, Seed(2)).unwrap();
            let fooled = outcome.fooled_by.is_some();
            assert_eq!(fooled, alone.fooled[0], "{attack}, image {at}");
        }
        let axis = Axis::attack("both", attack.clone(), [[0.0, 0.0, 0.0], [20.0, 1.0, 0.05]]);
        let profile = Evaluation::new()
            .with_axis(axis)
            .run(victim, &set, &on.device())
            .unwrap();
        let points = &profile.curves[0].points;
        assert!(
            points[1].accuracy.value <= points[0].accuracy.value,
            "{attack}"
        );
    }
}

// Oracle: what was found, and the images that its poses make.
fn value_poses_travel_with_adversaries(on: &On) {
    let victim = victim();
    let batch = batch(on, &victim, 5, [1, 7, 7]);
    let budget = budget(40.0, 2.0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("found.safetensors");
    let attacks: [AttackSpec; 2] = [
        GridSearch::new(budget).with_points(3, 3, 1).into(),
        Orbit::p4m().into(),
    ];
    for attack in attacks {
        let found = run(&attack, &victim, &batch);
        let kept = Adversaries::of(&found, &batch, &*attack, 6).unwrap();
        assert_eq!(kept.poses, found.poses, "{attack}");
        kept.save(&path).unwrap();
        let loaded = Adversaries::load(&path, &on.device()).unwrap();
        assert_eq!(loaded.poses, found.poses, "{attack}");
        assert_eq!(bits(&loaded.images), bits(&found.images));
        let chosen = loaded.select(&[3, 1]).poses.unwrap();
        let poses = found.poses.unwrap();
        assert_eq!(chosen, [poses[3], poses[1]]);
    }
    // Of a whole set, in shards.
    let set = image_set(on, &victim, 7);
    let attack = GridSearch::new(budget)
        .with_points(3, 3, 1)
        .then(Pgd::linf(0.01).with_steps(2));
    let shards = [0, 1].map(|index| {
        let run = Run::new(6).with_batch_size(2).with_shard([index, 2]);
        let run = run.with_adversaries(path.clone());
        run.attack(&attack, &victim, &set, &on.device()).unwrap();
        Adversaries::load(&path, &on.device()).unwrap()
    });
    let joined = Adversaries::join(shards).unwrap();
    let whole = set.batch(&Vec::from_iter(0..7), &on.device());
    let poses = joined.poses.clone().unwrap();
    let moved = Warp::bilinear().apply(whole.images.clone(), &poses);
    assert_eq!(bits(&joined.originals), bits(whole.bounds.clamp(moved)));
    assert!(poses.iter().any(|pose| *pose != Pose::IDENTITY));
    // Of an attack that moves nothing there are none.
    let found = run(&Pgd::linf(0.1), &victim, &batch);
    let kept = Adversaries::of(&found, &batch, &Pgd::linf(0.1), 6).unwrap();
    assert!(kept.poses.is_none());
}

fn error_attacks_that_do_not_join(on: &On) {
    let (victim, batch) = given(on);
    let grid = GridSearch::new(small()).with_points(2, 1, 1);
    let pgd = Pgd::linf(0.1);
    let mask = Mask::new([1, 7, 7], |[_, y, _]| y < 3).unwrap();
    let wrong: [AttackSpec; 10] = [
        pgd.clone().then(grid.clone()).into(),
        RandomPose::new(small()).before(grid.clone()).into(),
        RandomPose::new(small()).before(Pgd::linf(-1.0)).into(),
        grid.clone().masked(mask.clone()).into(),
        Affine::new(pgd.clone(), grid.clone()).into(),
        Affine::new(grid.clone(), grid.clone()).into(),
        Affine::new(grid.clone(), pgd.clone())
            .with_shares([1.5])
            .into(),
        Affine::new(grid.clone(), pgd.clone())
            .with_shares([])
            .into(),
        JointPgd::linf(small(), -0.1).into(),
        grid.clone().or(pgd.clone()).or(Pgd::l2(0.1)).into(),
    ];
    for attack in wrong {
        let error = attack.attack(&victim, &batch, Seed(1)).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{attack}: {error}");
    }
    // The pixels of moved images may be masked.
    let masked = grid.then(pgd.masked(mask));
    assert!(masked.attack(&victim, &batch, Seed(1)).is_ok());
    let climbs = PoseGradient::new(small()).with_effort(3, 0.5).unwrap();
    assert_eq!(climbs.cost().gradients, 3);
}
