//! An objective that has a memory: a running average of the weights.

use burn::tensor::Tensor;
use fireproof::attack::AttackSpec;
use fireproof::base::{Error, Result, named};
use fireproof::curriculum::Stage;
use fireproof::train::{Objective, ObjectiveSpec, Scored, StagedBatch, Step, Student};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Learns by another objective; validates and hands back an exponential moving average of all
/// weights and running statistics.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ema {
    /// How the weights learn.
    pub of: ObjectiveSpec,
    /// The share of the average that each update keeps.
    pub keep: f64,
}

impl Ema {
    /// The average over what this objective learns.
    pub fn new(of: impl Into<ObjectiveSpec>, keep: f64) -> Self {
        Self {
            of: of.into(),
            keep,
        }
    }
}

impl Objective for Ema {
    fn step(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Step> {
        self.of.step(student, staged)
    }

    fn settings(&self) -> Value {
        named::<dyn Objective>("own_ema", self)
    }

    fn attack(&self, stage: &Stage) -> Option<AttackSpec> {
        self.of.attack(stage)
    }

    fn check(&self) -> Result<()> {
        if !(0.0..1.0).contains(&self.keep) {
            return Err(Error::setting(
                "keep",
                self.keep,
                "0 or more and less than 1",
            ));
        }
        self.of.check()
    }

    /// The average, and then what the other objective remembers.
    fn begin(&self, student: &dyn Student) -> Vec<Tensor<1>> {
        let weights = student.weights().into_iter().map(|weight| weight.values);
        weights.chain(self.of.begin(student)).collect()
    }

    fn after_update(
        &self,
        student: &mut dyn Student,
        memory: &mut [Tensor<1>],
        epoch: usize,
    ) -> Result<()> {
        let (average, rest) = memory.split_at_mut(student.weights().len());
        // It may change the weights.
        self.of.after_update(student, rest, epoch)?;
        for (average, weight) in average.iter_mut().zip(student.weights()) {
            *average = average.clone() * self.keep + weight.values * (1.0 - self.keep);
        }
        Ok(())
    }

    fn judged(&self, student: &dyn Student, memory: &[Tensor<1>]) -> Option<Vec<Tensor<1>>> {
        Some(memory[..student.weights().len()].to_vec())
    }

    fn validate(&self, student: &dyn Student, staged: &StagedBatch) -> Result<Scored> {
        self.of.validate(student, staged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::awp::tests::{flat, network, staged};
    use burn::train::TrainStep;
    use fireproof::train::{Augmentation, Natural, Trainee, sgd};

    #[test]
    fn value_is_the_average_of_what_the_other_objective_learns() {
        // Oracle: the average, on the host, over a training without this objective.
        let plain = network();
        let mut expected = flat(&plain);
        let twin = Trainee::new(
            plain.clone(),
            Ema::new(Natural, 0.75),
            Augmentation::default(),
        );
        let plain = Trainee::new(plain, Natural, Augmentation::default());
        let (mut plain, mut twin) = (plain, twin);
        let mut optimisers = [sgd(0.9, 5e-4), sgd(0.9, 5e-4)];
        for _ in 0..3 {
            let output = TrainStep::step(&plain, staged(0.0));
            plain = plain.optimize(&mut optimisers[0], 0.1.into(), output.grads);
            let output = TrainStep::step(&twin, staged(0.0));
            twin = twin.optimize(&mut optimisers[1], 0.1.into(), output.grads);
            for (average, weight) in expected.iter_mut().zip(flat(&plain.model)) {
                *average = *average * 0.75 + weight * 0.25;
            }
        }
        assert_eq!(flat(&twin.model), flat(&plain.model));
        let judged = flat(&twin.judged().unwrap());
        let off = judged.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 1e-6);
        assert!(judged != flat(&plain.model));
    }

    #[test]
    fn error_of_a_share_out_of_range() {
        assert!(Ema::new(Natural, 1.0).check().is_err());
    }
}
