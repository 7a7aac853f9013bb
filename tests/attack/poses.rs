//! Attacks on poses, against slow paths image by image.

use super::moved::{Slow, again, batch, budget, judged, rounded, slow, victim, worst};
use crate::common::{On, bits, uniform, values};
use burn::tensor::{Tensor, TensorData};
use fireproof::attack::{
    Attack, AttackSpec, CrossEntropy, Found, Frozen, Goal, GridSearch, Loss, Orbit, PoseGradient,
    PoseSearch, PoseSpace, RandomSearch, Space, Trial,
};
use fireproof::base::{Batch, Degrees, Error, Keys, Pixels, Precision, Purpose, Seed, read};
use fireproof::group::Group;
use fireproof::model::{CnnConfig, Head, Widths};
use fireproof::transform::{Border, Pose, PoseBudget, Warp, flip_horizontal, rot90, shift};

on_every_device![
    value_a_grid_is_all_of_its_poses,
    value_worst_of_k_never_rises,
    value_images_are_those_of_the_poses_returned,
    value_an_orbit_is_its_turns_mirrors_and_shifts,
    value_sizes_and_borders,
    value_budgets_of_nothing_and_of_all_around,
    value_rounds_do_not_depend_on_the_batch,
    value_the_identity_has_a_pose_and_neighbours,
    value_invariant_networks_keep_their_predictions,
    value_every_element_type_is_moved,
    gradient_of_points_in_double_precision,
    error_images_that_are_not_square,
];

fn assert_is_worst(found: &Found, at: usize, all: &[Slow], what: &str) {
    let best = worst(all.iter().copied());
    assert_eq!(found.fooled[at], best.fooled, "{what}, image {at}");
    let pose = found
        .poses
        .as_ref()
        .map_or(Pose::IDENTITY, |poses| poses[at]);
    let same = all.iter().find(|slow| slow.pose == pose);
    let same = same.unwrap_or_else(|| panic!("{what}: {pose} is none of them"));
    assert_eq!(same.fooled, best.fooled, "{what}, image {at}");
    assert!(
        (same.loss - f64::from(found.loss[at])).abs() < 1e-4,
        "{what}"
    );
    if !best.fooled {
        // But for poses of one loss.
        assert!(
            same.loss > best.loss - 1e-5,
            "{what}, image {at}: {same:?}, {best:?}"
        );
    }
}

// Oracle: every pose of every image by itself.
fn value_a_grid_is_all_of_its_poses(on: &On) {
    let victim = victim();
    let batch = batch(on, &victim, on.pick(30, 5), [1, 7, 7]);
    let [mut fell, mut stood] = [0, 0];
    for (points, warp) in [
        ([7, 3, 3], Warp::bilinear()),
        ([6, 2, 3], Warp::bilinear().with_border(Border::Reflect)),
        ([9, 1, 5], Warp::nearest().with_border(Border::Edge)),
    ] {
        let [angles, right, down] = points;
        let grid = GridSearch::new(budget(20.0, 1.5)).with_points(angles, right, down);
        let grid = grid.with_warp(warp);
        let found = grid.attack(&victim, &batch, Seed(1)).unwrap();
        let mut poses = grid.poses();
        assert_eq!(poses.len(), angles * right * down);
        poses.push(Pose::IDENTITY);
        for at in 0..batch.len() {
            let all = poses.iter().map(|&pose| {
                // As the pose is returned: in numbers of the images' type.
                slow(&victim, &batch, at, warp, rounded(pose))
            });
            assert_is_worst(&found, at, &Vec::from_iter(all), &grid.to_string());
            // Who stands has met all, and nobody anything twice.
            let most = grid.cost().queries as u32;
            let queries = found.queries[at];
            assert!(queries == most || (found.fooled[at] && queries < most));
        }
        fell += found.fooled_count();
        stood += batch.len() - found.fooled_count();
    }
    assert!(
        fell > on.pick(20, 1) && stood > on.pick(20, 1),
        "{fell} {stood}"
    );
}

