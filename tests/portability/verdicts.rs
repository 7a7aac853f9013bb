//! Which images attacks fool, on every backend compiled in beside Flex (NdArray and WGPU).
//!
//! Oracle: Flex, at radii that leave some of the images standing. Backends round differently, and an attack
//! that climbs may take another way after a sign that fell the other way: of all verdicts 99 % have to be the
//! same, and of each attack's all but a sixteenth.
//!
//! `FIREPROOF_REFERENCES=all cargo test --release --features wgpu,ndarray --test portability verdicts -- --nocapture`
//! compares 64 images on three networks that were trained, for a real GPU; without the variable it is a few
//! images and steps on a small one.

#[path = "../attack/stored.rs"]
mod stored;

use crate::attack::network::network;
use crate::common::On;
use fireproof::attack::{
    Apgd, AttackSpec, AutoAttack, CarliniWagner, Ddn, DeepFool, Dlr, Fab, Fmn, JointPgd, L1, L2,
    Linf, NormSpec, Orbit, PoseGradient, PoseSearch, RandomPose, RandomSearch, Square,
};
use fireproof::base::compiled_devices;
use fireproof::prelude::*;
use std::time::Instant;

// Attacks by the steps that they may make; radii are those of the fixtures.
fn attacks(most: usize, [linf, l2]: [f64; 2]) -> Vec<AttackSpec> {
    let steps = |published: usize| published.min(most);
    let budget = PoseBudget::new(Degrees(30.0), Pixels(3.0)).unwrap();
    let mut all: Vec<AttackSpec> = vec![
        Fgsm::linf(linf).into(),
        Pgd::linf(linf).with_steps(steps(20)).restarts(2).into(),
        Pgd::l2(l2).with_steps(steps(20)).into(),
        Pgd::l1(8.0 * l2).with_steps(steps(20)).into(),
        Ddn::default()
            .with_steps(steps(100))
            .with_epsilon(l2)
            .into(),
        DeepFool::new(L2)
            .with_steps(steps(50))
            .with_epsilon(l2)
            .into(),
        CarliniWagner::default()
            .with_searches(steps(9).min(3))
            .with_steps(steps(100))
            .with_epsilon(l2)
            .into(),
        GridSearch::new(budget)
            .with_points(steps(31), steps(5), steps(5))
            .into(),
        RandomSearch::new(budget, steps(100)).into(),
        PoseSearch::new(budget).with_rounds(steps(4)).into(),
        PoseGradient::new(budget).with_steps(steps(10)).into(),
        Orbit::p4().with_shifts(1).into(),
        JointPgd::linf(budget, linf / 2.0)
            .with_steps(steps(10))
            .into(),
        RandomPose::new(budget)
            .before(Pgd::linf(linf).with_steps(steps(20)))
            .into(),
    ];
    for (norm, epsilon) in [(NormSpec::from(Linf), linf), (L2.into(), l2)] {
        let apgd = Apgd::new(norm.clone(), epsilon).with_steps(steps(100));
        all.push(apgd.clone().into());
        all.push(apgd.with_loss(Dlr).towards_each(3).into());
        let fab = Fab::new(norm.clone()).with_epsilon(epsilon);
        all.push(fab.with_steps(steps(20)).into());
        let fmn = Fmn::new(norm.clone()).with_epsilon(epsilon);
        all.push(fmn.with_steps(steps(100)).into());
        let square = Square::new(norm.clone(), epsilon).with_queries(steps(500));
        all.push(square.with_rescaled_schedule(true).into());
        if most > 20 {
            all.push(AutoAttack::fast(norm, epsilon).into());
        }
    }
    all.push(Apgd::new(L1, 8.0 * l2).with_steps(steps(100)).into());
    all
}

/// A network and images on a device.
type Made = Box<dyn Fn(&On) -> (Frozen, Batch)>;

/// A name, radii in L∞ and L2, and what is attacked.
type Case = (String, [f64; 2], Made);

// The network and images that most tests of attacks have, whose shaders are there already.
fn small() -> Vec<Case> {
    let case = |on: &On| {
        let (victim, batch) = network(on);
        (victim, batch.select(&Vec::from_iter(0..20)))
    };
    vec![("random weights".to_owned(), [0.1, 1.5], Box::new(case))]
}

fn whole() -> Vec<Case> {
    let published = stored::published();
    let names = ["small_cnn_natural", "small_cnn_trades", "p4_cnn_pgd"];
    let case = |name: &'static str| {
        let radius = |norm: &str| published["networks"][name][norm]["eps"].as_f64().unwrap();
        let of = move |on: &On| {
            let positions = Vec::from_iter(0..64);
            let batch = stored::set().batch(&positions, &on.device());
            (stored::network(name, &on.device()), batch)
        };
        let of: Made = Box::new(of);
        (name.to_owned(), ["Linf", "L2"].map(radius), of)
    };
    names.map(case).into()
}

#[test]
fn value_verdicts_agree() {
    // NdArray would take hours for all.
    let (most, cases, not) = match std::env::var("FIREPROOF_REFERENCES") {
        Ok(which) if which == "all" => (1000, whole(), ["flex", "vulkan", "ndarray"]),
        _ => (3, small(), ["flex", "vulkan", ""]),
    };
    let others = compiled_devices().iter().copied();
    let others = Vec::from_iter(others.filter(|name| !not.contains(name)));
    assert!(!others.is_empty(), "no backend to compare");
    let mut same = vec![0; others.len()];
    let (mut all, mut fooled) = (0, 0);
    for (name, radii, of) in cases {
        let run = |attack: &AttackSpec, device: &'static str| {
            let (victim, batch) = of(&On::new(Some(device)));
            let started = Instant::now();
            let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
            (found.fooled, started.elapsed().as_secs_f64())
        };
        for attack in attacks(most, radii) {
            let (reference, seconds) = run(&attack, "flex");
            all += reference.len();
            fooled += reference.iter().filter(|fooled| **fooled).count();
            let mut line = format!("{name}, {attack}: flex {seconds:.2} s");
            for (other, same) in others.iter().zip(&mut same) {
                let (verdicts, seconds) = run(&attack, other);
                let apart = (0..verdicts.len()).filter(|&at| verdicts[at] != reference[at]);
                let apart = Vec::from_iter(apart);
                *same += verdicts.len() - apart.len();
                let few = verdicts.len().div_ceil(16);
                assert!(apart.len() <= few, "{name}, {attack}, {other}: {apart:?}");
                line += &format!(", {other} {seconds:.2} s, apart {apart:?}");
            }
            println!("{line}");
        }
    }
    // Neither all nor none of them.
    assert!(
        all / 5 < fooled && fooled < all * 4 / 5,
        "{fooled} of {all}"
    );
    for (other, same) in others.iter().zip(same) {
        let share = same as f64 / all as f64;
        println!(
            "{other}: {same} of {all} verdicts as on flex, {:.2} %",
            100.0 * share
        );
        assert!(share >= 0.99, "{other}: {share}");
    }
}
