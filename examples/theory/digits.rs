//! A network for handwritten digits in the same plane: quarter turns for shifts, and L∞.

use crate::options::Options;
use crate::training::{Budgets, Method, methods};
use crate::{bar, common, percent};
use burn::tensor::Device;
use fireproof::base::Result;
use fireproof::evaluate::Rate;
use fireproof::prelude::*;
use fireproof::train::Progress;
use fireproof::transform::rot90;
use serde::Serialize;

/// The radius of all attacks.
pub const EPSILON: f64 = 0.1;
const WIDTH: usize = 4;
const TEST_STEPS: usize = 10;
const RATE: f64 = 0.05;

/// What came of a training.
#[derive(Clone, Debug, Serialize)]
pub struct Trained {
    pub network: String,
    pub method: &'static str,
    pub natural: Rate,
    /// Over the four quarter turns of each digit.
    pub spatial: Rate,
    /// The same, attacked after the turn.
    pub adversarial: Rate,
}

pub fn measure(options: &Options) -> Result<Vec<Trained>> {
    let sizes = options.sizes();
    let device = common::device(options.device.as_deref())?;
    let data = common::digits(None)?;
    let train = common::balanced(&data.train, sizes.digits, options.seed)?;
    let test = common::balanced(&data.test, sizes.test_digits, options.seed)?;
    let budgets = Budgets {
        angle: 180.0,
        shift: 0.0,
        epsilon: EPSILON,
    };
    let methods = methods(budgets, sizes.epochs, sizes.steps.min(4), RATE);
    let bar = bar("digits", methods.len());
    let each = methods.iter().map(|method| {
        let found = trained(method, options, [&train, &test], &device);
        bar.inc(1);
        found
    });
    let found = each.collect();
    bar.finish_and_clear();
    found
}

fn trained(
    method: &Method,
    options: &Options,
    [train, test]: [&ImageSet; 2],
    device: &Device,
) -> Result<Trained> {
    let config = common::network(Group::P1, (Group::P1, WIDTH), options.seed, train, device)?;
    let training = Training::new(method.curriculum.clone(), method.objective.clone())
        .with_batch_size(50)
        .with_seed(options.seed)
        .with_progress(Progress::Quiet);
    let watch = test.take(20);
    let model = config.init(device)?;
    let victim = Frozen::new(&training.fit(model, train, &watch, device)?.model);

    let batch = test.batch(&Vec::from_iter(0..test.len()), device);
    let labels = batch.labels_to_vec();
    let attack = Pgd::linf(EPSILON).with_steps(TEST_STEPS);
    // Of each digit the four turns side by side.
    let mut right = vec![[false; 4]; test.len()];
    let mut stands = right.clone();
    for turns in 0..4 {
        let images = rot90(batch.images.clone(), turns as i32);
        let turned = batch.clone().with_images(images)?;
        let predicted = victim.predict(turned.images.clone());
        let found = attack.attack(&victim, &turned, Seed(options.seed).derive(turns as u64))?;
        for at in 0..test.len() {
            right[at][turns] = predicted[at] == labels[at];
            stands[at][turns] = right[at][turns] && !found.fooled[at];
        }
    }
    let natural = right.iter().filter(|turns| turns[0]).count();
    Ok(Trained {
        network: common::network_name(Group::P1),
        method: method.name,
        natural: Rate::of(natural, test.len()),
        spatial: Rate::of_draws(right.as_flattened(), 4),
        adversarial: Rate::of_draws(stands.as_flattened(), 4),
    })
}

pub fn text(found: &[Trained]) -> String {
    let mut text = format!(
        "## Handwritten digits\n\nS is the accuracy over the four quarter turns of each digit, R the same \
         under PGD-{TEST_STEPS} with ε = {EPSILON} after the turn. No bound is known here; S + R is shown for \
         comparison.\n\n\
         | network | trained | as it is | S | R | S + R |\n|---|---|---:|---:|---:|---:|"
    );
    for row in found {
        text += &format!(
            "\n| {} | {} | {} | {} | {} | {:.3} |",
            row.network,
            row.method,
            percent(row.natural.value),
            row.spatial,
            row.adversarial,
            row.spatial.value + row.adversarial.value,
        );
    }
    text
}
