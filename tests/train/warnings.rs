//! The warnings that this crate logs: a process has one logger.

use std::sync::{Mutex, Once};

struct Warnings(Mutex<Vec<String>>);

impl log::Log for Warnings {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.level() <= log::Level::Warn && metadata.target().starts_with("fireproof")
    }

    fn log(&self, record: &log::Record) {
        if self.enabled(record.metadata()) {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

static WARNINGS: Warnings = Warnings(Mutex::new(Vec::new()));

/// Keeps what is logged from now on, by any test.
pub fn keep() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&WARNINGS).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
}

/// What was kept of it that a test knows as its own.
pub fn kept(own: impl Fn(&str) -> bool) -> Vec<String> {
    let warnings = WARNINGS.0.lock().unwrap();
    let own = warnings.iter().filter(|text| own(text));
    own.cloned().collect()
}
