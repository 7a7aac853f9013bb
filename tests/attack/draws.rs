//! What a random victim draws, and what that costs: apart from the batch, image by image.

use super::random::{COUNT, batch, bytes, images, stripes, upright};
use crate::common::{On, bits};
use burn::tensor::Tensor;
use fireproof::attack::{
    Apgd, Attack, AttackSpec, CarliniWagner, Ddn, DeepFool, Dlr, Fab, Fmn, Found, Frozen, Keep, Kl,
    Pgd, Run, Square, Whole,
};
use fireproof::base::{Batch, Degrees, Pixels, Seed};
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Evaluation};
use fireproof::transform::{PoseBudget, Warp};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

// Not on every device: hundreds of small passes, each of which a software renderer compiles or sends for
// itself; `attack::random` asks the same victims on every one.
on_this_device![
    convention_no_pass_draws_what_another_does,
    value_draws_of_nothing_cost_alone,
    value_evaluations_count_draws,
    value_found_is_the_same_in_every_batch,
    value_runs_are_those_image_by_image,
];

fn posed(draws: usize) -> Frozen {
    let budget = PoseBudget::new(Degrees(25.0), Pixels(1.0)).unwrap();
    upright().through_random(draws, 5, move |images, keys| {
        Warp::bilinear().apply(images, &budget.draw(keys))
    })
}

// Which draws each image has met, by its id: seed and number, in order.
type Met = HashMap<u64, Vec<(u64, u64)>>;

fn watched(on: &On, draws: usize) -> (Frozen, Batch, impl Fn() -> Met) {
    let met = Arc::new(Mutex::new(Met::new()));
    let record = met.clone();
    let victim = posed(draws).through_random(draws, 5, move |images, keys| {
        let mut met = record.lock().unwrap();
        for (at, id) in keys.ids.iter().enumerate() {
            let of_image = met.entry(*id).or_default();
            of_image.push((keys.seed.0, keys.draw_of(at)));
        }
        images
    });
    let batch = batch(on, &victim);
    let take = move || std::mem::take(&mut *met.lock().unwrap());
    take();
    (victim, batch, take)
}

fn attacks() -> [AttackSpec; 3] {
    let pgd = Pgd::linf(0.02).with_steps(2);
    let ddn = Ddn::new().with_steps(3);
    [
        pgd.clone()
            .restarts(2)
            .or(Apgd::linf(0.02).with_steps(3))
            .into(),
        pgd.clone().with_keep(Keep::Last).then(pgd).into(),
        ddn.into(),
    ]
}

fn convention_no_pass_draws_what_another_does(on: &On) {
    // Oracle: the draws that were asked for, image by image.
    let draws = 3;
    let (victim, batch, met) = watched(on, draws);
    let first = met();
    assert!(first.is_empty());
    let verdict = HashSet::<_>::from_iter((0..draws as u64).map(|draw| (5, draw)));
    for attack in attacks() {
        attack.attack(&victim, &batch, Seed(1)).unwrap();
        let together = met();
        attack.attack(&victim, &batch, Seed(2)).unwrap();
        let otherwise = met();
        for at in 0..COUNT {
            let one = batch.select(&[at]);
            let found = attack.attack(&victim, &one, Seed(1)).unwrap();
            let mut alone = met();
            let id = one.ids[0];
            assert_eq!(alone.len(), 1);
            let mut drawn = alone.remove(&id).unwrap();
            // The classes were counted by a pass of the batch's first image.
            let queries = drawn.len();
            assert_eq!(queries, found.queries[0] as usize, "{attack} {at}");
            let all = HashSet::<_>::from_iter(drawn.iter().copied());
            assert!(all.is_superset(&verdict));
            let gradients = found.gradients[0] as usize;
            assert!(gradients > 0);
            // Those of gradients are all different within a part; another part may draw the same.
            let new = all.difference(&verdict).count();
            let shared = if attack.parts().len() > 1 {
                2 * draws
            } else {
                0
            };
            assert!(new <= gradients && new + shared >= gradients, "{attack}");
            drawn.sort_unstable();
            let mut with_others = together[&id].clone();
            with_others.sort_unstable();
            assert_eq!(drawn, with_others, "{attack} {at}");
            let again = HashSet::<_>::from_iter(otherwise[&id].iter().copied());
            let shared = Vec::from_iter(again.intersection(&all).copied());
            assert_eq!(HashSet::from_iter(shared), verdict, "another seed");
        }
    }
}

fn value_draws_of_nothing_cost_alone(on: &On) {
    // Oracle: the same classifier without draws; four equal numbers have an exact mean.
    let certain = upright();
    let draws = 4;
    let idle = Frozen::random(draws, 1, |images: Tensor<4>, _| stripes(images));
    let batch = batch(on, &certain);
    let steps = on.pick(6, 2);
    let apgd = Apgd::linf(0.02).with_steps(steps);
    let attacks: [AttackSpec; 9] = [
        apgd.clone().with_loss(Dlr).towards_each(2).into(),
        apgd.with_loss(Kl).into(),
        Pgd::linf(0.02).with_steps(steps).restarts(2).into(),
        Apgd::l2(0.1).with_steps(steps).into(),
        Fab::linf().with_epsilon(0.02).with_steps(steps).into(),
        DeepFool::l2().with_steps(steps).into(),
        Fmn::l2().with_steps(steps).into(),
        CarliniWagner::new()
            .with_steps(steps)
            .with_searches(2)
            .into(),
        Square::linf(0.02).with_queries(3 * steps).into(),
    ];
    for attack in attacks {
        let expected = attack.attack(&certain, &batch, Seed(1)).unwrap();
        let found = attack.attack(&idle, &batch, Seed(1)).unwrap();
        assert_eq!(bits(&found.images), bits(&expected.images), "{attack}");
        assert_eq!(found.fooled, expected.fooled);
        let times = |counts: &[u32]| Vec::from_iter(counts.iter().map(|n| n * draws as u32));
        assert_eq!(found.queries, times(&expected.queries), "{attack}");
        assert_eq!(found.gradients, times(&expected.gradients), "{attack}");
        assert_eq!(found.vanished, expected.vanished);
    }
}

