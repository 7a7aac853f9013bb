//! The geometry of L1 against slow paths on the host.

use super::apgd::{wave, wave_slope, wavy};
use super::linear::{PIXELS, linear, linear_batch, perturbations, weights};
use super::watched::climbed;
use crate::common::{On, values};
use burn::tensor::{Tensor, TensorData};
use fireproof::attack::{
    Apgd, AttackSpec, Ball, Frozen, Goal, L1, Limits, Norm, Pgd, PixelSpace, SparseStep, Trial,
    verify,
};
use fireproof::base::{Bounds, Draws, Precision, Purpose, Seed, read};

on_every_device![
    value_l1_projection_is_the_nearest_point,
    value_l1_projection_by_hand,
    value_l1_steps_are_sparse,
    value_l1_finds_the_linear_optimum,
    value_sparse_steps_as_published,
];

// The change nearest to `wish` of length `epsilon` at most that stays within the bounds: the amount
// by which all shrink, by bisection down to the last bit.
fn nearest(wish: &[f64], originals: &[f64], epsilon: f64, bounds: Bounds) -> Vec<f64> {
    let shrunk = |amount: f64| -> Vec<f64> {
        let each = wish.iter().zip(originals).map(|(wish, original)| {
            let moved = original + wish.signum() * (wish.abs() - amount).max(0.0);
            moved.clamp(bounds.low().into(), bounds.high().into()) - original
        });
        each.collect()
    };
    let mut range = [0.0, wish.iter().fold(0.0, |most: f64, v| most.max(v.abs()))];
    if L1.length(&shrunk(0.0)) <= epsilon {
        return shrunk(0.0);
    }
    for _ in 0..200 {
        let middle = (range[0] + range[1]) / 2.0;
        let too_long = L1.length(&shrunk(middle)) > epsilon;
        range[usize::from(!too_long)] = middle;
    }
    shrunk(range[1])
}

struct Case {
    originals: Vec<f64>,
    wish: Vec<f64>,
    epsilon: f64,
    bounds: Bounds,
}

fn case(draws: &mut Draws, pixels: usize) -> Case {
    let bounds = match draws.below(4) {
        0 => Bounds::none(),
        _ => Bounds::default(),
    };
    // Pixels at their bounds, changes that tie, that are none, that lead far away.
    let coarse = draws.chance(0.3);
    let far = [0.01, 0.3, 1.0, 50.0][draws.below(4) as usize];
    let mut each = |low: f64, high: f64, steps: f64| match coarse {
        true => (draws.uniform(low, high) * steps).round() / steps,
        false => draws.uniform(low, high),
    };
    let originals: Vec<f64> = (0..pixels)
        .map(|_| each(-0.2, 1.2, 4.0).clamp(0.0, 1.0))
        .collect();
    let wish: Vec<f64> = (0..pixels).map(|_| far * each(-1.0, 1.0, 3.0)).collect();
    let clipped = wish.iter().zip(&originals).map(|(wish, original)| {
        let moved = original + wish;
        moved.clamp(bounds.low().into(), bounds.high().into()) - original
    });
    let longest = L1.length(&Vec::from_iter(clipped));
    let epsilon = longest * [0.0, 0.01, 0.2, 0.7, 0.99, 2.0][draws.below(6) as usize];
    Case {
        originals,
        wish,
        epsilon,
        bounds,
    }
}

fn value_l1_projection_is_the_nearest_point(on: &On) {
    let mut draws = Seed(1).draws(Purpose::Subset, 0, 0);
    for precision in [Precision::F64, Precision::F32] {
        if !on.device().supports_dtype(precision.dtype()) {
            continue;
        }
        let mut worst = 0.0f64;
        for at in 0..on.pick(600, 20) {
            let pixels = [1, 2, 7, 64, 784, on.pick(3072, 12)][at % 6];
            let mut case = case(&mut draws, pixels);
            let tensor = |numbers: &[f64]| {
                let data = TensorData::new(numbers.to_vec(), [1, 1, 1, pixels]);
                Tensor::<4>::from_data(data, (&on.device(), precision.dtype()))
            };
            let round =
                |numbers: &mut Vec<f64>| numbers.iter_mut().for_each(|v| *v = precision.round(*v));
            round(&mut case.originals);
            let moved = case
                .originals
                .iter()
                .zip(&case.wish)
                .map(|(a, b)| precision.round(a + b));
            let moved: Vec<f64> = moved.collect();
            let wish = moved.iter().zip(&case.originals).map(|(a, b)| a - b);
            let wish = Vec::from_iter(wish);
            let limits = Limits {
                originals: &tensor(&case.originals),
                epsilon: case.epsilon,
                bounds: case.bounds,
            };
            let projected: Vec<f64> = read(&L1.project(tensor(&moved), limits));
            let expected = nearest(&wish, &case.originals, case.epsilon, case.bounds);
            let largest = moved.iter().fold(1.0, |most: f64, v| most.max(v.abs()));
            let mut length = 0.0;
            let mut off = 0.0f64;
            for ((found, change), original) in projected.iter().zip(&expected).zip(&case.originals)
            {
                off = off.max((found - original - change).abs());
                length += (found - original).abs();
                assert!(precision.round(*found) == *found);
                assert!(case.bounds.contains(*found as f32));
            }
            // The sum that the amount follows from rounds in proportion to the radius.
            let unit = precision.epsilon() * largest.max(case.epsilon);
            worst = worst.max(off / unit);
            let long = case.epsilon + 4.0 * pixels as f64 * unit;
            assert!(length <= long, "{length} {long}");
        }
        println!("{precision}: {worst} units");
        assert!(worst < 4.0, "{precision}: {worst} units");
    }
}

