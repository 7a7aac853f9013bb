//! Trials that keep the nearest candidate: what minimum-norm attacks rely on.

use super::given::{
    IMAGES, SIDE, assert_keeps, attacks_without_ball, batch, logits, pixels, reread, victim,
};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{
    Attack, AttackSpec, Ball, CarliniWagner, Ddn, DeepFool, Fab, Fmn, Found, Frozen, Goal, L2,
    Linf, Nearest, NormSpec, Pgd, Trial,
};
use fireproof::base::{Batch, Bounds, Precision, Seed, read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

on_every_device![
    value_the_nearest_candidate_that_fools_is_kept,
    value_without_a_ball_every_image_for_itself,
    value_distances_are_those_of_the_images,
    value_the_curve_never_rises,
    value_restarts_and_ensembles_keep_the_nearest,
    value_a_ball_lets_images_drop_out,
    value_passes_are_counted_one_by_one,
    value_every_element_type_is_searched,
];

// Class 1 where the mean of four pixels is above 1/2.
fn bright() -> Frozen {
    Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
    })
}

fn value_the_nearest_candidate_that_fools_is_kept(on: &On) {
    // Images of 0.4, 0.45 and 0.6, which is misclassified as it is.
    let victim = bright();
    let grey = |levels: [f32; 3]| {
        let pixels = levels.iter().flat_map(|&level| [level; 4]).collect();
        on.tensor(pixels, [3, 1, 2, 2])
    };
    let batch = Batch::new(grey([0.4, 0.45, 0.6]), on.labels(&[0; 3])).unwrap();
    let goal = |goes_on| Goal {
        nearest: Some(Nearest {
            norm: Linf.into(),
            goes_on,
        }),
        ..Goal::default()
    };
    let mut trial = Trial::new(&victim, &batch, &goal(true), 1).unwrap();
    trial.offer_originals();
    assert_eq!(trial.standing(), [0, 1]);
    // Farther is better for the loss, and not for the trial.
    for levels in [
        [0.9, 0.6, 0.9],
        [0.7, 0.8, 0.7],
        [0.45, 0.45, 0.65],
        [0.8, 0.55, 0.61],
    ] {
        trial.offer(grey(levels));
    }
    let kept: Vec<f32> = read(&trial.images());
    let kept = Vec::from_iter(kept.chunks(4).map(|image| image[0]));
    assert_eq!(kept, [0.7, 0.55, 0.6]);
    let distances: Vec<f32> = read(&trial.distances(&Linf));
    for (found, expected) in distances.iter().zip([0.3, 0.1, 0.0]) {
        assert!((found - expected).abs() < 1e-6, "{distances:?}");
    }
    // Nearer is still wanted, but for what is fooled as it is.
    assert_eq!(trial.standing(), [0, 1]);
    // Within a ball, only what is in it counts: and whoever is fooled there meets no more.
    let mut trial = Trial::new(&victim, &batch, &goal(false), 1).unwrap();
    let ball = Ball::new(Linf, 0.2);
    for levels in [[0.9, 0.6, 0.9], [0.45, 0.45, 0.65], [0.8, 0.55, 0.61]] {
        let logits = trial.logits(grey(levels)).unwrap();
        trial.offer_judged(Some(&ball), grey(levels), logits);
    }
    let kept: Vec<f32> = read(&trial.images());
    let kept = Vec::from_iter(kept.chunks(4).map(|image| image[0]));
    assert_eq!(kept, [0.45, 0.55, 0.61]);
    assert_eq!(trial.standing(), [0]);
}

