//! Our attacks against what AutoAttack's published code finds on the same weights and images.
//!
//! Oracle: that code on PyTorch, by tests/fixtures/make_autoattack.py, whose text says what the
//! fixtures hold. All of it is compared, and shown, by
//! `FIREPROOF_REFERENCES=all cargo test --release --test attack autoattack -- --nocapture`, or one network by
//! its name in place of `all`; without that, what takes seconds.

use super::stored::{digits, network, published, set};
use super::watched::climbed;
use crate::common::{On, values};
use burn::tensor::{DType, Tensor, TensorData};
use fireproof::attack::{
    AdaptiveStep, Apgd, Attack, AttackSpec, AutoAttack, Ball, Dlr, Fab, Frozen, Goal, L2, Limits,
    Linf, NormSpec, PixelSpace, Space, Square, Trial,
};
use fireproof::base::statistics::mcnemar;
use fireproof::base::{Batch, Bounds, Seed};
use serde_json::Value;

// Not on every device: a software renderer would take minutes for a network of this size.
on_this_device![
    value_published_verdicts,
    value_square_over_seeds,
    value_published_iterates_of_apgd,
];

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|number| number.as_f64().unwrap()).collect()
}

fn images(on: &On, count: usize) -> Tensor<4> {
    let positions = Vec::from_iter(0..count);
    set().batch(&positions, &on.device()).images
}

fn attack(name: &str, norm: &str, epsilon: f64) -> AttackSpec {
    let norm: NormSpec = match norm {
        "Linf" => Linf.into(),
        _ => L2.into(),
    };
    let apgd = Apgd::new(norm.clone(), epsilon);
    match name {
        "apgd-ce" => apgd.into(),
        "apgd-t" => apgd.with_loss(Dlr).towards_each(9).into(),
        "fab-t" => Fab::new(norm).with_epsilon(epsilon).into(),
        "square" => Square::new(norm, epsilon).into(),
        "standard" => AutoAttack::standard(norm, epsilon).into(),
        "fast" => AutoAttack::fast(norm, epsilon).into(),
        other => panic!("unknown attack {other}"),
    }
}

fn value_published_verdicts(on: &On) {
    let wanted = std::env::var("FIREPROOF_REFERENCES").unwrap_or_default();
    let published = published();
    let labels = digits(&published["labels"]);
    for name in ["small_cnn_natural", "small_cnn_trades", "p4_cnn_pgd"] {
        let all = wanted == "all" || wanted == name;
        let victim = network(name, &on.device());
        let reference = &published["networks"][name];
        // The same network: its classes, and logits.
        let shown = on.pick(64, 8);
        let clean = images(on, shown);
        assert_eq!(
            victim.predict(clean.clone()),
            digits(&reference["predictions"])[..shown]
        );
        let logits = values(victim.logits(clean.narrow(0, 0, 4)));
        let rows = reference["logits"].as_array().unwrap();
        for (ours, theirs) in logits.iter().zip(rows.iter().flat_map(numbers)) {
            assert!(
                (f64::from(*ours) - theirs).abs() < 1e-4,
                "{name}: {ours} {theirs}"
            );
        }
        for norm in ["Linf", "L2"] {
            let reference = &reference[norm];
            let epsilon = reference["eps"].as_f64().unwrap();
            for attack_name in ["apgd-ce", "apgd-t", "fab-t", "square", "standard", "fast"] {
                // Random searches and many targets take minutes.
                let first = name == "small_cnn_natural";
                let quick = match attack_name {
                    "apgd-ce" if first && norm == "Linf" => on.pick(64, 2),
                    "apgd-ce" => on.pick(if first { 64 } else { 16 }, 0),
                    "fab-t" if norm == "Linf" => on.pick(4, 0),
                    "fast" if first && norm == "Linf" => on.pick(12, 0),
                    _ => 0,
                };
                // Not a published one: what it finds is to be what the standard one does.
                let published_as = if attack_name == "fast" {
                    "standard"
                } else {
                    attack_name
                };
                let mut theirs = match &reference["fooled"][published_as] {
                    Value::Null => continue,
                    digits_of => digits(digits_of),
                };
                if !all {
                    theirs.truncate(quick);
                }
                if theirs.is_empty() {
                    continue;
                }
                let count = theirs.len();
                let batch = Batch::new(images(on, count), on.labels(&labels[..count])).unwrap();
                let attack = attack(attack_name, norm, epsilon);
                let found = attack.attack(&victim, &batch, Seed(0)).unwrap();
                let pairs = || found.fooled.iter().zip(&theirs).enumerate();
                let at = |ours: bool| {
                    let apart = pairs().filter(|(_, (a, b))| **a == ours && (**b == 1) != ours);
                    apart.map(|(at, _)| at).collect::<Vec<_>>()
                };
                let (missed, gained) = (at(false), at(true));
                let passes = found.queries.iter().chain(&found.gradients).sum::<u32>();
                println!(
                    "| {name} | {norm} {epsilon} | {attack_name} | {count} | {} | {} | {} | {} | {:.0} |",
                    theirs.iter().sum::<i64>(),
                    found.fooled_count(),
                    listed(&missed),
                    listed(&gained),
                    f64::from(passes) / count as f64,
                );
                let weaker = missed.len() > gained.len();
                let close = match attack_name {
                    // Nothing is drawn.
                    "fab-t" => missed.len() <= gained.len() + 1,
                    // Both start at random: with other starts the published code differs from itself
                    // by two or three of 64 images.
                    _ => mcnemar(missed.len(), gained.len()) >= 0.05,
                };
                assert!(close || !weaker, "{name} {attack}: {missed:?} {gained:?}");
            }
        }
    }
}