fn images(on: &On, values: &[f32]) -> Tensor<4> {
    on.tensor(values.to_vec(), [1, 1, 1, values.len()])
}

fn value_l1_projection_by_hand(on: &On) {
    let project = |moved: &[f32], originals: &[f32], epsilon: f64| {
        let limits = Limits {
            originals: &images(on, originals),
            epsilon,
            bounds: Bounds::default(),
        };
        values(L1.project(images(on, moved), limits))
    };
    for (moved, originals, epsilon, expected) in [
        // Inside.
        ([0.625, 0.5, 0.25], [0.5; 3], 0.4, [0.625, 0.5, 0.25]),
        // A change of (0.4, -0.3, 0) shrinks by 0.15 where it is not 0: |0.25| + |-0.15| = 0.4.
        ([0.9, 0.2, 0.5], [0.5; 3], 0.4, [0.75, 0.35, 0.5]),
        // A change of (0.1, 0.9, 0): the first dies at 0.1, the second stops at 0.4 by itself.
        ([0.6, 1.4, 0.5], [0.5; 3], 0.4, [0.5, 0.9, 0.5]),
        // The bound leaves 0.1 to the first, so that the second keeps 0.3.
        ([1.9, 0.9, 0.5], [0.9, 0.5, 0.5], 0.4, [1.0, 0.8, 0.5]),
        // All at their bounds, which is inside.
        ([2.0, -1.0, 3.0], [0.9, 0.1, 0.8], 0.5, [1.0, 0.0, 1.0]),
        ([0.9, 0.2, 0.5], [0.5; 3], 0.0, [0.5; 3]),
    ] {
        let projected = project(&moved, &originals, epsilon);
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < 2e-7;
        assert!(projected.iter().zip(&expected).all(close), "{projected:?}");
    }
}

fn value_l1_steps_are_sparse(on: &On) {
    let step = |gradient: &[f32]| values(L1.steepest(images(on, gradient), 0.5));
    assert_eq!(step(&[0.1, -3.0, 2.0]), [0.0, -0.5, 0.0]);
    assert_eq!(step(&[0.0, 0.0]), [0.0, 0.0]);
    // The last place is shared by those that tie for it.
    assert_eq!(step(&[2.0, 0.0, -2.0]), [0.25, 0.0, -0.25]);
    // Of 300 pixels three.
    let gradient: Vec<f32> = (0..300).map(|at| ((at * 7) % 300) as f32 - 150.2).collect();
    let found = step(&gradient);
    let mut order: Vec<usize> = (0..300).collect();
    order.sort_by(|a, b| gradient[*b].abs().total_cmp(&gradient[*a].abs()));
    for (rank, at) in order.into_iter().enumerate() {
        let expected = if rank < 3 {
            gradient[at].signum() / 6.0
        } else {
            0.0
        };
        assert!((found[at] - expected).abs() < 1e-7, "{rank}");
    }
}

fn value_l1_finds_the_linear_optimum(on: &On) {
    // Oracle, within bounds: the pixels with the largest weights go to their bounds one after the
    // other, as far as ε reaches.
    let batch = linear_batch(on);
    let epsilon = 3.0;
    let mut order = Vec::from_iter(0..PIXELS);
    order.sort_by(|a, b| weights()[*b].abs().total_cmp(&weights()[*a].abs()));
    let originals = values(&batch.images);
    let gain = |change: &[f64]| {
        weights()
            .iter()
            .zip(change)
            .map(|(w, c)| w * c)
            .sum::<f64>()
    };
    let steps = on.pick(200, 60);
    let pgd = Pgd::l1(epsilon).with_steps(steps).with_step_size(0.1);
    let attacks: [(AttackSpec, f64); 2] = [
        (pgd.with_random_start(false).into(), 0.99),
        (Apgd::l1(epsilon).into(), 0.99),
    ];
    for (attack, share) in attacks {
        let found = attack.attack(&linear(on), &batch, Seed(3)).unwrap();
        verify(&found, &batch, L1, epsilon).unwrap();
        let changes = perturbations(&found, &batch);
        for (change, original) in changes.iter().zip(originals.chunks(PIXELS)) {
            let (mut left, mut best) = (epsilon, 0.0);
            for &at in &order {
                let original = f64::from(original[at]);
                let room = if weights()[at] > 0.0 {
                    1.0 - original
                } else {
                    original
                };
                best += weights()[at].abs() * room.min(left);
                left -= room.min(left);
            }
            println!("{attack}: {} of {best}", gain(change));
            assert!(
                gain(change) > share * best,
                "{attack}: {} of {best}",
                gain(change)
            );
        }
    }
}

