//! Each check of a diagnosis on a classifier, or images, that raise it and on some that do not.
//!
//! Oracle: classifiers of one number, the mean of an image, whose every answer is known.

use super::diagnosis::{
    SIDE, answering, batch, bright, counts, diagnose, logits, pgd, plain, stepped,
};
use crate::common::On;
use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};
use fireproof::attack::diagnosis::{
    BlackBox, CheckSpec, Diagnose, NoFall, Overlooked, RandomAnswers, RisingLoss, Rounding,
    SaturatedLoss, VanishedGradients,
};
use fireproof::attack::{Attack, Fab, Frozen, Keep, Pgd, Square};
use fireproof::base::{Batch, Bounds};
use std::sync::atomic::{AtomicUsize, Ordering};

// Not on every device: what it asks of a device, trials' tests ask of every one.
on_this_device![
    value_vanished_gradients,
    value_undefined_gradients,
    value_saturated_cross_entropy,
    value_probabilities,
    value_random_answers,
    value_black_box,
    value_rising_losses,
    value_inputs,
    value_no_fall,
    value_rounding,
    value_overlooked,
];

fn value_vanished_gradients(on: &On) {
    // Pixels above 1/2 become 1, those below it 0: no step moves anything.
    let rounded = bright(10.0, |images| images.round() * 0.5 + 0.3);
    let diagnosis = diagnose(pgd(), &rounded, &batch(on));
    assert_eq!(counts(&diagnosis, "vanished_gradients"), Some([4, 4]));
    // One of four is not more than a quarter.
    let quarter = VanishedGradients::default().with_share(0.25);
    let one = bright(10.0, |images| images).through_each(|images, ids| {
        let rounds = ids.iter().map(|&id| f32::from(id == 0)).collect::<Vec<_>>();
        let rounds = Tensor::<1>::from_floats(&rounds[..], &images.device());
        let rounds = rounds.reshape([ids.len(), 1, 1, 1]);
        images.clone() + (images.clone().round() - images) * rounds
    });
    let strong = batch(on)
        .select(&[2, 3, 2, 3])
        .with_ids(vec![0, 1, 2, 3])
        .unwrap();
    let look = |check: VanishedGradients| {
        let diagnose = Diagnose::new(7).with_checks(vec![check.into()]);
        diagnose.examine(&pgd(), &one, &strong, None).unwrap()
    };
    assert!(look(quarter).is_clean());
    let more = VanishedGradients::default().with_share(0.24);
    assert_eq!(counts(&look(more), "vanished_gradients"), Some([1, 4]));
    assert!(diagnose(pgd(), &plain(), &batch(on)).is_clean());
}

fn value_undefined_gradients(on: &On) {
    // The slope of a root at 0 is infinite, and that times 0 is no number.
    let root = bright(10.0, |images| {
        let first = images.clone().narrow(2, 0, 1);
        let others = images.narrow(2, 1, SIDE - 1);
        Tensor::cat(vec![first.clone() + (first * 0.0).sqrt(), others], 2)
    });
    let diagnosis = diagnose(pgd(), &root, &batch(on));
    assert_eq!(counts(&diagnosis, "undefined_gradients"), Some([4, 4]));
    assert_eq!(counts(&diagnosis, "vanished_gradients"), None);
}

fn value_saturated_cross_entropy(on: &On) {
    // Label's logit above the other: twice the scale times 0.05, 0.08, 0.2 and 0.3. The least normal
    // number of f32 is exp(-87.3).
    for (scale, expected) in [(100.0, None), (200.0, Some([1, 4])), (1000.0, Some([4, 4]))] {
        let diagnosis = diagnose(pgd(), &bright(scale, |images| images), &batch(on));
        assert_eq!(counts(&diagnosis, "saturated_loss"), expected, "{scale}");
        // The attack's own loss is none the worse for it.
        assert!(diagnosis.findings.len() <= 1, "{diagnosis}");
    }
    let diagnosis = Diagnose::new(7)
        .with_checks(vec![SaturatedLoss::default().with_share(0.25).into()])
        .examine(&pgd(), &bright(200.0, |images| images), &batch(on), None)
        .unwrap();
    assert!(
        diagnosis.is_clean(),
        "one of four is no more than a quarter"
    );
}

fn value_probabilities(on: &On) {
    let of = |outputs: fn(Tensor<2>) -> Tensor<2>| {
        let victim = Frozen::from_fn(move |images| outputs(logits((images - 0.5) * 10.0)));
        counts(&diagnose(pgd(), &victim, &batch(on)), "probabilities")
    };
    assert_eq!(of(|logits| softmax(logits, 1)), Some([4, 4]));
    assert_eq!(of(|logits| softmax(logits, 1) * 1.001), None);
    assert_eq!(of(|logits| log_softmax(logits, 1)), None);
    assert_eq!(of(|logits| logits), None);
}

