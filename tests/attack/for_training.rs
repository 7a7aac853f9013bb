//! The attacks that were made for training: friendly PGD and multi steepest descent.

use super::network::{attack, network};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{
    Attack, AttackSpec, Ball, FriendlyPgd, Frozen, Keep, L1, L2, Linf, Margin, Msd, NextClass, Pgd,
};
use fireproof::base::{Kind, Seed};

on_every_device![
    value_patient_friends_are_pgd,
    value_friends_stop_when_they_are_fooled,
    value_one_ball_is_pgd,
    value_a_union_of_balls_is_worse_than_each,
    convention_levels_and_efforts,
    error_of_attacks_for_training,
];

fn last(pgd: Pgd) -> Pgd {
    pgd.with_steps(6).with_keep(Keep::Last)
}

fn value_patient_friends_are_pgd(on: &On) {
    // Oracle: PGD to the bit, where nobody is wrong more often than patience lasts.
    for pgd in [
        last(Pgd::linf(0.05)),
        last(Pgd::l2(0.8)).with_random_start(false),
        last(Pgd::linf(0.05))
            .with_loss(Margin)
            .with_targets(NextClass),
    ] {
        let found = attack(on, &FriendlyPgd::new(pgd.clone(), 6), 1);
        let plain = attack(on, &pgd, 1);
        on.assert_same(&values(&found.images), &values(&plain.images), "images");
        assert_eq!(found.fooled, plain.fooled);
        assert_eq!(
            (found.queries, found.gradients),
            (plain.queries, plain.gradients)
        );
    }
}

fn value_friends_stop_when_they_are_fooled(on: &On) {
    // Oracle: PGD with fewer steps: an image that is first wrong after so many of them, and has patience
    // for tau more, is where it is after both together.
    let (victim, batch) = network(on);
    let after = |steps: usize| {
        let pgd = Pgd::linf(0.06).with_step_size(0.012).with_steps(steps);
        let pgd = pgd.with_keep(Keep::Last).with_random_start(false);
        pgd.perturb(&victim, &batch, Seed(1)).unwrap()
    };
    let steps = 6;
    let points: Vec<Tensor<4>> = (0..=steps).map(after).collect();
    let labels = batch.labels_to_vec();
    let wrong = |point: &Tensor<4>| -> Vec<bool> {
        let predicted = victim.predict(point.clone());
        predicted.iter().zip(&labels).map(|(a, b)| a != b).collect()
    };
    let wrong: Vec<Vec<bool>> = points.iter().map(wrong).collect();
    let size = values(&points[0]).len() / batch.len();
    let mut stopped_between = 0;
    for tau in [0, 1, 2] {
        let pgd = Pgd::linf(0.06).with_step_size(0.012).with_steps(steps);
        let pgd = pgd.with_random_start(false);
        let found = FriendlyPgd::new(pgd, tau)
            .attack(&victim, &batch, Seed(1))
            .unwrap();
        let pixels = values(&found.images);
        for (image, pixels) in pixels.chunks(size).enumerate() {
            let (mut taken, mut left) = (0, tau);
            while taken < steps && (!wrong[taken][image] || left > 0) {
                left -= usize::from(wrong[taken][image]);
                taken += 1;
            }
            stopped_between += usize::from(0 < taken && taken < steps);
            let expected = values(&points[taken])[size * image..][..size].to_vec();
            on.assert_same(pixels, &expected, &format!("image {image}, tau {tau}"));
            // A pass for each step, and one that said that it was enough.
            let passes = (taken + 1).min(steps) as u32;
            assert_eq!(found.gradients[image], passes, "image {image}, tau {tau}");
        }
    }
    assert!(stopped_between > on.pick(5, 0), "{stopped_between}");
}

fn value_one_ball_is_pgd(on: &On) {
    // Oracle: PGD from the image itself, by the same steps, but for what settles rounding in its ball.
    for (ball, pgd) in [
        (Ball::new(Linf, 0.05), Pgd::linf(0.05)),
        (Ball::new(L2, 0.8), Pgd::l2(0.8)),
    ] {
        let msd = Msd::new([ball]).with_steps(6).with_keep(Keep::Last);
        let found = attack(on, &msd, 1);
        let plain = attack(on, &last(pgd).with_random_start(false), 1);
        let apart = values(found.images - plain.images);
        assert!(apart.iter().all(|apart| apart.abs() < 1e-6));
        assert_eq!(found.fooled, plain.fooled);
    }
}