// Oracle: the drawn poses one by one, and fewer of them.
fn value_worst_of_k_never_rises(on: &On) {
    let victim = victim();
    let batch = batch(on, &victim, on.pick(40, 6), [1, 7, 7]);
    let keys = Keys::new(5, batch.ids.clone());
    let mut before: Option<Found> = None;
    for count in [1, 2, 7, 20] {
        let attack = RandomSearch::new(budget(40.0, 2.0), count);
        let found = attack.attack(&victim, &batch, Seed(5)).unwrap();
        for at in 0..batch.len() {
            let mut draws = keys.draws(Purpose::SearchedPose, at);
            let drawn = Vec::from_iter((0..count).map(|_| attack.budget.draw_next(&mut draws)));
            let all = drawn.into_iter().chain([Pose::IDENTITY]);
            let all = all.map(|pose| slow(&victim, &batch, at, attack.warp, rounded(pose)));
            assert_is_worst(&found, at, &Vec::from_iter(all), &attack.to_string());
            if let Some(before) = &before {
                assert!(found.fooled[at] >= before.fooled[at]);
                assert!(found.fooled[at] || found.loss[at] >= before.loss[at]);
            }
        }
        before = Some(found);
    }
    let other = RandomSearch::new(budget(40.0, 2.0), 20);
    let other = other.attack(&victim, &batch, Seed(6)).unwrap();
    assert_ne!(other.poses, before.unwrap().poses, "another seed");
}

fn all_kinds() -> Vec<(AttackSpec, Warp)> {
    let budget = budget(35.0, 1.5);
    let grid = GridSearch::new(budget).with_points(5, 3, 3);
    let edge = Warp::bilinear().with_border(Border::Edge);
    let circular = Warp::nearest().with_border(Border::Circular);
    let mirrors = Warp::nearest().with_border(Border::Reflect);
    vec![
        (grid.clone().into(), Warp::bilinear()),
        (grid.with_warp(edge).into(), edge),
        (
            RandomSearch::new(budget, 12).with_warp(circular).into(),
            circular,
        ),
        (PoseSearch::new(budget).into(), Warp::bilinear()),
        (
            PoseGradient::new(budget)
                .with_steps(4)
                .with_border(Border::Edge)
                .restarts(2)
                .into(),
            edge,
        ),
        (
            Orbit::p4m()
                .with_shifts(1)
                .with_border(Border::Reflect)
                .into(),
            mirrors,
        ),
    ]
}

// Oracle: the poses alone, and a fresh pass.
fn value_images_are_those_of_the_poses_returned(on: &On) {
    let victim = victim();
    let batch = batch(on, &victim, on.pick(24, 6), [1, 7, 7]);
    let labels = batch.labels_to_vec();
    for (attack, warp) in all_kinds() {
        let found = attack.attack(&victim, &batch, Seed(2)).unwrap();
        let images = again(&found, &batch, warp);
        let expected = values(&images);
        on.assert_same(&values(&found.images), &expected, &attack.to_string());
        // Moved images are what perturbations start from: there are none.
        on.assert_same(&values(&found.originals), &expected, &attack.to_string());
        let predicted = victim.predict(images);
        assert_eq!(found.predicted, predicted, "{attack}");
        let fooled = predicted.iter().zip(&labels).map(|(a, b)| a != b);
        assert_eq!(found.fooled, Vec::from_iter(fooled), "{attack}");
        assert!(found.distance.iter().all(Option::is_none), "{attack}");
        let poses = found.poses.unwrap();
        assert!(poses.iter().any(|pose| *pose != Pose::IDENTITY), "{attack}");
    }
}

// Oracle: `rot90`, `flip_horizontal` and `shift`, one image at a time.
fn value_an_orbit_is_its_turns_mirrors_and_shifts(on: &On) {
    let victim = victim();
    let batch = batch(on, &victim, on.pick(18, 4), [2, 6, 6]);
    for (group, border) in [
        (Group::P1, Border::Circular),
        (Group::P4, Border::Zeros),
        (Group::P4m, Border::Reflect),
    ] {
        let orbit = Orbit::new(group).with_shifts(1).with_border(border);
        let found = orbit.attack(&victim, &batch, Seed(1)).unwrap();
        assert_eq!(orbit.poses().len(), 9 * group.size());
        assert_eq!(orbit.cost().queries, 9 * group.size());
        for at in 0..batch.len() {
            let one = batch.select(&[at]);
            let mut all = Vec::new();
            for mirrored in [false, true] {
                for turns in 0..4 {
                    if group.size() < 8 && mirrored || group.size() < 4 && turns > 0 {
                        continue;
                    }
                    let flipped = match mirrored {
                        true => flip_horizontal(one.images.clone()),
                        false => one.images.clone(),
                    };
                    let turned = rot90(flipped, turns);
                    for (right, down) in (-1..=1).flat_map(|r| (-1..=1).map(move |d| (r, d))) {
                        let images = shift(turned.clone(), right, down, border);
                        let pose = Pose {
                            right: Pixels(right as f64),
                            down: Pixels(down as f64),
                            mirrored,
                            ..Pose::rotation(Degrees(90.0 * f64::from(turns)))
                        };
                        all.push(judged(&victim, &one, images, pose));
                    }
                }
            }
            assert_is_worst(&found, at, &all, &orbit.to_string());
        }
    }
}

