//! TRADES, until the crate has it.

use burn::tensor::activation::{log_softmax, softmax};
use fireproof::attack::{Attack, Keep, Kl, Pgd};
use fireproof::base::{Batch, Error, Result};
use fireproof::train::{Objective, Scored, StagedBatch, Step, Student};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub struct Trades {
    beta: f64,
}

impl Trades {
    pub fn new(beta: f64) -> Self {
        Self { beta }
    }
}

impl Objective for Trades {
    fn step(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Step> {
        let (batch, stage) = (&staged.batch, &staged.stage);
        if stage.epsilon == 0.0 {
            return Step::on(batch.images.clone(), student, staged);
        }
        let attack = Pgd::linf(stage.epsilon)
            .with_steps(stage.steps)
            .with_step_size(stage.step_size)
            .with_loss(Kl)
            .with_keep(Keep::Last);
        let plain = Batch {
            images: batch.images.clone().without_autodiff(),
            labels: batch.labels.clone().without_autodiff(),
            ..batch.clone()
        };
        let seed = staged.seed.derive(staged.epoch as u64);
        let attacked = attack
            .perturb(&student.frozen(), &plain, seed)
            .map_err(|error| Error::Training(error.to_string()))?;
        let clean = student.pass(batch.images.clone(), &staged.keys());
        let other = student.pass(attacked, &staged.keys());
        let divergence = (softmax(clean.clone(), 1)
            * (log_softmax(clean.clone(), 1) - log_softmax(other, 1)))
        .sum_dim(1)
        .mean();
        let scored = Scored::cross_entropy(clean, batch.labels.clone());
        let loss = scored.losses.clone().mean() + divergence * self.beta;
        Step::down(loss, student, staged, scored)
    }

    fn settings(&self) -> Value {
        json!({"objective": "trades", "beta": self.beta})
    }
}
