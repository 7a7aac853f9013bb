use super::Point;
use crate::base::statistics::Interval;
use derive_more::Display;
use serde::{Deserialize, Serialize};

/// What is read off a [`Point`]: four answers to the question how robust a classifier is, which need
/// not agree.
///
/// Adversarial training lowers clean accuracy. Accuracy under rotations then falls with it, while the
/// fooling rate and the accuracy lost may both improve. Which of the four a claim is about decides
/// whether it holds; so all of them are measured, always.
///
/// ```
/// use fireproof::evaluate::Estimand;
///
/// let names = Estimand::ALL.map(|estimand| estimand.to_string());
/// assert_eq!(names[1], "fooling rate");
/// ```
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimand {
    /// [`Point::accuracy`]: larger is better.
    #[default]
    #[display("accuracy")]
    Accuracy,
    /// [`Point::fooling`], what the paper plots: smaller is better.
    #[display("fooling rate")]
    Fooling,
    /// [`Point::gap`]: smaller is better.
    #[display("accuracy lost")]
    Gap,
    /// [`Point::fooling_of_right`]: smaller is better.
    #[display("fooling rate of those right as they are")]
    FoolingOfRight,
}

impl Estimand {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::Accuracy,
        Self::Fooling,
        Self::Gap,
        Self::FoolingOfRight,
    ];

    /// The share at this point with its interval; none if it was not measured, or if the classifier gets no
    /// image right.
    pub fn of(self, point: &Point) -> Option<(f64, Interval)> {
        match self {
            Self::Accuracy => Some((point.accuracy.value, point.accuracy.interval)),
            Self::Fooling => Some((point.fooling.value, point.fooling.interval)),
            Self::Gap => point.gap.map(|gap| (gap.value, gap.interval)),
            Self::FoolingOfRight => point
                .fooling_of_right
                .map(|rate| (rate.value, rate.interval)),
        }
    }
}