// Oracle: the poses alone.
fn value_sizes_and_borders(on: &On) {
    let victim = victim();
    let shapes = [[1, 1, 1], [1, 1, 9], [1, 9, 1], [3, 5, 4], [1, 257, 33]];
    for shape in on.among(&shapes, &shapes[1..4]) {
        let batch = batch(on, &victim, 3, *shape);
        for border in Border::ALL {
            let warp = Warp::bilinear().with_border(border);
            let budget = budget(180.0, 2.0);
            let attacks: [AttackSpec; 3] = [
                GridSearch::new(budget)
                    .with_points(5, 2, 1)
                    .with_warp(warp)
                    .into(),
                PoseGradient::new(budget)
                    .with_steps(2)
                    .with_border(border)
                    .into(),
                RandomSearch::new(budget, 3).with_warp(warp).into(),
            ];
            for attack in attacks {
                let found = attack.attack(&victim, &batch, Seed(3)).unwrap();
                let images = again(&found, &batch, warp);
                let [found, again] = [&found.images, &images].map(values);
                on.assert_same(&found, &again, &format!("{attack} {shape:?}"));
            }
            let orbit = Orbit::new(Group::P1).with_shifts(1).with_border(border);
            let found = orbit.attack(&victim, &batch, Seed(3)).unwrap();
            let images = again(&found, &batch, Warp::nearest().with_border(border));
            assert_eq!(bits(&found.images), bits(&images), "{orbit} {shape:?}");
        }
    }
}

fn value_budgets_of_nothing_and_of_all_around(on: &On) {
    let victim = victim();
    let batch = batch(on, &victim, 6, [1, 7, 7]);
    let clean = victim.predict(batch.images.clone());
    for (attack, _) in all_kinds().into_iter().take(5) {
        // Oracle: nothing moves.
        let still = attack.at_level(&[0.0]).unwrap();
        assert_eq!(still.level(), Some(vec![0.0, 0.0]));
        let found = still.attack(&victim, &batch, Seed(1)).unwrap();
        assert_eq!(found.predicted, clean, "{attack}");
        assert_eq!(values(&found.images), values(&batch.images), "{attack}");
        // Angle, and angle with shift.
        let half = attack.at_level(&[17.5]).unwrap();
        assert_eq!(half.level(), Some(vec![17.5, 0.75]));
        let around = attack.at_level(&[180.0, 0.0]).unwrap();
        let found = around.attack(&victim, &batch, Seed(1)).unwrap();
        let within = |pose: &Pose| pose.angle.0.abs() <= 180.0 && pose.right.0 == 0.0;
        assert!(
            found.poses.unwrap_or_default().iter().all(within),
            "{attack}"
        );
        assert!(attack.at_level(&[1.0, 2.0, 3.0]).is_err());
        assert!(attack.at_level(&[]).is_err());
    }
}

// Oracle: each image alone, whose passes hold one pose each.
fn value_rounds_do_not_depend_on_the_batch(on: &On) {
    let victim = victim();
    let batch = batch(on, &victim, on.pick(12, 4), [1, 7, 7]);
    for (attack, _) in all_kinds() {
        let found = attack.attack(&victim, &batch, Seed(4)).unwrap();
        for at in 0..batch.len() {
            let alone = attack
                .attack(&victim, &batch.select(&[at]), Seed(4))
                .unwrap();
            let pose = |found: &Found, at: usize| found.poses.as_ref().map(|poses| poses[at]);
            let both = [(&found, at), (&alone, 0)].map(|(found, at)| {
                let pose = pose(found, at).unwrap_or_default();
                let passes = (found.queries[at], found.gradients[at]);
                (pose, passes, found.passes_to_fool[at])
            });
            assert_eq!(both[0], both[1], "{attack}, image {at}");
            let what = format!("loss of {attack}, image {at}");
            on.assert_same(&[found.loss[at]], &[alone.loss[0]], &what);
        }
    }
}

