//! Schedules: what holds in which epoch.

use fireproof::base::{Degrees, Kind, named};
use fireproof::curriculum::{Curriculum, Linear, Milestones, Schedule, ScheduleSpec};

#[test]
fn convention_milestones_hold_from_their_epoch_on() {
    let by_epoch = Milestones::new([(1, 1.0), (3, 2.0), (4, 3.0)]);
    assert_eq!(
        [1, 2, 3, 4, 5].map(|e| by_epoch.at(e, 5)),
        [1.0, 1.0, 2.0, 3.0, 3.0]
    );
    // After half of the epochs: from the 3rd of 4, the 4th of 5 (2.5 rounds up), the 6th of 10.
    let by_half = Milestones::new([(0.0, 1.0), (0.5, 2.0)]);
    for (epochs, start) in [(4, 3), (5, 4), (10, 6)] {
        assert_eq!(
            (by_half.at(start - 1, epochs), by_half.at(start, epochs)),
            (1.0, 2.0)
        );
    }
}

#[test]
fn value_ramps() {
    // Oracle: by hand.
    let ramp = Linear::new(1.0, 2.0).between(2, 4);
    assert_eq!(
        [1, 2, 3, 4, 5].map(|e| ramp.at(e, 5)),
        [1.0, 1.0, 1.5, 2.0, 2.0]
    );
    // The middle half of 8 epochs is epochs 3 to 6.
    let middle = Linear::new(3.0, 0.0).between(0.25, 0.75);
    assert_eq!(
        [2, 3, 4, 5, 6, 7].map(|e| middle.at(e, 8)),
        [3.0, 3.0, 2.0, 1.0, 0.0, 0.0]
    );
    assert_eq!(Linear::new(1.0, 2.0).at(1, 1), 2.0);
    assert_eq!(ScheduleSpec::from(4).at(1, 9), 4.0);
}

#[test]
fn value_ramps_stretch_with_the_epochs() {
    let ramp =
        |first, last| Curriculum::new(12).with_epsilon(Linear::new(0.0, 0.3).between(first, last));
    let expected =
        |first, last| Curriculum::new(120).with_epsilon(Linear::new(0.0, 0.3).between(first, last));
    assert_eq!(ramp(1, 12).scaled_to(120), expected(1, 120));
    assert_eq!(ramp(4, 6).scaled_to(120), expected(31, 60));
    for epochs in 1..40 {
        ramp(4, 4).scaled_to(epochs).check().unwrap();
    }
    let fractions = Curriculum::new(12).with_angle(Linear::new(0.0, 90.0));
    assert_eq!(fractions.scaled_to(3).stage(2).angle, Degrees(45.0));
}

#[test]
fn convention_relative_steps_are_multiples_of_epsilon_over_steps() {
    // Oracle: the rule of `StepSize`, as in an attack.
    let curriculum = Curriculum::new(2)
        .with_epsilon(0.5)
        .with_steps(Milestones::new([(1, 5.0), (2, 10.0)]))
        .with_relative_step_size(2.5);
    assert_eq!(
        [1, 2].map(|epoch| curriculum.stage(epoch).step_size),
        [0.25, 0.125]
    );
}

#[test]
fn convention_schedules_of_ones_own() {
    // One that jumps, counts in whole steps and is in files by a name of its own.
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Second {
        before: f64,
        after: f64,
    }
    impl Schedule for Second {
        fn at(&self, epoch: usize, epochs: usize) -> f64 {
            match 2 * epoch > epochs {
                true => self.after,
                false => self.before,
            }
        }
        fn settings(&self) -> serde_json::Value {
            named::<dyn Schedule>("second half", self)
        }
    }
    let own = Second {
        before: 0.0,
        after: 4.0,
    };
    let curriculum = Curriculum::new(4).with_steps(own.clone());
    curriculum.check().unwrap();
    let json = serde_json::to_string(&curriculum).unwrap();
    assert!(serde_json::from_str::<Curriculum>(&json).is_err());
    let registry = <dyn Schedule>::registry();
    registry
        .add("second half", |s: Second| std::sync::Arc::new(s))
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Curriculum>(&json).unwrap(),
        curriculum
    );
    // By itself it says what holds in another number of epochs.
    let steps =
        |c: Curriculum| -> Vec<usize> { c.stages().into_iter().map(|s| s.1.steps).collect() };
    assert_eq!(steps(curriculum.scaled_to(10)), [0, 4]);
    assert_eq!(curriculum.scaled_to(10).stage(6).steps, 4);
    let refused = Curriculum::new(4)
        .with_learning_rate(own)
        .check()
        .unwrap_err();
    assert!(
        refused.to_string().contains("learning rate = 0"),
        "{refused}"
    );
}

#[test]
fn value_steps_follow_a_ramp_in_whole_numbers() {
    let curriculum = Curriculum::new(4).with_steps(Linear::new(1.0, 6.0));
    let steps: Vec<usize> = (1..=4).map(|epoch| curriculum.stage(epoch).steps).collect();
    assert_eq!(steps, [1, 3, 4, 6]); // 1, 2.67, 4.33, 6
}
