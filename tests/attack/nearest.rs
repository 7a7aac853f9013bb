//! Minimum-norm attacks against distances that are known.

use super::planes::{norms, slow};
use crate::common::On;
use burn::tensor::{DType, Tensor, TensorData};
use fireproof::attack::{
    Attack, AttackSpec, CarliniWagner, Ddn, DeepFool, Fab, Fmn, Found, Frozen, L2, Linf, NormSpec,
};
use fireproof::base::{Batch, Bounds, Precision, Purpose, Seed, read};

// Not on every device: a software renderer would take minutes for so many steps; `trial::nearest` runs
// these attacks on every one.
on_this_device![
    value_fab_finds_the_distance_to_a_plane,
    value_others_come_as_near_to_a_plane_as_they_can,
    value_no_attack_beats_a_slow_search,
    value_the_class_in_front_may_not_be_the_nearest,
];

const SIDE: usize = 8;

const PIXELS: usize = SIDE * SIDE;

// Logits (0, w·x - b): w by formula, and b so that the images are on the side of class 0.
fn weights() -> Vec<f64> {
    Vec::from_iter((0..PIXELS).map(|i| {
        let size = if i % 5 == 0 { 0.6 } else { 0.05 };
        size * (1.7 * i as f64).sin() + if i % 2 == 0 { 0.02 } else { -0.02 }
    }))
}

fn originals() -> Vec<f64> {
    Vec::from_iter((0..3 * PIXELS).map(|i| (i * 37 % 101) as f64 / 100.0))
}

fn score(x: &[f64]) -> f64 {
    x.iter().zip(weights()).map(|(x, w)| x * w).sum()
}

fn offset(gap: f64) -> f64 {
    let highest = originals()
        .chunks(PIXELS)
        .map(score)
        .fold(f64::MIN, f64::max);
    highest + gap
}

fn linear(on: &On, dtype: DType, gap: f64) -> Frozen {
    let data = TensorData::new(weights(), [PIXELS, 1]);
    let weights = Tensor::<2>::from_data(data, (&on.device(), dtype));
    let offset = offset(gap);
    Frozen::from_fn(move |x: Tensor<4>| {
        let score = x.flatten::<2>(1, 3).matmul(weights.clone()) - offset;
        Tensor::cat(vec![score.clone() * 0.0, score], 1)
    })
}

fn batch(on: &On, dtype: DType, bounds: Bounds) -> Batch {
    let data = TensorData::new(originals(), [3, 1, SIDE, SIDE]);
    let images = Tensor::<4>::from_data(data, (&on.device(), dtype));
    let batch = Batch::new(images, on.labels(&[0; 3])).unwrap();
    batch.with_bounds(bounds)
}

fn moves(found: &Found) -> Vec<Vec<f64>> {
    let [images, originals] = [&found.images, &found.originals].map(read::<f64, _, _>);
    let moves = images.iter().zip(&originals).map(|(a, b)| a - b);
    let moves: Vec<f64> = moves.collect();
    moves
        .chunks(moves.len() / found.len())
        .map(<[f64]>::to_vec)
        .collect()
}

fn types(on: &On) -> Vec<DType> {
    match on.is("wgpu") {
        true => vec![DType::F32],
        false => vec![DType::F64, DType::F32],
    }
}

// How far the boundary is, and the bounds: at the larger distance most pixels come to their ends.
fn planes_and_bounds() -> [(f64, Bounds); 3] {
    [
        (0.3, Bounds::none()),
        (0.3, Bounds::default()),
        (1.2, Bounds::default()),
    ]
}

// The excess over the least distance, relative to it, of the image where it is largest.
fn excess(
    on: &On,
    attack: &AttackSpec,
    norm: &NormSpec,
    dtype: DType,
    gap: f64,
    bounds: Bounds,
) -> [f64; 2] {
    let victim = linear(on, dtype, gap);
    let batch = batch(on, dtype, bounds);
    let found = attack.attack(&victim, &batch, Seed(3)).unwrap();
    assert_eq!(found.fooled, [true; 3], "{attack}");
    let limits = match bounds == Bounds::none() {
        true => [-1e9, 1e9],
        false => [0.0, 1.0],
    };
    let mut range = [f64::INFINITY, f64::NEG_INFINITY];
    for (image, moved) in moves(&found).into_iter().enumerate() {
        let x = &originals()[image * PIXELS..][..PIXELS];
        let least = norm.length(&slow(norm, x, &weights(), offset(gap) - score(x), limits));
        let length = norm.length(&moved);
        let told = found.distance[image].expect("fooled");
        let resolution = Precision::of_type(dtype).unwrap().epsilon();
        assert!(
            (told - length).abs() <= 64.0 * resolution * length,
            "{attack}: {told}, {length}"
        );
        let excess = length / least - 1.0;
        range = [range[0].min(excess), range[1].max(excess)];
    }
    println!("{attack} {dtype:?}, gap {gap}: {range:?} farther");
    range
}

