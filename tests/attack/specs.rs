//! Attacks as settings in files: nothing is computed.

use fireproof::attack::{
    Attack, AttackSpec, Choice, Fgsm, FixedTarget, GivenTargets, Keep, LeastLikely, Margin,
    NextClass, Pgd, RandomTarget, Targets, TargetsSpec,
};
use fireproof::base::Keys;
use serde_json::json;

#[test]
fn smoke_specs_name_build_and_print_attacks() {
    let specs: Vec<AttackSpec> = vec![
        Pgd::linf(8.0 / 255.0).with_targets(NextClass).into(),
        Pgd::l2(0.5)
            .with_step_size(0.1)
            .with_keep(Keep::Last)
            .into(),
        Fgsm::linf(0.3).with_loss(Margin).into(),
    ];
    for spec in &specs {
        let json = spec.settings();
        let again: AttackSpec = serde_json::from_value(json).unwrap();
        assert_eq!(&again, spec);
    }
    assert_eq!(
        specs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "PGD-10 L∞ ε=8/255 step=2/255, towards next class",
            "PGD-10 L2 ε=0.5 step=0.1, last iterate",
            "FGSM L∞ ε=0.3, margin loss",
        ]
    );
    let pgd = Pgd::linf(0.1);
    assert_eq!(pgd.settings(), AttackSpec::from(pgd.clone()).settings());
    assert_eq!(pgd.settings()["attack"], "pgd");
    let unknown = r#"{"attack": "pgd", "norm": "linf", "epsilon": 0.1, "step": 3}"#;
    assert!(serde_json::from_str::<AttackSpec>(unknown).is_err());
}

#[test]
fn smoke_targets_are_named_in_files() {
    let cases: [(TargetsSpec, _); 5] = [
        (NextClass.into(), json!("next")),
        (LeastLikely.into(), json!("least_likely")),
        (RandomTarget.into(), json!("random")),
        (
            FixedTarget::new(3).into(),
            json!({"targets": "fixed", "class": 3}),
        ),
        (
            GivenTargets::new([3, 1]).into(),
            json!({"targets": "given", "classes": [3, 1]}),
        ),
    ];
    for (targets, written) in cases {
        assert_eq!(serde_json::to_value(&targets).unwrap(), written);
        let attack = Pgd::linf(0.1).with_targets(targets);
        let again: AttackSpec = serde_json::from_value(attack.settings()).unwrap();
        assert_eq!(again, attack.into());
    }
}

#[test]
fn value_random_targets_are_any_class_but_the_label_by_id_alone() {
    let count = 9_000;
    let labels: Vec<i64> = (0..count).map(|at| at % 10).collect();
    let choose = |seed: u64, ids: &[u64], labels: &[i64]| {
        let keys = Keys::new(seed, ids.to_vec());
        let among = Choice {
            labels,
            classes: 10,
            logits: &[],
            keys: &keys,
        };
        RandomTarget.choose(&among).unwrap()
    };
    let ids: Vec<u64> = (0..count as u64).collect();
    let chosen = choose(1, &ids, &labels);
    let mut by_distance = [0; 10];
    for (target, label) in chosen.iter().zip(&labels) {
        by_distance[(target - label).rem_euclid(10) as usize] += 1;
    }
    assert_eq!(by_distance[0], 0);
    // Each is binomial with mean 1,000 and standard deviation 30.
    let near = |&n: &i32| (850..1150).contains(&n);
    assert!(by_distance[1..].iter().all(near), "{by_distance:?}");
    assert_eq!(
        choose(1, &[7, 3], &[labels[7], labels[3]]),
        [chosen[7], chosen[3]]
    );
    assert_ne!(choose(2, &ids, &labels), chosen);
}