// Oracle: the network's own invariance, and enumeration for one that has none.
fn value_the_identity_has_a_pose_and_neighbours(on: &On) {
    let victim = victim();
    let batch = batch(on, &victim, on.pick(12, 4), [1, 7, 7]);
    // All are wrong as they are, so nobody is moved.
    let classes = victim.classes(&batch.images) as i64;
    let wrong = victim.predict(batch.images.clone());
    let wrong = TensorData::new(
        Vec::from_iter(wrong.into_iter().map(|class| (class + 1) % classes)),
        [batch.len()],
    );
    let wrong = Tensor::from_data(wrong, &batch.images.device());
    let lost = Batch::new(batch.images.clone(), wrong).unwrap();
    for (attack, _) in all_kinds() {
        let found = attack.attack(&victim, &lost, Seed(1)).unwrap();
        let still = vec![Pose::IDENTITY; batch.len()];
        assert_eq!(found.poses, Some(still), "{attack}");
    }
    // A coarse grid of one pose: what comes is around the image as it is.
    let search = PoseSearch::new(budget(20.0, 2.0)).with_points(1, 1, 1);
    let found = search.attack(&victim, &batch, Seed(1)).unwrap();
    for at in (0..batch.len()).filter(|&at| !found.fooled[at]) {
        assert!(found.queries[at] > 6, "{:?}", found.queries);
    }
}

fn value_invariant_networks_keep_their_predictions(on: &On) {
    let side = 28;
    let mut draws = Seed(2).draws(Purpose::Subset, 0, 0);
    let count = on.pick(20, 3);
    let pixels = uniform(&mut draws, count * side * side, 0.0, 1.0);
    let images = on.tensor(pixels, [count, 1, side, side]);
    for (group, orbit) in [
        (Group::P4, Orbit::p4()),
        (Group::P4m, Orbit::p4m()),
        (Group::P1, Orbit::p4m()),
    ] {
        let victim = network(on, group, side);
        let labels = victim.predict(images.clone());
        let batch = Batch::new(images.clone(), on.labels(&labels)).unwrap();
        let found = orbit.attack(&victim, &batch, Seed(1)).unwrap();
        let mut changed = vec![false; count];
        for pose in orbit.poses() {
            let moved = match pose.mirrored {
                true => flip_horizontal(images.clone()),
                false => images.clone(),
            };
            let moved = rot90(moved, (pose.angle.0 / 90.0) as i32);
            let predicted = victim.predict(moved);
            for (changed, (now, before)) in changed.iter_mut().zip(predicted.iter().zip(&labels)) {
                *changed |= now != before;
            }
        }
        assert_eq!(found.fooled, changed, "{group}");
        if group != Group::P1 {
            assert_eq!(found.fooled_count(), 0, "{group}");
        } else if count > 3 {
            assert!(found.fooled_count() > 0, "a plain network changes its mind");
        }
    }
}

fn network(on: &On, group: Group, side: usize) -> Frozen {
    let config = CnnConfig::new(group, [1, side, side], 5);
    // The published head is not invariant.
    let head = match group {
        Group::P1 => Head::Flattened,
        Group::P4 | Group::P4m => Head::Pooled,
    };
    let widths = Widths::Given([2, 2, 3, 3]);
    let config = config.with_widths(widths).with_head(head).with_seed(3);
    Frozen::new(&config.init(&on.device()).unwrap())
}

// Oracle: the poses alone, in that type.
fn value_every_element_type_is_moved(on: &On) {
    let victim = victim();
    let types = [Precision::F64, Precision::F16, Precision::Bf16];
    for &precision in on.among(&types, &[]) {
        let batch = batch(on, &victim, 6, [1, 7, 7]).with_precision(precision);
        for (attack, warp) in all_kinds() {
            let found = attack.attack(&victim, &batch, Seed(2)).unwrap();
            let images = again(&found, &batch, warp);
            let [found, images] = [found.images, images].map(|t| read::<f64, _, _>(&t));
            assert_eq!(found, images, "{attack} {precision}");
        }
    }
}

