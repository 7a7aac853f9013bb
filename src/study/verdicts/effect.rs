use crate::base::statistics::{Crossed, Interval};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A tested quantity that is 0 where there is nothing: a difference, a trend, an interaction, a slope.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The value in its [`unit`](Self::unit), a difference of shares from -1 to 1.
    pub value: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// The two-sided p-value of no effect: below 0.05 where the interval does not hold 0.
    pub p_value: f64,
    /// The middle of the interval before it is held to possible values, a little nearer to 0 than the
    /// value: images that no network has seen yet may count for either side.
    pub centre: f64,
    /// The standard error.
    pub error: f64,
    /// The share of seeds in its square: 0 with one seed.
    pub of_seeds: f64,
    /// The degrees of freedom by which that share is known; none where it is 0.
    pub freedom: Option<f64>,
    /// The number of networks of each training, one for each seed. With one, the effect is that
    /// between these networks, not between all that would be trained so.
    pub seeds: usize,
    /// The number of images.
    pub images: usize,
    /// What it is counted in.
    pub unit: Unit,
}

/// What an effect is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A difference of shares, shown in points: hundredths.
    Points,
    /// Points of one share for each point of another one.
    PointsPerPoint,
}

impl Effect {
    /// By the estimate of a table, whose ends are held to possible values.
    pub(super) fn of(crossed: &Crossed, seeds: usize, images: usize) -> Self {
        Self {
            value: crossed.mean,
            interval: crossed.interval(),
            p_value: crossed.p_value(),
            centre: crossed.centre,
            error: crossed.error(),
            of_seeds: if crossed.rows > 0.0 {
                crossed.rows / (crossed.rows + crossed.columns)
            } else {
                0.0
            },
            freedom: Some(crossed.freedom).filter(|freedom| freedom.is_finite()),
            seeds,
            images,
            unit: Unit::Points,
        }
    }

    /// The p-value of an effect of at least `margin` in either direction, by two one-sided tests.
    ///
    /// # Panics
    ///
    /// Panics unless the margin is above 0.
    pub fn equivalence(&self, margin: f64) -> f64 {
        assert!(margin > 0.0, "a margin of {margin}");
        self.crossed().equivalence(margin)
    }

    /// The one-sided p-value of an effect that is not above 0.
    pub fn above(&self) -> f64 {
        let half = self.p_value / 2.0;
        if self.centre > 0.0 { half } else { 1.0 - half }
    }

    fn crossed(&self) -> Crossed {
        let variance = self.error * self.error;
        Crossed {
            mean: self.value,
            centre: self.centre,
            rows: self.of_seeds * variance,
            columns: (1.0 - self.of_seeds) * variance,
            freedom: self.freedom.unwrap_or(f64::INFINITY),
        }
    }

    /// A number of its unit for people: `-7.2`, or `-0.31` where points are divided by points.
    pub(super) fn shown(&self, value: f64) -> String {
        match self.unit {
            Unit::Points => format!("{:+.1}", 100.0 * value),
            Unit::PointsPerPoint => format!("{value:+.2}"),
        }
    }
}

impl Unit {
    /// Its name, after a number.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::PointsPerPoint => "points per point",
        }
    }
}

/// In its unit: `+1.2 (-0.3 to +2.7)`.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high } = self.interval;
        let [value, low, high] = [self.value, low, high].map(|v| self.shown(v));
        write!(f, "{value} ({low} to {high})")
    }
}
