//! What is found: in its ball, by the documented labels and targets, whatever the batch.

use super::network::{Net, network, random_batch};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{
    Attack, CrossEntropy, FixedTarget, Found, Frozen, Keep, LeastLikely, Loss, NextClass, Pgd,
    Reference, TargetsSpec, verify,
};
use fireproof::base::{Batch, Bounds, Seed};

on_every_device![
    value_draws_do_not_depend_on_the_batch,
    value_gradients_do_not_depend_on_batch_mates,
    value_every_result_is_in_its_ball_and_bounds,
    value_perturb_is_the_attack_without_its_verdict,
    value_predicted_labels_measure_disagreement,
    value_targets_are_chosen_as_documented,
];

fn value_draws_do_not_depend_on_the_batch(on: &On) {
    let count = on.pick(100, 4);
    let victim = Frozen::new(&Net::random(on, 1));
    let batch = random_batch(on, &victim, count);
    for pgd in [Pgd::linf(0.07), Pgd::l2(1.2)] {
        let start = pgd.clone().with_steps(0).with_keep(Keep::Last);
        let together = start.attack(&victim, &batch, Seed(5)).unwrap();
        let together_attacked = pgd.attack(&victim, &batch, Seed(5)).unwrap();
        let (mut largest, mut differing): (f32, usize) = (0.0, 0);
        for position in 0..count {
            let single = batch.select(&[position]);
            let alone = start.attack(&victim, &single, Seed(5)).unwrap();
            let row = |found: &Found| values(found.images.clone().narrow(0, position, 1));
            assert_eq!(values(&alone.images), row(&together), "image {position}");

            let alone = pgd.attack(&victim, &single, Seed(5)).unwrap();
            assert_eq!(alone.fooled[0], together_attacked.fooled[position]);
            for (a, b) in values(&alone.images).iter().zip(row(&together_attacked)) {
                largest = largest.max((a - b).abs());
                differing += usize::from(*a != b);
            }
        }
        println!(
            "{pgd}: alone and among {count}, {differing} pixels differ, by {largest:e} at most"
        );
        let other = start.attack(&victim, &batch, Seed(6)).unwrap();
        assert_ne!(values(&other.images), values(&together.images));
    }
}

fn value_gradients_do_not_depend_on_batch_mates(on: &On) {
    // Oracle: the same image alone. A batch mean would divide by 40.
    let (victim, batch) = network(on);
    let gradient = |batch: &Batch| {
        let labels = batch.labels.clone();
        let pass = victim.loss_gradient(batch.images.clone(), |logits| {
            CrossEntropy.per_image(logits, &Reference::new(labels.clone()))
        });
        pass.unwrap().gradient
    };
    let together = gradient(&batch);
    for position in [0, 17, 39] {
        let alone = values(gradient(&batch.select(&[position])));
        let row = values(together.clone().narrow(0, position, 1));
        let scale = alone.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
        for (alone, row) in alone.iter().zip(row) {
            assert!((alone - row).abs() <= 1e-5 * scale);
        }
    }
}

fn value_every_result_is_in_its_ball_and_bounds(on: &On) {
    // `verify` computes in f64; white and black images meet the bounds on every pixel, and grey
    // ones round every pixel alike.
    let victim = Frozen::new(&Net::random(on, 1));
    let device = on.device();
    let flat = [0.0, 1.0, 0.5, 0.3].map(|v| Tensor::<4>::full([1, 1, 28, 28], v, &device));
    let flat = Tensor::cat(flat.to_vec(), 0);
    let batch = random_batch(on, &victim, 20);
    let images = Tensor::cat(vec![batch.images, flat], 0);
    let batch = Batch::new(images, on.labels(&[3; 24])).unwrap();
    for &epsilon in on.among(&[1e-7, 0.001, 0.1, 1.0 / 3.0, 2.0], &[1e-7, 0.1]) {
        for pgd in [
            Pgd::linf(epsilon),
            Pgd::l2(epsilon),
            Pgd::l2(10.0 * epsilon),
        ] {
            for keep in [Keep::Best, Keep::Last] {
                let pgd = pgd.clone().with_steps(3).with_keep(keep);
                let found = pgd.attack(&victim, &batch, Seed(8)).unwrap();
                verify(&found, &batch, pgd.norm.clone(), pgd.epsilon).unwrap();
            }
        }
    }
    // Unbounded and far from 0.
    let far = batch
        .clone()
        .with_images(batch.images.clone() * 300.0 - 20.0)
        .unwrap();
    for pgd in [Pgd::linf(0.1), Pgd::l2(0.1)] {
        let found = pgd.attack(&victim, &far.clone().with_bounds(Bounds::none()), Seed(8));
        verify(
            &found.unwrap(),
            &far.clone().with_bounds(Bounds::none()),
            pgd.norm.clone(),
            0.1,
        )
        .unwrap();
    }
}

fn value_perturb_is_the_attack_without_its_verdict(on: &On) {
    let (victim, batch) = network(on);
    for keep in [Keep::Best, Keep::Last] {
        let pgd = Pgd::l2(1.2).with_keep(keep).restarts(2);
        let images = pgd.perturb(&victim, &batch, Seed(9)).unwrap();
        let found = pgd.attack(&victim, &batch, Seed(9)).unwrap();
        assert_eq!(values(&images), values(&found.images));
        assert_eq!(
            values(found.perturbation()),
            values(&(images - batch.images.clone()))
        );
    }
}

fn value_predicted_labels_measure_disagreement(on: &On) {
    // Oracle: with the predictions as labels, both sources are the same attack.
    let (victim, mut batch) = network(on);
    let pgd = Pgd::linf(0.07).with_steps(3);
    let by_prediction = pgd.clone().with_predicted_labels(true);
    let found = by_prediction.attack(&victim, &batch, Seed(2)).unwrap();
    batch.labels = on.labels(&victim.predict(batch.images.clone()));
    let relabelled = pgd.attack(&victim, &batch, Seed(2)).unwrap();
    assert_eq!(values(&found.images), values(&relabelled.images));
    assert_eq!(found.fooled, relabelled.fooled);
}

fn value_targets_are_chosen_as_documented(on: &On) {
    let (victim, batch) = network(on);
    let clean = values(victim.logits(batch.images.clone()));
    let truth = batch.labels_to_vec();
    let given: Vec<usize> = truth
        .iter()
        .map(|label| (*label as usize + 3) % 10)
        .collect();
    let least = |image: usize| {
        let row = &clean[10 * image..10 * (image + 1)];
        let others = (0..10).filter(|class| *class != truth[image]);
        others
            .min_by(|a, b| row[*a as usize].total_cmp(&row[*b as usize]))
            .unwrap()
    };
    let cases: [(TargetsSpec, &dyn Fn(usize) -> i64); 4] = [
        (NextClass.into(), &|image| (truth[image] + 1) % 10),
        (FixedTarget::new(4).into(), &|_| 4),
        (given.clone().into(), &|image| given[image] as i64),
        (LeastLikely.into(), &least),
    ];
    for (targets, expected) in cases {
        let pgd = Pgd::l2(3.0).with_steps(20).with_targets(targets);
        let found = pgd.attack(&victim, &batch, Seed(2)).unwrap();
        let reached = victim.predict(found.images.clone());
        for image in 0..batch.len() {
            let (target, label) = (expected(image), truth[image]);
            assert_eq!(
                found.fooled[image],
                reached[image] == target && target != label
            );
        }
        assert!(found.fooled_count() > 5, "{pgd}: {}", found.fooled_count());
    }
}
