use crate::base::Error;
use crate::curriculum::Stage;
use crate::train::checkpoint::Folder;
use crate::train::scored::Numbers;
use crate::train::{Course, EpochRecord};
use burn::train::logger::{EvaluationProgressLogger, MetricLogger, TrainingProgressLogger};
use burn::train::metric::store::{EpochSummary, EventStoreClient, MetricsUpdate, Split};
use burn::train::metric::{
    AccuracyMetric, LossMetric, Metric, MetricDefinition, MetricEntry, MetricId, NumericEntry,
};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{EarlyStoppingStrategy, Interrupter, LearnerSummary};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// How a training reports itself, always on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// In a terminal one bar that is replaced by one line at the end; else as `Plain`.
    #[default]
    Auto,
    /// One line for each epoch.
    Plain,
    /// Nothing.
    Quiet,
}

enum Display {
    Bar(ProgressBar),
    Lines(Box<dyn Write + Send + Sync>),
    Quiet,
}

/// Receives burn-train's events: keeps the history and shows the progress.
pub(super) struct Monitor {
    course: Arc<Course>,
    label: String,
    folder: Option<Folder>,
    // What went wrong in writing the epochs down.
    failure: Arc<Mutex<Option<Error>>>,
    interrupter: Interrupter,
    display: Display,
    epoch: usize,
    images: u64,
    validating: bool,
    train: Scores,
    valid: Scores,
    numbers: [Numbers; 2],
    begun: Instant,
    epoch_begun: Instant,
}

/// Loss and accuracy of one pass over the images: the mean so far, then the final value.
#[derive(Clone, Copy, Default)]
struct Scores {
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
    fn add(&mut self, state: &MetricState) {
        let MetricState::Numeric(MetricEntry { metric_id, .. }, Some(entry)) = state else {
            return;
        };
        if *metric_id == MetricId::new(LossMetric::new().name()) {
            self.loss.add(entry);
        } else if *metric_id == MetricId::new(AccuracyMetric::new().name()) {
            self.accuracy.add(entry);
        }
    }

    fn loss(&self) -> f64 {
        self.loss.value()
    }

    // Burn's metric is in percent.
    fn accuracy(&self) -> f64 {
        self.accuracy.value() / 100.0
    }
}

impl Monitor {
    pub fn new(
        course: Arc<Course>,
        label: String,
        progress: Progress,
        folder: Option<Folder>,
        failure: Arc<Mutex<Option<Error>>>,
        numbers: [Numbers; 2],
        interrupter: Interrupter,
    ) -> Self {
        let display = match progress {
            Progress::Quiet => Display::Quiet,
            Progress::Auto if std::io::stderr().is_terminal() => Display::Bar(
                ProgressBar::no_length().with_style(
                    ProgressStyle::with_template(
                        "{prefix} {bar:12} {percent}% eta {eta} {wide_msg}",
                    )
                    .expect("a valid template"),
                ),
            ),
            Progress::Auto | Progress::Plain => Display::Lines(Box::new(std::io::stderr())),
        };
        Self {
            course,
            label,
            folder,
            failure,
            interrupter,
            display,
            epoch: 0,
            images: 0,
            validating: false,
            train: Scores::default(),
            valid: Scores::default(),
            numbers,
            begun: Instant::now(),
            epoch_begun: Instant::now(),
        }
    }

    fn named(&self, text: &str) -> String {
        match self.label.as_str() {
            "" => text.to_owned(),
            label => format!("{label}: {text}"),
        }
    }

    fn record(&self) -> EpochRecord {
        let [train_numbers, valid_numbers] = self.numbers.each_ref().map(Numbers::take);
        EpochRecord {
            epoch: self.epoch,
            stage: self.course.stage(self.epoch),
            train_loss: self.train.loss(),
            train_accuracy: self.train.accuracy(),
            valid_loss: self.valid.loss(),
            valid_accuracy: self.valid.accuracy(),
            train_numbers,
            valid_numbers,
            seconds: self.epoch_begun.elapsed().as_secs_f64(),
        }
    }

    fn line(&self, record: &EpochRecord) -> String {
        self.named(&format!(
            "epoch {}/{} {} | train loss {:.4} accuracy {:.2} %{} | valid loss {:.4} accuracy \
             {:.2} %{} | {:.1} s",
            record.epoch,
            self.course.epochs(),
            budgets(&record.stage),
            record.train_loss,
            100.0 * record.train_accuracy,
            listed(&record.train_numbers),
            record.valid_loss,
            100.0 * record.valid_accuracy,
            listed(&record.valid_numbers),
            record.seconds,
        ))
    }
}

