//! Momentum and diversified starts of PGD.

use super::apgd::wavy;
use super::linear::{PIXELS, linear_batch, weights};
use super::network::{Net, random_batch};
use crate::common::{On, values};
use fireproof::attack::{Attack, Frozen, Keep, Pgd};
use fireproof::base::{Bounds, Seed};

on_every_device![
    value_momentum_takes_the_published_steps,
    convention_no_momentum_is_plain_pgd,
    value_diversified_starts_are_far_apart,
    error_momentum,
];

fn value_momentum_takes_the_published_steps(on: &On) {
    // Oracle: algorithm 1 of the paper, one image, in f64.
    let (epsilon, steps, length, decay) = (0.1, 6, 0.03, 0.9);
    let batch = linear_batch(on).with_bounds(Bounds::none());
    let w = weights();
    let attack = Pgd::linf(epsilon)
        .with_steps(steps)
        .with_step_size(length)
        .with_momentum(decay)
        .with_random_start(false)
        .with_keep(Keep::Last);
    let found = attack
        .attack(&Frozen::from_fn(wavy), &batch, Seed(1))
        .unwrap();
    let (originals, found) = (values(&batch.images), values(&found.images));
    for (original, found) in originals.chunks(PIXELS).zip(found.chunks(PIXELS)) {
        let original = Vec::from_iter(original.iter().map(|&x| f64::from(x)));
        let (mut x, mut sum) = (original.clone(), vec![0.0; PIXELS]);
        for _ in 0..steps {
            let slope = Vec::from_iter((0..PIXELS).map(|i| 9.0 * w[i] * (9.0 * x[i]).cos()));
            let size = slope.iter().map(|g| g.abs()).sum::<f64>() / PIXELS as f64;
            for i in 0..PIXELS {
                sum[i] = decay * sum[i] + slope[i] / size;
                let moved = x[i] + length * sum[i].signum() - original[i];
                x[i] = original[i] + moved.clamp(-epsilon, epsilon);
            }
        }
        for (i, (a, b)) in found.iter().zip(&x).enumerate() {
            assert!((f64::from(*a) - b).abs() < 1e-5, "pixel {i}: {a} for {b}");
        }
    }
}

fn convention_no_momentum_is_plain_pgd(on: &On) {
    let victim = Frozen::new(&Net::random(on, 1));
    let batch = random_batch(on, &victim, on.pick(8, 2));
    let plain = Pgd::linf(0.05).with_steps(4);
    let attacked = |pgd: &Pgd| values(&pgd.attack(&victim, &batch, Seed(1)).unwrap().images);
    let none = plain.clone().with_momentum(0.0).with_diversified_steps(0);
    assert_eq!(attacked(&none), attacked(&plain));
    assert_ne!(
        attacked(&plain.clone().with_momentum(1.0)),
        attacked(&plain)
    );
    let text = plain.clone().with_momentum(1.0).with_diversified_steps(2);
    assert_eq!(
        text.to_string(),
        "PGD-4 L∞ ε=0.05 step=0.03125, 2 diversified steps, momentum 1"
    );
    // Files of before are as they were.
    let names = |pgd: &Pgd| Vec::from_iter(pgd.settings().as_object().unwrap().keys().cloned());
    assert!(!names(&plain).contains(&"momentum".to_owned()));
    assert_eq!(names(&text).len(), names(&plain).len() + 2);
}

fn value_diversified_starts_are_far_apart(on: &On) {
    let victim = Frozen::new(&Net::random(on, 1));
    let batch = random_batch(on, &victim, on.pick(8, 2));
    let epsilon = 0.05;
    let start = Pgd::linf(epsilon)
        .with_steps(0)
        .with_random_start(false)
        .with_diversified_steps(2)
        .with_keep(Keep::Last);
    let of = |seed| start.attack(&victim, &batch, Seed(seed)).unwrap();
    let (one, other) = (of(1), of(2));
    assert!(one.gradients.iter().all(|&gradients| gradients == 2));
    let clean = values(&batch.images);
    let (one, other) = (values(&one.images), values(&other.images));
    // Steps of ε end at the ball or at a bound, but where the gradient is 0 or has turned.
    let at_end = one
        .iter()
        .zip(&clean)
        .filter(|&(a, b)| (a - b).abs() > 0.99 * epsilon as f32 || *a == 0.0 || *a == 1.0);
    assert!(at_end.count() > one.len() / 2);
    let apart = one
        .iter()
        .zip(&other)
        .filter(|(a, b)| (*a - *b).abs() > 0.99 * epsilon as f32);
    assert!(apart.count() > one.len() / 8);
    // Of an image alone they are the same.
    let alone = random_batch(on, &victim, 1);
    let found = start.attack(&victim, &alone, Seed(1)).unwrap();
    assert_eq!(values(&found.images), one[..784]);
}

fn error_momentum(_: &On) {
    for momentum in [-0.1, f64::NAN, f64::INFINITY] {
        let error = Pgd::linf(0.1)
            .with_momentum(momentum)
            .check()
            .unwrap_err()
            .to_string();
        assert!(error.contains("momentum"), "{error}");
    }
}
