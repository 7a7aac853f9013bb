//! Auto-PGD against what it should find, and against a slow path written from the paper.

use super::linear::{PIXELS, l2, linear, linear_batch, perturbations, weights};
use super::network::attack;
use super::watched::climbed;
use crate::common::{On, values};
use burn::tensor::{Tensor, TensorData};
use fireproof::attack::{
    AdaptiveStep, Apgd, Attack, Ball, Dlr, Frozen, Goal, L2, Linf, NormSpec, Pgd, PixelSpace, Trial,
};
use fireproof::base::{Bounds, Seed};

on_every_device![
    value_apgd_reaches_the_linear_optimum,
    value_apgd_takes_the_published_steps,
    value_apgd_is_no_weaker_than_pgd_of_as_many_steps,
];

fn value_apgd_reaches_the_linear_optimum(on: &On) {
    // Oracle: x + ε·sign(w) and x + ε·w/‖w‖.
    let batch = linear_batch(on).with_bounds(Bounds::none());
    let length = l2(weights());
    for (attack, optimum) in [
        (
            Apgd::linf(0.1),
            weights().into_iter().map(|w| 0.1 * w.signum()).collect(),
        ),
        (
            Apgd::l2(2.0),
            Vec::from_iter(weights().into_iter().map(|w| 2.0 * w / length)),
        ),
    ] {
        // A loss is lower by half of the error's square: from a random start, an error of which f32
        // sees nothing stays.
        let unseen = (2.0 * 2f64.powi(-23)).sqrt();
        for (attack, most) in [
            (attack.clone(), unseen),
            (attack.with_random_start(false), 1e-6),
        ] {
            let found = attack.attack(&linear(on), &batch, Seed(3)).unwrap();
            for perturbation in perturbations(&found, &batch) {
                let error = l2(perturbation.iter().zip(&optimum).map(|(a, b)| a - b));
                let relative = error / l2(optimum.clone());
                assert!(relative < most, "{attack}: {relative}");
            }
        }
    }
}

// The loss of class 0 against class 1 is a sum of sines, with many optima.
pub fn wavy(images: Tensor<4>) -> Tensor<2> {
    let weights = TensorData::new(
        Vec::from_iter(weights().into_iter().map(|w| w as f32)),
        [PIXELS],
    );
    let weights = Tensor::<1>::from_data(weights, &images.device()).unsqueeze_dim::<2>(0);
    let score = ((images.flatten::<2>(1, 3) * 9.0).sin() * weights).sum_dim(1);
    Tensor::cat(vec![score.clone() * 0.0, score], 1)
}

// That loss in f64, and its slope.
pub fn wave(x: &[f64]) -> f64 {
    let each = x.iter().zip(weights());
    each.map(|(x, w)| w * (9.0 * x).sin()).sum()
}

pub fn wave_slope(x: &[f64]) -> Vec<f64> {
    let each = x.iter().zip(weights());
    each.map(|(x, w)| 9.0 * w * (9.0 * x).cos()).collect()
}

