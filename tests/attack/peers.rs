//! Minimum-norm attacks against those of other libraries, on a trained network. All 200 images, and
//! Carlini-Wagner with 9 × 1,000 steps on 100, by
//! `FIREPROOF_REFERENCES=all cargo test --release --test attack peers -- --nocapture`.

use super::torchattacks::trained;
use crate::common::On;
use fireproof::attack::{AttackSpec, CarliniWagner, Ddn, DeepFool, Fab, Fmn};
use fireproof::base::Seed;
use std::collections::BTreeMap;

// Not on every device: a software renderer would take minutes for a network of this size.
on_this_device![value_no_farther_than_other_libraries,];

fn value_no_farther_than_other_libraries(on: &On) {
    // Oracle: AutoAttack's FAB-T and foolbox 3.3.4, by tests/fixtures/make_nearest.py.
    let text = include_str!("../fixtures/nearest_expected.json");
    let expected: BTreeMap<String, Vec<Option<f64>>> = serde_json::from_str(text).unwrap();
    let all = std::env::var("FIREPROOF_REFERENCES").is_ok_and(|which| which == "all");
    let (victim, batch) = trained(on, if all { 200 } else { on.pick(24, 2) });
    let clean = victim.predict(batch.images.clone());
    let labels = batch.labels_to_vec();
    let fab = |fab: Fab| fab.with_final_search(0);
    let cw = CarliniWagner::new()
        .with_searches(5)
        .with_steps(60)
        .with_rate(0.1)
        .with_first_constant(1.0)
        .with_abort_early(false);
    // How far the median of the ratios of distances may be from 1, how much nearer and how much farther
    // an image may be. FAB makes one pass a step where AutoAttack makes two, and FMN goes on where
    // foolbox's approaches a boundary from within.
    let longer = CarliniWagner::new().with_searches(9).with_steps(1000);
    let cases: [(&str, AttackSpec, [f64; 3]); 8] = [
        ("fab linf", fab(Fab::linf()).into(), [0.003, 0.02, 0.015]),
        ("fab l2", fab(Fab::l2()).into(), [0.003, 0.02, 0.015]),
        ("ddn l2", Ddn::new().into(), [1e-4, 1e-3, 1e-3]),
        ("fmn linf", Fmn::linf().into(), [0.003, 0.01, 0.01]),
        (
            "deep_fool linf",
            DeepFool::linf().into(),
            [1e-4, 1e-3, 1e-3],
        ),
        ("deep_fool l2", DeepFool::l2().into(), [1e-4, 1e-3, 1e-3]),
        ("carlini_wagner l2", cw.into(), [1e-4, 1e-3, 1e-3]),
        // Only among all.
        ("carlini_wagner 9x1000 l2", longer.into(), [0.0; 3]),
    ];
    for (name, attack, [median, least, most]) in cases {
        if name.contains("9x1000") && !all {
            continue;
        }
        let batch = batch.select(&Vec::from_iter(0..batch.len().min(expected[name].len())));
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        let mut ratios = Vec::new();
        for (at, theirs) in expected[name][..batch.len()].iter().enumerate() {
            match (clean[at] == labels[at], found.distance[at], theirs) {
                (false, ours, _) => assert_eq!(ours, Some(0.0)),
                (true, Some(ours), Some(theirs)) => ratios.push(ours / theirs),
                (true, ours, theirs) => panic!("{name}, image {at}: {ours:?} for {theirs:?}"),
            }
        }
        ratios.sort_unstable_by(f64::total_cmp);
        let range = [
            ratios[ratios.len() / 2],
            ratios[0],
            ratios[ratios.len() - 1],
        ];
        println!("{attack}: {:.5}, ratios {range:?}", found.median_distance());
        if all {
            // Of so many, single images go another way after a step that rounds otherwise.
            let close = (range[0] - 1.0).abs() < 0.005 && range[2] < 1.02;
            assert!(close, "{attack}: {range:?}");
            continue;
        }
        assert!((range[0] - 1.0).abs() < median, "{attack}: {range:?}");
        assert!(
            range[1] > 1.0 - least && range[2] < 1.0 + most,
            "{attack}: {range:?}"
        );
    }
}