// Oracle: the published Square with seeds 1 to 5: nobody's squares are drawn in the same way, so that
// means are compared.
fn value_square_over_seeds(on: &On) {
    let published = published();
    let labels = digits(&published["labels"]);
    let all = std::env::var("FIREPROOF_REFERENCES").is_ok_and(|which| which == "all");
    let (seeds, count, apart) = if all { (5, 128, 0.01) } else { (1, 12, 0.17) };
    let name = "small_cnn_natural";
    let victim = network(name, &on.device());
    // A minute for each.
    for norm in if all { &["Linf", "L2"][..] } else { &["Linf"] } {
        let reference = &published["networks"][name][norm];
        let norm_of: NormSpec = if *norm == "L2" {
            L2.into()
        } else {
            Linf.into()
        };
        let attack = Square::new(norm_of, reference["eps"].as_f64().unwrap());
        let [mut theirs, mut ours] = [0.0, 0.0];
        for seed in 1..=seeds {
            let fooled = digits(&reference["fooled"][format!("square_seed{seed}")]);
            assert_eq!(fooled.len(), 128);
            let share = fooled[..count].iter().sum::<i64>() as f64 / count as f64;
            let batch = Batch::new(images(on, count), on.labels(&labels[..count])).unwrap();
            let found = attack.attack(&victim, &batch, Seed(seed)).unwrap();
            let found = found.fooled_count() as f64 / count as f64;
            println!("{name} {norm}, Square, seed {seed}: {share:.4} published, {found:.4} here");
            theirs += share / seeds as f64;
            ours += found / seeds as f64;
        }
        println!("{name} {norm}, Square, mean: {theirs:.4} published, {ours:.4} here");
        // Finding more is no fault.
        assert!(ours >= theirs - apart, "{norm}: {ours} for {theirs}");
    }
}

fn listed(positions: &[usize]) -> String {
    match positions {
        [] => "none".to_owned(),
        _ => format!("{positions:?}").replace(['[', ']'], ""),
    }
}

// The published projection: onto the ball, and what that gives onto the bounds, which in L2 is not
// the nearest point of both. Else as ours.
#[derive(Debug)]
struct BallThenBounds(PixelSpace);

impl Space for BallThenBounds {
    fn start(&self, trial: &Trial, random: bool) -> Tensor<2> {
        self.0.start(trial, random)
    }

    fn images(&self, trial: &Trial, point: Tensor<2>) -> Tensor<4> {
        self.0.images(trial, point)
    }

    fn steepest(&self, trial: &Trial, gradient: Tensor<2>, length: f64) -> Tensor<2> {
        self.0.steepest(trial, gradient, length)
    }

    fn project(&self, trial: &Trial, point: Tensor<2>) -> Tensor<2> {
        let Ball { norm, epsilon } = &self.0.0;
        let to = Limits {
            originals: trial.originals(),
            epsilon: *epsilon,
            bounds: Bounds::none(),
        };
        let images = norm.project(self.images(trial, point), to);
        trial.bounds().clamp(images).flatten(1, 3)
    }
}

