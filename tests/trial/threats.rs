//! What an attack may do to an image and what it may cost: masks, a level of each image's own, budgets.

use super::given::{
    IDS, IMAGES, SIDE, attacks, attacks_on_poses, batch, half, pixels, reread, victim,
};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{
    AccuracyCurve, Apgd, Attack, AttackSpec, Ball, Cost, Fab, Fgsm, Found, Frozen, Goal, L1, L2,
    Linf, Mask, Masked, Norm, Pgd, Square, Trial, verify,
};
use fireproof::base::{Batch, Bounds, Error, Result, Seed};
use serde_json::Value;

// Every attack several times: what they ask of a device, others ask of every one.
on_this_device![
    value_an_image_falls_with_the_pass_that_it_is_said_to,
    value_budgets_are_each_images_own,
    value_uneven_budgets_do_not_depend_on_batch_mates,
    value_masks_keep_pixels_to_the_bit,
    value_masks_of_all_pixels_and_of_none,
    value_a_masked_linear_model_has_its_optimum,
    value_levels_of_each_image_are_those_one_by_one,
    value_areas_and_optimality,
    error_masks_levels_and_budgets,
];

fn fooled_within(attack: &AttackSpec, victim: &Frozen, batch: &Batch, passes: u32) -> Vec<bool> {
    let attack = attack.clone().within(passes);
    let found = attack.attack(victim, batch, Seed(1)).unwrap();
    found.fooled
}

fn value_an_image_falls_with_the_pass_that_it_is_said_to(on: &On) {
    // Oracle: budgets of so many passes, and of one fewer.
    let victim = victim(on);
    let batch = batch(on, &victim);
    let mut met = 0;
    for attack in attacks(0.08).into_iter().chain(attacks_on_poses(0.05)) {
        // What keeps the last point alone knows of no pass before the verdict, and within a budget it
        // pays for one; a goal's own clean pass is not part of a budget.
        let name = attack.to_string();
        let unlike = ["last iterate", "KL loss"];
        if unlike.iter().any(|unlike| name.contains(unlike)) {
            continue;
        }
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        let fell = &found.passes_to_fool;
        // What is wrong as it is may be found so by the verdict alone.
        let right = |at: &usize| at % 6 != 5;
        for (at, fell) in fell.iter().enumerate() {
            assert_eq!(fell.is_some(), found.fooled[at], "{attack}");
            let all = found.queries[at] + found.gradients[at];
            assert!(
                fell.is_none_or(|fell| (1..=all).contains(&fell)),
                "{attack}"
            );
        }
        let mut passes = Vec::from_iter(fell.iter().copied().flatten());
        passes.sort_unstable();
        passes.dedup();
        for &passes in passes.iter().filter(|&&passes| passes > 1).take(4) {
            let enough = fooled_within(&attack, &victim, &batch, passes);
            let fewer = fooled_within(&attack, &victim, &batch, passes - 1);
            for at in (0..IMAGES).filter(right) {
                let fell = fell[at];
                let falls = |most: u32| fell.is_some_and(|fell| fell <= most);
                assert_eq!(
                    enough[at],
                    falls(passes),
                    "{attack}: {passes} passes, image {at}"
                );
                assert_eq!(
                    fewer[at],
                    falls(passes - 1),
                    "{attack}: below {passes}, image {at}"
                );
            }
            met += 1;
        }
    }
    assert!(met > 45, "{met} budgets");
}

fn value_budgets_are_each_images_own(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let epsilon = 0.08;
    let attack = Apgd::linf(epsilon)
        .with_steps(6)
        .restarts(3)
        .or(Square::linf(epsilon).with_queries(25));
    for passes in [1, 2, 3, 14, 15, 16, 40] {
        let attack = attack.clone().within(passes);
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        for at in 0..IMAGES {
            let alone = attack
                .attack(&victim, &batch.select(&[at]), Seed(1))
                .unwrap();
            assert_eq!(pixels(&alone), pixels(&found.select(&[at])));
            assert_eq!(alone.queries, [found.queries[at]]);
            // A verdict comes on top of it.
            assert!(found.queries[at] + found.gradients[at] <= passes + 2);
        }
        // The smaller one of two holds.
        let nested = attack.clone().within(passes + 5);
        let again = nested.attack(&victim, &batch, Seed(1)).unwrap();
        assert_eq!(
            (pixels(&again), again.queries),
            (pixels(&found), found.queries)
        );
    }
}

