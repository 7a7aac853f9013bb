//! Whether a network withstands the one step that it learns from, and nothing else.

use super::inner::{failed, plain};
use crate::attack::{Attack, Frozen, Pgd};
use crate::base::{Purpose, Result};
use crate::train::StagedBatch;
use burn::tensor::Tensor;

const STEPS: usize = 10;

// What PGD leaves of the accuracy under the one step where that is overfitted to, at most, and by how
// much it is less, at least: a network that is just learning is as bad under both.
const LEFT: f64 = 0.5;
const GAP: f64 = 0.2;

/// Compares accuracies on so many images of the batch after the one step and under PGD, and warns.
/// Numbers of what it found, by name, of each image that it looked at.
///
/// # Errors
///
/// As of an attack in a training.
pub(super) fn check(
    victim: &Frozen,
    staged: &StagedBatch,
    stepped: Tensor<4>,
    images: usize,
) -> Result<Vec<(String, Tensor<1>)>> {
    let few = Vec::from_iter(0..images.min(staged.batch.len()));
    let batch = plain(staged).select(&few);
    let labels = batch.labels_to_vec();
    let predicted = victim.predict(stepped.narrow(0, 0, few.len()));
    let one_step = share(predicted.iter().zip(&labels).map(|(a, b)| a == b));

    let mut draws = staged.keys().draws(Purpose::Derive, 0);
    let pgd = Pgd::linf(staged.stage.epsilon).with_steps(STEPS);
    let found = pgd
        .attack(victim, &batch, draws.next().into())
        .map_err(|error| failed(error, staged))?;
    let pgd = share(found.fooled.iter().map(|fooled| !fooled));
    let overfitted = pgd < LEFT * one_step && one_step - pgd >= GAP;
    if overfitted {
        log::warn!(
            "epoch {}: catastrophic overfitting: of {} images the network knows {:.0} % after the one \
             step that it learns from, but {:.0} % under PGD-{STEPS} with the same ε = {}",
            staged.epoch,
            few.len(),
            100.0 * one_step,
            100.0 * pgd,
            staged.stage.epsilon,
        );
    }
    let device = batch.images.device();
    let number =
        |name: &str, value: f64| (name.to_owned(), Tensor::full([few.len()], value, &device));
    Ok(vec![
        number("one-step accuracy", one_step),
        number("PGD accuracy", pgd),
        number("catastrophic overfitting", f64::from(u8::from(overfitted))),
    ])
}

fn share(right: impl Iterator<Item = bool>) -> f64 {
    let right = Vec::from_iter(right.map(|right| f64::from(u8::from(right))));
    right.iter().sum::<f64>() / right.len() as f64
}
