//! AutoAttack: what it consists of, and that it is no weaker than its parts.

use super::network::{Net, random_batch};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{
    Attack, AttackSpec, AutoAttack, Cost, Found, Frozen, L1, L2, Linf, NormSpec, Version,
};
use fireproof::base::{Batch, Seed};

// Not on every device: a software renderer would take minutes for a thousand passes.
on_this_device![
    value_composition_as_published,
    value_auto_is_its_attacks_one_after_the_other,
    value_who_falls_meets_no_more,
    value_few_classes_have_few_targets,
    error_settings_of_auto,
];

fn value_composition_as_published(_: &On) {
    let names = |attack: AutoAttack| {
        let names = attack
            .attacks()
            .into_iter()
            .map(|attack| attack.to_string());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        names(AutoAttack::standard(L1, 12.0)),
        [
            "APGD-100 L1 ε=12 from 3ε ×5",
            "APGD-100 L1 ε=12 from 3ε, DLR loss, towards each of 5 classes",
            "FAB-100 L1 ε=12",
            "Square-5000 L1 ε=12",
        ]
    );
    assert_eq!(
        names(AutoAttack::plus(Linf, 0.3)),
        [
            "APGD-100 L∞ ε=0.3 ×5",
            "APGD-100 L∞ ε=0.3, DLR loss ×5",
            "FAB-100 L∞ ε=0.3 ×5",
            "Square-5000 L∞ ε=0.3",
            "APGD-100 L∞ ε=0.3, DLR loss, towards each of 9 classes",
        ]
    );
    for norm in [NormSpec::from(Linf), L2.into(), L1.into()] {
        let rand = AutoAttack::rand(norm.clone(), 2.0);
        let apgd = format!("APGD-100 {norm} ε=2");
        assert_eq!(
            names(rand.clone()),
            [apgd.clone(), format!("{apgd}, DLR loss")]
        );
        assert_eq!(rand.cost().gradients, 200);
    }
    assert_eq!(AutoAttack::RANDOM_DRAWS, 20);
    let json = r#"{"attack": "auto", "norm": "l2", "epsilon": 2, "version": "rand"}"#;
    let read: AttackSpec = serde_json::from_str(json).unwrap();
    assert_eq!(read, AutoAttack::rand(L2, 2.0).into());
    assert_eq!(
        names(AutoAttack::fast(L2, 0.5)),
        [
            "APGD-10 L2 ε=0.5",
            "FMN-60 L2 ε=0.5",
            "APGD-100 L2 ε=0.5",
            "APGD-100 L2 ε=0.5, DLR loss, towards each of 9 classes",
            "Square-300 L2 ε=0.5, rescaled schedule",
        ]
    );
    let attack = AutoAttack::standard(L2, 0.5);
    // A third of the standard's passes at most where nothing falls, about a tenth where the first one fools.
    let passes = |cost: Cost| cost.queries + cost.gradients;
    let fast = AutoAttack::fast(L2, 0.5);
    let most = [fast.cost(), attack.cost()].map(passes);
    assert!(3 * most[0] <= most[1], "{most:?}");
    assert!(10 * fast.attacks()[0].cost().gradients <= attack.attacks()[0].cost().gradients);

    // One for each start and class; the published numbers of steps.
    assert_eq!(attack.parts().len(), 1 + 9 + 9 + 1);
    let cost = attack.cost();
    assert_eq!(cost.gradients, 100 + 900 + 900);
    let json = r#"{"attack": "auto", "norm": "l2", "epsilon": 0.5}"#;
    let read: AttackSpec = serde_json::from_str(json).unwrap();
    assert_eq!(read, attack.into());
    assert_eq!(
        read.at_level(&[1.0]).unwrap(),
        AutoAttack::standard(L2, 1.0).into()
    );
}

fn value_auto_is_its_attacks_one_after_the_other(on: &On) {
    // Oracle: each attack alone. On a network that falls at once, so that this is quick.
    let victim = Frozen::new(&Net::random(on, 3));
    let batch = random_batch(on, &victim, on.pick(6, 2));
    let auto = AutoAttack::new(Linf, 0.05, Version::Standard);
    let found = auto.attack(&victim, &batch, Seed(1)).unwrap();
    let first = auto.attacks()[0].attack(&victim, &batch, Seed(1)).unwrap();
    for (at, &fooled) in first.fooled.iter().enumerate() {
        assert!(found.fooled[at] || !fooled);
        // Whoever falls to the first attack meets no other.
        assert!(!fooled || found.gradients[at] == first.gradients[at]);
    }
    assert!(
        first.fooled_count() >= batch.len() / 2,
        "{:?}",
        first.fooled
    );
}

fn value_who_falls_meets_no_more(on: &On) {
    // Oracle: every attack on every image. On a weak network the first one fools nearly all.
    let victim = Frozen::new(&Net::random(on, 3));
    let batch = random_batch(on, &victim, 3);
    let auto = AutoAttack::fast(Linf, 0.12);
    let found = auto.attack(&victim, &batch, Seed(1)).unwrap();
    let passes = |found: &Found| found.queries.iter().chain(&found.gradients).sum::<u32>();
    let (mut without, mut fooled) = (0, vec![false; batch.len()]);
    for attack in auto.attacks() {
        // Led attacks in all their parts, whoever falls.
        let alone = attack.attack(&victim, &batch, Seed(1)).unwrap();
        without += match attack.parts().len() {
            1 => passes(&alone),
            _ => (batch.len() * (attack.cost().queries + attack.cost().gradients)) as u32,
        };
        let pairs = fooled.iter_mut().zip(&alone.fooled);
        pairs.for_each(|(any, one)| *any |= one);
    }
    assert_eq!(found.fooled, fooled);
    assert_eq!(found.fooled, [true; 3]);
    assert!(
        5 * passes(&found) <= without,
        "{} {without}",
        passes(&found)
    );
}

fn value_few_classes_have_few_targets(on: &On) {
    // Two classes, so far apart that nothing can fool: all parts run, none asks for a third class.
    let victim = Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![-mean.clone() + 2.0, mean], 1)
    });
    let images = Tensor::full([2, 1, 8, 8], 0.2, &on.device());
    let batch = Batch::new(images, on.labels(&[0, 1])).unwrap();
    let attack = AutoAttack::standard(Linf, 0.01);
    let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
    assert_eq!(found.fooled, [false, true]);
    // One target in place of nine; nothing for the image that is wrong as it is.
    assert!(
        (300..310).contains(&found.gradients[0]),
        "{}",
        found.gradients[0]
    );
}

fn error_settings_of_auto(_: &On) {
    let refused = |attack: AutoAttack, expected: &str| {
        let error = attack.check().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(AutoAttack::standard(Linf, -0.1), "epsilon");
    refused(AutoAttack::standard(L2, f64::NAN), "epsilon");
    let json = r#"{"attack": "auto", "norm": "l2", "epsilon": 1, "version": "quick"}"#;
    let error = serde_json::from_str::<AttackSpec>(json)
        .unwrap_err()
        .to_string();
    assert!(error.contains("standard"), "{error}");
}
