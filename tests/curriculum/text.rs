//! Curricula as text and in files.

use super::misspelt::assert_refused;
use fireproof::base::Degrees;
use fireproof::curriculum::{Curriculum, Linear, Milestones};

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
        Curriculum::cusp_mnist_translation(),
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

    assert_refused::<Curriculum>(
        &json,
        [
            ("epsilons", serde_json::json!(1), "unknown field `epsilons`"),
            ("shift", serde_json::json!("sine"), "one of: constant"),
            (
                "shift",
                serde_json::json!({"schedule": "linear", "form": 1.0}),
                "unknown field `form`",
            ),
        ],
    );
}
