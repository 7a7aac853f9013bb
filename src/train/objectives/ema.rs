use super::alike::learns_as_of;
use crate::base::{Error, Result};
use crate::train::{Objective, ObjectiveSpec, Student};
use burn::tensor::{DType, Tensor};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Another objective, of whose weights an exponential moving average is validated and handed back; what is learnt
/// stays the same. (As S.-A. Rebuffi et al. 2021, "Fixing Data Augmentation to Improve Adversarial Robustness",
/// section 3.1, use it.)
///
/// After the n-th update, n from 1, average ← d·average + (1 − d)·weights with d = min(decay, (1 + n)/(10 + n)):
/// in the first updates less is kept, so that the initial weights are soon forgotten. The average begins as the
/// initial weights. Running statistics are averaged as weights are.
///
/// ```
/// use fireproof::train::{Ema, Objective, PgdTraining};
///
/// assert!(Ema::new(PgdTraining::default()).with_decay(0.995).check().is_ok());
/// assert!(Ema::new(PgdTraining::default()).with_decay(1.0).check().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Ema {
    /// The objective.
    #[setters(into)]
    pub of: ObjectiveSpec,
    /// What is kept of the average in an update, in `[0, 1)`; 0.999 unless it is said.
    #[serde(default = "usual_decay")]
    pub decay: f64,
}

fn usual_decay() -> f64 {
    0.999
}

impl Ema {
    /// The objective with averaged weights, of which each update keeps 0.999.
    pub fn new(of: impl Into<ObjectiveSpec>) -> Self {
        Self {
            of: of.into(),
            decay: usual_decay(),
        }
    }
}

impl Objective for Ema {
    learns_as_of!("ema");

    /// # Errors
    ///
    /// [`Error::Setting`] for a decay that is not in `[0, 1)`, and for an objective that makes no
    /// sense.
    fn check(&self) -> Result<()> {
        let valid = (0.0..1.0).contains(&self.decay);
        Error::unless(valid, "decay", self.decay, "a number in [0, 1)")?;
        self.of.check().map_err(|error| error.within("of"))
    }

    // The number of updates, the average, and what the objective remembers.
    fn begin(&self, student: &dyn Student) -> Vec<Tensor<1>> {
        let inner = self.of.begin(student);
        let now = inner_weights(&self.of, student, &inner);
        let updates = counter(&now);
        [vec![updates], now, inner].concat()
    }

    fn after_update(
        &self,
        student: &mut dyn Student,
        memory: &mut [Tensor<1>],
        epoch: usize,
    ) -> Result<()> {
        let count = student.weights().len();
        let (own, inner) = memory.split_at_mut(1 + count);
        self.of.after_update(student, inner, epoch)?;
        let [updates, average @ ..] = own else {
            unreachable!("a counter and an average");
        };
        *updates = updates.clone() + 1.0;
        let n = updates.clone();
        let kept = ((n.clone() + 1.0) / (n + 10.0)).clamp_max(self.decay);
        let now = inner_weights(&self.of, student, inner);
        for (average, now) in average.iter_mut().zip(now) {
            let share = (kept.clone().neg() + 1.0).cast(now.dtype());
            *average = average.clone() + (now - average.clone()) * share;
        }
        Ok(())
    }

    fn judged(&self, student: &dyn Student, memory: &[Tensor<1>]) -> Option<Vec<Tensor<1>>> {
        let count = student.weights().len();
        Some(memory[1..1 + count].to_vec())
    }
}

/// What an objective would have judged by itself.
pub(super) fn inner_weights(
    of: &ObjectiveSpec,
    student: &dyn Student,
    memory: &[Tensor<1>],
) -> Vec<Tensor<1>> {
    let own = || {
        let weights = student.weights().into_iter();
        weights.map(|weight| weight.values).collect()
    };
    of.judged(student, memory).unwrap_or_else(own)
}

/// A zero to count with, whatever the weights' type, beside these.
pub(super) fn counter(weights: &[Tensor<1>]) -> Tensor<1> {
    let device = weights.first().map(|weights| weights.device());
    Tensor::zeros([1], (&device.unwrap_or_default(), DType::F32))
}
