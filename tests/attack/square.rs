//! The square attack against what it can find, and against its published rules.

use super::linear::{linear, linear_batch, weights};
use super::network::{network, random_batch};
use crate::common::{On, uniform, values};
use burn::tensor::{Tensor, TensorData};
use fireproof::attack::{
    Attack, AttackSpec, CrossEntropy, Frozen, Inside, L1, L2, Limits, Linf, Margin, Norm, Pgd,
    Square, verify,
};
use fireproof::base::{Batch, Bounds, Draws, Keys, Purpose, Seed};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

on_every_device![
    value_square_fools_a_linear_model_within_its_margin,
    value_square_needs_no_gradient,
    value_square_counts_every_query,
    value_known_candidates_cost_nothing_and_change_nothing,
    value_more_queries_never_help_the_classifier,
    value_square_takes_targets,
    value_square_stays_in_ball_and_bounds,
    value_stripes_as_published,
    value_windows_as_published,
    value_squares_are_anywhere_in_the_image,
    error_squares_that_make_no_sense,
];

// One image whose score w·x is this far below that of its label.
fn below(on: &On, margin: f64) -> (Frozen, Batch) {
    let batch = linear_batch(on).select(&[0]).with_bounds(Bounds::none());
    let score = values(linear(on).logits(batch.images.clone()))[1];
    let victim = linear(on);
    let victim = Frozen::from_fn(move |images: Tensor<4>| {
        let logits = victim.logits(images);
        let offset = f64::from(score) + margin;
        Tensor::cat(
            vec![
                logits.clone().narrow(1, 0, 1),
                logits.narrow(1, 1, 1) - offset,
            ],
            1,
        )
    });
    (victim, batch)
}

fn value_square_fools_a_linear_model_within_its_margin(on: &On) {
    // Oracle: without bounds w·x rises by ε·‖w‖ at most, in the dual norm.
    let sum: f64 = weights().iter().map(|w| w.abs()).sum();
    let length = L2.length(&weights());
    let largest = Linf.length(&weights());
    let queries = on.pick(3000, 300);
    for (attack, most, share) in [
        (Square::linf(0.1), 0.1 * sum, on.pick(0.99, 0.9)),
        (Square::l2(1.0), length, on.pick(0.8, 0.4)),
        (Square::l1(3.0), 3.0 * largest, on.pick(0.6, 0.3)),
    ] {
        let attack = attack.with_queries(queries).with_rescaled_schedule(true);
        for (share, fools) in [(share, true), (1.0001, false)] {
            let (victim, batch) = below(on, share * most);
            let found = attack.attack(&victim, &batch, Seed(3)).unwrap();
            println!(
                "{attack}: {} of {most}",
                f64::from(found.loss[0]) + share * most
            );
            assert_eq!(found.fooled, [fools], "{attack} {share}");
        }
    }
}

// Logits by the host: no operation that could be differentiated.
fn opaque(inner: Frozen) -> Frozen {
    Frozen::from_fn(move |images: Tensor<4>| {
        let (device, logits) = (images.device(), inner.logits(images));
        let (shape, numbers) = (logits.dims(), values(logits));
        Tensor::from_data(TensorData::new(numbers, shape), &device)
    })
}

fn value_square_needs_no_gradient(on: &On) {
    let (victim, batch) = network(on);
    let attack = Square::linf(0.1).with_queries(on.pick(60, 5));
    let opaque = opaque(victim.clone());
    let found = attack.attack(&opaque, &batch, Seed(1)).unwrap();
    let by_itself = attack.attack(&victim, &batch, Seed(1)).unwrap();
    assert_eq!(values(&found.images), values(&by_itself.images));
    assert_eq!(found.gradients, vec![0; batch.len()]);
    let error = Pgd::linf(0.1).attack(&opaque, &batch, Seed(1)).unwrap_err();
    assert!(error.to_string().contains("gradient"), "{error}");
}

