//! Settings and the learning rate: nothing is computed on a device.

use super::given::{CALM, HARD, course};
use super::misspelt::assert_refused;
use burn::lr_scheduler::LrScheduler;
use fireproof::curriculum::Curriculum;
use fireproof::train::{Augmentation, Natural, ObjectiveSpec, PgdTraining, StagedRate, Training};

#[test]
fn value_learning_rate_changes_at_milestone_iterations() {
    // Oracle: PyTorch's per-epoch schedule; 3 iterations an epoch, the drop after 2 epochs.
    let stages = [CALM, CALM, HARD];
    let mut rate = StagedRate::new(course(&stages), 3);
    let rates: Vec<f64> = (0..9).map(|_| rate.step()).collect();
    assert_eq!(rates, [[0.05; 3], [0.05; 3], [0.005; 3]].concat());

    let mut begun = StagedRate::new(course(&stages), 3);
    for _ in 0..5 {
        begun.step();
    }
    let mut resumed = StagedRate::new(course(&stages), 3);
    resumed.load_record(begun.to_record());
    assert_eq!([resumed.step(), resumed.step()], [0.05, 0.005]);
}

#[test]
fn convention_settings_are_a_plain_value() {
    let settings = Training::new(Curriculum::cusp_mnist(), PgdTraining::default())
        .with_augmentation(Augmentation::published_cifar())
        .with_seed(9);
    let text = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<Training>(&text).unwrap(), settings);
    let value = serde_json::to_value(&settings).unwrap();
    assert_eq!(value["objective"]["objective"], "pgd_training");
    let attack = &value["objective"]["attack"];
    assert_eq!(
        (&attack["attack"], &attack["keep"]),
        (&"pgd".into(), &"last".into())
    );
    assert_refused::<Training>(
        &value,
        [
            (
                "momentums",
                serde_json::json!(0.9),
                "unknown field `momentums`",
            ),
            (
                "objective",
                "untrained".into(),
                "one of: average_over, awp, ema",
            ),
            (
                "objective",
                serde_json::json!({"objective": "natural", "beta": 6.0}),
                "`beta`",
            ),
            (
                "augmentation",
                serde_json::json!({"motion": "two_step", "crops": 4}),
                "`crops`",
            ),
        ],
    );
    let natural: ObjectiveSpec = serde_json::from_str("\"natural\"").unwrap();
    assert_eq!(
        (natural.name().as_str(), &natural),
        ("natural", &Natural.into())
    );
    // Where it is written and how it is shown is not part of it.
    let elsewhere = settings.with_directory("elsewhere").with_label("name");
    assert_eq!(serde_json::to_string(&elsewhere).unwrap(), text);
}
