//! Objectives of one's own.

use super::fitting::{GENERATOR, Net, fit, training, weights};
use super::given::{CALM, HARD, epoch, loader};
use crate::common::values;
use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use burn::train::TrainStep;
use fireproof::base::{Classifier, Error, Keys};
use fireproof::curriculum::Stage;
use fireproof::nn::{GroupDropout, GroupDropoutConfig};
use fireproof::train::{
    Augmentation, Natural, Objective, ObjectiveSpec, PgdTraining, Scored, StagedBatch, Step,
    Student, Trainee, Training, sgd,
};
use std::sync::PoisonError;

#[test]
fn smoke_a_step_of_ones_own() {
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::new(&device);
    let mut trainee = Trainee::new(net, PgdTraining::default(), Augmentation::published_cifar());
    let mut optimiser = sgd(0.9, 5e-4);
    let loader = loader(&fireproof::device(), 32, &[HARD], 1).to_device(&device);
    for staged in epoch(&*loader) {
        let output = TrainStep::step(&trainee, staged);
        trainee = optimiser.step(0.01, trainee, output.grads);
    }
    let images = Tensor::from_data(TensorData::new(vec![0.5f32; 64], [1, 1, 8, 8]), &device);
    assert!(
        values(trainee.model.logits(images))
            .iter()
            .all(|v| v.is_finite())
    );
}

/// Learns by another objective; validates and hands back a running average of all weights, and
/// shows how far the average is behind.
#[derive(Debug)]
struct Averaged {
    inner: ObjectiveSpec,
    keep: f32,
}

impl Objective for Averaged {
    fn step(&self, student: &dyn Student, staged: &StagedBatch) -> fireproof::base::Result<Step> {
        let mut step = self.inner.step(student, staged)?;
        let right = step.scored.logits.clone().argmax(1).squeeze_dim::<1>(1);
        let right = right.equal(staged.batch.labels.clone()).float();
        step.scored = step.scored.with_number("right", right);
        Ok(step)
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({"objective": "averaged", "inner": self.inner, "keep": self.keep})
    }

    fn begin(&self, student: &dyn Student) -> Vec<Tensor<1>> {
        student.weights().into_iter().map(|w| w.values).collect()
    }

    fn after_update(
        &self,
        student: &mut dyn Student,
        memory: &mut [Tensor<1>],
        _epoch: usize,
    ) -> fireproof::base::Result<()> {
        for (average, weight) in memory.iter_mut().zip(student.weights()) {
            *average = average.clone() * self.keep + weight.values * (1.0 - self.keep);
        }
        Ok(())
    }

    fn judged(&self, _student: &dyn Student, memory: &[Tensor<1>]) -> Option<Vec<Tensor<1>>> {
        Some(memory.to_vec())
    }

    fn validate(
        &self,
        student: &dyn Student,
        staged: &StagedBatch,
    ) -> fireproof::base::Result<Scored> {
        let scored = self.inner.validate(student, staged)?;
        let losses = scored.losses.clone();
        Ok(scored.with_number("loss again", losses))
    }
}

fn averaged(stages: &[Stage]) -> Training {
    let objective = Averaged {
        inner: PgdTraining::default().into(),
        keep: 0.75,
    };
    let mut settings = training(stages);
    settings.objective = objective.into();
    settings
}

