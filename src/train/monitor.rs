use crate::curriculum::{Curriculum, Stage};
use crate::train::checkpoint::Folder;
use crate::train::progress::Display;
use crate::train::scores::Scores;
use crate::train::{EpochRecord, Progress};
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::MetricDefinition;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{Interrupter, LearnerSummary};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The epochs of a training so far, and what went wrong in writing them down.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub history: Vec<EpochRecord>,
    pub error: Option<crate::base::Error>,
}

/// Receives burn-train's events: keeps the history and shows the progress.
pub(super) struct Monitor {
    curriculum: Arc<Curriculum>,
    label: String,
    log: Arc<Mutex<Log>>,
    folder: Option<Folder>,
    interrupter: Interrupter,
    display: Display,
    epoch: usize,
    images: u64,
    validating: bool,
    train: Scores,
    valid: Scores,
    begun: Instant,
    epoch_begun: Instant,
}

impl Monitor {
    pub fn new(
        curriculum: Arc<Curriculum>,
        label: String,
        progress: Progress,
        log: Arc<Mutex<Log>>,
        folder: Option<Folder>,
        interrupter: Interrupter,
    ) -> Self {
        Self {
            curriculum,
            label,
            log,
            folder,
            interrupter,
            display: Display::new(progress),
            epoch: 0,
            images: 0,
            validating: false,
            train: Scores::default(),
            valid: Scores::default(),
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
        EpochRecord {
            epoch: self.epoch,
            stage: self.curriculum.stage(self.epoch),
            train_loss: self.train.loss(),
            train_accuracy: self.train.accuracy(),
            valid_loss: self.valid.loss(),
            valid_accuracy: self.valid.accuracy(),
            seconds: self.epoch_begun.elapsed().as_secs_f64(),
        }
    }

    fn line(&self, record: &EpochRecord) -> String {
        self.named(&format!(
            "epoch {}/{} {} | train loss {:.4} accuracy {:.2} % | valid loss {:.4} accuracy \
             {:.2} % | {:.1} s",
            record.epoch,
            self.curriculum.epochs(),
            budgets(&record.stage),
            record.train_loss,
            100.0 * record.train_accuracy,
            record.valid_loss,
            100.0 * record.valid_accuracy,
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
            bar.set_length(self.images * self.curriculum.epochs() as u64);
        }
    }

    fn update_split(&mut self, items_processed: usize) {
        if let (Display::Bar(bar), false) = (&self.display, self.validating) {
            bar.set_position(self.images * (self.epoch as u64 - 1) + items_processed as u64);
            bar.set_message(format!(
                "epoch {}/{} {} loss {:.3} accuracy {:.1} %",
                self.epoch,
                self.curriculum.epochs(),
                budgets(&self.curriculum.stage(self.epoch)),
                self.train.loss(),
                100.0 * self.train.accuracy(),
            ));
        }
    }

    fn end_split(&mut self) {}

    fn update_epoch(&mut self, _epoch: usize) {
        let record = self.record();
        let line = self.line(&record);
        let mut log = self.log.lock().expect("no panic while it was held");
        log.history.push(record);
        if let Some(folder) = &self.folder
            && let Err(error) = folder.write_history(&log.history)
        {
            log.error = Some(error);
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
            let log = self.log.lock().expect("no panic while it was held");
            if let Some(record) = log.history.last() {
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