fn value_a_union_of_balls_is_worse_than_each(on: &On) {
    let (victim, batch) = network(on);
    let balls = [
        Ball::new(Linf, 0.04),
        Ball::new(L2, 0.6),
        Ball::new(L1, 5.0),
    ];
    let of = |balls: &[Ball]| {
        let msd = Msd::new(balls.to_vec()).with_steps(6);
        msd.attack(&victim, &batch, Seed(1)).unwrap()
    };
    let found = of(&balls);
    assert!(found.queries.iter().all(|&queries| queries <= 26));
    assert_eq!(found.gradients, vec![6; batch.len()]);
    // Everything found is in one of the balls.
    let (pixels, originals) = (values(&found.images), values(&batch.images));
    let size = pixels.len() / batch.len();
    let mut within = [0; 3];
    for (a, b) in pixels.chunks(size).zip(originals.chunks(size)) {
        let moved: Vec<f64> = a.iter().zip(b).map(|(a, b)| f64::from(a - b)).collect();
        let inside = |ball: &Ball| ball.norm.length(&moved) <= ball.epsilon * (1.0 + 1e-5);
        let inside = balls.each_ref().map(inside);
        assert!(inside.contains(&true));
        within
            .iter_mut()
            .zip(inside)
            .for_each(|(w, i)| *w += u32::from(i));
    }
    // More than one of them is made use of.
    assert!(
        on.pick(within.iter().filter(|&&count| count > 0).count() > 1, true),
        "{within:?}"
    );
    // By the mean loss, which is what steps go by, it is at least about as bad as each ball alone.
    let mean = |loss: &[f32]| loss.iter().sum::<f32>() / loss.len() as f32;
    for ball in &balls {
        let alone = of(std::slice::from_ref(ball));
        assert!(mean(&found.loss) > 0.9 * mean(&alone.loss), "{}", ball.norm);
    }
}

fn convention_levels_and_efforts(_: &On) {
    let friendly = FriendlyPgd::in_ball(Linf, 0.1, 2);
    assert_eq!(friendly.level(), Some(vec![0.1]));
    let other = friendly
        .at_level(&[0.2])
        .unwrap()
        .with_effort(3, 0.05)
        .unwrap();
    let expected = FriendlyPgd::new(Pgd::linf(0.2).with_steps(3).with_step_size(0.05), 2);
    assert_eq!(other, expected.into());

    let msd = Msd::new([Ball::new(Linf, 0.1), Ball::new(L2, 1.0)]);
    let level = |level: &[f64]| msd.at_level(level).map(|attack| attack.level().unwrap());
    assert_eq!(level(&[0.2]).unwrap(), [0.2, 2.0]);
    assert_eq!(level(&[0.2, 0.5]).unwrap(), [0.2, 0.5]);
    assert!(level(&[]).is_err() && level(&[1.0, 2.0, 3.0]).is_err());
    assert_eq!(
        msd.with_effort(5, 0.05).unwrap().settings()["relative_step_size"],
        2.5
    );
    for spec in [AttackSpec::from(friendly), msd.into()] {
        let again: AttackSpec = serde_json::from_value(Kind::settings(&*spec)).unwrap();
        assert_eq!(again, spec);
    }
}

fn error_of_attacks_for_training(on: &On) {
    let (victim, batch) = network(on);
    let refused = |attack: &dyn Attack, victim: &Frozen| {
        let refused = attack.attack(victim, &batch, Seed(1));
        refused.map(|_| ()).unwrap_err().to_string()
    };
    let pgd = Pgd::linf(0.1);
    for (attack, part) in [
        (
            AttackSpec::from(FriendlyPgd::new(Pgd::linf(-0.1), 0)),
            "pgd: epsilon = -0.1",
        ),
        (
            FriendlyPgd::new(pgd.clone().with_momentum(0.5), 0).into(),
            "without momentum",
        ),
        (
            FriendlyPgd::new(pgd.with_diversified_steps(2), 0).into(),
            "diversified steps",
        ),
        (Msd::new([]).into(), "balls = none"),
        (Msd::new([Ball::new(L2, f64::NAN)]).into(), "epsilon = NaN"),
        (
            Msd::new([Ball::new(L2, 1.0)])
                .with_relative_step_size(-1.0)
                .into(),
            "relative_step_size = -1",
        ),
    ] {
        let refused = refused(&*attack, &victim);
        assert!(refused.contains(part), "{part}: {refused}");
    }
}