#[test]
fn value_an_objective_may_average_weights() {
    // Oracle: the averages, on the host, of the weights that the inner objective's own training
    // has after each step.
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::new(&device).valid().train().fork(&device);
    let average = Averaged {
        inner: Natural.into(),
        keep: 0.75,
    };
    let copy = net.valid().train();
    let mut plain = Trainee::new(net, Natural, Augmentation::default());
    let mut trainee = Trainee::new(copy, average, Augmentation::default());
    // Burn takes running statistics down late, but for this.
    let settled = |trainee: &Trainee<Net>| weights(&trainee.model.valid());
    let mut expected = settled(&plain);
    let optimisers = &mut [sgd(0.9, 5e-4), sgd(0.9, 5e-4)];
    let loader = loader(&fireproof::device(), 48, &[CALM], 1).to_device(&device);
    for staged in epoch(&*loader) {
        let output = TrainStep::step(&plain, staged.clone());
        plain = plain.optimize(&mut optimisers[0], 0.1.into(), output.grads);
        let output = TrainStep::step(&trainee, staged);
        trainee = trainee.optimize(&mut optimisers[1], 0.1.into(), output.grads);
        for (expected, weight) in expected.iter_mut().zip(settled(&plain)) {
            *expected = *expected * 0.75 + weight * 0.25;
        }
    }
    assert!(settled(&trainee) == settled(&plain));
    let judged = weights(&trainee.judged().unwrap());
    assert!(
        judged
            .iter()
            .zip(&expected)
            .all(|(a, b)| (a - b).abs() < 1e-6)
    );
    assert!(judged != settled(&plain));
    // Judging left the running statistics of the model alone.
    assert!(settled(&trainee) == settled(&plain));
}

#[test]
fn convention_what_an_objective_remembers_survives_resumption() {
    let stages = [CALM, HARD, HARD];
    let folder = tempfile::tempdir().unwrap();
    let settings = averaged(&stages);
    let whole = fit(&settings.clone().with_directory(folder.path())).unwrap();
    let plain = fit(&training(&stages)).unwrap();
    assert!(weights(&whole.model) != weights(&plain.model));
    for (averaged, plain) in whole.history.iter().zip(&plain.history) {
        // What is learnt is the same, what is validated is not.
        assert_eq!(averaged.train_loss, plain.train_loss);
        assert_ne!(averaged.valid_loss, plain.valid_loss);
        let right = averaged.train_numbers["right"];
        assert!((right - plain.train_accuracy).abs() < 1e-6, "{right}");
        let again = averaged.valid_numbers["loss again"];
        assert!((again - averaged.valid_loss).abs() < 1e-6, "{again}");
        assert!(plain.train_numbers.is_empty() && plain.valid_numbers.is_empty());
    }
    std::fs::remove_file(folder.path().join("checkpoint/model-3.bpk")).unwrap();
    let resuming = settings.with_directory(folder.path()).with_resume(true);
    let resumed = fit(&resuming).unwrap();
    assert!(weights(&resumed.model) == weights(&whole.model));
    assert_eq!(resumed.history[2].valid_loss, whole.history[2].valid_loss);
    assert_eq!(
        resumed.history[2].train_numbers,
        whole.history[2].train_numbers
    );
}