fn waves(count: usize, from: usize) -> Vec<f64> {
    let wave = |n: usize| ((n * n) as f64).sin();
    (from + 1..=from + count).map(wave).collect()
}

fn value_published_iterates_of_apgd(on: &On) {
    if on.pick(false, true) {
        // In f64, which not every device has.
        return;
    }
    iterates(on, DType::F64);
    iterates(on, DType::F32);
}

fn iterates(on: &On, precision: DType) {
    let device = on.device();
    let tensor = |values: Vec<f64>, shape: &[usize]| {
        Tensor::<1>::from_data(
            TensorData::new(values, [shape.iter().product::<usize>()]),
            (&device, precision),
        )
    };
    let scaled = |factor: f64, values: Vec<f64>| Vec::from_iter(values.iter().map(|v| factor * v));
    let w1 = tensor(waves(768, 0), &[768]).reshape([64, 12]);
    let b1 = tensor(scaled(0.1, waves(12, 1000)), &[12]).reshape([1, 12]);
    let w2 = tensor(scaled(1.5, waves(48, 2000)), &[48]).reshape([12, 4]);
    let b2 = tensor(scaled(0.1, waves(4, 3000)), &[4]).reshape([1, 4]);
    let victim = Frozen::from_fn(move |x: Tensor<4>| {
        let hidden = (x.flatten::<2>(1, 3).matmul(w1.clone()) + b1.clone()).tanh();
        hidden.matmul(w2.clone()) + b2.clone()
    });
    let pixels = waves(128, 7000)
        .into_iter()
        .map(|v| (0.5 + 0.55 * v).clamp(0.0, 1.0));
    let pixels = Vec::from_iter(pixels);
    let x = tensor(pixels.clone(), &[128]).reshape([2, 1, 8, 8]);
    let direction = waves(128, 5000);
    let reference = &published()["iterates"];
    let labels = Vec::from_iter(
        numbers(&reference["labels"])
            .iter()
            .map(|&label| label as i64),
    );
    assert_eq!(victim.predict(x.clone()), labels);
    let at = numbers(&reference["at"]);
    for (name, norm) in [("Linf", NormSpec::from(Linf)), ("L2", L2.into())] {
        let reference = &reference[name];
        let epsilon = reference["eps"].as_f64().unwrap();
        let start = direction
            .chunks(64)
            .zip(pixels.chunks(64))
            .flat_map(|(d, x)| {
                let length = norm.length(d) + 1e-12;
                let moved = d
                    .iter()
                    .zip(x)
                    .map(|(d, x)| (x + epsilon * d / length).clamp(0.0, 1.0));
                moved.collect::<Vec<_>>()
            });
        let start = tensor(start.collect(), &[128]).reshape([2, 64]);
        let batch = Batch::new(x.clone(), on.labels(&labels))
            .unwrap()
            .with_bounds(Bounds::default());
        let mut trial = Trial::new(&victim, &batch, &Goal::default(), 1).unwrap();
        let space = BallThenBounds(PixelSpace(Ball::new(norm, epsilon)));
        let rule = AdaptiveStep::new(100, epsilon);
        let points = climbed(&mut trial, &space, rule, 100, start);
        let theirs = reference["images"].as_array().unwrap().iter().map(numbers);
        let mut worst = 0.0f64;
        for (&step, theirs) in at.iter().zip(theirs) {
            let Some(ours) = points.get(step as usize) else {
                continue;
            };
            let off = ours
                .iter()
                .zip(&theirs)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            worst = worst.max(off);
            match precision {
                DType::F64 => assert!(off < 1e-9, "{name}, step {step}: {off:e}"),
                // In f32 paths part sooner or later, at a gradient whose sign is rounding.
                _ if step == 10.0 => {
                    let near = ours
                        .iter()
                        .zip(&theirs)
                        .filter(|(a, b)| (*a - *b).abs() < 1e-5);
                    let share = near.count() as f64 / theirs.len() as f64;
                    println!("{name} in f32: {share:.3} of the pixels after 10 steps");
                    assert!(share >= 0.97, "{name}: {share}");
                }
                _ => {}
            }
        }
        println!("{name}: {} iterates, {worst:e} apart at most", points.len());
    }
}