// Algorithm 1 of the paper, one image, in f64. Returns the points and the lengths of its steps.
fn published(
    original: &[f64],
    ball: &str,
    epsilon: f64,
    steps: usize,
) -> (Vec<Vec<f64>>, Vec<f64>) {
    let each = |f: &dyn Fn(usize) -> f64| Vec::from_iter((0..PIXELS).map(f));
    let along = |g: Vec<f64>| match ball {
        "linf" => each(&|i| g[i].signum()),
        _ => each(&|i| g[i] / l2(g.clone())),
    };
    let project = |x: Vec<f64>| {
        let moved = each(&|i| x[i] - original[i]);
        match ball {
            "linf" => each(&|i| original[i] + moved[i].clamp(-epsilon, epsilon)),
            _ => {
                let scale = (epsilon / l2(moved.clone())).min(1.0);
                each(&|i| original[i] + moved[i] * scale)
            }
        }
    };
    let share = |p: f64| ((p * steps as f64) as usize).max(1);
    let (mut gap, mut since, mut length) = (share(0.22), 0, 2.0 * epsilon);
    let mut x = original.to_vec();
    let mut points = vec![x.clone()];
    let (mut lengths, mut losses) = (Vec::new(), vec![wave(&x)]);
    let (mut best, mut highest) = (x.clone(), losses[0]);
    let (mut highest_then, mut halved, mut before) = (highest, true, x.clone());
    for step in 0..steps {
        let alpha = if step == 0 { 1.0 } else { 0.75 };
        let direction = along(wave_slope(&x));
        let ahead = project(each(&|i| x[i] + length * direction[i]));
        let next = each(&|i| x[i] + alpha * (ahead[i] - x[i]) + (1.0 - alpha) * (x[i] - before[i]));
        lengths.push(length);
        before = x;
        x = project(next);
        points.push(x.clone());
        losses.push(wave(&x));
        if losses[step + 1] > highest {
            (best, highest) = (x.clone(), losses[step + 1]);
        }
        since += 1;
        if since == gap {
            let pairs = losses[step + 1 - gap..].windows(2);
            let rises = pairs.filter(|pair| pair[1] > pair[0]).count();
            let tired = rises as f64 <= 0.75 * gap as f64 || (!halved && highest_then >= highest);
            if tired {
                length /= 2.0;
                x = best.clone();
            }
            (halved, highest_then, since) = (tired, highest, 0);
            gap = gap.saturating_sub(share(0.03)).max(share(0.06));
        }
    }
    (points, lengths)
}

fn value_apgd_takes_the_published_steps(on: &On) {
    // Oracle: the algorithm once more, in f64, without tensors.
    let victim = Frozen::from_fn(wavy);
    let batch = linear_batch(on).with_bounds(Bounds::none());
    let originals = values(&batch.images);
    let steps = 30;
    let cases: [(&str, NormSpec, f64); 2] = [("linf", Linf.into(), 0.3), ("l2", L2.into(), 2.0)];
    for (name, norm, epsilon) in cases {
        let mut trial = Trial::new(&victim, &batch, &Goal::default(), 1).unwrap();
        let space = PixelSpace(Ball::new(norm, epsilon));
        let start = batch.images.clone().flatten(1, 3);
        let rule = AdaptiveStep::new(steps, epsilon);
        let points = climbed(&mut trial, &space, rule, steps, start);
        for (image, original) in originals.chunks(PIXELS).enumerate() {
            let original = Vec::from_iter(original.iter().map(|&v| f64::from(v)));
            let (expected, lengths) = published(&original, name, epsilon, steps);
            assert!(lengths.windows(2).filter(|pair| pair[0] > pair[1]).count() >= 2);
            // Waves tell f32 and f64 apart in the end.
            for (step, point) in points.iter().enumerate().take(11) {
                // At a checkpoint the rule goes on from the best point; what it is told is the last.
                let point = &point[image * PIXELS..(image + 1) * PIXELS];
                let near = point.iter().zip(&expected[step]);
                let near = near.filter(|(a, b)| (**a - **b).abs() < 1e-3).count();
                assert!(
                    near * 100 >= PIXELS * 97,
                    "{name}, step {step}: {near} of {PIXELS}"
                );
            }
        }
    }
}

fn value_apgd_is_no_weaker_than_pgd_of_as_many_steps(on: &On) {
    let steps = on.pick(30, 10);
    for (apgd, pgd) in [
        (Apgd::linf(0.03), Pgd::linf(0.03)),
        (Apgd::l2(0.5), Pgd::l2(0.5)),
    ] {
        let pgd = attack(on, &pgd.with_steps(steps), 1);
        let apgd = apgd.with_steps(steps);
        let by_entropy = attack(on, &apgd, 1);
        assert!(by_entropy.fooled_count() >= pgd.fooled_count(), "{apgd}");
        let by_ratio = attack(on, &apgd.with_loss(Dlr).restarts(2), 1);
        assert!(by_ratio.fooled_count() + 1 >= pgd.fooled_count());
        assert_eq!(by_entropy.gradients, vec![steps as u32; by_entropy.len()]);
    }
}