#[test]
fn value_an_objective_may_learn_at_moved_weights() {
    // As adversarial weight perturbation does: gradients at weights moved up the loss, applied to
    // the weights themselves. Oracle: a network that has the moved weights as its own.
    #[derive(Debug)]
    struct Perturbed;
    impl Perturbed {
        fn moved(student: &dyn Student, staged: &StagedBatch) -> Vec<Tensor<1>> {
            let up = Natural.step(student, staged).unwrap().gradients;
            let gradients = student.flat_gradients(&up);
            let weights = student.weights().into_iter().zip(gradients);
            let moved = weights.map(|(weight, gradient)| match gradient {
                Some(gradient) if weight.shape.len() > 1 => {
                    assert!(
                        weight.learnt && weight.name.ends_with("weight"),
                        "{weight:?}"
                    );
                    weight.values + gradient.mul_scalar(0.5)
                }
                _ => weight.values,
            });
            moved.collect()
        }
    }
    impl Objective for Perturbed {
        fn step(
            &self,
            student: &dyn Student,
            staged: &StagedBatch,
        ) -> fireproof::base::Result<Step> {
            let moved = student.moved(Self::moved(student, staged));
            Natural.step(&*moved, staged)
        }
        fn settings(&self) -> serde_json::Value {
            "perturbed".into()
        }
    }
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::new(&device).valid().train().fork(&device);
    let staged = epoch(&*loader(&fireproof::device(), 16, &[CALM], 1).to_device(&device)).remove(0);
    let mut twin = net.valid().train();
    let before = weights(&net);
    let found = Perturbed.step(&net, &staged).unwrap();
    let moved = Perturbed::moved(&twin, &staged);
    twin.replace(moved);
    let expected = Natural.step(&twin, &staged).unwrap();
    assert_eq!(
        values(&found.scored.losses),
        values(&expected.scored.losses)
    );
    let flat = |student: &Net, step: &Step| -> Vec<Vec<f32>> {
        let gradients = student.flat_gradients(&step.gradients);
        gradients.iter().flatten().map(values).collect()
    };
    assert_eq!(flat(&net, &found), flat(&twin, &expected));
    assert_eq!(
        flat(&net, &found).len(),
        6,
        "two linear layers and the norm's"
    );
    // The weights are where they were, and both passes counted in the running statistics.
    let (learnt, statistics) = (before.len() - 32, weights(&net));
    assert_eq!(statistics[..learnt], before[..learnt]);
    assert_ne!(statistics[learnt..], before[learnt..]);
    assert_eq!(statistics[learnt..], weights(&twin)[learnt..]);
}

#[test]
fn error_of_an_objective_ends_the_training() {
    #[derive(Debug)]
    struct Failing(&'static str);
    impl Objective for Failing {
        fn step(
            &self,
            student: &dyn Student,
            staged: &StagedBatch,
        ) -> fireproof::base::Result<Step> {
            Natural.step(student, staged)
        }
        fn settings(&self) -> serde_json::Value {
            "failing".into()
        }
        fn check(&self) -> fireproof::base::Result<()> {
            self.fail("check")
        }
        fn after_update(
            &self,
            _: &mut dyn Student,
            _: &mut [Tensor<1>],
            _: usize,
        ) -> fireproof::base::Result<()> {
            self.fail("update")
        }
        fn validate(
            &self,
            student: &dyn Student,
            staged: &StagedBatch,
        ) -> fireproof::base::Result<Scored> {
            self.fail("validation")?;
            Natural.validate(student, staged)
        }
    }
    impl Failing {
        fn fail(&self, at: &str) -> fireproof::base::Result<()> {
            match self.0 == at {
                true => Err(Error::setting("failing", at, "anything else")),
                false => Ok(()),
            }
        }
    }
    for at in ["check", "update", "validation"] {
        let mut settings = training(&[CALM]);
        settings.objective = Failing(at).into();
        let refused = fit(&settings).unwrap_err();
        assert!(matches!(refused, Error::Setting { .. }), "{refused}");
        assert!(refused.to_string().contains(at), "{refused}");
    }
}

#[test]
fn convention_every_pass_counts_its_dropouts_anew() {
    // What an objective is promised: passes with the same keys drop the same, whatever the model.
    #[derive(Module, Debug)]
    struct Dropping {
        dropouts: [GroupDropout; 2],
    }
    impl Classifier for Dropping {
        fn logits(&self, images: Tensor<4>) -> Tensor<2> {
            images.flatten(1, 3)
        }

        fn training_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
            let each = self.dropouts.each_ref();
            Tensor::cat(
                each.map(|dropout| dropout.forward_with(self.logits(images.clone()), keys))
                    .to_vec(),
                1,
            )
        }
    }
    let device = fireproof::device().autodiff();
    let dropout = || GroupDropoutConfig::new(0.5).init();
    let model = Dropping {
        dropouts: [dropout(), dropout()],
    };
    let images = Tensor::ones([1, 1, 8, 8], &device);
    let keys = Keys::new(1, [7]);
    let pass = || values(Student::pass(&model, images.clone(), &keys));
    let first = pass();
    assert_eq!(pass(), first);
    assert_ne!(first[..64], first[64..]);
}
