//! Schedules, curricula and the published CuSP.

use fireproof::base::{Degrees, Kind, Pixels, named};
use fireproof::curriculum::{Curriculum, Linear, Milestones, Schedule, ScheduleSpec, Stage, When};
use proptest::prelude::*;

/// A stage of the published curriculum: angle, ε·255 and learning rate.
fn published(angle: f64, levels: f64, learning_rate: f64) -> Stage {
    Stage {
        angle: Degrees(angle),
        shift: Pixels(0.0),
        epsilon: levels / 255.0,
        steps: 10,
        step_size: 2.0 / 255.0,
        learning_rate,
    }
}

fn stages(curriculum: &Curriculum) -> Vec<(usize, usize, Stage)> {
    let stages = curriculum.stages().into_iter();
    stages
        .map(|(epochs, stage)| (*epochs.start(), *epochs.end(), stage))
        .collect()
}

// ---------------------------------------------------------------------------------------------
// CuSP

#[test]
fn value_cusp_cifar10_is_the_published_one() {
    // Oracle: `main()` of the published code, cusp_cifar10.py, PGD variant: budgets switch at
    // epochs 75 and 90, learning rates at 75, 90 and 100, of 120.
    let cusp = Curriculum::cusp_cifar10();
    cusp.check().unwrap();
    assert_eq!(cusp.epochs(), 120);
    let (first, second) = (published(120.0, 2.0, 0.1), published(150.0, 4.0, 0.01));
    let (third, last) = (published(180.0, 8.0, 0.001), published(180.0, 8.0, 0.0001));
    for (epoch, stage) in [
        (1, first),
        (74, first),
        (75, second),
        (89, second),
        (90, third),
        (99, third),
        (100, last),
        (120, last),
    ] {
        assert_eq!(cusp.stage(epoch), stage, "epoch {epoch}");
        assert_eq!(cusp.learning_rate(epoch), stage.learning_rate);
    }
    assert_eq!(
        stages(&cusp),
        [
            (1, 74, first),
            (75, 89, second),
            (90, 99, third),
            (100, 120, last)
        ]
    );
}

#[test]
fn value_cusp_scales_to_any_number_of_epochs() {
    // Oracle: by hand. 74, 89 and 99 of 120 epochs are 7.4, 8.9 and 9.9 of 12, and 37, 44.5 and
    // 49.5 of 60. In 5 (3.1, 3.7, 4.1) each of the four stages needs an epoch of its own. Of the
    // stages of 74, 15, 10 and 21 epochs, 3 epochs keep the longest three and 1 the longest one.
    let cusp = Curriculum::cusp_cifar10();
    let (first, second) = (cusp.stage(1), cusp.stage(75));
    let (third, last) = (cusp.stage(90), cusp.stage(100));
    for (epochs, expected) in [
        (
            60,
            vec![
                (1, 37, first),
                (38, 45, second),
                (46, 50, third),
                (51, 60, last),
            ],
        ),
        (
            12,
            vec![
                (1, 7, first),
                (8, 9, second),
                (10, 10, third),
                (11, 12, last),
            ],
        ),
        (
            5,
            vec![(1, 2, first), (3, 3, second), (4, 4, third), (5, 5, last)],
        ),
        (
            4,
            vec![(1, 1, first), (2, 2, second), (3, 3, third), (4, 4, last)],
        ),
        (3, vec![(1, 1, first), (2, 2, second), (3, 3, last)]),
        (2, vec![(1, 1, first), (2, 2, last)]),
        (1, vec![(1, 1, first)]),
    ] {
        let scaled = cusp.scaled_to(epochs);
        scaled.check().unwrap();
        assert_eq!(stages(&scaled), expected, "{epochs} epochs");
    }
    // Ten times as many, exactly.
    let starts: Vec<usize> = stages(&cusp.scaled_to(1200)).iter().map(|s| s.0).collect();
    assert_eq!(starts, [1, 741, 891, 991]);
}

#[test]
fn value_cusp_mnist_and_the_shift_variants() {
    // Oracle: their documentation; they are this crate's own.
    let (mnist, cifar) = (Curriculum::cusp_mnist(), Curriculum::cusp_cifar10());
    for (epoch, epsilon, shift, learning_rate) in [
        (1, 0.1, 1.0, 0.01),
        (74, 0.1, 1.0, 0.01),
        (75, 0.2, 2.0, 0.001),
        (90, 0.3, 3.0, 0.0001),
        (120, 0.3, 3.0, 0.00001),
    ] {
        let stage = mnist.stage(epoch);
        assert_eq!(
            (stage.angle, stage.shift),
            (cifar.stage(epoch).angle, Pixels(0.0))
        );
        assert_eq!(
            (stage.epsilon, stage.learning_rate),
            (epsilon, learning_rate)
        );
        assert_eq!((stage.steps, stage.step_size), (10, 0.25 * epsilon));

        for (rotating, shifting) in [
            (&mnist, Curriculum::cusp_mnist_shifts()),
            (&cifar, Curriculum::cusp_cifar10_shifts()),
        ] {
            shifting.check().unwrap();
            let expected = Stage {
                angle: Degrees(0.0),
                shift: Pixels(shift),
                ..rotating.stage(epoch)
            };
            assert_eq!(shifting.stage(epoch), expected);
        }
    }
}