// Algorithm 1 of "Mind the box" with one radius, one image, in f64: the points at which it looks, and
// how many pixels shared each step.
fn published(
    original: &[f64],
    epsilon: f64,
    steps: usize,
    bounds: Bounds,
) -> (Vec<Vec<f64>>, Vec<usize>) {
    let each = |f: &dyn Fn(usize) -> f64| Vec::from_iter((0..PIXELS).map(f));
    let every = ((0.04 * steps as f64) as usize).max(1);
    let (mut x, mut best, mut highest) = (original.to_vec(), original.to_vec(), f64::NEG_INFINITY);
    let (mut length, mut count, mut changed) = (epsilon, 0.2 * PIXELS as f64, PIXELS as f64);
    let (mut points, mut counts) = (Vec::new(), Vec::new());
    for step in 0..steps {
        points.push(x.clone());
        if wave(&x) > highest {
            (best, highest) = (x.clone(), wave(&x));
        }
        if step > 0 && step % every == 0 {
            let now = (0..PIXELS).filter(|&i| best[i] != original[i]).count() as f64;
            count = now / 1.5;
            length = match now < 0.95 * changed {
                true => {
                    x = best.clone();
                    epsilon
                }
                false => (length / 1.5).max(epsilon / 10.0),
            };
            changed = now;
        }
        let gradient = wave_slope(&x);
        let mut order = Vec::from_iter(0..PIXELS);
        order.sort_by(|a, b| gradient[*b].abs().total_cmp(&gradient[*a].abs()));
        let sharing = (count.ceil() as usize).max(1);
        counts.push(sharing);
        let mut moved = each(&|i| x[i] - original[i]);
        for &at in &order[..sharing] {
            moved[at] += length / sharing as f64 * gradient[at].signum();
        }
        let change = nearest(&moved, original, epsilon, bounds);
        x = each(&|i| original[i] + change[i]);
    }
    (points, counts)
}

fn value_sparse_steps_as_published(on: &On) {
    // Oracle: the algorithm once more, in f64, without tensors.
    let victim = Frozen::from_fn(wavy);
    let batch = linear_batch(on);
    let originals = values(&batch.images);
    let (steps, epsilon) = (50, 2.0);
    let mut trial = Trial::new(&victim, &batch, &Goal::default(), 1).unwrap();
    let space = PixelSpace(Ball::new(L1, epsilon));
    let start = batch.images.clone().flatten(1, 3);
    let points = climbed(
        &mut trial,
        &space,
        SparseStep::new(steps, epsilon),
        steps,
        start,
    );
    for (image, original) in originals.chunks(PIXELS).enumerate() {
        let original = Vec::from_iter(original.iter().map(|&v| f64::from(v)));
        let (expected, counts) = published(&original, epsilon, steps, batch.bounds);
        assert!(counts[0] == 13 && counts.contains(&15) && counts.contains(&14));
        for (step, point) in points.iter().enumerate().take(20) {
            let point = &point[image * PIXELS..(image + 1) * PIXELS];
            let off = point
                .iter()
                .zip(&expected[step])
                .map(|(a, b)| (a - b).abs());
            let far = off.filter(|off| *off > 1e-4).count();
            assert!(far <= 1, "step {step}: {far} pixels");
        }
    }
}

#[test]
fn value_l1_draws_fill_the_ball() {
    // Oracle: in n dimensions the length of a uniform draw is below r·ε with probability rⁿ, and each
    // coordinate is as likely positive.
    let (pixels, count) = (3, 4000);
    let mut draws = Seed(1).draws(Purpose::Start, 0, 0);
    let mut lengths = Vec::new();
    let mut positive = [0; 3];
    let mut largest_first = 0;
    for _ in 0..count {
        let draw = L1.draw(pixels, 2.0, &mut draws);
        lengths.push(L1.length(&draw) / 2.0);
        draw.iter()
            .zip(&mut positive)
            .for_each(|(v, n)| *n += usize::from(*v > 0.0));
        largest_first += usize::from(draw[0].abs() > draw[1].abs().max(draw[2].abs()));
    }
    let share = |n: usize| n as f64 / count as f64;
    for (r, expected) in [(0.3f64, 0.027), (0.5, 0.125), (0.8, 0.512), (1.0, 1.0)] {
        let found = share(
            lengths
                .iter()
                .filter(|length| **length <= r + 1e-12)
                .count(),
        );
        // Five standard errors.
        let error = 5.0 * (expected * (1.0 - expected) / count as f64).sqrt();
        assert!((found - expected).abs() <= error, "{r}: {found}");
    }
    for n in positive {
        assert!((share(n) - 0.5).abs() < 0.04, "{n}");
    }
    assert!((share(largest_first) - 1.0 / 3.0).abs() < 0.038);
}
