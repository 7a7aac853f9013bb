//! More effort never helps the classifier, less is what its name says.

use super::network::{attack, network};
use crate::common::{On, values};
use fireproof::attack::{Attack, Fgsm, Found, Keep, Pgd};

on_every_device![
    value_one_full_step_is_fgsm_bit_for_bit,
    value_epsilon_zero_is_clean_accuracy,
    value_more_steps_or_restarts_never_help_the_classifier,
    value_the_best_iterate_is_at_least_as_good_as_the_last,
    value_restarts_attack_only_standing_images,
];

fn value_one_full_step_is_fgsm_bit_for_bit(on: &On) {
    for keep in [Keep::Best, Keep::Last] {
        let pgd = |start: Pgd| start.with_steps(1).with_random_start(false).with_keep(keep);
        let pairs = [
            (pgd(Pgd::linf(0.03)).with_step_size(0.03), Fgsm::linf(0.03)),
            (pgd(Pgd::l2(0.5)).with_step_size(0.5), Fgsm::l2(0.5)),
        ];
        for (pgd, fgsm) in pairs {
            let (one, other) = (attack(on, &pgd, 1), attack(on, &fgsm.with_keep(keep), 2));
            assert_eq!(values(&one.images), values(&other.images));
            assert_eq!(one.fooled, other.fooled);
            assert_eq!(one.loss, other.loss);
            assert!(one.fooled_count() > 4);
        }
    }
}

fn value_epsilon_zero_is_clean_accuracy(on: &On) {
    let (victim, batch) = network(on);
    let wrong: Vec<bool> = victim
        .predict(batch.images.clone())
        .iter()
        .zip(batch.labels_to_vec())
        .map(|(predicted, label)| *predicted != label)
        .collect();
    for pgd in [
        Pgd::linf(0.0),
        Pgd::l2(0.0),
        Pgd::linf(0.0).with_keep(Keep::Last),
    ] {
        let found = attack(on, &pgd.restarts(2), 1);
        assert_eq!(values(&found.images), values(&batch.images));
        assert_eq!(found.fooled, wrong);
        assert_eq!(found.fooled_count(), 4);
        assert_eq!(found.robust_accuracy(), 0.9);
    }
}

// Every image that fools after less effort must also fool after more.
fn assert_never_recovers(on: &On, efforts: &[impl Attack], seed: u64) {
    let mut before: Option<Found> = None;
    for pgd in efforts {
        let found = attack(on, pgd, seed);
        if let Some(before) = &before {
            for (image, (was, is)) in before.fooled.iter().zip(&found.fooled).enumerate() {
                assert!(is >= was, "{pgd}, seed {seed}: image {image} recovered");
            }
        }
        before = Some(found);
    }
}

fn value_more_steps_or_restarts_never_help_the_classifier(on: &On) {
    let mut accuracies = Vec::new();
    for seed in 0..on.pick(4, 1) {
        for start in [Pgd::linf(0.07), Pgd::l2(1.2)] {
            let step = start.clone().with_step_size(start.epsilon / 2.0);
            for random in [true, false] {
                let steps = step.clone().with_random_start(random);
                let efforts = [0, 1, 2, 4, 8].map(|steps_| steps.clone().with_steps(steps_));
                assert_never_recovers(on, &efforts, seed);
            }
            let two = step.with_steps(2);
            let efforts = [1, 2, 4].map(|restarts| two.clone().restarts(restarts));
            assert_never_recovers(on, &efforts, seed);
            let range =
                [&efforts[0], &efforts[2]].map(|pgd| attack(on, pgd, seed).robust_accuracy());
            accuracies.push(range);
        }
    }
    println!("robust accuracy, 1 and 4 restarts: {accuracies:?}");
    // Neither hopeless nor effortless, or nothing could have been seen.
    assert!(accuracies.iter().flatten().all(|a| (0.05..0.9).contains(a)));
    assert!(accuracies.iter().any(|[one, four]| four < one));
}

fn value_the_best_iterate_is_at_least_as_good_as_the_last(on: &On) {
    for pgd in [Pgd::linf(0.02), Pgd::l2(0.2)] {
        // Long steps overshoot.
        let pgd = pgd.with_relative_step_size(40.0);
        let best = attack(on, &pgd, 4);
        let last = attack(on, &pgd.clone().with_keep(Keep::Last), 4);
        let mut better = 0;
        for image in 0..best.len() {
            assert!(best.fooled[image] >= last.fooled[image]);
            if best.fooled[image] == last.fooled[image] {
                assert!(best.loss[image] >= last.loss[image] - 1e-5);
            }
            better += usize::from(best.loss[image] > last.loss[image] + 1e-3);
        }
        println!("{pgd}: {better} images better");
        assert!(better > 3);
    }
}

fn value_restarts_attack_only_standing_images(on: &On) {
    let pgd = Pgd::linf(0.07).with_steps(2).restarts(3);
    let found = attack(on, &pgd, 1);
    // Clean pass, then 2 steps and the last iterate per restart; then the verdict, unless what is
    // kept is a last iterate (or the clean image), whose own pass was exact already.
    let mut verdicts = Vec::new();
    for (image, fooled) in found.fooled.iter().enumerate() {
        let restarts = (found.gradients[image]) / 2;
        verdicts.push(found.queries[image] - 1 - 3 * restarts);
        assert!(*fooled || restarts == 3);
    }
    assert!(verdicts.iter().all(|&passes| passes <= 1) && verdicts.contains(&0));
    assert!(found.gradients.contains(&2) && found.gradients.contains(&6));
    let textbook = attack(on, &Pgd::linf(0.07).with_keep(Keep::Last), 1);
    assert_eq!(textbook.queries, [11; 40]);
    assert_eq!(textbook.gradients, [10; 40]);
}