fn value_square_counts_every_query(on: &On) {
    // Oracle: a classifier that counts the images that it is given.
    let (victim, _) = network(on);
    let batch = random_batch(on, &victim, on.pick(40, 12));
    let queries = on.pick(40, 6);
    for attack in [Square::linf(0.15), Square::l2(3.0), Square::l1(60.0)] {
        let attack = attack.with_queries(queries);
        for (attack, times) in [
            (AttackSpec::from(attack.clone()), 1),
            (attack.restarts(2).into(), 2),
        ] {
            let seen = Arc::new(AtomicUsize::new(0));
            let (inner, counter) = (victim.clone(), seen.clone());
            let counting = Frozen::from_fn(move |images: Tensor<4>| {
                counter.fetch_add(images.dims()[0], Ordering::Relaxed);
                inner.logits(images)
            });
            counting.classes(&batch.images);
            seen.store(0, Ordering::Relaxed);
            let found = attack.attack(&counting, &batch, Seed(1)).unwrap();
            let said: u32 = found.queries.iter().sum();
            assert_eq!(said as usize, seen.load(Ordering::Relaxed), "{attack}");
            // What fools as it is costs the clean pass; what stands, every query besides, but for those
            // whose candidates are known.
            let clean = victim.predict(batch.images.clone());
            for (at, label) in batch.labels_to_vec().into_iter().enumerate() {
                if clean[at] != label {
                    assert_eq!(found.queries[at], 1, "{attack}");
                } else if !found.fooled[at] {
                    let all = (1 + times * queries) as u32;
                    // Another one where the image had to be settled.
                    // Single squares come back sooner than pairs of windows.
                    let least = match attack.to_string().contains("L∞") {
                        true => all / 2,
                        false => all - all.div_ceil(10),
                    };
                    assert!((least..=all + 1).contains(&found.queries[at]), "{attack}");
                } else {
                    assert!(found.queries[at] >= 2, "{attack}");
                }
            }
            assert!((1..batch.len()).contains(&found.fooled_count()), "{attack}");
        }
    }
}

fn value_known_candidates_cost_nothing_and_change_nothing(on: &On) {
    // Oracle: the search by hand, which judges every candidate. Squares of one pixel, of 30 with two
    // signs: most of them are known before long. Who is seen twice by the victim, was better before.
    let (count, shape, epsilon) = (3, [3, 1, 6, 5], 0.1);
    let images = random_images(on, shape);
    let weights = on.tensor(
        uniform(&mut Seed(9).draws(Purpose::Subset, 0, 0), 60, -1.0, 1.0),
        [30, 2],
    );
    let score = move |images: Tensor<4>| {
        let rows: Tensor<2> = images.flatten(1, 3);
        rows.matmul(weights.clone()).sin() * 3.0
    };
    let labels = values(score(images.clone()));
    let labels = labels.chunks(2).map(|two| i64::from(two[1] > two[0]));
    let labels = TensorData::new(Vec::from_iter(labels), [count]);
    let batch = Batch::new(images.clone(), Tensor::from_data(labels, &images.device())).unwrap();
    let by_hand = Frozen::from_fn(score.clone());
    let loss = |images: &Tensor<4>| -> Vec<f32> {
        let logits = values(by_hand.logits(images.clone()));
        let labels = batch.labels_to_vec();
        let margin = |(two, label): (&[f32], i64)| two[1 - label as usize] - two[label as usize];
        logits.chunks(2).zip(labels).map(margin).collect()
    };
    let within = Limits {
        originals: &images,
        epsilon,
        bounds: Bounds::default(),
    };
    let squares = Linf.squares().unwrap();
    let mut draws = draws(count);
    let queries = 120;
    let mut best = squares.start(within, &mut draws);
    let mut losses = loss(&best);
    for _ in 1..queries {
        let next = squares.change(best.clone(), 0.03, within, &mut draws);
        let rise = loss(&next);
        let rows = (0..count).map(|at| {
            let taken = rise[at] > losses[at] && losses[at] <= 0.0;
            losses[at] = if taken { rise[at] } else { losses[at] };
            let from = if taken { &next } else { &best };
            from.clone().narrow(0, at, 1)
        });
        let rows = Vec::from_iter(rows);
        best = Tensor::cat(rows, 0);
    }
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    let victim = Frozen::from_fn(move |images: Tensor<4>| {
        counter.fetch_add(images.dims()[0], Ordering::Relaxed);
        score(images)
    });
    victim.classes(&images);
    seen.store(0, Ordering::Relaxed);
    let attack = Square::linf(epsilon)
        .with_queries(queries)
        .with_p_init(0.03);
    let found = attack.attack(&victim, &batch, Seed(7)).unwrap();
    assert_eq!(values(&found.images), values(best));
    assert_eq!(found.loss, losses);
    let said: u32 = found.queries.iter().sum();
    assert_eq!(said as usize, seen.load(Ordering::Relaxed));
    for at in (0..count).filter(|&at| !found.fooled[at]) {
        // The clean pass, the start, and no candidate twice between two that are taken.
        assert!((2..100).contains(&found.queries[at]), "{:?}", found.queries);
    }
    assert!(found.fooled.contains(&false), "{:?}", found.fooled);
    // Within a budget, too, nobody's search depends on what others still know or can afford.
    for passes in [12, 25, 40] {
        let attack = attack.clone().within(passes);
        let found = attack.attack(&victim, &batch, Seed(7)).unwrap();
        for at in 0..count {
            let alone = batch.select(&[at]);
            let alone = attack.attack(&victim, &alone, Seed(7)).unwrap();
            assert_eq!(values(&found.select(&[at]).images), values(&alone.images));
            assert_eq!(found.queries[at], alone.queries[0], "{passes} passes");
        }
    }
}

