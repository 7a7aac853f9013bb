//! Ramps of other forms than a line, tables and warm-ups.

use fireproof::curriculum::{
    Cosine, Curriculum, Exponential, Linear, Milestones, Schedule, ScheduleSpec, Table, Warmup,
    When,
};

fn values(schedule: &dyn Schedule, epochs: usize) -> Vec<f64> {
    (1..=epochs)
        .map(|epoch| schedule.at(epoch, epochs))
        .collect()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-12, "{found} for {expected}");
    }
}

#[test]
fn value_cosine_is_pytorch_s_annealing() {
    // Oracle: torch 2.15, CosineAnnealingLR(SGD(lr=0.1), T_max=8, eta_min=0.001), the rate before each
    // of nine epochs.
    let expected = [
        0.1,
        0.0962320368593087,
        0.0855017856687341,
        0.06944282990207196,
        0.0505,
        0.03155717009792806,
        0.0154982143312659,
        0.004767963140691306,
        0.001,
    ];
    assert_close(&values(&Cosine::new(0.1, 0.001), 9), &expected);
    // Upwards, between epochs and between fractions: the middle half of 8 epochs is epochs 3 to 6.
    let up = Cosine::new(0.0, 1.0);
    let part = [0.0, 0.0, 0.0, 0.25, 0.75, 1.0, 1.0, 1.0];
    assert_close(&values(&up.between(3, 6), 8), &part);
    assert_close(&values(&up.between(0.25, 0.75), 8), &part);
    assert_eq!(Cosine::new(1.0, 2.0).at(1, 1), 2.0);
}

#[test]
fn value_exponential_is_pytorch_s_decay() {
    // Oracle: torch 2.15, ExponentialLR(SGD(lr=0.1), gamma=0.5), the rate before each of five epochs.
    let expected = [0.1, 0.05, 0.025, 0.0125, 0.00625];
    assert_close(&values(&Exponential::new(0.1, 0.1 / 16.0), 5), &expected);
    let up = Exponential::new(0.01, 1.0).between(0.0, 0.6);
    assert_close(&values(&up, 5), &[0.01, 0.1, 1.0, 1.0, 1.0]);
    assert_eq!(Exponential::new(1.0, 2.0).at(1, 1), 2.0);
}

#[test]
fn value_tables_go_straight_from_point_to_point() {
    // Oracle: by hand.
    let by_epoch = Table::new([(2, 1.0), (4, 3.0), (5, 0.0)]);
    assert_eq!(values(&by_epoch, 6), [1.0, 1.0, 2.0, 3.0, 0.0, 0.0]);
    // A fifth of ten epochs has passed with the second one; at fraction 0 stands the first.
    let by_fraction = Table::new([(0.0, 4.0), (0.2, 2.0), (0.6, 10.0)]);
    let expected = [4.0, 2.0, 4.0, 6.0, 8.0, 10.0, 10.0, 10.0, 10.0, 10.0];
    assert_eq!(values(&by_fraction, 10), expected);
    // In two epochs all three meet in the first one, and the last of them holds; in four, two do.
    assert_eq!(values(&by_fraction, 2), [10.0, 10.0]);
    assert_eq!(values(&by_fraction, 4), [2.0, 10.0, 10.0, 10.0]);
    let each = Table::of_epochs([0.3, 0.1, 0.2]);
    assert_eq!(values(&each, 4), [0.3, 0.1, 0.2, 0.2]);
}

#[test]
fn value_warmups_reach_their_schedule_in_equal_steps() {
    // Oracle: by hand.
    let warm = Warmup::new(Milestones::new([(1, 8.0), (3, 16.0)]), 4);
    assert_eq!(values(&warm, 6), [2.0, 4.0, 12.0, 16.0, 16.0, 16.0]);
    assert_eq!(values(&Warmup::new(8.0, 0.4), 5), [4.0, 8.0, 8.0, 8.0, 8.0]);
    for until in [1, 0] {
        let at_once = Warmup::new(8.0, When::Epoch(until));
        assert_eq!(values(&at_once, 3), [8.0; 3]);
    }
    // Of numbers of steps, to the nearest whole one.
    let curriculum = Curriculum::new(3)
        .with_epsilon(0.1)
        .with_steps(Warmup::new(10, 3));
    curriculum.check().unwrap();
    let steps: Vec<usize> = (1..=3).map(|epoch| curriculum.stage(epoch).steps).collect();
    assert_eq!(steps, [3, 7, 10]);
}

