use crate::curriculum::Stage;
use crate::train::checkpoint::Folder;
use crate::train::failure::Failure;
use crate::train::progress::Display;
use crate::train::scored::Numbers;
use crate::train::scores::Scores;
use crate::train::watch::Finding;
use crate::train::{Course, EpochRecord, Robust};
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::MetricDefinition;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{Interrupter, LearnerSummary};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

/// Receives burn-train's events: keeps the history and shows the progress.
pub(super) struct Monitor {
    pub course: Arc<Course>,
    pub label: String,
    pub folder: Option<Folder>,
    pub failure: Failure,
    pub interrupter: Interrupter,
    pub display: Display,
    /// Of training and of validation.
    pub numbers: [Numbers; 2],
    /// What robust validation has found.
    pub finding: Finding,
    pub now: Now,
}

/// Where the training is.
#[derive(Default)]
pub(super) struct Now {
    epoch: usize,
    images: u64,
    validating: bool,
    train: Scores,
    valid: Scores,
    begun: Option<Instant>,
    epoch_begun: Option<Instant>,
}

fn seconds(since: Option<Instant>) -> f64 {
    since.map_or(0.0, |begun| begun.elapsed().as_secs_f64())
}

impl Monitor {
    fn named(&self, text: &str) -> String {
        match self.label.as_str() {
            "" => text.to_owned(),
            label => format!("{label}: {text}"),
        }
    }

    fn record(&self) -> EpochRecord {
        let [train_numbers, valid_numbers] = self.numbers.each_ref().map(Numbers::take);
        EpochRecord {
            epoch: self.now.epoch,
            stage: self.course.stage(self.now.epoch),
            train_loss: self.now.train.loss(),
            train_accuracy: self.now.train.accuracy(),
            valid_loss: self.now.valid.loss(),
            valid_accuracy: self.now.valid.accuracy(),
            train_numbers,
            valid_numbers,
            robust: (self.finding.lock())
                .expect("no panic while it was held")
                .take(),
            seconds: seconds(self.now.epoch_begun),
        }
    }

    fn line(&self, record: &EpochRecord) -> String {
        self.named(&format!(
            "epoch {}/{} {} | train loss {:.4} accuracy {:.2} %{} | valid loss {:.4} accuracy \
             {:.2} %{}{} | {:.1} s",
            record.epoch,
            self.course.epochs(),
            budgets(&record.stage),
            record.train_loss,
            100.0 * record.train_accuracy,
            listed(&record.train_numbers),
            record.valid_loss,
            100.0 * record.valid_accuracy,
            listed(&record.valid_numbers),
            record.robust.map_or_else(String::new, shown),
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

fn shown(robust: Robust) -> String {
    let (accuracy, fooling) = (100.0 * robust.accuracy, 100.0 * robust.fooling);
    let staged = robust
        .staged
        .map(|share| format!(", as learnt {:.2} %", 100.0 * share));
    let staged = staged.unwrap_or_default();
    format!(" | held out: robust {accuracy:.2} %, fooled {fooling:.2} %{staged}")
}

fn listed(numbers: &BTreeMap<String, f64>) -> String {
    let number = |(name, value): (&String, &f64)| format!(" {name} {value:.4}");
    numbers.iter().map(number).collect()
}

impl TrainingProgressLogger for Monitor {
    fn start(&mut self, epochs: usize, starting: usize, _items: Option<usize>, _: Option<&str>) {
        self.now.epoch = starting;
        self.now.begun = Some(Instant::now());
        if let Display::Bar(bar) = &self.display {
            bar.set_prefix(self.label.clone());
            bar.set_message(format!("epoch {starting}/{epochs}"));
        }
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        self.now.validating = split != "train";
        if self.now.validating {
            self.now.valid = Scores::default();
            return;
        }
        self.now.train = Scores::default();
        self.now.epoch_begun = Some(Instant::now());
        self.now.images = total_items as u64;
        if let Display::Bar(bar) = &self.display {
            bar.set_length(self.now.images * self.course.epochs() as u64);
        }
    }

    fn update_split(&mut self, items_processed: usize) {
        if let (Display::Bar(bar), false) = (&self.display, self.now.validating) {
            let before = self.now.images * (self.now.epoch as u64 - 1);
            bar.set_position(before + items_processed as u64);
            bar.set_message(format!(
                "epoch {}/{} {} loss {:.3} accuracy {:.1} %",
                self.now.epoch,
                self.course.epochs(),
                budgets(&self.course.stage(self.now.epoch)),
                self.now.train.loss(),
                100.0 * self.now.train.accuracy(),
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
        self.now.epoch += 1;
    }

    fn end(&mut self) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
            if let Some(record) = self.course.past().last() {
                let total = seconds(self.now.begun);
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
        self.now.train.add(&state);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.now.valid.add(&state);
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
