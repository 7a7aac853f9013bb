use burn::tensor::{ExecutionError, Int, Tensor, TensorReadError, activation::log_softmax};
use burn::train::ItemLazy;
use burn::train::metric::{
    AccuracyInput, Adaptor, LossInput, Metric, MetricMetadata, MetricName, SerializedEntry,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Logits with their losses: what a step hands to burn-train's metrics.
#[derive(Debug)]
pub struct Scored {
    /// The loss of each image `[batch]`, so that metrics weigh a partial batch rightly.
    pub losses: Tensor<1>,
    /// Logits `[batch, classes]`.
    pub logits: Tensor<2>,
    /// True classes `[batch]`.
    pub labels: Tensor<1, Int>,
    /// Further numbers by name, one for each image `[batch]`: their means come into the
    /// [`EpochRecord`](crate::train::EpochRecord).
    pub numbers: Vec<(String, Tensor<1>)>,
}

impl Scored {
    /// Losses `[batch]` with the logits `[batch, classes]` to show beside them.
    pub fn new(losses: Tensor<1>, logits: Tensor<2>, labels: Tensor<1, Int>) -> Self {
        Self {
            losses,
            logits,
            labels,
            numbers: Vec::new(),
        }
    }

    /// The cross-entropy of each image, in nats.
    pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Self {
        let chosen = labels.clone().unsqueeze_dim(1);
        let losses = log_softmax(logits.clone(), 1).gather(1, chosen);
        Self::new(-losses.squeeze_dim(1), logits, labels)
    }

    /// With a further number for each image `[batch]`; a number of fewer images has their number of
    /// entries.
    pub fn with_number(mut self, name: impl Into<String>, values: Tensor<1>) -> Self {
        self.numbers.push((name.into(), values));
        self
    }
}

impl ItemLazy for Scored {
    fn sync(self) -> std::result::Result<Self, ExecutionError> {
        self.losses.device().flush()?;
        let plain = |(name, values): (String, Tensor<1>)| (name, values.without_autodiff());
        Ok(Self {
            losses: self.losses.without_autodiff(),
            logits: self.logits.without_autodiff(),
            labels: self.labels.without_autodiff(),
            numbers: self.numbers.into_iter().map(plain).collect(),
        })
    }
}

impl Adaptor<LossInput> for Scored {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.losses.clone())
    }
}

impl Adaptor<AccuracyInput> for Scored {
    fn adapt(&self) -> AccuracyInput {
        AccuracyInput::new(self.logits.clone(), self.labels.clone())
    }
}

/// The numbers of a batch.
pub(super) struct NumbersInput(Vec<(String, Tensor<1>)>);

impl Adaptor<NumbersInput> for Scored {
    fn adapt(&self) -> NumbersInput {
        NumbersInput(self.numbers.clone())
    }
}

/// Sums and counts of all [numbers](Scored::numbers) of a pass over the images, by name. A metric
/// for burn-train, whose own display knows only metrics that are named beforehand; clones share
/// their sums.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers(Arc<Mutex<BTreeMap<String, (f64, usize)>>>);

impl Numbers {
    /// The means, by name; begins anew.
    pub fn take(&self) -> BTreeMap<String, f64> {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mean = |(name, (sum, count))| (name, sum / count as f64);
        std::mem::take(&mut *sums).into_iter().map(mean).collect()
    }
}

impl Metric for Numbers {
    type Input = NumbersInput;

    fn name(&self) -> MetricName {
        Arc::new("Numbers".to_owned())
    }

    fn update(
        &mut self,
        NumbersInput(numbers): &NumbersInput,
        _metadata: &MetricMetadata,
    ) -> std::result::Result<SerializedEntry, TensorReadError> {
        for (name, values) in numbers {
            // Not under the lock: on a pool, whoever waits for the sum may be back here meanwhile.
            let total = values.clone().sum().try_into_scalar::<f64>()?;
            let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let (sum, count) = sums.entry(name.clone()).or_default();
            *sum += total;
            *count += values.dims()[0];
        }
        Ok(SerializedEntry::new(String::new(), String::new()))
    }

    fn compute(&mut self) -> std::result::Result<SerializedEntry, TensorReadError> {
        Ok(SerializedEntry::new(String::new(), String::new()))
    }

    // At the end of the pass, before they are taken.
    fn clear(&mut self) {}
}