/// The budgets of a stage that are not zero, and its learning rate.
fn budgets(stage: &Stage) -> String {
    let mut text = String::new();
    if stage.angle.0 != 0.0 {
        text += &format!("±{} ", stage.angle);
    }
    if stage.shift.0 != 0.0 {
        text += &format!("±{} ", stage.shift);
    }
    if stage.epsilon != 0.0 && stage.steps != 0 {
        text += &format!("ε {:.4} ", stage.epsilon);
    }
    text + &format!("rate {}", stage.learning_rate)
}

fn listed(numbers: &BTreeMap<String, f64>) -> String {
    let number = |(name, value): (&String, &f64)| format!(" {name} {value:.4}");
    numbers.iter().map(number).collect()
}

impl TrainingProgressLogger for Monitor {
    fn start(&mut self, epochs: usize, starting: usize, _items: Option<usize>, _: Option<&str>) {
        self.epoch = starting;
        self.begun = Instant::now();
        if let Display::Bar(bar) = &self.display {
            bar.set_prefix(self.label.clone());
            bar.set_message(format!("epoch {starting}/{epochs}"));
        }
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.validating = split != "train";
        if self.validating {
            self.valid = Scores::default();
            return;
        }
        self.train = Scores::default();
        self.epoch_begun = Instant::now();
        self.images = total_items as u64;
        if let Display::Bar(bar) = &self.display {
            bar.set_length(self.images * self.course.epochs() as u64);
        }
    }

    fn update_split(&mut self, items_processed: usize) {
        if let (Display::Bar(bar), false) = (&self.display, self.validating) {
            bar.set_position(self.images * (self.epoch as u64 - 1) + items_processed as u64);
            bar.set_message(format!(
                "epoch {}/{} {} loss {:.3} accuracy {:.1} %",
                self.epoch,
                self.course.epochs(),
                budgets(&self.course.stage(self.epoch)),
                self.train.loss(),
                100.0 * self.train.accuracy(),
            ));
        }
    }

    fn end_split(&mut self) {}

    fn update_epoch(&mut self, _epoch: usize) {
        let record = self.record();
        let line = self.line(&record);
        self.course.after_epoch(record);
        if let Some(folder) = &self.folder
            && let Err(error) = folder.write_history(&self.course.past())
        {
            *self.failure.lock().expect("no panic while it was held") = Some(error);
            self.interrupter.stop(Some("the history cannot be written"));
        }
        if let Display::Lines(sink) = &mut self.display {
            // A closed pipe is no reason to stop training.
            let _ = writeln!(sink, "{line}");
        }
        self.epoch += 1;
    }

    fn end(&mut self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
            if let Some(record) = self.course.past().last() {
                let total = self.begun.elapsed().as_secs_f64();
                let _ = writeln!(
                    std::io::stderr(),
                    "{} | {total:.1} s in all",
                    self.line(record)
                );
            }
        }
    }

    fn log_event_training(&mut self, _event: String) {}
}

impl Drop for Monitor {
    fn drop(&mut self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
    }
}

impl MetricsRendererTraining for Monitor {
    fn update_train(&mut self, state: MetricState) {
        self.train.add(&state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.valid.add(&state);
    }

    fn on_train_end(
        &mut self,
        _summary: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }
}

impl MetricsRenderer for Monitor {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, _definition: MetricDefinition) {}
}

// burn-train's renderers serve evaluations as well; this one is never given any.
impl MetricsRendererEvaluation for Monitor {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for Monitor {
    fn start_global_progress(&mut self, _total_tests: usize) {}

    fn start_test(&mut self, _name: &str, _total_items: usize) {}

    fn update_test_progress(&mut self, _items_processed: usize) {}

    fn end_test(&mut self) {}

    fn end_global_progress(&mut self) {}

    fn log_event_evaluation(&mut self, _event: String) {}
}

/// Stops no training: but burn-train, asked at the end of an epoch whether to stop, waits until
/// the [`Monitor`] has taken the epoch down, so that the next one's stage may depend on it.
#[derive(Clone)]
pub(super) struct EveryEpoch;

impl EarlyStoppingStrategy for EveryEpoch {
    fn should_stop(&mut self, _epoch: usize, _store: &EventStoreClient) -> bool {
        false
    }
}

/// In place of burn-train's metric files, one for each metric, split and epoch: the [`Monitor`]
/// keeps the history.
pub(super) struct NoMetricFiles;

impl MetricLogger for NoMetricFiles {
    fn log(&mut self, _update: MetricsUpdate, _epoch: usize, _split: &Split) {}

    fn read_numeric(
        &mut self,
        _name: &str,
        _epoch: usize,
        _split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        Ok(Vec::new())
    }

    fn log_metric_definition(&mut self, _definition: MetricDefinition) {}

    fn log_epoch_summary(&mut self, _summary: EpochSummary) {}
}
