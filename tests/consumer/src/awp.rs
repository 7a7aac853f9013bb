//! An objective that learns at other weights than the model's: adversarial weight perturbation.

use burn::tensor::Tensor;
use fireproof::attack::AttackSpec;
use fireproof::base::{Error, Result, named};
use fireproof::curriculum::Stage;
use fireproof::train::{Objective, PgdTraining, StagedBatch, Step, Student};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// PGD training down the gradients at weights that were moved up the same loss, each tensor by
/// `gamma` times its own norm. (D. Wu, S.-T. Xia, Y. Wang 2020, "Adversarial Weight Perturbation
/// Helps Robust Generalization", algorithm 1 with one step.)
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Awp {
    /// How far the weights are moved.
    pub gamma: f64,
}

impl Awp {
    /// The weights, moved; biases, running statistics and what has no gradient stay.
    fn moved(&self, student: &dyn Student, up: &Step) -> Vec<Tensor<1>> {
        let gradients = student.flat_gradients(&up.gradients);
        let weights = student.weights().into_iter().zip(gradients);
        let moved = weights.map(|(weight, gradient)| match gradient {
            Some(gradient) if weight.shape.len() > 1 => {
                let norm = |t: &Tensor<1>| t.clone().powi_scalar(2).sum().sqrt();
                let scale = norm(&weight.values) / norm(&gradient).clamp_min(1e-12);
                weight.values + gradient * scale * self.gamma
            }
            _ => weight.values,
        });
        moved.collect()
    }
}

impl Objective for Awp {
    fn step(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Step> {
        let seed = staged.seed.derive(staged.epoch as u64);
        let images = match self.attack(&staged.stage) {
            Some(attack) => attack.perturb(&student.frozen(), &staged.batch, seed)?,
            None => staged.batch.images.clone(),
        };
        let up = Step::on(images.clone(), student, staged)?;
        let moved = student.moved(self.moved(student, &up));
        Step::on(images, &*moved, staged)
    }

    fn settings(&self) -> Value {
        named::<dyn Objective>("own_awp", self)
    }

    fn attack(&self, stage: &Stage) -> Option<AttackSpec> {
        PgdTraining::default().attack(stage)
    }

    fn check(&self) -> Result<()> {
        match self.gamma.is_finite() && self.gamma >= 0.0 {
            true => Ok(()),
            false => Err(Error::setting(
                "gamma",
                self.gamma,
                "a finite number, 0 or more",
            )),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::network::Network;
    use crate::network::tests::batch;
    use burn::module::Module;
    use fireproof::base::{Degrees, Pixels, Seed, read};
    use fireproof::nn::InitialWeights;

    pub(crate) fn network() -> Network {
        // Drawn from a seed: of others now and then no channel is ever positive.
        Network::new(3, &fireproof::device().autodiff()).map(&mut InitialWeights::uniform(1))
    }

    pub(crate) fn flat(student: &dyn Student) -> Vec<f32> {
        let weights = student.weights().into_iter();
        weights
            .flat_map(|weight| read::<f32, _, _>(&weight.values))
            .collect()
    }

    fn gradients(student: &dyn Student, step: &Step) -> Vec<f32> {
        let gradients = student.flat_gradients(&step.gradients).into_iter();
        gradients
            .flatten()
            .flat_map(|g| read::<f32, _, _>(&g))
            .collect()
    }

    pub(crate) fn staged(epsilon: f64) -> StagedBatch {
        let mut batch = batch(6);
        let device = fireproof::device().autodiff();
        batch.images = batch.images.to_device(&device);
        batch.labels = batch.labels.to_device(&device);
        let stage = Stage {
            angle: Degrees(0.0),
            shift: Pixels(0.0),
            epsilon,
            steps: 3,
            step_size: epsilon / 2.0,
            learning_rate: 0.1,
        };
        StagedBatch {
            batch,
            stage,
            seed: Seed(1),
            epoch: 1,
            step: 1,
            share: 1.0,
        }
    }

    #[test]
    fn value_gradients_are_those_at_the_moved_weights() {
        // Oracle: a network that has the moved weights as its own.
        let (student, staged) = (network(), staged(0.0));
        let before = flat(&student);
        let awp = Awp { gamma: 0.05 };
        let found = awp.step(&student, &staged).unwrap();
        assert_eq!(flat(&student), before, "the weights are where they were");
        let up = Step::on(staged.batch.images.clone(), &student, &staged).unwrap();
        let mut twin = student.clone();
        Student::replace(&mut twin, awp.moved(&student, &up));
        let expected = Step::on(staged.batch.images.clone(), &twin, &staged).unwrap();
        assert_eq!(gradients(&student, &found), gradients(&twin, &expected));
        assert!(gradients(&student, &found) != gradients(&student, &up));
        let losses = |step: &Step| read::<f32, _, _>(&step.scored.losses).iter().sum::<f32>();
        assert!(losses(&found) > losses(&up));
        // Each tensor is moved by gamma norms.
        let moved = awp.moved(&student, &up).into_iter().zip(student.weights());
        for (moved, weight) in moved.filter(|(_, weight)| weight.shape.len() > 1) {
            let norm = |t: Tensor<1>| read::<f32, _, _>(&t.powi_scalar(2).sum())[0].sqrt();
            let distance = norm(moved - weight.values.clone()) / norm(weight.values);
            assert!((distance - 0.05).abs() < 1e-5, "{distance}");
        }
    }

    #[test]
    fn value_without_perturbation_is_pgd_training() {
        let (student, staged) = (network(), staged(0.1));
        let found = Awp { gamma: 0.0 }.step(&student, &staged).unwrap();
        let expected = PgdTraining::default().step(&student, &staged).unwrap();
        assert_eq!(gradients(&student, &found), gradients(&student, &expected));
    }
}