fn value_without_a_ball_every_image_for_itself(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let clean = victim.predict(batch.images.clone());
    let right = Vec::from_iter(
        clean
            .iter()
            .zip(batch.labels_to_vec())
            .map(|(c, l)| *c == l),
    );
    for attack in attacks_without_ball() {
        assert_eq!(attack.ball(), None);
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        assert_eq!(
            found.predicted,
            victim.predict(found.images.clone()),
            "{attack}"
        );
        let all = Bounds::default().holds(found.images.clone()).all();
        assert!(all.into_scalar::<bool>(), "{attack}");
        let again = attack.attack(&victim, &batch, Seed(1)).unwrap();
        assert_eq!(pixels(&found), pixels(&again), "{attack}");
        // In other company and another order; WGPU sums in an order that goes by the size of the batch.
        if !on.is("wgpu") {
            let part = [17, 3, 11, 5];
            let alone = attack
                .attack(&victim, &batch.select(&part), Seed(1))
                .unwrap();
            let same = found.select(&part);
            assert_eq!(pixels(&alone), pixels(&same), "{attack}");
            assert_eq!(alone.distance, same.distance, "{attack}");
            assert_eq!(
                (alone.queries, alone.gradients),
                (same.queries, same.gradients),
                "{attack}"
            );
        }
        let cost = attack.cost();
        for (at, &right) in right.iter().enumerate() {
            assert!(found.queries[at] as usize <= cost.queries, "{attack}");
            assert!(found.gradients[at] as usize <= cost.gradients, "{attack}");
            // What is wrong as it is needs no step.
            if !right {
                assert_eq!(
                    (found.distance[at], found.gradients[at]),
                    (Some(0.0), 0),
                    "{attack}"
                );
            }
        }
        assert!(
            found.fooled_count() > IMAGES * 3 / 4,
            "{attack}: {}",
            found.fooled_count()
        );
        assert_eq!(reread(&attack), attack);
    }
}

fn value_distances_are_those_of_the_images(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let cases: [(AttackSpec, NormSpec); 4] = [
        (Fab::l2().with_steps(5).into(), L2.into()),
        (Fmn::linf().with_steps(10).into(), Linf.into()),
        (Pgd::linf(0.1).into(), Linf.into()),
        (Pgd::l2(0.3).into(), L2.into()),
    ];
    for (attack, norm) in cases {
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        let moves: Vec<f64> = read(&found.perturbation());
        for (at, moved) in moves.chunks(SIDE * SIDE).enumerate() {
            assert_eq!(found.distance[at].is_some(), found.fooled[at], "{attack}");
            if let Some(distance) = found.distance[at] {
                let length = norm.length(moved);
                assert!(
                    (distance - length).abs() <= 1e-6 * length,
                    "{attack}: {distance}, {length}"
                );
                let radius = attack.ball().map_or(f64::INFINITY, |ball| ball.epsilon);
                assert!(distance <= radius);
            }
        }
        let halves =
            [0..IMAGES / 2, IMAGES / 2..IMAGES].map(|part| found.select(&Vec::from_iter(part)));
        assert_eq!(Found::merge(halves).distance, found.distance);
    }
}

fn value_the_curve_never_rises(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let clean = victim.predict(batch.images.clone());
    let right = clean
        .iter()
        .zip(batch.labels_to_vec())
        .filter(|(c, l)| **c == *l)
        .count();
    for attack in attacks_without_ball() {
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        let levels = Vec::from_iter((0..200).map(|at| at as f64 * 0.01));
        let curve = Vec::from_iter(levels.iter().map(|&level| found.accuracy_at(level)));
        assert!(
            curve.windows(2).all(|pair| pair[1] <= pair[0]),
            "{attack}: {curve:?}"
        );
        assert!(curve[0] > curve[199]);
        assert_eq!(curve[0], right as f64 / IMAGES as f64, "{attack}");
        assert_eq!(found.accuracy_at(f64::INFINITY), found.robust_accuracy());
        // Half of the images are no nearer than the median.
        let median = found.median_distance();
        assert!(found.accuracy_at(median * (1.0 - 1e-6)) >= 0.5);
        assert!(found.accuracy_at(median * (1.0 + 1e-6)) <= 0.5);
    }
}