fn value_fab_finds_the_distance_to_a_plane(on: &On) {
    // Oracle: |f(x)| over the dual norm; within bounds a bisection in f64.
    for norm in norms() {
        let attack = AttackSpec::from(Fab::new(norm.clone()).with_steps(on.pick(20, 5)));
        for dtype in types(on) {
            for (gap, bounds) in planes_and_bounds() {
                let [least, most] = excess(on, &attack, &norm, dtype, gap, bounds);
                let rounding = if dtype == DType::F64 { 1e-6 } else { 1e-4 };
                // The search in the end shortens pixels at their bounds as well, which the nearest
                // point has there still: a second-order excess that FAB has as published.
                let excess = if bounds == Bounds::none() {
                    rounding
                } else {
                    on.pick(4e-3, 1e-2)
                };
                assert!(
                    least > -rounding && most < excess,
                    "{attack}: {least}, {most}"
                );
            }
        }
    }
}

fn value_others_come_as_near_to_a_plane_as_they_can(on: &On) {
    if on.pick(false, true) {
        // In as few steps as a software renderer can do they come near nothing.
        return;
    }
    // Oracle: the distance, and what each attack does at a plane. DDN and FMN end within their last
    // change of the length, which is 5 % and 0.1 %.
    let cases: [(AttackSpec, NormSpec, f64); 4] = [
        (Ddn::new().with_steps(100).into(), L2.into(), 0.053),
        (
            Ddn::new().with_gamma(0.01).with_steps(400).into(),
            L2.into(),
            0.011,
        ),
        (Fmn::l2().with_steps(200).into(), L2.into(), 0.002),
        (Fmn::linf().with_steps(200).into(), Linf.into(), 0.05),
    ];
    for (attack, norm, most) in cases {
        for (gap, bounds) in planes_and_bounds() {
            let [least, worst] = excess(on, &attack, &norm, DType::F32, gap, bounds);
            assert!(least > -1e-4 && worst < most, "{attack}: {least}, {worst}");
        }
    }
    // One step with an overshoot of 2 %, and 1e-4 farther.
    for attack in [DeepFool::l2(), DeepFool::linf()] {
        let norm = attack.norm.clone();
        for dtype in types(on) {
            let victim = linear(on, dtype, 0.3);
            let batch = batch(on, dtype, Bounds::none());
            let found = attack.attack(&victim, &batch, Seed(3)).unwrap();
            for (image, moved) in moves(&found).into_iter().enumerate() {
                let x = &originals()[image * PIXELS..][..PIXELS];
                let least = slow(&norm, x, &weights(), offset(0.3) - score(x), [-1e9, 1e9]);
                let expected = 1.02 * (norm.length(&least) + 1e-4);
                let error = (norm.length(&moved) / expected - 1.0).abs();
                let rounding = if dtype == DType::F64 { 1e-6 } else { 1e-4 };
                assert!(error < rounding, "{attack}: {error}");
                // The first pass, the one that finds that it fools, and the verdict.
                assert_eq!((found.queries[image], found.gradients[image]), (4, 2));
            }
        }
    }
    let cw = CarliniWagner::new().with_steps(300).with_searches(6);
    let attack = cw.with_first_constant(1.0).with_rate(0.03).into();
    for gap in [0.3, 1.2] {
        let [least, worst] = excess(on, &attack, &L2.into(), DType::F32, gap, Bounds::default());
        assert!(least > -1e-4 && worst < 0.03, "{attack}: {worst}");
    }
}

// Three classes of two pixels, by a layer of sixteen waves and one of sums.
struct TwoLayers {
    first: Vec<f64>,
    second: Vec<f64>,
}

const HIDDEN: usize = 16;

impl TwoLayers {
    fn new() -> Self {
        let mut draws = Seed(8).draws(Purpose::Weights, 0, 0);
        let mut draw =
            |count: usize, size: f64| Vec::from_iter((0..count).map(|_| size * draws.normal()));
        Self {
            first: draw(3 * HIDDEN, 3.0),
            second: draw(3 * HIDDEN, 1.0),
        }
    }

    // In f64, without tensors.
    fn class(&self, [x, y]: [f64; 2]) -> usize {
        let mut logits = [0.0; 3];
        for (unit, w) in self.first.chunks(3).enumerate() {
            let wave = (w[0] * x + w[1] * y + w[2]).tanh();
            (0..3).for_each(|class| logits[class] += self.second[unit * 3 + class] * wave);
        }
        (1..3).fold(0, |best, class| {
            if logits[class] > logits[best] {
                class
            } else {
                best
            }
        })
    }

    fn victim(&self, on: &On) -> Frozen {
        let column = |at: usize| self.first.chunks(3).map(move |w| w[at] as f32);
        let weights = on.tensor(column(0).chain(column(1)).collect(), [2, HIDDEN]);
        let offsets = on.tensor(column(2).collect(), [1, HIDDEN]);
        let second = self.second.iter().map(|&w| w as f32).collect();
        let second = on.tensor(second, [HIDDEN, 3]);
        Frozen::from_fn(move |images: Tensor<4>| {
            let x = images.flatten::<2>(1, 3).matmul(weights.clone()) + offsets.clone();
            x.tanh().matmul(second.clone())
        })
    }
}