fn value_more_queries_never_help_the_classifier(on: &On) {
    let (victim, _) = network(on);
    let batch = random_batch(on, &victim, on.pick(40, 12));
    for attack in [Square::linf(0.15), Square::l2(3.0), Square::l1(60.0)] {
        let mut before: Option<fireproof::attack::Found> = None;
        for queries in [1, 4, 16, on.pick(80, 24)] {
            let attack = attack.clone().with_queries(queries);
            let found = attack.attack(&victim, &batch, Seed(2)).unwrap();
            if let Some(before) = &before {
                for at in 0..batch.len() {
                    assert!(
                        found.fooled[at] >= before.fooled[at],
                        "{attack}: image {at}"
                    );
                    if before.fooled[at] {
                        // It left the search where it left it before.
                        assert_eq!(found.queries[at], before.queries[at], "{attack}");
                        assert_eq!(found.loss[at], before.loss[at], "{attack}");
                    } else {
                        assert!(found.loss[at] >= before.loss[at] - 1e-4, "{attack}");
                    }
                }
                assert!(found.fooled_count() >= before.fooled_count());
            }
            println!("{attack}: {} of {}", found.fooled_count(), batch.len());
            before = Some(found);
        }
        let last = before.expect("four of them").fooled_count();
        assert!(
            (batch.len() / 10 + 1..batch.len()).contains(&last),
            "{attack}: {last}"
        );
    }
}

fn value_square_takes_targets(on: &On) {
    // Towards class 1 of (0, w·x) is what leads away from label 0.
    let (victim, batch) = below(on, 0.1);
    let away = Square::linf(0.1).with_queries(on.pick(500, 100));
    let to = away.clone().with_targets(1);
    assert_eq!(away.goal().loss, Margin.into());
    assert_eq!(to.goal().loss, CrossEntropy.into());
    assert_eq!(to.clone().with_loss(Margin).goal().loss, Margin.into());
    let found = [away, to.clone(), to.with_loss(Margin)]
        .map(|attack| attack.attack(&victim, &batch, Seed(3)).unwrap());
    for found in &found {
        assert_eq!(
            found.fooled,
            [true],
            "{:?} after {:?}",
            found.loss,
            found.queries
        );
    }
    // With two classes all three raise one number.
    assert_eq!(values(&found[0].images), values(&found[1].images));
    assert_eq!(values(&found[0].images), values(&found[2].images));
}

fn value_square_stays_in_ball_and_bounds(on: &On) {
    let (victim, _) = network(on);
    let batch = random_batch(on, &victim, on.pick(20, 4));
    let squares = [
        Square::linf(0.2),
        Square::l2(2.0),
        Square::l1(30.0),
        Square::l1(2000.0),
    ];
    for bounds in [Bounds::default(), Bounds::none()] {
        let batch = batch.clone().with_bounds(bounds);
        for attack in squares.clone() {
            // Targets that are not reached: all queries are made.
            let attack = attack
                .with_queries(on.pick(120, 12))
                .with_p_init(0.3)
                .with_targets(9);
            let found = attack.attack(&victim, &batch, Seed(5)).unwrap();
            verify(&found, &batch, attack.norm.clone(), attack.epsilon).unwrap();
            let lengths = values(attack.norm.lengths(found.perturbation()));
            let longest = lengths.into_iter().fold(0.0, f32::max);
            if attack.epsilon < 1000.0 {
                assert!(
                    f64::from(longest) > 0.9 * attack.epsilon,
                    "{attack}: {longest}"
                );
            }
        }
    }
}

