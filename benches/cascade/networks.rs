//! Networks to choose by.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;
use fireproof::attack::Frozen;
use fireproof::base::{Classifier, Result};
use fireproof::curriculum::Curriculum;
use fireproof::data::Splits;
use fireproof::group::Group;
use fireproof::model::{CnnConfig, SmallCnnConfig};
use fireproof::train::{Natural, ObjectiveSpec, PgdTraining, Training};

/// Two trained on the digits as they are, two on what PGD finds.
pub fn trained(digits: &Splits, device: &Device) -> Result<Vec<(&'static str, Frozen)>> {
    let shape = digits.train.shape();
    let cnn = |group| CnnConfig::new(group, shape, 10).init(device);
    let small = || SmallCnnConfig::new(shape, 10).init(device);
    Ok(vec![
        ("p1-CNN natural", fit(cnn(Group::P1)?, 0.0, digits)?),
        ("p1-CNN PGD", fit(cnn(Group::P1)?, 0.1, digits)?),
        ("SmallCnn PGD", fit(small()?, 0.2, digits)?),
        ("p4-CNN natural", fit(cnn(Group::P4)?, 0.0, digits)?),
    ])
}

fn fit<M: Module + ModuleDisplay + Classifier + 'static>(
    model: M,
    epsilon: f64,
    digits: &Splits,
) -> Result<Frozen> {
    let (objective, rate): (ObjectiveSpec, f64) = match epsilon {
        0.0 => (Natural.into(), 0.05),
        _ => (PgdTraining::default().into(), 0.02),
    };
    let curriculum = Curriculum::new(4)
        .with_epsilon(epsilon)
        .with_steps(5.0)
        .with_learning_rate(rate);
    let training = Training::new(curriculum, objective).with_batch_size(50);
    let (train, watch) = (digits.train.take(3000), digits.test.take(100));
    let trained = training.fit(model, &train, &watch, &fireproof::device())?;
    Ok(Frozen::new(&trained.model))
}
