use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use std::io::{IsTerminal, Write};

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

/// Where the progress is shown.
pub(super) enum Display {
    Bar(ProgressBar),
    Lines(Box<dyn Write + Send + Sync>),
    Quiet,
}

impl Display {
    pub fn new(progress: Progress) -> Self {
        match progress {
            Progress::Quiet => Self::Quiet,
            Progress::Auto if std::io::stderr().is_terminal() => Self::Bar(
                ProgressBar::no_length().with_style(
                    ProgressStyle::with_template(
                        "{prefix} {bar:12} {percent}% eta {eta} {wide_msg}",
                    )
                    .expect("a valid template"),
                ),
            ),
            Progress::Auto | Progress::Plain => Self::Lines(Box::new(std::io::stderr())),
        }
    }
}
