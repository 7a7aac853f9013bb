//! Studies that take no time.

use fireproof::evaluate::RandomPose;
use fireproof::prelude::*;
use fireproof::study::verdicts::{Claimed, Estimand};
use fireproof::study::{
    Contrast, DataPlan, EmbeddedMnist, EndpointPlan, Measurement, NetworkPlan, Place, PlanePlan,
    SeriesPlan, Study, TrainingPlan,
};

/// A network of a few hundred parameters.
pub fn network(group: Group) -> CnnConfig {
    CnnConfig::new(group, [1, 28, 28], 10)
        .with_widths(Widths::Given([2, 2, 2, 2]))
        .with_hidden(10)
        .with_batch_norm(Some(true))
}

pub fn curriculum() -> Curriculum {
    Curriculum::new(2).with_steps(1).with_learning_rate(0.05)
}

/// Two networks, two trainings, two seeds: eight cells.
pub fn study() -> Study {
    let data = DataPlan {
        train: Some(40),
        test: Some(30),
        ..DataPlan::new(EmbeddedMnist)
    };
    let attacked = curriculum().with_epsilon(0.1);
    let trainings = [
        TrainingPlan::new("natural", curriculum(), Natural),
        TrainingPlan::new("PGD", attacked, PgdTraining::default()),
    ];
    let poses = RandomPose::rotations().with_draws(2);
    let angles = [30.0, 180.0].map(Degrees);
    let pgd = Pgd::linf(0.0).with_steps(2);
    Study::new("a small study", data)
        .with_networks(vec![
            NetworkPlan::new("StdCNN", network(Group::P1)),
            NetworkPlan::new("GCNN", network(Group::P4)),
        ])
        .with_trainings(
            trainings
                .map(|training| training.with_batch_size(20).with_seeds([1, 2]))
                .to_vec(),
        )
        .with_measurements(vec![
            Measurement::new("poses").with_axis(Axis::angles(angles).with_threat(poses)),
            Measurement::new("attacks")
                .with_images(20)
                .with_axis(Axis::epsilons(pgd, [0.0, 0.05])),
        ])
        .with_evaluation_seed(3)
}

/// With questions and sections, so that there is something to report.
pub fn whole() -> Study {
    let difference = Contrast::Difference(["PGD".into(), "natural".into()]);
    let networks = || vec!["StdCNN".to_owned(), "GCNN".to_owned()];
    let turned = EndpointPlan::new(
        "accuracy when turned",
        difference.clone(),
        ("angles", 180.0),
    )
    .with_networks(networks())
    .with_claimed(Claimed::Falls);
    let fooled = EndpointPlan::new("fooling rate", difference, ("epsilons", 0.05))
        .with_networks(networks())
        .with_estimand(Estimand::Fooling);
    let place = |axis: &str, level: f64| Place {
        axis: axis.to_owned(),
        level: level.into(),
    };
    let series = SeriesPlan::new("trained with ε", &["natural", "PGD"])
        .with_levels([0.0, 0.1].map(Into::into))
        .with_plane(PlanePlan {
            spatial: place("angles", 30.0),
            adversarial: place("epsilons", 0.05),
        });
    study()
        .with_endpoints(vec![turned, fooled])
        .with_series(vec![series])
}
