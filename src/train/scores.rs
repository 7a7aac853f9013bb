use burn::train::metric::{
    AccuracyMetric, LossMetric, Metric, MetricEntry, MetricId, NumericEntry,
};
use burn::train::renderer::MetricState;

/// Loss and accuracy of one pass over the images: the mean so far, then the final value.
#[derive(Clone, Copy, Default)]
pub(super) struct Scores {
    loss: Mean,
    accuracy: Mean,
}

#[derive(Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, entry: &NumericEntry) {
        match *entry {
            NumericEntry::Final(value) => {
                *self = Self {
                    sum: value,
                    count: 1,
                }
            }
            NumericEntry::Value(value) => {
                self.sum += value;
                self.count += 1;
            }
            NumericEntry::Aggregated {
                aggregated_value,
                count,
            } => {
                self.sum += aggregated_value * count as f64;
                self.count += count;
            }
        }
    }

    fn value(&self) -> f64 {
        self.sum / self.count as f64
    }
}

impl Scores {
    pub fn add(&mut self, state: &MetricState) {
        let MetricState::Numeric(MetricEntry { metric_id, .. }, Some(entry)) = state else {
            return;
        };
        if *metric_id == MetricId::new(LossMetric::new().name()) {
            self.loss.add(entry);
        } else if *metric_id == MetricId::new(AccuracyMetric::new().name()) {
            self.accuracy.add(entry);
        }
    }

    pub fn loss(&self) -> f64 {
        self.loss.value()
    }

    // Burn's metric is in percent.
    pub fn accuracy(&self) -> f64 {
        self.accuracy.value() / 100.0
    }
}
