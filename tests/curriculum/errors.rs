//! What is refused, and in which words.

use fireproof::curriculum::{Curriculum, Linear, Milestones, When};

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