fn value_no_attack_beats_a_slow_search(on: &On) {
    // Oracle: every point of a grid over all images there are.
    let net = TwoLayers::new();
    let victim = net.victim(on);
    let count = on.pick(24, 4);
    let mut draws = Seed(9).draws(Purpose::Subset, 0, 0);
    let points = Vec::from_iter((0..count).map(|_| [(); 2].map(|()| draws.uniform(0.0, 1.0))));
    let labels = Vec::from_iter(points.iter().map(|&point| net.class(point) as i64));
    let pixels = points.iter().flatten().map(|&v| v as f32).collect();
    let batch = Batch::new(on.tensor(pixels, [count, 1, 1, 2]), on.labels(&labels)).unwrap();
    assert_eq!(victim.predict(batch.images.clone()), labels);
    assert!((0..3).all(|class| labels.contains(&class)) || on.pick(false, true));
    let fine = on.pick(1000, 200);
    let place = |at: usize| at as f64 / fine as f64;
    let grid = (0..=fine).flat_map(|x| (0..=fine).map(move |y| [place(x), place(y)]));
    let grid = Vec::from_iter(grid.map(|point| (point, net.class(point) as i64)));
    let attacks: [(AttackSpec, f64, usize); 8] = [
        (Fab::linf().restarts(3).into(), 1.01, 1),
        (Fab::l2().restarts(3).into(), 1.01, 1),
        (Fmn::linf().into(), 1.05, 3),
        (Fmn::l2().into(), 1.05, 3),
        (Ddn::new().into(), 1.08, 3),
        (DeepFool::linf().into(), 1.5, 4),
        (DeepFool::l2().into(), 1.5, 4),
        (
            CarliniWagner::new()
                .with_steps(100)
                .with_rate(0.05)
                .with_first_constant(0.1)
                .into(),
            1.05,
            3,
        ),
    ];
    for (attack, most, missed) in attacks {
        let norm = attack.goal().nearest.expect("a norm").norm;
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        let mut far = 0;
        for at in 0..count {
            let others = grid.iter().filter(|(_, class)| *class != labels[at]);
            let distance = |[x, y]: [f64; 2]| norm.length(&[x - points[at][0], y - points[at][1]]);
            let least = others
                .map(|&(point, _)| distance(point))
                .fold(f64::INFINITY, f64::min);
            let ours = found.distance[at].unwrap_or(f64::INFINITY);
            // No grid point is farther from the boundary than the diagonal of a cell.
            assert!(
                ours >= least - 1.5 / fine as f64,
                "{attack}, {at}: {ours} for {least}"
            );
            far += usize::from(ours > least * most + 1.5 / fine as f64);
        }
        println!("{attack}: {far} of {count} farther than {most} times the least");
        assert!(far <= missed, "{attack}: {far}");
    }
}

fn value_the_class_in_front_may_not_be_the_nearest(on: &On) {
    // Logits 0, x - 0.6 and 20·(y - 0.51): at (0.5, 0.5) class 1 is more likely than class 2, which is
    // ten times as near.
    let victim = Frozen::from_fn(|images: Tensor<4>| {
        let x = images.flatten::<2>(1, 3);
        let [x, y] = [0, 1].map(|at| x.clone().narrow(1, at, 1));
        Tensor::cat(vec![x.clone() * 0.0, x - 0.6, (y - 0.51) * 20.0], 1)
    });
    let batch = Batch::new(on.tensor(vec![0.5, 0.5], [1, 1, 1, 2]), on.labels(&[0])).unwrap();
    let run = |fab: Fab| fab.with_steps(5).attack(&victim, &batch, Seed(1)).unwrap();
    for fab in [Fab::l2(), Fab::linf()] {
        let [first, all] = [run(fab.clone().with_target_classes(1)), run(fab.clone())];
        assert!(
            (first.distance[0].unwrap() - 0.1).abs() < 1e-4,
            "{:?}",
            first.distance
        );
        assert!(
            (all.distance[0].unwrap() - 0.01).abs() < 1e-5,
            "{:?}",
            all.distance
        );
        assert_eq!((first.gradients[0], all.gradients[0]), (5, 10));
        // Led to one class, as far as that one is; with a ball around it or without.
        for (class, distance) in [(1, 0.1), (2, 0.01)] {
            let led = fab.clone().with_targets(class);
            for led in [led.clone(), led.with_epsilon(0.2)] {
                let found = run(led);
                assert!((found.distance[0].unwrap() / distance - 1.0).abs() < 1e-3);
                assert_eq!((found.predicted[0], found.gradients[0]), (class as i64, 5));
            }
        }
        // Nothing is led to what it is.
        assert_eq!(run(fab.with_targets(0)).fooled, [false]);
    }
}