#[test]
fn value_counterparts_differ_in_what_they_say_alone() {
    let cusp = Curriculum::cusp_cifar10();
    for epoch in 1..=120 {
        let (stage, last) = (cusp.stage(epoch), cusp.stage(120));
        let fixed = Stage {
            learning_rate: stage.learning_rate,
            ..last
        };
        assert_eq!(cusp.fixed().stage(epoch), fixed);
        let pose = Stage {
            epsilon: 0.0,
            ..stage
        };
        assert_eq!(cusp.pose_only().stage(epoch), pose);
        let pixels = Stage {
            angle: Degrees(0.0),
            ..stage
        };
        assert_eq!(cusp.pixels_only().stage(epoch), pixels);
        let natural = Stage {
            epsilon: 0.0,
            ..pixels
        };
        assert_eq!(cusp.natural().stage(epoch), natural);
    }
    let shifts = Curriculum::cusp_mnist_shifts().pixels_only();
    assert_eq!(shifts.stage(120).shift, Pixels(0.0));
}

// ---------------------------------------------------------------------------------------------
// Printing and storing

#[test]
fn convention_display_is_an_aligned_markdown_table() {
    let expected = "\
|  epochs | rotation | shift |                ε | steps |        step size | learning rate |
| ------: | -------: | ----: | ---------------: | ----: | ---------------: | ------------: |
|    1–74 |    ±120° | ±0 px | 0.007843 (2/255) |    10 | 0.007843 (2/255) |           0.1 |
|   75–89 |    ±150° | ±0 px |  0.01569 (4/255) |    10 | 0.007843 (2/255) |          0.01 |
|   90–99 |    ±180° | ±0 px |  0.03137 (8/255) |    10 | 0.007843 (2/255) |         0.001 |
| 100–120 |    ±180° | ±0 px |  0.03137 (8/255) |    10 | 0.007843 (2/255) |        0.0001 |
";
    assert_eq!(Curriculum::cusp_cifar10().to_string(), expected);
}

#[test]
fn convention_display_shows_single_epochs_and_no_attack() {
    let curriculum = Curriculum::new(3)
        .with_shift(Linear::new(0.0, 1.0))
        .with_epsilon(Milestones::new([(1, 0.0), (3, 0.3)]))
        .with_learning_rate(1.0 / 3.0);
    let expected = "\
| epochs | rotation |   shift |   ε | steps | step size | learning rate |
| -----: | -------: | ------: | --: | ----: | --------: | ------------: |
|      1 |      ±0° |   ±0 px |   0 |     – |         – |        0.3333 |
|      2 |      ±0° | ±0.5 px |   0 |     – |         – |        0.3333 |
|      3 |      ±0° |   ±1 px | 0.3 |    10 |     0.075 |        0.3333 |
";
    assert_eq!(curriculum.to_string(), expected);
}

#[test]
fn convention_json_is_readable_and_comes_back_equal() {
    let own = Curriculum::new(20)
        .with_angle(30.0)
        .with_shift(Linear::new(0.0, 3.0).between(2, 10))
        .with_epsilon(Linear::new(0.0, 0.3))
        .with_steps(7)
        .with_step_size(Milestones::new([(0.0, 0.1), (0.5, 0.05)]));
    for curriculum in [
        own,
        Curriculum::cusp_cifar10(),
        Curriculum::cusp_mnist_shifts(),
        Curriculum::cusp_cifar10().fixed().scaled_to(7),
    ] {
        let json = serde_json::to_string(&curriculum).unwrap();
        assert_eq!(
            serde_json::from_str::<Curriculum>(&json).unwrap(),
            curriculum
        );
    }
    let json = serde_json::json!({
        "epochs": 4,
        "angle": {"schedule": "milestones", "values": [
            {"from": {"epoch": 1}, "value": 15.0},
            {"from": {"fraction": 0.5}, "value": 30.0},
        ]},
        "shift": 0.0,
        "epsilon": {
            "schedule": "linear",
            "from": 0.0, "to": 0.3, "first": {"epoch": 1}, "last": {"fraction": 1.0},
        },
        "steps": 10.0,
        "step_size": {"relative": 2.5},
        "learning_rate": 0.1,
    });
    let curriculum: Curriculum = serde_json::from_value(json.clone()).unwrap();
    curriculum.check().unwrap();
    assert_eq!(serde_json::to_value(&curriculum).unwrap(), json);
    assert_eq!(curriculum.stage(3).angle, Degrees(30.0));

    assert_eq!(
        curriculum.stage(3).step_size,
        2.5 * curriculum.stage(3).epsilon / 10.0
    );

    for (field, wrong, part) in [
        ("epsilons", serde_json::json!(1), "unknown field `epsilons`"),
        ("shift", serde_json::json!("cosine"), "one of: constant"),
        (
            "shift",
            serde_json::json!({"schedule": "linear", "form": 1.0}),
            "unknown field `form`",
        ),
    ] {
        let mut misspelt = json.clone();
        misspelt[field] = wrong;
        let refused = serde_json::from_value::<Curriculum>(misspelt)
            .unwrap_err()
            .to_string();
        assert!(refused.contains(part), "{refused}");
    }
}

