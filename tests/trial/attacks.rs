//! What every attack of the crate keeps, and what joining attacks does.

use super::given::{IMAGES, SIDE, assert_keeps, attacks, attacks_on_poses, batch, pixels, victim};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{
    Attack, AttackSpec, Fgsm, Found, Frozen, Keep, L2, Linf, Norm, Pgd, verify,
};
use fireproof::base::{Batch, Seed, read};

on_every_device![
    value_every_attack_keeps_the_invariants,
    value_attacks_on_poses_keep_the_invariants,
    value_ensembles_and_restarts_never_lose_an_image,
    value_a_sequence_goes_on_around_what_it_found,
    value_found_selects_and_merges,
];

fn value_every_attack_keeps_the_invariants(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let mut all = attacks(0.08);
    // The others take a software renderer minutes.
    all.truncate(on.pick(all.len(), 12));
    for attack in all {
        assert!(attack.ball().is_some(), "{attack}");
        keeps_the_invariants(&attack, &victim, &batch);
    }
}

fn value_attacks_on_poses_keep_the_invariants(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    for attack in attacks_on_poses(0.05) {
        assert!(attack.moves_images(), "{attack}");
        keeps_the_invariants(&attack, &victim, &batch);
    }
}

fn keeps_the_invariants(attack: &AttackSpec, victim: &Frozen, batch: &Batch) {
    let clean = victim.predict(batch.images.clone());
    let labels = batch.labels_to_vec();
    let found = attack.attack(victim, batch, Seed(1)).unwrap();
    // In its ball and bounds, around the images it names.
    if let Some(ball) = attack.ball() {
        verify(&found, batch, ball.norm, ball.epsilon).unwrap();
    }
    // The verdict is a fresh pass's, and so are the classes.
    assert_eq!(
        found.predicted,
        victim.predict(found.images.clone()),
        "{attack}"
    );
    if attack.goal().targets.is_none() {
        for (at, class) in found.predicted.iter().enumerate() {
            assert_eq!(found.fooled[at], *class != labels[at], "{attack}");
        }
    }
    // Deterministic, and each image for itself.
    let again = attack.attack(victim, batch, Seed(1)).unwrap();
    assert_eq!(pixels(&found), pixels(&again), "{attack}");
    let part = [3, 11, 17];
    let alone = attack
        .attack(victim, &batch.select(&part), Seed(1))
        .unwrap();
    assert_eq!(pixels(&alone), pixels(&found.select(&part)), "{attack}");
    assert_eq!(alone.queries, found.select(&part).queries, "{attack}");
    // No more passes than promised.
    let cost = attack.cost();
    assert!(
        found.queries.iter().all(|&q| q as usize <= cost.queries),
        "{attack}"
    );
    assert!(
        found
            .gradients
            .iter()
            .all(|&g| g as usize <= cost.gradients),
        "{attack}"
    );
    // A radius of 0 leaves every image as it is.
    let nothing = attack.at_level(&[0.0]).unwrap();
    let level = nothing.level().unwrap_or_default();
    if level.iter().all(|&part| part == 0.0) && nothing.ball().is_some() {
        let found = nothing.attack(victim, batch, Seed(1)).unwrap();
        assert_eq!(found.predicted, clean, "{attack}");
    }
    // By name in files, with unknown fields refused.
    let settings = serde_json::to_value(attack).unwrap();
    let read: AttackSpec = serde_json::from_value(settings.clone()).unwrap();
    assert_eq!(&read, attack);
    assert_eq!(read.to_string(), attack.to_string());
    let joined = read.or(attack.clone());
    let joined = joined.attack(victim, batch, Seed(1)).unwrap();
    assert_keeps(&found, &joined);
    let mut misspelt = settings;
    misspelt["epsilonn"] = 1.into();
    assert!(
        serde_json::from_value::<AttackSpec>(misspelt).is_err(),
        "{attack}"
    );
}

fn value_ensembles_and_restarts_never_lose_an_image(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let run = |attack: &dyn Attack| attack.attack(&victim, &batch, Seed(2)).unwrap();
    let weak = Fgsm::linf(0.05);
    let strong = Pgd::linf(0.05).with_steps(4);
    let alone = [run(&weak), run(&strong)];
    let both = run(&weak.clone().or(strong.clone()));
    for at in 0..IMAGES {
        let either = alone[0].fooled[at] || alone[1].fooled[at];
        assert_eq!(both.fooled[at], either);
        // What the first fooled never meets the second.
        assert_eq!(both.gradients[at], if alone[0].fooled[at] { 1 } else { 5 });
    }
    assert!(alone[0].fooled_count() < IMAGES && both.fooled_count() > 4);
    let mut before = run(&strong);
    for count in [2, 4, 8] {
        let found = run(&strong.clone().restarts(count));
        assert_keeps(&before, &found);
        before = found;
    }
}

fn value_a_sequence_goes_on_around_what_it_found(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let (first, then) = (Fgsm::linf(0.02).with_keep(Keep::Last), Pgd::linf(0.03));
    let found = first
        .clone()
        .then(then.clone())
        .attack(&victim, &batch, Seed(1))
        .unwrap();
    let fgsm = first.attack(&victim, &batch, Seed(1)).unwrap();
    let near = |at: usize, to: &Tensor<4>| {
        let row = |t: &Tensor<4>| read::<f32, _, _>(&t.clone().narrow(0, at, 1));
        row(&found.originals) == row(to)
    };
    let mut moved = 0;
    for at in 0..IMAGES {
        if found.fooled[at] || near(at, &batch.images) {
            continue;
        }
        // Around the first attack's image, which is not the batch's own.
        assert!(near(at, &fgsm.images));
        moved += 1;
    }
    assert!(
        moved > 0,
        "some image stands, with its worst image around the first attack's"
    );
    let lengths = Linf.lengths(found.perturbation()).to_data();
    assert!(lengths.iter::<f32>().all(|length| length <= 0.03 + 1e-6));
    // In L2, where rounding leaves the ball, the centre is a result of the first attack all the same.
    let (first, then_l2) = (Pgd::l2(0.1).with_keep(Keep::Last), Fgsm::l2(0.2));
    let moved = first
        .then(then_l2)
        .attack(&victim, &batch, Seed(1))
        .unwrap();
    let centres = moved.originals.clone() - batch.images.clone();
    let centres: Vec<f32> = read(&centres);
    for centre in centres.chunks(SIDE * SIDE) {
        let centre: Vec<f64> = centre.iter().map(|&v| f64::from(v)).collect();
        assert!(L2.length(&centre) <= 0.1 + 1e-6);
    }
    let direct = then.attack(&victim, &batch, Seed(1)).unwrap();
    assert!(found.robust_accuracy() <= direct.robust_accuracy());
}

fn value_found_selects_and_merges(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let whole = Pgd::linf(0.08).attack(&victim, &batch, Seed(1)).unwrap();
    let order = Vec::from_iter(0..IMAGES);
    let parts = order.chunks(10).map(|part| {
        Pgd::linf(0.08)
            .attack(&victim, &batch.select(part), Seed(1))
            .unwrap()
    });
    let merged = Found::merge(parts);
    assert_eq!(pixels(&merged), pixels(&whole));
    assert_eq!(
        (&merged.fooled, &merged.queries),
        (&whole.fooled, &whole.queries)
    );
    assert_eq!(
        (&merged.loss, &merged.predicted),
        (&whole.loss, &whole.predicted)
    );
}