fn draws(count: usize) -> Vec<Draws> {
    let keys = Keys::new(7, 0..count as u64);
    (0..count)
        .map(|at| keys.draws(Purpose::Search, at))
        .collect()
}

fn random_images(on: &On, shape: [usize; 4]) -> Tensor<4> {
    let mut draws = Seed(6).draws(Purpose::Subset, 0, 0);
    on.tensor(uniform(&mut draws, shape.iter().product(), 0.3, 0.7), shape)
}

fn value_stripes_as_published(on: &On) {
    let [count, channels, height, width] = [6, 2, 10, 8];
    let originals = random_images(on, [count, channels, height, width]);
    let within = Limits {
        originals: &originals,
        epsilon: 0.1,
        bounds: Bounds::default(),
    };
    let squares = Linf.squares().unwrap();
    let mut draws = draws(count);
    let start = squares.start(within, &mut draws);
    let signs = |images: &Tensor<4>| {
        let change = values(images.clone() - originals.clone());
        assert!(
            change
                .iter()
                .all(|change| (change.abs() - 0.1).abs() < 1e-6)
        );
        Vec::from_iter(change.into_iter().map(|change| change > 0.0))
    };
    let first = signs(&start);
    // One sign for each column of each channel.
    for plane in first.chunks(height * width) {
        assert!(plane.chunks(width).all(|row| row == &plane[..width]));
    }
    assert!(first.chunks(width).any(|row| row != &first[..width]));
    // 80 pixels: a part of 0.2 is a square of 4 by 4, of one sign in each channel.
    let next = signs(&squares.change(start, 0.2, within, &mut draws));
    let mut changed = 0;
    for (before, after) in first
        .chunks(height * width)
        .zip(next.chunks(height * width))
    {
        let other: Vec<usize> = (0..height * width)
            .filter(|&at| before[at] != after[at])
            .collect();
        changed += other.len();
        let range = |of: fn(usize) -> usize| {
            let [low, high] = [
                other.iter().min_by_key(|&&at| of(at)),
                other.iter().max_by_key(|&&at| of(at)),
            ];
            low.zip(high)
                .map_or(0, |(low, high)| of(*high) - of(*low) + 1)
        };
        assert!(
            range(|at| at / 8) <= 4 && range(|at| at % 8) <= 4,
            "{other:?}"
        );
        assert!(other.iter().all(|&at| after[at] == after[other[0]]));
    }
    assert!(changed > 0);
}

fn value_windows_as_published(on: &On) {
    let [count, channels, height, width] = [6, 2, 12, 10];
    let originals = random_images(on, [count, channels, height, width]);
    let cases: [(&dyn Norm, f64); 2] = [(&L2, 0.5), (&L1, 2.0)];
    for (norm, epsilon) in cases {
        let within = Limits {
            originals: &originals,
            epsilon,
            bounds: Bounds::none(),
        };
        let squares = norm.squares().unwrap();
        let mut draws = draws(count);
        let change = |images: &Tensor<4>| {
            let change = values(images.clone() - originals.clone());
            let change = change.into_iter().map(f64::from);
            Vec::from_iter(change)
        };
        let start = squares.start(within, &mut draws);
        let first = change(&start);
        let size = channels * height * width;
        for image in first.chunks(size) {
            assert!((norm.length(image) - epsilon).abs() < 1e-5 * epsilon);
            assert!(image.iter().any(|v| *v > 0.0) && image.iter().any(|v| *v < 0.0));
        }
        // 120 pixels: a part of 0.07 is a window of 3 by 3. Outside of the two windows nothing changes,
        // as one takes over what the other had: in L2 exactly so, in L1 the projection takes what
        // the channels' number makes too much.
        let next = change(&squares.change(start, 0.07, within, &mut draws));
        for (before, after) in first.chunks(size).zip(next.chunks(size)) {
            assert!((norm.length(after) - epsilon).abs() < 1e-5 * epsilon);
            let moved = |&at: &usize| (before[at] - after[at]).abs() > 1e-5;
            let changed: Vec<usize> = (0..size).filter(moved).collect();
            if norm.to_string() == "L2" {
                assert!(
                    (1..=2 * 9 * channels).contains(&changed.len()),
                    "{}",
                    changed.len()
                );
            }
            let grown = |&at: &usize| after[at].abs() > before[at].abs() + 1e-5;
            let grown: Vec<usize> = (0..size).filter(grown).collect();
            assert!(
                (1..=9 * channels).contains(&grown.len()),
                "{norm}: {}",
                grown.len()
            );
        }
    }
}

