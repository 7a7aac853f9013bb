use derive_more::From;
use serde::{Deserialize, Serialize};

/// The length of an attack's step. A plain number converts into an absolute one.
///
/// One rule everywhere: a relative step is a multiple of ε/steps, so the number says how often the
/// steps could cross the ball's radius. In an attack `T` is a number, in a
/// [`Curriculum`](crate::curriculum::Curriculum) a schedule.
///
/// ```
/// use fireproof::base::StepSize;
///
/// assert_eq!(StepSize::Relative(2.5).length(0.5, 10), 0.125);
/// assert_eq!(StepSize::Absolute(0.1).length(0.5, 10), 0.1);
/// ```
#[derive(Clone, Copy, Debug, From, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepSize<T = f64> {
    /// This many times ε/steps.
    Relative(T),
    /// This length, in units of the norm.
    #[from]
    Absolute(T),
}

impl Default for StepSize {
    /// 2.5·ε/steps (A. Madry et al. 2018).
    fn default() -> Self {
        Self::Relative(2.5)
    }
}

impl StepSize {
    /// The length of one of `steps` steps in a ball of radius `epsilon`.
    pub fn length(self, epsilon: f64, steps: usize) -> f64 {
        match self {
            Self::Relative(factor) => factor * epsilon / steps.max(1) as f64,
            Self::Absolute(length) => length,
        }
    }
}

impl<T> StepSize<T> {
    /// The number or schedule, of either kind.
    pub fn value(&self) -> &T {
        let (Self::Relative(value) | Self::Absolute(value)) = self;
        value
    }

    /// The same kind of size with another value.
    pub fn map<U>(&self, change: impl FnOnce(&T) -> U) -> StepSize<U> {
        match self {
            Self::Relative(value) => StepSize::Relative(change(value)),
            Self::Absolute(value) => StepSize::Absolute(change(value)),
        }
    }
}