fn farther(found: &Found, than: &Found) -> Vec<f64> {
    let far = |d: &Option<f64>| d.unwrap_or(f64::INFINITY);
    let pairs = found.distance.iter().zip(&than.distance);
    pairs.map(|(a, b)| far(a) / far(b).max(1e-12)).collect()
}

fn value_restarts_and_ensembles_keep_the_nearest(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let run = |attack: &dyn Attack| attack.attack(&victim, &batch, Seed(2)).unwrap();
    let weak = Fab::l2().with_steps(2).with_target_classes(1);
    let mut before = run(&weak);
    let first = before.clone();
    for count in [2, 4, on.pick(8, 5)] {
        let found = run(&weak.clone().restarts(count));
        let ratios = farther(&found, &before);
        assert!(
            ratios
                .iter()
                .all(|&ratio| ratio <= 1.0 + 1e-5 || ratio.is_nan()),
            "{ratios:?}"
        );
        before = found;
    }
    let nearer = farther(&before, &first)
        .into_iter()
        .filter(|&ratio| ratio < 0.99)
        .count();
    assert!(nearer > 3, "{nearer} of {IMAGES} nearer by restarts");
    // Of two attacks, for each image the nearer one: neither goes by what the other found.
    let (one, other) = (Ddn::new().with_steps(12), Fmn::l2().with_steps(6));
    let [a, b] = [run(&one), run(&other)];
    let both = run(&one.clone().or(other.clone()));
    let mut wins = [0; 2];
    for at in 0..IMAGES {
        let far = |found: &Found| found.distance[at].unwrap_or(f64::INFINITY);
        let least = far(&a).min(far(&b));
        assert!(far(&both) == least || (far(&both) / least - 1.0).abs() < 2e-6);
        wins[usize::from(far(&b) < far(&a))] += 1;
    }
    assert!(wins.iter().all(|&wins| wins > 2), "{wins:?}");
    // Around what another attack found, distances start from there.
    let then = run(&Fab::linf().with_steps(3).then(Fmn::linf().with_steps(4)));
    let alone = run(&Fab::linf().with_steps(3));
    assert!(
        farther(&then, &alone)
            .iter()
            .all(|&ratio| ratio <= 1.0 + 1e-5 || ratio.is_nan())
    );
    // Distances by two norms are no ranking.
    let error = Fab::linf().or(Fab::l2()).check().unwrap_err().to_string();
    assert!(error.contains("FAB-100 L∞ and FAB-100 L2"), "{error}");
}

fn value_a_ball_lets_images_drop_out(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let run = |attack: &dyn Attack| attack.attack(&victim, &batch, Seed(2)).unwrap();
    let free = Fab::l2().with_steps(4).with_final_search(0);
    let found = run(&free);
    let epsilon = found.median_distance();
    let bounded = run(&free.clone().with_epsilon(epsilon));
    // The same walks: what is found within ε is the same set.
    let near = |d: &Option<f64>| d.is_some_and(|d| d <= epsilon);
    assert_eq!(
        bounded.fooled,
        Vec::from_iter(found.distance.iter().map(near))
    );
    assert_eq!(bounded.accuracy_at(epsilon), bounded.robust_accuracy());
    // Two classes to go to, 4 steps each.
    let most = bounded.gradients.iter().max();
    assert_eq!(most, Some(&8));
    assert!(bounded.gradients.contains(&4) && bounded.gradients.contains(&0));
    for at in 0..IMAGES {
        assert!(bounded.fooled[at] || bounded.gradients[at] == 8);
        assert_eq!(
            found.gradients[at],
            if found.distance[at] == Some(0.0) {
                0
            } else {
                8
            }
        );
    }
    // Beside attacks on the loss, in their ball.
    let both = Pgd::l2(epsilon)
        .with_steps(1)
        .or(free.clone().with_epsilon(epsilon));
    assert_keeps(&bounded, &run(&both));
    let error = Pgd::l2(1.0).or(Fab::l2()).check().unwrap_err().to_string();
    assert!(error.contains("one ball"), "{error}");
}

