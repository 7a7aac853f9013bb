//! Properties of any curriculum.

use fireproof::curriculum::{Curriculum, Linear, Milestones, Schedule, Stage};
use proptest::prelude::*;

/// A valid curriculum of up to 200 epochs with milestones for ε and learning rate.
fn curricula() -> impl Strategy<Value = Curriculum> {
    let switches = || prop::collection::btree_set(2..=200usize, 0..6);
    (1..=200usize, switches(), switches()).prop_map(|(epochs, budgets, rates)| {
        let schedule = |switches: std::collections::BTreeSet<usize>| {
            let inside = switches.into_iter().filter(|&epoch| epoch <= epochs);
            Milestones::new([1].into_iter().chain(inside).zip((1..).map(f64::from)))
        };
        Curriculum::new(epochs)
            .with_epsilon(schedule(budgets))
            .with_learning_rate(schedule(rates))
    })
}

proptest! {
    // Outside `src`, proptest finds no place for the cases that failed; it prints them.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn value_ramps_are_monotone_within_their_ends(
        from in -1e3..1e3f64, to in -1e3..1e3f64, epochs in 1..300usize,
        first in 0.0..=1.0f64, length in 0.0..=1.0f64,
    ) {
        let ramp = Linear::new(from, to).between(first, (first + length).min(1.0));
        let values: Vec<f64> = (1..=epochs).map(|epoch| ramp.at(epoch, epochs)).collect();
        prop_assert!(values.iter().all(|&v| v >= from.min(to) && v <= from.max(to)));
        let ascending = |pair: &[f64]| if from <= to { pair[0] <= pair[1] } else { pair[0] >= pair[1] };
        prop_assert!(values.windows(2).all(ascending));
        prop_assert_eq!(values[epochs - 1], to);
    }

    #[test]
    fn value_scaling_to_the_same_epochs_changes_nothing(curriculum in curricula()) {
        prop_assert_eq!(curriculum.scaled_to(curriculum.epochs()), curriculum);
    }

    #[test]
    fn value_scaling_keeps_stages_in_order_and_all_of_them_where_they_fit(
        curriculum in curricula(), epochs in 1..300usize,
    ) {
        let scaled = curriculum.scaled_to(epochs);
        prop_assert!(scaled.check().is_ok());
        prop_assert_eq!(scaled.epochs(), epochs);
        let before: Vec<Stage> = curriculum.stages().into_iter().map(|s| s.1).collect();
        let after: Vec<Stage> = scaled.stages().into_iter().map(|s| s.1).collect();
        if before.len() <= epochs {
            prop_assert_eq!(after, before);
        } else {
            prop_assert_eq!(after.len(), epochs);
            let mut remaining = before.iter();
            prop_assert!(after.iter().all(|stage| remaining.any(|other| other == stage)));
        }
    }

    #[test]
    fn value_stages_cover_every_epoch_once(curriculum in curricula()) {
        let epochs: Vec<usize> = curriculum.stages().into_iter().flat_map(|s| s.0).collect();
        prop_assert_eq!(epochs, Vec::from_iter(1..=curriculum.epochs()));
    }
}
