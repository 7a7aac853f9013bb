use crate::base::{Degrees, Pixels};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How strong a threat is: one number, or a tuple where it has several parts, for instance an angle
/// and a radius. In files a number, or an array of numbers.
///
/// ```
/// use fireproof::base::Degrees;
/// use fireproof::evaluate::Level;
///
/// assert_eq!(Level::from(Degrees(45.0)).parts(), [45.0]);
/// assert_eq!(serde_json::to_string(&Level::from((Degrees(30.0), 0.1)))?, "[30.0,0.1]");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "Parts", into = "Parts")]
pub struct Level(Vec<f64>);

impl Level {
    /// Its parts.
    pub fn parts(&self) -> &[f64] {
        &self.0
    }

    /// Whether all parts are 0.
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|&part| part == 0.0)
    }

    /// Whether the other one is the same level but for rounding.
    pub fn is_near(&self, other: &Self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1.0);
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(&a, &b)| near(a, b))
    }

    pub(super) fn of_parts(parts: &[f64]) -> Self {
        Self(parts.to_vec())
    }

    // `template` with the parts, in their order, for its `{}`.
    pub(crate) fn within(&self, template: &str) -> String {
        let mut parts = self.0.iter();
        let mut text = String::new();
        for (at, piece) in template.split("{}").enumerate() {
            if at > 0 {
                text += &parts
                    .next()
                    .map_or_else(String::new, |&part| short_level(part));
            }
            text += piece;
        }
        text
    }
}

/// The parts, separated by `; `.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(f64::to_string).collect();
        f.write_str(&parts.join("; "))
    }
}

// A number for people, without a tail of digits.
pub(crate) fn short(value: f64) -> String {
    ((value * 1e4).round() / 1e4).to_string()
}

// The same of a part of a level, where 8/255 is one of images with 256 values: a radius, so a small one, or a third
// would be 85/255.
pub(crate) fn short_level(value: f64) -> String {
    let (text, steps) = (short(value), 255.0 * value);
    let is_short = text.parse() == Ok(value);
    let is_whole = (steps - steps.round()).abs() < 1e-4 && (1.0..64.0).contains(&steps.round());
    match !is_short && is_whole {
        true => format!("{}/255", steps.round()),
        false => text,
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Parts {
    One(f64),
    Several(Vec<f64>),
}

impl From<Parts> for Level {
    fn from(parts: Parts) -> Self {
        match parts {
            Parts::One(part) => Self(vec![part]),
            Parts::Several(parts) => Self(parts),
        }
    }
}

impl From<Level> for Parts {
    fn from(level: Level) -> Self {
        match level.0[..] {
            [part] => Self::One(part),
            _ => Self::Several(level.0),
        }
    }
}

macro_rules! from {
    ($($what:ty: $value:ident => $parts:expr),*) => {$(
        impl From<$what> for Level {
            fn from($value: $what) -> Self {
                Self($parts.to_vec())
            }
        }
    )*};
}

from!(f64: level => [level], Degrees: angle => [angle.0], Pixels: shift => [shift.0]);

impl<const N: usize> From<[f64; N]> for Level {
    fn from(parts: [f64; N]) -> Self {
        Self(parts.to_vec())
    }
}

impl<A: Into<Level>, B: Into<Level>> From<(A, B)> for Level {
    fn from((first, second): (A, B)) -> Self {
        Self([first.into().0, second.into().0].concat())
    }
}

/// A level of an axis by its name: where a profile is looked at.
///
/// ```
/// use fireproof::evaluate::At;
///
/// assert_eq!(At::from(("angles", 45.0)).axis, "angles");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    /// The name of the axis.
    pub axis: String,
    /// The level.
    pub level: Level,
}

impl<L: Into<Level>> From<(&str, L)> for At {
    fn from((axis, level): (&str, L)) -> Self {
        Self {
            axis: axis.to_owned(),
            level: level.into(),
        }
    }
}