fn value_passes_are_counted_one_by_one(on: &On) {
    // Oracle: a classifier that counts the images it is given, with and without gradients.
    let honest = victim(on);
    let batch = batch(on, &honest);
    let counts = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    let counting = {
        let counts = counts.clone();
        Frozen::from_fn(move |images: Tensor<4>| {
            let rows = images.dims()[0] as u32;
            counts[usize::from(images.is_autodiff())].fetch_add(rows, Ordering::Relaxed);
            logits(images)
        })
    };
    counting.classes(&batch.images);
    let bounded = attacks_without_ball()
        .into_iter()
        .map(|attack| attack.at_level(&[0.1]).unwrap());
    for attack in attacks_without_ball().into_iter().chain(bounded) {
        counts
            .iter()
            .for_each(|count| count.store(0, Ordering::Relaxed));
        let found = attack.attack(&counting, &batch, Seed(1)).unwrap();
        let [forward, with_gradients] = [0, 1].map(|at| counts[at].load(Ordering::Relaxed));
        assert_eq!(
            found.gradients.iter().sum::<u32>(),
            with_gradients,
            "{attack}"
        );
        assert_eq!(
            found.queries.iter().sum::<u32>(),
            forward + with_gradients,
            "{attack}"
        );
    }
    // One pass a step, and one at the end of each of two walks; the clean pass is the verdict of
    // what stands.
    let nothing = Fab::linf().with_steps(7).with_epsilon(1e-9);
    let found = nothing.attack(&counting, &batch, Seed(1)).unwrap();
    for at in 0..IMAGES {
        let expected = if found.fooled[at] {
            [1, 0]
        } else {
            [1 + 2 * 8, 2 * 7]
        };
        assert_eq!([found.queries[at], found.gradients[at]], expected);
    }
    assert!(found.fooled.contains(&true) && found.fooled.contains(&false));
}

fn value_every_element_type_is_searched(on: &On) {
    // Oracle: the distances 1/4 and 1/16 of grey images, in L2 twice as far.
    let victim = bright();
    let pixels = [0.25f32, 0.4375]
        .iter()
        .flat_map(|&level| [level; 4])
        .collect();
    let images = on.tensor(pixels, [2, 1, 2, 2]);
    let batch = Batch::new(images, on.labels(&[0; 2])).unwrap();
    let attacks: [(AttackSpec, f64); 7] = [
        (Fab::linf().with_steps(6).into(), 1.0),
        (Fab::l2().with_steps(6).restarts(2).into(), 2.0),
        (Ddn::new().with_steps(60).into(), 2.0),
        (Fmn::linf().with_steps(60).into(), 1.0),
        (Fmn::l2().with_steps(60).into(), 2.0),
        (DeepFool::l2().into(), 2.0),
        (
            CarliniWagner::new()
                .with_steps(60)
                .with_rate(0.1)
                .with_first_constant(1.0)
                .into(),
            2.0,
        ),
    ];
    let types = [
        Precision::F64,
        Precision::F32,
        Precision::F16,
        Precision::Bf16,
    ];
    for &precision in on.among(&types, &[Precision::F32]) {
        let batch = batch.clone().with_precision(precision);
        for (attack, scale) in &attacks {
            let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
            assert_eq!(found.images.dtype(), precision.dtype(), "{attack}");
            assert_eq!(found.fooled, [true; 2], "{attack} {precision}");
            for (distance, least) in found.distance.iter().zip([0.25, 0.0625]) {
                let ratio = distance.expect("fooled") / (least * scale);
                // A sixteenth of the smaller distance is what bf16 has between its numbers there.
                let most = 1.06 + 8.0 * precision.epsilon();
                assert!(
                    (1.0..most).contains(&ratio),
                    "{attack} {precision}: {ratio}"
                );
            }
        }
    }
}