// An attack with a budget of each image's own.
#[derive(Debug, derive_more::Display)]
#[display("{_0}, uneven")]
struct Uneven(AttackSpec);

fn budget(id: u64) -> u32 {
    [1, 20, 7, 2, 33, 12][(id % 6) as usize]
}

impl Attack for Uneven {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let budgets = Vec::from_iter(trial.keys().ids.iter().map(|&id| budget(id)));
        trial.in_budget(&budgets, |trial| self.0.search(trial))
    }

    fn goal(&self) -> Goal {
        self.0.goal()
    }

    fn ball(&self) -> Option<Ball> {
        self.0.ball()
    }

    fn check(&self) -> Result<()> {
        self.0.check()
    }

    fn cost(&self) -> Cost {
        self.0.cost()
    }

    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        self.0.at_level(level)
    }

    fn settings(&self) -> Value {
        Value::Null
    }
}

fn value_uneven_budgets_do_not_depend_on_batch_mates(on: &On) {
    // Oracle: each image alone, whose search ends with its own budget.
    let victim = victim(on);
    let batch = batch(on, &victim);
    let pgd = Pgd::linf(0.3).with_random_start(false);
    let inner = Fgsm::linf(0.2).then(Square::linf(0.3).with_queries(9).within(5));
    let mut all = attacks(0.3);
    all.extend(attacks_on_poses(0.05));
    all.extend([pgd.into(), inner.into()]);
    for attack in all {
        let attack = Uneven(attack);
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        for (at, &id) in IDS.iter().enumerate().take(12) {
            let alone = attack
                .attack(&victim, &batch.select(&[at]), Seed(1))
                .unwrap();
            let found = found.select(&[at]);
            assert_eq!(alone.fooled, found.fooled, "{attack}, image {at}");
            assert_eq!(pixels(&alone), pixels(&found), "{attack}, image {at}");
            let counts = |found: &Found| (found.queries[0], found.gradients[0], found.vanished[0]);
            assert_eq!(counts(&alone), counts(&found), "{attack}, image {at}");
            // Verdicts come on top of it, and the clean pass of a goal that asks for it.
            let (queries, gradients, _) = counts(&found);
            assert!(
                queries + gradients <= budget(id) + 6,
                "{attack}, image {at}"
            );
        }
    }
}

// For each image whether its pixels outside of the mask are the originals', to the bit.
fn kept(found: &Found, batch: &Batch, free: impl Fn([usize; 2]) -> bool) -> bool {
    let pairs = values(&found.images).into_iter().zip(values(&batch.images));
    pairs
        .enumerate()
        .all(|(at, (attacked, original)): (usize, (f32, f32))| {
            free([at / SIDE % SIDE, at % SIDE]) || attacked.to_bits() == original.to_bits()
        })
}

fn value_masks_keep_pixels_to_the_bit(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    for attack in attacks(0.3) {
        let attack = attack.masked(half());
        let found = attack.attack(&victim, &batch, Seed(2)).unwrap();
        assert!(kept(&found, &batch, |[y, _]| y < SIDE / 2), "{attack}");
        assert!(
            !kept(&found, &batch, |_| false),
            "{attack} changes nothing at all"
        );
        // Masks nest.
        let left = Mask::new([1, SIDE, SIDE], |[_, _, x]| x < SIDE / 2).unwrap();
        let found = attack
            .masked(left)
            .attack(&victim, &batch, Seed(2))
            .unwrap();
        assert!(kept(&found, &batch, |[y, x]| y < SIDE / 2 && x < SIDE / 2));
    }
    // Each image by its id.
    let rows = |id: u64| Mask::new([1, SIDE, SIDE], move |[_, y, _]| y == id as usize % SIDE);
    let masks = IDS.map(|id| (id, rows(id).unwrap()));
    let found = Masked::each(Pgd::linf(0.3), masks)
        .attack(&victim, &batch, Seed(2))
        .unwrap();
    for (at, id) in IDS.iter().enumerate() {
        let row = |[y, _]: [usize; 2]| y == *id as usize % SIDE;
        assert!(kept(&found.select(&[at]), &batch.select(&[at]), row));
    }
}

