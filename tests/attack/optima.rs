//! Attacks reach the optimum of a linear model.

use super::linear::{PIXELS, l2, linear, linear_batch, perturbations, weights};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{Attack, CrossEntropy, Frozen, Keep, LossSpec, Margin, Pgd};
use fireproof::base::{Batch, Bounds, Seed};

on_every_device![
    value_linf_reaches_the_linear_optimum,
    value_l2_reaches_the_linear_optimum,
    value_l2_reaches_the_clipped_linear_optimum,
    value_targets_pull_and_labels_push,
    value_l2_steps_where_squared_gradients_vanish,
    value_l2_starts_are_uniform_in_the_true_ball,
];

fn value_linf_reaches_the_linear_optimum(on: &On) {
    // Oracle: x + ε·sign(w), without bounds and clipped to them.
    let epsilon = 0.1;
    for bounds in [Bounds::none(), Bounds::default()] {
        let batch = linear_batch(on).with_bounds(bounds);
        let found = Pgd::linf(epsilon)
            .attack(&linear(on), &batch, Seed(3))
            .unwrap();
        for (image, original) in values(&found.images)
            .chunks(PIXELS)
            .zip(values(&batch.images).chunks(PIXELS))
        {
            for ((attacked, original), w) in image.iter().zip(original).zip(weights()) {
                let optimum = (f64::from(*original) + epsilon * w.signum())
                    .clamp(bounds.low().into(), bounds.high().into());
                assert!((f64::from(*attacked) - optimum).abs() < 1e-7);
            }
        }
    }
}

fn value_l2_reaches_the_linear_optimum(on: &On) {
    // Oracle: x + ε·w/‖w‖, without bounds.
    // What remains is the rounding of pixels to f32, 3e-8 each.
    let epsilon = 2.0;
    let batch = linear_batch(on).with_bounds(Bounds::none());
    let length = l2(weights());
    // From a random start the error shrinks by 1/(1 + step/ε) a step, here 1/11.
    let random = Pgd::l2(epsilon).with_step_size(10.0 * epsilon);
    let straight = Pgd::l2(epsilon).with_random_start(false);
    for attack in [random, straight] {
        let found = attack.attack(&linear(on), &batch, Seed(3)).unwrap();
        for perturbation in perturbations(&found, &batch) {
            let wanted = weights().into_iter().map(|w| epsilon * w / length);
            let error = l2(perturbation.iter().zip(wanted).map(|(a, b)| a - b));
            println!("{attack}: relative error {:e}", error / epsilon);
            assert!(error / epsilon <= 1e-6);
        }
    }
}

fn value_l2_reaches_the_clipped_linear_optimum(on: &On) {
    // Oracle: clip(x + s·w) with s such that the perturbation has length ε, by bisection in f64.
    let epsilon = 1.0;
    let batch = linear_batch(on);
    let attack = Pgd::l2(epsilon).with_steps(300).with_step_size(1.0);
    let found = attack.attack(&linear(on), &batch, Seed(3)).unwrap();
    let originals = values(&batch.images);
    for (original, perturbation) in originals.chunks(PIXELS).zip(perturbations(&found, &batch)) {
        let at = |s: f64| -> Vec<f64> {
            let moved = original.iter().zip(weights());
            moved
                .map(|(x, w)| (f64::from(*x) + s * w).clamp(0.0, 1.0) - f64::from(*x))
                .collect()
        };
        let (mut low, mut high) = (0.0, 1000.0);
        for _ in 0..200 {
            let middle = (low + high) / 2.0;
            if l2(at(middle)) < epsilon {
                low = middle;
            } else {
                high = middle;
            }
        }
        let error = l2(perturbation.iter().zip(at(low)).map(|(a, b)| a - b));
        println!("relative error {:e}", error / epsilon);
        assert!(error / epsilon <= 1e-5);
        let optimum = at(low);
        let clipped = optimum.iter().zip(original).filter(|(d, x)| {
            let moved = f64::from(**x) + **d;
            moved == 0.0 || moved == 1.0
        });
        assert!(clipped.count() > 3, "the bounds must matter");
    }
}

fn value_targets_pull_and_labels_push(on: &On) {
    // Oracle: towards class 1 of (0, w·x) is along w, away from label 1 against it.
    let batch = linear_batch(on).with_bounds(Bounds::none());
    let mut against = batch.clone();
    against.labels = on.labels(&[1, 1]);
    let push = Pgd::linf(0.1).with_random_start(false);
    let pull = push.clone().with_targets(1);
    for (attack, batch, sign) in [(&pull, &batch, 1.0), (&push, &against, -1.0)] {
        for loss in [LossSpec::from(CrossEntropy), Margin.into()] {
            let attack = attack.clone().with_loss(loss).with_keep(Keep::Last);
            let found = attack.attack(&linear(on), batch, Seed(3)).unwrap();
            for perturbation in perturbations(&found, batch) {
                for (delta, w) in perturbation.iter().zip(weights()) {
                    assert!((delta - sign * 0.1 * w.signum()).abs() < 1e-7);
                }
            }
        }
    }
}

fn value_l2_steps_where_squared_gradients_vanish(on: &On) {
    // Oracle: the optimum ε·w/‖w‖ does not change with the scale of the logits; their gradients
    // here are around 1e-31, whose squares are 0 in f32.
    let scaled: Vec<f32> = weights().iter().map(|w| *w as f32 * 1e-30).collect();
    let scaled = on.tensor(scaled, [PIXELS, 1]);
    let faint = Frozen::from_fn(move |x: Tensor<4>| {
        let score = x.flatten::<2>(1, 3).matmul(scaled.clone());
        Tensor::cat(vec![score.clone() * 0.0, score], 1)
    });
    let batch = linear_batch(on).with_bounds(Bounds::none());
    let found = Pgd::l2(0.5)
        .with_random_start(false)
        .with_keep(Keep::Last)
        .attack(&faint, &batch, Seed(1))
        .unwrap();
    let length = l2(weights());
    for perturbation in perturbations(&found, &batch) {
        let wanted = weights().into_iter().map(|w| 0.5 * w / length);
        let error = l2(perturbation.iter().zip(wanted).map(|(a, b)| a - b));
        assert!(error < 1e-5, "{error}");
    }
}

fn value_l2_starts_are_uniform_in_the_true_ball(on: &On) {
    // Oracle: the radius of a uniform point of the d-ball is below r·ε with probability r^d, so
    // (radius/ε)^d is uniform; its mean over n images is 1/2 within 4/√(12 n).
    let (images, pixels) = (400, 4);
    let device = on.device();
    let batch = Batch::new(
        Tensor::full([images, 1, 2, 2], 0.5, &device),
        on.labels(&vec![0; images]),
    )
    .unwrap()
    .with_bounds(Bounds::none());
    let victim = Frozen::from_fn(|x: Tensor<4>| x.flatten::<2>(1, 3));
    let start = Pgd::l2(0.3).with_steps(0).with_keep(Keep::Last);
    let found = start.attack(&victim, &batch, Seed(1)).unwrap();
    let levels: Vec<f64> = perturbations(&found, &batch)
        .iter()
        .map(|delta| (l2(delta.iter().copied()) / 0.3).powi(pixels))
        .collect();
    let mean = levels.iter().sum::<f64>() / images as f64;
    assert!(
        (mean - 0.5).abs() < 4.0 / (12.0 * images as f64).sqrt(),
        "{mean}"
    );
    let below = levels.iter().filter(|level| **level < 0.25).count() as f64 / images as f64;
    assert!((below - 0.25).abs() < 0.09, "{below}");
}