#[test]
fn value_all_of_them_stretch_with_the_epochs() {
    // Oracle: by hand, as for lines: epochs 4 to 6 of 12 are 31 to 60 of 120.
    let of = |epochs, schedule: ScheduleSpec| Curriculum::new(epochs).with_epsilon(schedule);
    for (short, long) in [
        (
            Cosine::new(0.0, 0.3).between(4, 6).into(),
            Cosine::new(0.0, 0.3).between(31, 60).into(),
        ),
        (
            Exponential::new(0.1, 0.3).between(4, 6).into(),
            Exponential::new(0.1, 0.3).between(31, 60).into(),
        ),
        (
            Table::new([(1, 0.1), (6, 0.3), (12, 0.2)]).into(),
            Table::new([(1, 0.1), (60, 0.3), (120, 0.2)]).into(),
        ),
        (
            Warmup::new(Milestones::new([(1, 0.1), (7, 0.2)]), 3).into(),
            Warmup::new(Milestones::new([(1, 0.1), (61, 0.2)]), 30).into(),
        ),
    ] as [(ScheduleSpec, ScheduleSpec); 4]
    {
        assert_eq!(of(12, short.clone()).scaled_to(120), of(120, long.clone()));
        for epochs in 1..40 {
            of(12, short.clone()).scaled_to(epochs).check().unwrap();
        }
    }
    // Those at fractions say as they are.
    let fractions = Table::new([(0.0, 0.1), (0.5, 0.3)]);
    let scaled = of(12, fractions.clone().into()).scaled_to(7);
    assert_eq!(scaled, of(7, fractions.into()));
}

#[test]
fn convention_in_files_each_has_its_name() {
    let schedules: [(&str, ScheduleSpec); 6] = [
        ("cosine", Cosine::new(0.1, 0.2).into()),
        (
            "exponential",
            Exponential::new(0.1, 0.2).between(2, 3).into(),
        ),
        ("table", Table::of_epochs([0.1, 0.2]).into()),
        ("warmup", Warmup::new(Linear::new(0.1, 0.2), 3).into()),
        ("linear", Linear::new(0.1, 0.2).into()),
        ("constant", 0.1.into()),
    ];
    for (name, schedule) in schedules {
        assert_eq!(schedule.name(), name);
        let json = serde_json::to_string(&schedule).unwrap();
        assert_eq!(
            serde_json::from_str::<ScheduleSpec>(&json).unwrap(),
            schedule
        );
    }
    let json = r#"{"schedule": "warmup", "of": {"schedule": "table", "points":
        [{"from": {"fraction": 0.0}, "value": 0.1}]}, "until": {"epoch": 2}}"#;
    let read: ScheduleSpec = serde_json::from_str(json).unwrap();
    assert_eq!(read, Warmup::new(Table::new([(0.0, 0.1)]), 2).into());
}

#[test]
fn error_schedules_that_make_no_sense_are_refused_by_name() {
    let new = || Curriculum::new(10);
    for (curriculum, part) in [
        (
            new().with_angle(Cosine::new(0.0, 181.0)),
            "angle = 181: expected 0 to 180 degrees",
        ),
        (
            new().with_learning_rate(Cosine::new(0.1, 0.0)),
            "learning rate = 0: expected a finite number above 0",
        ),
        (
            new().with_angle(Cosine::new(0.0, 1.0).between(5, 4)),
            "angle: ramp = epoch 5 to epoch 4: expected an end",
        ),
        (
            new().with_epsilon(Exponential::new(0.0, 0.1)),
            "epsilon: exponential: from = 0: expected a finite number above 0",
        ),
        (
            new().with_shift(Table::new([(1, 1.0); 0])),
            "shift: table = no value: expected at least one",
        ),
        (
            new().with_shift(Table::of_epochs([1.0; 11])),
            "shift: point in training = epoch 11: expected 1 to 10",
        ),
        (
            new().with_shift(Table::new([(3, 1.0), (2, 2.0)])),
            "shift: point after epoch 3 = epoch 2: expected points in ascending order",
        ),
        (
            new().with_epsilon(Warmup::new(0.1, 11)),
            "epsilon: point in training = epoch 11",
        ),
        (
            new().with_epsilon(Warmup::new(-0.1, 2)),
            "epsilon = -0.1: expected a finite number, 0 or more",
        ),
        (
            new().with_epsilon(Warmup::new(Milestones::new([(2, 0.1)]), 2)),
            "epsilon: first milestone = epoch 2",
        ),
    ] {
        let message = curriculum.check().unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}