fn value_random_answers(on: &On) {
    // Each pass adds as much again to all pixels.
    let drifting = |by: f64| {
        let passes = AtomicUsize::new(0);
        bright(10.0, move |images| {
            images + by * passes.fetch_add(1, Ordering::Relaxed) as f64
        })
    };
    let diagnosis = diagnose(pgd(), &drifting(0.001), &batch(on));
    assert_eq!(counts(&diagnosis, "random_answers"), Some([4, 4]));
    let numbers = &diagnosis.finding("random_answers").unwrap().numbers;
    assert_eq!(numbers["changed_class"], 0.0);
    // The smallest logit, 0.5, is now 0.51.
    assert!(
        (numbers["largest_difference"] - 0.01 / 0.51).abs() < 1e-3,
        "{numbers:?}"
    );
    let diagnosis = diagnose(pgd(), &drifting(-0.06), &batch(on));
    // At 0.55 it is another class, at 0.57 not yet.
    assert_eq!(
        diagnosis.finding("random_answers").unwrap().numbers["changed_class"],
        1.0
    );
    let exact = RandomAnswers::default().with_tolerance(0.0);
    let exact = Diagnose::new(7).with_checks(vec![exact.into()]);
    assert!(
        exact
            .examine(&pgd(), &plain(), &batch(on), None)
            .unwrap()
            .is_clean()
    );
    assert!(
        !exact
            .examine(&pgd(), &drifting(1e-6), &batch(on), None)
            .unwrap()
            .is_clean()
    );
    assert!(
        diagnose(pgd(), &drifting(1e-6), &batch(on))
            .finding("random_answers")
            .is_none()
    );
}

fn value_black_box(on: &On) {
    // Square is tried where the attack has nothing of the kind; two of four images are in its reach.
    let diagnosis = diagnose(pgd(), &stepped(), &batch(on));
    assert_eq!(counts(&diagnosis, "black_box"), Some([2, 4]));
    // Or the attack's own part counts.
    let both = pgd().or(Square::linf(0.1)
        .with_queries(1000)
        .with_rescaled_schedule(true));
    let diagnosis = diagnose(both, &stepped(), &batch(on));
    assert_eq!(counts(&diagnosis, "black_box"), Some([2, 4]));
    let off = |share: f64| {
        let checks = vec![BlackBox::default().with_share(share).into()];
        let diagnose = Diagnose::new(7).with_checks(checks);
        diagnose
            .examine(&pgd(), &stepped(), &batch(on), None)
            .unwrap()
    };
    assert!(off(0.5).is_clean() && !off(0.49).is_clean());
    // Before any gradient it beats none; without one there is nothing to compare.
    let first = Square::linf(0.1).with_queries(300).or(pgd());
    assert_eq!(
        counts(&diagnose(first, &plain(), &batch(on)), "black_box"),
        None
    );
    let alone = diagnose(Square::linf(0.1).with_queries(300), &plain(), &batch(on));
    let reason = alone
        .unmade
        .iter()
        .find(|unmade| unmade.check == "black_box");
    assert!(
        reason.unwrap().reason.contains("backward passes"),
        "{alone}"
    );
}

fn value_rising_losses(on: &On) {
    // Ten steps that end at a fifth of the way; ten that are at their end after four.
    let slow = diagnose(pgd().with_step_size(0.002), &plain(), &batch(on));
    assert_eq!(counts(&slow, "rising_loss"), Some([4, 4]));
    assert_eq!(
        counts(&diagnose(pgd(), &plain(), &batch(on)), "rising_loss"),
        None
    );
    // The share has to be exceeded.
    let all = Diagnose::new(7).with_checks(vec![RisingLoss::default().with_share(1.0).into()]);
    let slow = pgd().with_step_size(0.002);
    assert!(
        all.examine(&slow, &plain(), &batch(on), None)
            .unwrap()
            .is_clean()
    );
}

fn value_inputs(on: &On) {
    let flags = |batch: &Batch| {
        let diagnosis = diagnose(pgd(), &plain(), batch);
        let flags = diagnosis.flags().into_iter().map(str::to_owned);
        (Vec::from_iter(flags), diagnosis)
    };
    let images = batch(on).images;
    let other = |images: Tensor<4>| batch(on).with_images(images).unwrap();
    // Outside: nothing that runs an attack can be checked.
    let (raised, diagnosis) = flags(&other(images.clone() + 0.2));
    assert_eq!(raised, ["out_of_bounds"]);
    assert_eq!(counts(&diagnosis, "out_of_bounds"), Some([2, 4]));
    let unmade = Vec::from_iter(diagnosis.unmade.iter().map(|unmade| &*unmade.check));
    let running = [
        "vanished_gradients",
        "undefined_gradients",
        "rising_loss",
        "overlooked",
        "black_box",
        "no_fall",
        "rounding",
    ];
    assert_eq!(unmade, running);
    assert!(diagnosis.unmade[0].reason.contains("bounds"), "{diagnosis}");
    assert_eq!(flags(&other(images.clone() + 0.04)).0, [""; 0]);
    // Mean 0 and deviation 1, in bounds that hold them or without any.
    let normal = (images.clone() - 0.65) / 0.18;
    let bounds = Bounds::new(-3.0, 3.0).unwrap();
    let (raised, _) = flags(&other(normal.clone()).with_bounds(bounds));
    assert!(raised.contains(&"normalised".to_owned()), "{raised:?}");
    let (raised, diagnosis) = flags(&other(normal.clone()).with_bounds(Bounds::none()));
    assert!(raised.contains(&"normalised".to_owned()), "{raised:?}");
    let unmade = Vec::from_iter(diagnosis.unmade.iter().map(|unmade| &*unmade.check));
    assert_eq!(unmade, ["scale", "rounding"]);
    let centred = other(images.clone() - 0.65).with_bounds(Bounds::new(-1.0, 1.0).unwrap());
    assert!(!flags(&centred).0.contains(&"normalised".to_owned()));
    // Pixels up to 1 in bounds up to 255.
    let bytes = Bounds::new(0.0, 255.0).unwrap();
    let (raised, _) = flags(&other(images.clone()).with_bounds(bytes));
    assert!(raised.contains(&"scale".to_owned()), "{raised:?}");
    let (raised, _) = flags(&other(images * 255.0).with_bounds(bytes));
    assert!(!raised.contains(&"scale".to_owned()), "{raised:?}");
}

