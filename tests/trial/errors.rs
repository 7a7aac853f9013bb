//! Combinations that make no sense.

use super::given::{batch, victim};
use crate::common::On;
use fireproof::attack::{Attack, AttackSpec, Fgsm, Pgd};
use fireproof::base::Seed;

on_every_device![error_combinations_that_make_no_sense,];

fn error_combinations_that_make_no_sense(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let cases: [(AttackSpec, &str); 5] = [
        (Fgsm::linf(0.1).or(Pgd::linf(0.2)).into(), "one ball"),
        (Fgsm::linf(0.1).or(Pgd::l2(0.1)).into(), "one ball"),
        (
            Fgsm::linf(0.1).or(Pgd::linf(0.1).with_targets(1)).into(),
            "the same targets",
        ),
        (Fgsm::linf(0.1).then(Pgd::l2(0.1)).into(), "one norm"),
        (Fgsm::linf(0.1).restarts(2).into(), "without a random start"),
    ];
    for (attack, expected) in cases {
        let error = attack
            .attack(&victim, &batch, Seed(1))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
    let error = Pgd::linf(0.1)
        .at_level(&[0.1, 0.2])
        .unwrap_err()
        .to_string();
    assert!(error.contains("one number"), "{error}");
    for (json, expected) in [
        (
            r#"{"attack": "apgdd"}"#,
            "one of: affine, apgd, auto, budget, carlini_wagner, ddn, deep_fool, each_target, ensemble, fab, fgsm, \
             fmn, friendly_pgd, grid_search, in_random_pose, joint_pgd, malt, masked, msd, orbit, per_image, pgd, \
             pose_gradient, pose_search, random_search, restarts, sequence, square",
        ),
        (r#"{"epsilon": 1}"#, "no name"),
        (
            r#"{"attack": "pgd", "norm": "l3", "epsilon": 1}"#,
            "one of: l1, l2, linf",
        ),
        (
            r#"{"attack": "pgd", "norm": "l2", "epsilon": 1, "loss": "hinge"}"#,
            "cross_entropy, dlr, kl, margin, probability_margin",
        ),
    ] {
        let error = serde_json::from_str::<AttackSpec>(json)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}
