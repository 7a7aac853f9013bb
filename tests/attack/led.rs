//! Attacks that are led to classes, and attacks joined that climb losses of their own.

use super::network::{Net, random_batch};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{
    Apgd, Attack, Choice, Dlr, Frozen, Goal, Keep, KthBest, Malt, Margin, Pgd, Targets, Trial,
};
use fireproof::base::{Batch, Keys, Seed};

on_every_device![
    value_kth_best_by_hand,
    value_joined_attacks_climb_their_own_losses,
    value_each_class_is_led_to_in_turn,
    value_malt_finds_the_nearest_class_of_a_linear_map,
    convention_led_attacks_fool_by_any_class,
    error_led_attacks,
];

fn value_kth_best_by_hand(_: &On) {
    let choice = |logits, k| {
        let keys = Keys::new(1, [0, 1]);
        KthBest::new(k)
            .choose(&Choice {
                labels: &[2, 0],
                classes: 4,
                logits,
                keys: &keys,
            })
            .map_err(|error| error.to_string())
    };
    let logits = &[0.5, 3.0, 9.0, 3.0, 1.0, -2.0, 7.0, 4.0];
    assert_eq!(choice(logits, 1), Ok(vec![1, 2]));
    assert_eq!(choice(logits, 2), Ok(vec![3, 3]));
    assert_eq!(choice(logits, 3), Ok(vec![0, 1]));
    for k in [0, 4] {
        let error = choice(logits, k).unwrap_err();
        assert!(
            error.contains("1 to 3 (the classifier has 4 classes)"),
            "{error}"
        );
    }
}

fn setup(on: &On) -> (Frozen, Batch) {
    let victim = Frozen::new(&Net::random(on, 3));
    let batch = random_batch(on, &victim, on.pick(12, 4));
    (victim, batch)
}

fn value_joined_attacks_climb_their_own_losses(on: &On) {
    let (victim, batch) = setup(on);
    // An attack that finds nothing, so that all images meet the second, whose last image has the
    // higher loss of both kinds.
    let nothing = Pgd::linf(0.02).with_steps(0).with_random_start(false);
    let second = Pgd::linf(0.02)
        .with_steps(3)
        .with_random_start(false)
        .with_keep(Keep::Last);
    let margin = second.clone().with_loss(Margin);
    let images =
        |attack: &dyn Attack| values(&attack.attack(&victim, &batch, Seed(1)).unwrap().images);
    let standing = nothing.attack(&victim, &batch, Seed(1)).unwrap();
    let (joined, alone) = (images(&nothing.or(margin.clone())), images(&margin));
    let other = images(&second);
    for (at, _) in standing
        .fooled
        .iter()
        .enumerate()
        .filter(|(_, fooled)| !**fooled)
    {
        let of = |images: &[f32]| images[at * 784..][..784].to_vec();
        assert!(of(&joined) == of(&alone), "image {at}");
        assert!(
            of(&joined) != of(&other),
            "cross-entropy leads elsewhere: image {at}"
        );
    }
    assert!(standing.fooled_count() < batch.len());
}

fn value_each_class_is_led_to_in_turn(on: &On) {
    // Oracle: the same attack with each class given, image by image.
    let (victim, batch) = setup(on);
    let attack = Apgd::linf(0.01)
        .with_steps(4)
        .with_loss(Dlr)
        .with_random_start(false);
    let found = attack
        .clone()
        .towards_each(20)
        .attack(&victim, &batch, Seed(1))
        .unwrap();
    let mut fooled = vec![false; batch.len()];
    for k in 1..10 {
        let goal = Goal {
            loss: Dlr.into(),
            ..Goal::default()
        };
        let mut trial = Trial::new(&victim, &batch, &goal, 1).unwrap();
        trial
            .towards(&KthBest::new(k), |trial| attack.search(trial))
            .unwrap();
        let standing = trial.standing();
        (0..batch.len()).for_each(|at| fooled[at] |= !standing.contains(&at));
    }
    assert_eq!(found.fooled, fooled);
    // Four steps a class, but only while the image stands; the clean pass first.
    for (at, &gradients) in found.gradients.iter().enumerate() {
        assert!(
            gradients % 4 == 0 && (fooled[at] || gradients == 36),
            "{gradients}"
        );
    }
}

fn value_malt_finds_the_nearest_class_of_a_linear_map(on: &On) {
    // Class 1 has the higher logit and is led to by the first half of the pixels, class 2 by the other
    // half on the shorter way: 0.5/0.1 against 0.6/1.2 in L∞.
    let way = |of: fn(usize) -> f32| Vec::from_iter((0..64).map(of));
    let first = way(|pixel| if pixel < 32 { 0.1 / 32.0 } else { 0.0 });
    let second = way(|pixel| if pixel < 32 { 0.0 } else { 1.2 / 32.0 });
    let ways = on.tensor([vec![0.0; 64], first, second].concat(), [3, 64]);
    let offsets = on.tensor(vec![1.0, 0.5, 0.4], [1, 3]);
    let victim = Frozen::from_fn(move |images: Tensor<4>| {
        let products = images.flatten::<2>(1, 3).matmul(ways.clone().transpose());
        products + offsets.clone()
    });
    let images = Tensor::zeros([1, 1, 8, 8], &on.device());
    let batch = Batch::new(images, on.labels(&[0])).unwrap();
    let attack = Pgd::linf(0.51)
        .with_steps(2)
        .with_loss(Dlr)
        .with_random_start(false);
    let found = Malt::new(attack.clone(), 1)
        .attack(&victim, &batch, Seed(1))
        .unwrap();
    assert_eq!((found.fooled[0], found.predicted[0]), (true, 2));
    // Two candidates and two steps.
    assert_eq!(found.gradients[0], 4);
    // The likelier class is too far.
    let likely = attack.towards_each(1);
    let found = likely.attack(&victim, &batch, Seed(1)).unwrap();
    assert_eq!((found.fooled[0], found.gradients[0]), (false, 2));
}

fn convention_led_attacks_fool_by_any_class(on: &On) {
    let (victim, batch) = setup(on);
    let attack = Pgd::linf(0.05).with_steps(3).with_loss(Margin);
    let led = attack
        .clone()
        .towards_each(2)
        .attack(&victim, &batch, Seed(1))
        .unwrap();
    let labels = batch.labels_to_vec();
    let wrong = led.predicted.iter().zip(&labels).map(|(a, b)| a != b);
    assert_eq!(led.fooled, Vec::from_iter(wrong));
    let text = attack.towards_each(2).to_string();
    assert!(
        text.ends_with("margin loss, towards each of 2 classes"),
        "{text}"
    );
}

fn error_led_attacks(_: &On) {
    let attack = Pgd::linf(0.1);
    for (attack, expected) in [
        (
            attack.clone().towards_each(0).check(),
            "classes = 0: expected",
        ),
        (
            attack.clone().with_targets(1).towards_each(2).check(),
            "without targets of its own",
        ),
        (
            Malt::new(attack.clone(), 0).check(),
            "classes = 0: expected",
        ),
        (
            Malt {
                candidates: 0,
                ..Malt::new(attack.clone(), 1)
            }
            .check(),
            "candidates = 0: expected",
        ),
        (
            Malt::new(attack.with_targets(1), 2).check(),
            "without targets of its own",
        ),
    ] {
        let error = attack.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
