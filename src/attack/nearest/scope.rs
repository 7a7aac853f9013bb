use super::Geometry;
use crate::attack::ball::check_length;
use crate::attack::label::Short;
use crate::attack::{Ball, Goal, Nearest, NormSpec, TargetsSpec};
use crate::base::{Error, Result};
use std::fmt;

/// What minimum-norm attacks look for: the nearest image by a norm that fools, in a ball if there
/// is one.
pub struct Scope {
    pub norm: NormSpec,
    pub epsilon: Option<f64>,
    pub predicted_labels: bool,
    pub targets: Option<TargetsSpec>,
}

impl Scope {
    pub fn new(norm: NormSpec, epsilon: Option<f64>, predicted_labels: bool) -> Self {
        Self {
            norm,
            epsilon,
            predicted_labels,
            targets: None,
        }
    }

    pub fn goal(&self) -> Goal {
        Goal {
            targets: self.targets.clone(),
            predicted_labels: self.predicted_labels,
            nearest: Some(Nearest {
                norm: self.norm.clone(),
                goes_on: self.epsilon.is_none(),
            }),
            ..Goal::default()
        }
    }

    pub fn ball(&self) -> Option<Ball> {
        let epsilon = self.epsilon?;
        Some(Ball::new(self.norm.clone(), epsilon))
    }

    pub fn check(&self) -> Result<()> {
        geometry(&self.norm)?;
        (self.epsilon).map_or(Ok(()), |epsilon| check_length("epsilon", epsilon))
    }
}

/// Norm, ball and labels, as they follow the name of an attack.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {}", self.norm)?;
        if let Some(epsilon) = self.epsilon {
            write!(f, " ε={}", Short(epsilon))?;
        }
        self.goal().fmt(f)
    }
}

/// The geometry of a norm.
///
/// # Errors
///
/// [`Error::Setting`] if it has none.
pub(super) fn geometry(norm: &NormSpec) -> Result<&dyn Geometry> {
    let expected = "a norm whose geometry is known, such as L2 and L∞";
    (norm.geometry()).ok_or_else(|| Error::setting("norm", norm, expected))
}

/// Refuses a number that is not between 0 and 1.
pub(super) fn check_between_0_and_1(setting: &str, value: f64) -> Result<()> {
    let valid = value > 0.0 && value < 1.0;
    Error::unless(valid, setting, value, "a number between 0 and 1")
}

/// Refuses a number that is not positive, or not finite in f32.
pub(super) fn check_positive(setting: &str, value: f64) -> Result<()> {
    let valid = value > 0.0 && value <= f64::from(f32::MAX);
    Error::unless(valid, setting, value, "a positive finite number")
}