// The images with the classes that a victim takes them for.
fn right(on: &On, victim: &Frozen) -> ImageSet {
    let labels = victim.predict(images(on, COUNT));
    let labels = Vec::from_iter(labels.into_iter().map(|label| label as u8));
    ImageSet::new("waves", [1, 8, 8], 3, bytes(COUNT), labels).unwrap()
}

fn value_evaluations_count_draws(on: &On) {
    // Oracle: the same classifier without draws.
    let idle = upright().with_draws(4, 1);
    let set = right(on, &upright());
    let evaluation = Evaluation::new()
        .with_axis(Axis::angles([Degrees(20.0)]))
        .with_axis(Axis::epsilons(Pgd::linf(0.0).with_steps(2), [0.02]));
    let [one, four] = [upright(), idle].map(|victim| {
        let profile = evaluation.run(&victim, &set, &on.device()).unwrap();
        let points = profile.curves.iter().map(|curve| curve.points[0].clone());
        Vec::from_iter(points.map(|point| (point.accuracy.value, point.queries)))
    });
    let counted = |(accuracy, queries): &(f64, f64)| (*accuracy, 4.0 * queries);
    assert_eq!(four, Vec::from_iter(one.iter().map(counted)));
}

fn by_run(on: &On, run: Run, attack: &AttackSpec, victim: &Frozen, set: &ImageSet) -> Whole {
    let mut whole = run.attack(&**attack, victim, set, &on.device()).unwrap();
    whole.parts.iter_mut().for_each(|part| part.seconds = 0.0);
    whole
}

fn value_found_is_the_same_in_every_batch(on: &On) {
    // Oracle: each image alone.
    let victim = posed(3);
    let batch = batch(on, &victim);
    let turned = batch.select(&Vec::from_iter((0..COUNT).rev()));
    let [mut fooled, mut stood] = [0, 0];
    for attack in attacks() {
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        let back = attack.attack(&victim, &turned, Seed(1)).unwrap();
        fooled += found.fooled_count();
        stood += COUNT - found.fooled_count();
        for at in 0..COUNT {
            let alone = attack
                .attack(&victim, &batch.select(&[at]), Seed(1))
                .unwrap();
            for other in [found.select(&[at]), back.select(&[COUNT - 1 - at])] {
                assert_eq!(bits(&other.images), bits(&alone.images), "{attack} {at}");
                assert_eq!(other.fooled, alone.fooled);
                assert_eq!(other.queries, alone.queries);
                assert_eq!(other.gradients, alone.gradients);
            }
        }
    }
    assert!(fooled > 2 && stood > 2, "{fooled} {stood}");
}

fn value_runs_are_those_image_by_image(on: &On) {
    // Oracle: each image alone.
    let victim = posed(2);
    let set = right(on, &victim);
    let [attack, ..] = attacks();
    let whole = by_run(on, Run::new(1), &attack, &victim, &set);
    let small = Run::new(1).with_batch_size(2);
    assert_eq!(by_run(on, small.clone(), &attack, &victim, &set), whole);
    let shard = |index| {
        by_run(
            on,
            small.clone().with_shard([index, 2]),
            &attack,
            &victim,
            &set,
        )
    };
    let joined = Whole::join([0, 1].map(shard), &set).unwrap();
    assert_eq!(joined.images, whole.images);
    for (at, outcome) in whole.images.iter().enumerate() {
        let one = set.batch(&[at], &on.device());
        let alone: Found = attack.attack(&victim, &one, Seed(1)).unwrap();
        assert_eq!(outcome.fooled_by.is_some(), alone.fooled[0], "{at}");
        assert_eq!(outcome.gradients, u64::from(alone.gradients[0]), "{at}");
    }
    // By the same gradients, too.
    let (observed, _, met) = watched(on, 2);
    let observed_set = right(on, &observed);
    met();
    by_run(on, small, &attack, &observed, &observed_set);
    let by_run_met = met();
    let verdict = HashSet::<_>::from_iter([(5, 0), (5, 1)]);
    for (at, id) in (0..COUNT).zip(0..) {
        let one = observed_set.batch(&[at], &on.device());
        attack.attack(&observed, &one, Seed(1)).unwrap();
        let [together, alone] = [&by_run_met, &met()].map(|met| {
            let mut drawn = met[&id].clone();
            drawn.retain(|draw| !verdict.contains(draw));
            drawn
        });
        assert_eq!(together, alone, "{at}");
        assert!(alone.len() >= 4, "{at}");
    }
    // What is known of two draws is nothing about three.
    let folder = tempfile::tempdir().unwrap();
    let kept = Run::new(1).with_state(folder.path().join("state.json"));
    assert_eq!(by_run(on, kept.clone(), &attack, &victim, &set), whole);
    let error = kept.attack(&*attack, &posed(3), &set, &on.device());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("another number of draws"), "{error}");
}