fn value_masks_of_all_pixels_and_of_none(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let all = Mask::new([1, SIDE, SIDE], |_| true).unwrap();
    for attack in attacks(0.08) {
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        let masked = attack.clone().masked(all.clone());
        let same = masked.attack(&victim, &batch, Seed(1)).unwrap();
        assert_eq!(pixels(&same), pixels(&found), "{attack}");
        let none = attack.masked(all.inverted());
        let none = none.attack(&victim, &batch, Seed(1)).unwrap();
        assert_eq!(pixels(&none), values(&batch.images));
    }
}

// Two classes by a linear function, far from the bounds.
fn linear(on: &On, colours: usize) -> (Frozen, Batch, Vec<f64>) {
    let count = colours * SIDE * SIDE;
    let weights = Vec::from_iter((0..count).map(|i| (1.7 * i as f64).sin()));
    let row = on.tensor(weights.iter().map(|&w| w as f32).collect(), [count, 1]);
    let victim = Frozen::from_fn(move |x: Tensor<4>| {
        let score = x.flatten::<2>(1, 3).matmul(row.clone());
        Tensor::cat(vec![score.clone().neg(), score], 1)
    });
    let images = Tensor::full([2, colours, SIDE, SIDE], 0.1, &on.device());
    let labels = victim.predict(images.clone());
    let batch = Batch::new(images, on.labels(&labels)).unwrap();
    (
        victim,
        batch.with_bounds(Bounds::new(-9.0, 9.0).unwrap()),
        weights,
    )
}

fn value_a_masked_linear_model_has_its_optimum(on: &On) {
    // Oracle: the distance to a plane is the gap over the dual norm of what is free of its normal.
    for colours in [1, 3] {
        let (victim, batch, weights) = linear(on, colours);
        let gap = weights.iter().sum::<f64>().abs() * 0.1;
        let free = |at: usize| at / SIDE % SIDE < SIDE / 2;
        let free = (0..weights.len()).filter(|&at| free(at));
        let normal = Vec::from_iter(free.map(|at| weights[at]));
        let norms: [(&dyn Norm, AttackSpec, AttackSpec); 3] = [
            (&L1, Fab::linf().into(), Apgd::linf(1.0).into()),
            (&L2, Fab::l2().into(), Apgd::l2(1.0).into()),
            (&Linf, Fab::l1().into(), Apgd::l1(1.0).into()),
        ];
        for (dual, nearest, ball) in norms {
            let expected = gap / dual.length(&normal);
            let found = nearest
                .masked(half())
                .attack(&victim, &batch, Seed(3))
                .unwrap();
            let distance = found.distance[0].unwrap();
            assert!(
                (distance / expected - 1.0).abs() < 1e-4,
                "{distance} {expected}"
            );
            // Sparse steps do not end on a single pixel.
            let enough = if dual.length(&[1.0, 1.0]) == 1.0 {
                1.05
            } else {
                1.001
            };
            for (factor, falls) in [(0.999, false), (enough, true)] {
                let ball = ball.at_level(&[expected * factor]).unwrap();
                let found = ball
                    .clone()
                    .masked(half())
                    .attack(&victim, &batch, Seed(3))
                    .unwrap();
                assert_eq!(found.fooled, [falls; 2], "{ball}");
            }
        }
    }
}

