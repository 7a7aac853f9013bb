use std::path::PathBuf;

/// The result of everything in this crate that outside data can make fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What was wrong, where, and what would be right.
///
/// Data from outside (files, settings, images handed to an attack) fails with this error;
/// mistakes of the program itself, such as tensors of the wrong shape, panic as Burn's do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting has a value that makes no sense.
    #[error("{setting} = {found}: expected {expected}")]
    Setting {
        /// The setting's name.
        setting: String,
        /// The value it had.
        found: String,
        /// The values it may have.
        expected: String,
    },

    /// A tensor or number handed in by the caller is not what the operation takes.
    #[error("{what}: found {found}, expected {expected}")]
    Input {
        /// What was looked at, with its position where there is one.
        what: String,
        /// What it held.
        found: String,
        /// What it may hold.
        expected: String,
    },

    /// A layer would break exact equivariance, or produce nothing, on images of this size.
    #[error("{layer} on {height}×{width} images: {reason}{}", suggest(.works))]
    Size {
        /// The layer, with its settings.
        layer: String,
        /// Height of its input in pixels.
        height: usize,
        /// Width of its input in pixels.
        width: usize,
        /// What goes wrong.
        reason: String,
        /// The nearest sizes that work.
        works: Vec<usize>,
    },

    /// A file does not hold what its format promises.
    #[error("{}: at byte {offset}: expected {expected}, found {found}", .file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// The position in the unpacked file, in bytes.
        offset: u64,
        /// What the format demands there.
        expected: String,
        /// What the file holds.
        found: String,
    },

    /// Reading or writing a file failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },

    /// No such device, or none compiled in.
    #[error("no device `{name}`: expected one of {available}")]
    Device {
        /// The name asked for.
        name: String,
        /// The names this build knows.
        available: String,
    },

    /// Training stopped before its end.
    #[error("training stopped: {0}")]
    Training(String),

    /// An attack returned something outside its own threat model.
    #[error("image {id}: the perturbation has {norm} norm {found}, more than {bound}")]
    Ball {
        /// The image's id.
        id: u64,
        /// The norm that was measured.
        norm: String,
        /// Its value.
        found: f64,
        /// Its bound, tolerance included.
        bound: f64,
    },

    /// A search asked for a pass that its budget has none left for: the end of the search, which
    /// whoever set the budget takes for no failure.
    #[error("the budget of passes is spent")]
    Budget,

    /// A drawing could not be made.
    #[error("drawing {what}: {reason}")]
    Drawing {
        /// What was drawn.
        what: String,
        /// Why it failed.
        reason: String,
    },
}

impl Error {
    /// A [`Setting`](Error::Setting) error.
    pub fn setting(
        setting: impl Into<String>,
        found: impl std::fmt::Display,
        expected: impl Into<String>,
    ) -> Self {
        Self::Setting {
            setting: setting.into(),
            found: found.to_string(),
            expected: expected.into(),
        }
    }

    /// The same error about a setting inside another one.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        if let Self::Setting { setting, .. } = &mut self {
            *setting = format!("{outer}: {setting}");
        }
        self
    }

    /// A [`Setting`](Error::Setting) error unless the value is valid; nothing is written otherwise.
    pub(crate) fn unless(
        valid: bool,
        setting: impl std::fmt::Display,
        found: impl std::fmt::Display,
        expected: impl std::fmt::Display,
    ) -> Result<()> {
        match valid {
            true => Ok(()),
            false => Err(Self::setting(
                setting.to_string(),
                found,
                expected.to_string(),
            )),
        }
    }

    /// An [`Input`](Error::Input) error.
    pub fn input(
        what: impl Into<String>,
        found: impl std::fmt::Display,
        expected: impl Into<String>,
    ) -> Self {
        Self::Input {
            what: what.into(),
            found: found.to_string(),
            expected: expected.into(),
        }
    }

    /// An [`Io`](Error::Io) error at `path`.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source,
        }
    }
}

fn suggest(works: &[usize]) -> String {
    match works {
        [] => String::new(),
        sizes => {
            let sizes: Vec<String> = sizes.iter().map(|s| format!("{s}×{s}")).collect();
            format!("; sizes that work: {}", sizes.join(", "))
        }
    }
}