fn value_no_fall(on: &On) {
    let diagnosis = diagnose(pgd(), &stepped(), &batch(on));
    assert_eq!(counts(&diagnosis, "no_fall"), Some([4, 4]));
    let numbers = &diagnosis.finding("no_fall").unwrap().numbers;
    for radius in ["0.1", "0.4", "1"] {
        assert_eq!(numbers[&format!("accuracy at {radius}")], 1.0);
    }
    // Everything falls at 0.4, though not at 0.1, and two of four do not at 0.11.
    assert!(diagnose(pgd(), &plain(), &batch(on)).is_clean());
    let unbounded = batch(on).with_bounds(Bounds::none());
    assert_eq!(
        counts(&diagnose(pgd(), &stepped(), &unbounded), "no_fall"),
        Some([4, 4])
    );
    assert_eq!(
        counts(&diagnose(pgd(), &plain(), &unbounded), "no_fall"),
        None
    );
    // One class is all that a constant classifier knows: it stands, and is told.
    let constant = bright(10.0, |images| images * 0.0 + 1.0);
    assert_eq!(
        counts(&diagnose(pgd(), &constant, &batch(on)), "no_fall"),
        Some([4, 4])
    );
    let share = NoFall::default().with_share(1.0);
    let diagnose = Diagnose::new(7).with_checks(vec![share.into()]);
    assert!(
        diagnose
            .examine(&pgd(), &constant, &batch(on), None)
            .unwrap()
            .is_clean()
    );
}

fn value_rounding(on: &On) {
    // Class 1 for pixels of 8 bits, and for none between.
    let grid = answering(|images| {
        let far = (images * (255.0 * std::f64::consts::PI))
            .sin()
            .powi_scalar(2);
        (far.neg() + 0.2) * 10.0
    });
    let bytes = batch(on);
    let bytes = (bytes.clone())
        .with_images((bytes.images * 255.0).round() / 255.0)
        .unwrap();
    let attack = Pgd::linf(0.01);
    let diagnosis = diagnose(attack.clone(), &grid, &bytes);
    assert_eq!(counts(&diagnosis, "rounding"), Some([4, 4]));
    let sound = diagnose(pgd(), &plain(), &bytes);
    assert_eq!(counts(&sound, "rounding"), None);
    // On a grid twice as fine, half of the steps are between the pixels of 8 bits.
    let fine = vec![CheckSpec::from(
        Rounding::default().with_steps(2 * 255 * 64),
    )];
    let fine = Diagnose::new(7).with_checks(fine);
    assert!(
        fine.examine(&attack, &grid, &bytes, None)
            .unwrap()
            .is_clean()
    );
}

fn value_overlooked(on: &On) {
    // Class 1 but for means from 0.45 to 0.5; steps of 0.06 from 0.55 go to 0.49, 0.43, 0.49 and so on,
    // and end at 0.43.
    let band = Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        let out = ((mean - 0.475).abs() - 0.025) * 10.0;
        Tensor::cat(vec![out.clone().neg(), out], 1)
    });
    let first = batch(on).select(&[0]);
    let attack = Pgd::linf(0.15)
        .with_random_start(false)
        .with_step_size(0.06);
    let last = diagnose(attack.clone().with_keep(Keep::Last), &band, &first);
    assert_eq!(counts(&last, "overlooked"), Some([1, 1]));
    assert_eq!(
        counts(&diagnose(attack.clone(), &band, &first), "overlooked"),
        None
    );
    // What fools is not in a ball of 0.05: FAB passes it without a word.
    let far = Fab::linf().with_epsilon(0.04);
    let far = diagnose(far, &plain(), &first);
    assert_eq!(counts(&far, "overlooked"), None);
    let all = Diagnose::new(7).with_checks(vec![Overlooked::default().with_share(1.0).into()]);
    let last = attack.with_keep(Keep::Last);
    assert!(all.examine(&last, &band, &first, None).unwrap().is_clean());
}
