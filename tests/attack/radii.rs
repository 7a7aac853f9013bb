//! APGD that begins in larger balls.

use super::linear::{linear, linear_batch};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{Apgd, Attack, L1, Limits, Norm, StepRule, verify};
use fireproof::base::{Draws, Seed};
use std::sync::Mutex;

// Not on every device: the radii are noted where all devices' tests would.
on_this_device![value_larger_radii_come_first];

// L1 that takes note of the radii it is asked for a rule in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Watched;

impl std::fmt::Display for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("watched L1")
    }
}

static RADII: Mutex<Vec<(usize, f64)>> = Mutex::new(Vec::new());

impl Norm for Watched {
    fn length(&self, perturbation: &[f64]) -> f64 {
        L1.length(perturbation)
    }

    fn lengths(&self, perturbations: Tensor<4>) -> Tensor<1> {
        L1.lengths(perturbations)
    }

    fn steepest(&self, gradient: Tensor<4>, length: f64) -> Tensor<4> {
        L1.steepest(gradient, length)
    }

    fn project(&self, images: Tensor<4>, to: Limits) -> Tensor<4> {
        L1.project(images, to)
    }

    fn draw(&self, pixels: usize, epsilon: f64, draws: &mut Draws) -> Vec<f64> {
        L1.draw(pixels, epsilon, draws)
    }

    fn rule(&self, steps: usize, epsilon: f64) -> Box<dyn StepRule> {
        RADII.lock().unwrap().push((steps, epsilon));
        L1.rule(steps, epsilon)
    }

    fn settings(&self) -> serde_json::Value {
        "watched".into()
    }
}

fn value_larger_radii_come_first(on: &On) {
    // Oracle: the published schedule, three tenths of the steps at 3ε and at 2ε each.
    let (victim, batch) = (linear(on), linear_batch(on));
    for (steps, expected) in [
        (10, [3, 3, 4]),
        (100, [30, 30, 40]),
        (7, [3, 3, 1]),
        (2, [1, 1, 0]),
    ] {
        RADII.lock().unwrap().clear();
        let apgd = Apgd::new(Watched, 0.5).with_steps(steps);
        let apgd = apgd.with_larger_radii([3.0, 2.0]);
        let found = apgd.attack(&victim, &batch, Seed(1)).unwrap();
        let radii = RADII.lock().unwrap().clone();
        assert_eq!(
            radii,
            [(expected[0], 1.5), (expected[1], 1.0), (expected[2], 0.5)]
        );
        assert_eq!(found.gradients, [steps as u32; 2]);
        assert!(
            found
                .queries
                .iter()
                .all(|&queries| queries as usize <= apgd.cost().queries)
        );
        // Nothing of a larger ball is returned.
        verify(&found, &batch, L1, 0.5).unwrap();
    }
    let wrong = [
        vec![2.0, 3.0],
        vec![1.0],
        vec![f64::NAN],
        vec![5.0, 4.0, 3.0, 2.0],
    ];
    for radii in wrong {
        let error = Apgd::l1(1.0).with_larger_radii(radii).check().unwrap_err();
        assert!(error.to_string().starts_with("larger_radii = "), "{error}");
    }
}