fn value_squares_are_anywhere_in_the_image(on: &On) {
    // Oracle: of 3,200 squares of one pixel in 4 by 4 each place has 200, with a standard deviation
    // of 14.
    let (count, cells) = (on.pick(3200, 800), 16);
    let originals = on.tensor(vec![0.5; count * cells], [count, 1, 4, 4]);
    let within = Limits {
        originals: &originals,
        epsilon: 0.1,
        bounds: Bounds::default(),
    };
    let squares = Linf.squares().unwrap();
    let moved = values(squares.change(originals.clone(), 1.0 / 16.0, within, &mut draws(count)));
    let (mut places, mut up) = (vec![0; cells], 0);
    for image in moved.chunks(cells) {
        let at: Vec<usize> = (0..cells).filter(|&at| image[at] != 0.5).collect();
        assert_eq!(at.len(), 1);
        places[at[0]] += 1;
        up += usize::from(image[at[0]] > 0.5);
    }
    let share = count / cells;
    let near = |n: &usize| n.abs_diff(share) as f64 <= 5.0 * (share as f64).sqrt();
    assert!(places.iter().all(near), "{places:?}");
    assert!(
        up.abs_diff(count / 2) as f64 <= 2.5 * (count as f64).sqrt(),
        "{up}"
    );
}

// A norm of which nobody has said how squares change images in it.
#[derive(Debug)]
struct Plain;

impl std::fmt::Display for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("plain")
    }
}

impl Norm for Plain {
    fn length(&self, perturbation: &[f64]) -> f64 {
        L2.length(perturbation)
    }

    fn lengths(&self, perturbations: Tensor<4>) -> Tensor<1> {
        L2.lengths(perturbations)
    }

    fn steepest(&self, gradient: Tensor<4>, length: f64) -> Tensor<4> {
        L2.steepest(gradient, length)
    }

    fn project(&self, images: Tensor<4>, to: Limits) -> Tensor<4> {
        L2.project(images, to)
    }

    fn draw(&self, pixels: usize, epsilon: f64, draws: &mut Draws) -> Vec<f64> {
        L2.draw(pixels, epsilon, draws)
    }

    fn settle(&self, image: &mut [f64], into: Inside) -> bool {
        L2.settle(image, into)
    }

    fn settings(&self) -> Value {
        "plain".into()
    }
}

fn error_squares_that_make_no_sense(on: &On) {
    let (victim, batch) = below(on, 0.5);
    let square = Square::linf(0.1);
    for (attack, expected) in [
        (
            square.clone().with_queries(0),
            "queries = 0: expected at least 1",
        ),
        (
            square.clone().with_p_init(0.0),
            "p_init = 0: expected a part of the image",
        ),
        (square.clone().with_p_init(1.5), "p_init = 1.5"),
        (square.clone().with_p_init(f64::NAN), "p_init = NaN"),
        (Square::l2(-1.0), "epsilon = -1"),
        (
            Square::new(Plain, 0.1),
            "norm of a square attack = plain: expected L∞, L2, L1 or another norm that says how \
             squares change images in it (`Norm::squares`)",
        ),
    ] {
        let error = attack.attack(&victim, &batch, Seed(1)).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn smoke_squares_in_files() {
    let attack = Square::l1(12.0)
        .with_queries(200)
        .with_loss(CrossEntropy)
        .with_targets(3);
    let spec = AttackSpec::from(attack.clone());
    let read: AttackSpec = serde_json::from_value(attack.settings()).unwrap();
    assert_eq!(read, spec);
    assert_eq!(
        spec.to_string(),
        "Square-200 L1 ε=12, cross-entropy loss, towards class 3"
    );
    let plain = r#"{"attack": "square", "norm": "linf", "epsilon": 0.1}"#;
    let read: AttackSpec = serde_json::from_str(plain).unwrap();
    assert_eq!(read, Square::linf(0.1).into());
    assert_eq!(read.cost().queries, 5002);
    assert_eq!(
        Square::l2(0.5)
            .with_p_init(0.3)
            .with_rescaled_schedule(true)
            .to_string(),
        "Square-5000 L2 ε=0.5, p=0.3, rescaled schedule"
    );
    assert_eq!(read.at_level(&[0.2]).unwrap(), Square::linf(0.2).into());
}