fn value_levels_of_each_image_are_those_one_by_one(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let level = |at: usize| 0.02 * (1 + at % 4) as f64;
    for attack in [
        Pgd::linf(1.0).with_steps(4).into(),
        AttackSpec::from(Apgd::l2(1.0).with_steps(5).restarts(2)),
        Square::linf(1.0).with_queries(12).into(),
        Fab::l2().with_epsilon(1.0).with_steps(3).into(),
        Fab::linf().with_steps(3).into(),
    ] {
        let levels = (0..IMAGES).map(|at| (IDS[at], level(at)));
        let found = attack
            .clone()
            .at_each(levels)
            .attack(&victim, &batch, Seed(4))
            .unwrap();
        for at in 0..IMAGES {
            let alone = attack.at_level(&[level(at)]).unwrap();
            let batch = batch.select(&[at]);
            let alone = alone.attack(&victim, &batch, Seed(4)).unwrap();
            let found = found.select(&[at]);
            assert_eq!(pixels(&found), pixels(&alone), "{attack}");
            assert_eq!(found.fooled, alone.fooled);
            let norm = attack.at_level(&[1.0]).unwrap().ball().unwrap().norm;
            verify(&found, &batch, norm, level(at)).unwrap();
        }
    }
}

fn value_areas_and_optimality(_: &On) {
    // By hand: mean accuracies of 1/2 up to 1, 1/4 up to 2 and 0 from there.
    let curve = AccuracyCurve::new("by hand", [Some(0.0), Some(2.0), Some(1.0), Some(0.0)]);
    assert_eq!(curve.steps(), [(0.0, 0.5), (1.0, 0.25), (2.0, 0.0)]);
    assert_eq!(
        [0.5, 1.0, 1.5, 2.0, 7.0].map(|end| curve.area(end)),
        [0.25, 0.5, 0.625, 0.75, 0.75]
    );
    let nothing = AccuracyCurve::new("nothing", [Some(0.0), None, None, Some(0.0)]);
    assert_eq!(
        [&curve, &nothing].map(|one| one.optimality(&curve, 2.0)),
        [1.0, 0.0]
    );
    assert_eq!(nothing.optimality(&nothing, 2.0), 1.0);
    assert!(AccuracyCurve::best("none", []).is_none());
    let other = AccuracyCurve::new("other", [None]);
    assert!(AccuracyCurve::best("unlike", [&curve, &other]).is_none());
    assert_eq!(reread(&nothing), nothing);
}

fn error_masks_levels_and_budgets(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    let refused = |attack: &dyn Attack| {
        attack
            .attack(&victim, &batch, Seed(1))
            .unwrap_err()
            .to_string()
    };
    let pgd = Pgd::linf(0.1);
    let small = Mask::new([1, SIDE, SIDE - 1], |_| true).unwrap();
    let text = refused(&pgd.clone().masked(small));
    assert_eq!(
        text,
        "mask of image 1000: found 30 free of [1, 6, 5], expected one of [6, 6] or of every channel"
    );
    let some = Masked::each(pgd.clone(), [(1000, half())]);
    assert_eq!(
        refused(&some),
        "mask of image 1007: found none, expected one"
    );
    let levels = pgd.clone().at_each([(1000, 0.1)]);
    assert_eq!(
        refused(&levels),
        "level of image 1007: found none, expected one for each image"
    );
    // At another level they stay in proportion.
    let doubled = pgd
        .clone()
        .at_each([(0, 0.1), (1, 0.4), (2, 0.0)])
        .at_level(&[0.8]);
    let expected = pgd.clone().at_each([(0, 0.2), (1, 0.8), (2, 0.0)]);
    assert_eq!(doubled.unwrap(), expected.into());
    let negative = pgd.clone().at_each(IDS.map(|id| (id, -0.1)));
    assert!(matches!(negative.check(), Err(Error::Setting { .. })));
    assert!(pgd.clone().at_each([]).check().is_err());
    assert!(pgd.clone().within(0).check().is_err());
    assert!(Mask::new([1, 0, 3], |_| true).is_err());
    let wrong = [
        r##"[["#.","#"]]"##,
        r##"[["x"]]"##,
        "[]",
        "[[]]",
        r##"[["#"],[]]"##,
    ];
    for wrong in wrong {
        assert!(serde_json::from_str::<Mask>(wrong).is_err(), "{wrong}");
    }
}