// ---------------------------------------------------------------------------------------------
// Schedules

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

// ---------------------------------------------------------------------------------------------
// Errors

#[test]
#[should_panic(expected = "epoch 0 is not within 1 to 120")]
fn error_epochs_count_from_1() {
    Curriculum::cusp_cifar10().stage(0);
}

#[test]
#[should_panic(expected = "epoch 121 is not within 1 to 120")]
fn error_epoch_after_the_last() {
    Curriculum::cusp_cifar10().stage(121);
}

#[test]
fn error_check_names_the_setting_and_what_would_be_right() {
    let new = || Curriculum::new(10);
    for (curriculum, part) in [
        (
            Curriculum::new(0),
            "curriculum: epochs = 0: expected 1 to 1000000",
        ),
        (new().scaled_to(0), "curriculum: epochs = 0"),
        (Curriculum::new(1_000_001), "curriculum: epochs"),
        (
            new().with_angle(181.0),
            "angle = 181: expected 0 to 180 degrees",
        ),
        (new().with_angle(f64::NAN), "angle = NaN"),
        (
            new().with_shift(-1.0),
            "shift = -1: expected a finite number, 0 or more",
        ),
        (new().with_epsilon(f64::INFINITY), "epsilon = inf"),
        (
            new().with_steps(2.5),
            "steps = 2.5: expected a whole number",
        ),
        (new().with_step_size(-0.1), "step size = -0.1"),
        (
            new().with_learning_rate(0.0),
            "learning rate = 0: expected a finite number above 0",
        ),
        (
            new().with_angle(Milestones::new([(1, 1.0); 0])),
            "angle: milestones = none: expected at least one",
        ),
        (
            new().with_angle(Milestones::new([(2, 1.0)])),
            "angle: first milestone = epoch 2: expected epoch 1 or fraction 0",
        ),
        (
            new().with_angle(Milestones::new([(1, 1.0), (11, 2.0)])),
            "angle: point in training = epoch 11: expected 1 to 10",
        ),
        (
            new().with_angle(Milestones::new([(1, 1.0), (0, 2.0)])),
            "angle: point in training = epoch 0",
        ),
        (
            new().with_angle(Milestones::new([(0.0, 1.0), (1.5, 2.0)])),
            "angle: point in training = fraction 1.5: expected 0 to 1",
        ),
        (
            new().with_angle(Milestones::new([(1, 1.0), (5, 2.0), (3, 3.0)])),
            "angle: milestone after epoch 5 = epoch 3: expected milestones in ascending order",
        ),
        (
            new().with_angle(Milestones::new([(1, 1.0), (1, 2.0)])),
            "milestone after epoch 1 = epoch 1",
        ),
        (
            new().with_angle(Milestones::new([
                (When::Epoch(1), 1.0),
                (When::Fraction(f64::NAN), 2.0),
            ])),
            "fraction NaN",
        ),
        (
            new().with_angle(Linear::new(0.0, 1.0).between(5, 4)),
            "angle: ramp = epoch 5 to epoch 4: expected an end that is not before the start",
        ),
        (
            new().with_angle(Linear::new(0.0, 1.0).between(0.51, 0.5)),
            "angle: ramp = fraction 0.51 to fraction 0.5",
        ),
        (
            new()
                .with_epsilon(Milestones::new([(1, 0.0), (4, 0.1)]))
                .with_steps(0),
            "attack at epoch 4 = 0 steps",
        ),
        (
            new().with_epsilon(0.1).with_step_size(0.0),
            "attack at epoch 1 = 10 steps of 0: expected at least one step of a size above 0",
        ),
    ] {
        let message = curriculum.check().unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    new().with_steps(0).with_step_size(0.0).check().unwrap();
}

// ---------------------------------------------------------------------------------------------
// Properties

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
