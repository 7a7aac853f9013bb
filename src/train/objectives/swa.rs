use super::alike::learns_as_of;
use super::ema::{counter, inner_weights};
use crate::base::{Error, Result};
use crate::train::{Objective, ObjectiveSpec, Student};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Another objective, of whose weights at the ends of epochs the plain mean is validated and handed back; what is
/// learnt stays the same. (P. Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better
/// Generalization", algorithm 1 with a cycle of one epoch; for robust training T. Chen et al. 2021, "Robust
/// Overfitting may be mitigated by Properly Learned Smoothening".)
///
/// Averaged are the epochs from `from` on, the newest included as it stands; before, the weights are the
/// model's own. Running statistics are averaged as weights are: the published algorithm passes over the training
/// images once more to find those of the averaged weights, which an objective cannot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swa {
    /// The objective.
    pub of: ObjectiveSpec,
    /// The first epoch whose weights are averaged, counted from 1.
    pub from: usize,
}

impl Swa {
    /// The objective with weights averaged over the epochs from this one on, counted from 1.
    pub fn new(of: impl Into<ObjectiveSpec>, from: usize) -> Self {
        Self {
            of: of.into(),
            from,
        }
    }
}

// What is remembered: the epoch of the last update, the epochs that have ended since the first one that
// counts, the mean over their last weights, the newest weights, and what the objective remembers.
const COUNTERS: usize = 2;

impl Objective for Swa {
    learns_as_of!("swa");

    /// # Errors
    ///
    /// [`Error::Setting`] for epoch 0, and for an objective that makes no sense.
    fn check(&self) -> Result<()> {
        Error::unless(self.from > 0, "from", self.from, "an epoch, counted from 1")?;
        self.of.check().map_err(|error| error.within("of"))
    }

    fn begin(&self, student: &dyn Student) -> Vec<Tensor<1>> {
        let inner = self.of.begin(student);
        let now = inner_weights(&self.of, student, &inner);
        let nothing = now.iter().map(|now| now.zeros_like()).collect();
        let counters = vec![counter(&now); COUNTERS];
        [counters, nothing, now, inner].concat()
    }

    fn after_update(
        &self,
        student: &mut dyn Student,
        memory: &mut [Tensor<1>],
        epoch: usize,
    ) -> Result<()> {
        let count = student.weights().len();
        let (own, inner) = memory.split_at_mut(COUNTERS + 2 * count);
        self.of.after_update(student, inner, epoch)?;
        let ([last, ended], own) = own.split_first_chunk_mut().expect("two counters");
        let (mean, newest) = own.split_at_mut(count);
        // 1 if the update before this one ended an epoch that counts. Nothing is read from the device.
        let before = last.clone().lower_elem(epoch as f64);
        let ends = before.bool_and(last.clone().greater_equal_elem(self.from as f64));
        let ends = ends.float();
        *ended = ended.clone() + ends.clone();
        let share = ends / ended.clone().clamp_min(1.0);
        let now = inner_weights(&self.of, student, inner);
        for ((mean, newest), now) in mean.iter_mut().zip(newest).zip(now) {
            let towards = newest.clone() - mean.clone();
            *mean = mean.clone() + towards * share.clone().cast(now.dtype());
            *newest = now;
        }
        *last = last.full_like(epoch as f64);
        Ok(())
    }

    fn judged(&self, student: &dyn Student, memory: &[Tensor<1>]) -> Option<Vec<Tensor<1>>> {
        let count = student.weights().len();
        let ([_, ended], own) = memory.split_first_chunk().expect("two counters");
        let (mean, newest) = own[..2 * count].split_at(count);
        let share = (ended.clone() + 1.0).recip();
        let joined = mean.iter().zip(newest).map(|(mean, newest)| {
            let towards = newest.clone() - mean.clone();
            mean.clone() + towards * share.clone().cast(newest.dtype())
        });
        Some(joined.collect())
    }
}