// Oracle: differences of the loss in f64.
fn gradient_of_points_in_double_precision(on: &On) {
    if on.is("wgpu") {
        return; // It has no f64.
    }
    let victim = victim();
    let batch = batch(on, &victim, 3, [1, 7, 7]).with_precision(Precision::F64);
    let mut trial = Trial::new(&victim, &batch, &Goal::default(), 1).unwrap();
    for border in Border::ALL {
        let space = PoseSpace {
            border,
            ..PoseSpace::new(budget(30.0, 1.5))
        };
        let like = (&on.device(), Precision::F64.dtype());
        let at = [0.31, -0.44, 0.23, -0.62, 0.17, 0.51, 0.05, 0.71, -0.38];
        let loss = |at: &[f64]| -> Vec<f64> {
            let point = TensorData::new(at.to_vec(), [3, 3]);
            let images = space.images(&trial, Tensor::from_data(point, like));
            let logits = victim.logits(images);
            read(&CrossEntropy.unsaturated(logits, trial.reference()))
        };
        let mut expected = vec![0.0; 9];
        for axis in 0..3 {
            let step = 1e-6;
            let moved = |by: f64| {
                let mut at = at;
                at.iter_mut().skip(axis).step_by(3).for_each(|v| *v += by);
                loss(&at)
            };
            let (after, before) = (moved(step), moved(-step));
            for image in 0..3 {
                expected[3 * image + axis] = (after[image] - before[image]) / (2.0 * step);
            }
        }
        let point = TensorData::new(at.to_vec(), [3, 3]);
        let point = Tensor::from_data(point, like);
        let pass = trial.gradient(&space, point, None).unwrap();
        let found: Vec<f64> = read(&pass.gradient);
        let largest = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!(largest > 0.1);
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 1e-5 * largest,
                "{border:?} {found} {expected}"
            );
        }
    }
}

fn error_images_that_are_not_square(on: &On) {
    let victim = victim();
    let batch = batch(on, &victim, 2, [1, 5, 4]);
    let error = Orbit::p4().attack(&victim, &batch, Seed(1)).unwrap_err();
    let expected = "images of an orbit: found 5×4, expected square ones, which quarter turns leave in \
                    their frame";
    assert_eq!(error.to_string(), expected);
    let shifts = Orbit::new(Group::P1).with_shifts(1);
    assert!(shifts.attack(&victim, &batch, Seed(1)).is_ok());
    refuses_settings(&victim, &batch);
}

fn refuses_settings(victim: &Frozen, batch: &Batch) {
    let wrong = |angle, shift| PoseBudget {
        angle: Degrees(angle),
        shift: Pixels(shift),
    };
    let of = |budget| -> [AttackSpec; 4] {
        [
            GridSearch::new(budget).into(),
            RandomSearch::new(budget, 3).into(),
            PoseGradient::new(budget).into(),
            PoseSearch::new(budget).into(),
        ]
    };
    let mut all = Vec::new();
    for budget in [
        wrong(-1.0, 0.0),
        wrong(f64::NAN, 1.0),
        wrong(1.0, 3e6),
        wrong(1.0, f64::INFINITY),
    ] {
        all.extend(of(budget));
    }
    let right = budget(30.0, 3.0);
    all.push(GridSearch::new(right).with_points(0, 1, 1).into());
    all.push(PoseSearch::new(right).with_points(3, 0, 1).into());
    all.push(RandomSearch::new(right, 0).into());
    all.push(PoseGradient::new(right).with_step_size(-1.0).into());
    all.push(
        PoseGradient::new(right)
            .with_random_start(false)
            .restarts(2)
            .into(),
    );
    all.push(Orbit::p4().with_shifts(1 << 21).into());
    for attack in all {
        let error = attack.attack(victim, batch, Seed(1)).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{attack}: {error}");
    }
    for level in [&[0.5][..], &[-1.0], &[2.0, 1.0], &[]] {
        assert!(Orbit::p4().at_level(level).is_err(), "{level:?}");
    }
}
