use super::{Claimed, Effect, Unit};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the tests of a family conclude about one endpoint. Displayed as a sentence to quote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is compared.
    pub name: String,
    /// The conclusion.
    pub finding: Finding,
    /// What was claimed.
    pub claimed: Claimed,
    /// What was measured.
    pub effect: Effect,
    /// What counted as no effect, in the unit of the effect.
    pub margin: f64,
    /// The p-value of no effect, adjusted over the family.
    pub difference: f64,
    /// The p-value of an effect of at least the margin, adjusted over the family.
    pub equivalence: f64,
    /// The probability of a wrong word that the family allows.
    pub level: f64,
    /// The number of endpoints in the family.
    pub family: usize,
}

/// The conclusion about an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finding {
    /// There is an effect, in the direction that was claimed.
    Shows,
    /// There is an effect, against the direction that was claimed.
    Opposite,
    /// There is no effect as large as the margin.
    Absent,
    /// The outcomes do not tell.
    Undecided,
}

/// One word or two, for tables.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shows => "shows",
            Self::Opposite => "shows the opposite",
            Self::Absent => "absent",
            Self::Undecided => "undecided",
        })
    }
}

impl Verdict {
    /// Whether the effect is shown, but also shown to be smaller than the margin.
    pub fn is_small(&self) -> bool {
        let interval = self.effect.interval;
        matches!(self.finding, Finding::Shows | Finding::Opposite)
            && self.equivalence < self.level
            && interval.low > -self.margin
            && interval.high < self.margin
    }

    fn margin(&self) -> String {
        let unit = self.effect.unit;
        match unit {
            Unit::Points => format!("{} {}", short(100.0 * self.margin), unit.name()),
            Unit::PointsPerPoint => format!("{} {}", short(self.margin), unit.name()),
        }
    }

    fn amount(&self) -> String {
        let effect = &self.effect;
        let size = effect.shown(effect.value.abs());
        format!("{} {}", size.trim_start_matches('+'), effect.unit.name())
    }

    fn basis(&self) -> String {
        match self.effect.seeds {
            1 => format!(
                "{} images, one seed: of these networks only",
                self.effect.images
            ),
            seeds => format!("{seeds} seeds, {} images", self.effect.images),
        }
    }
}

/// A sentence with the effect, its 95 % interval, the adjusted p-value and what it rests on.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = &self.effect;
        let [low, high] = [effect.interval.low, effect.interval.high].map(|v| effect.shown(v));
        let change = match (effect.unit, effect.centre > 0.0) {
            (Unit::Points, true) => "a rise",
            (Unit::Points, false) => "a fall",
            (Unit::PointsPerPoint, true) => "a gain",
            (Unit::PointsPerPoint, false) => "a loss",
        };
        let interval = format!("95 % interval {low} to {high}");
        let adjusted = match self.family {
            1 => String::new(),
            family => format!(" adjusted over {family} endpoints"),
        };
        let (shown, absent) = (p_value(self.difference), p_value(self.equivalence));
        let (amount, margin, basis) = (self.amount(), self.margin(), self.basis());
        let small = if self.is_small() {
            format!(", less than {margin}")
        } else {
            String::new()
        };
        write!(f, "{}: ", self.name)?;
        match self.finding {
            Finding::Shows => write!(
                f,
                "shows {change} of {amount}{small} ({interval}; {shown}{adjusted}; {basis})."
            ),
            Finding::Opposite => write!(
                f,
                "shows the opposite of the claim, {change} of {amount}{small} ({interval}; \
                 {shown}{adjusted}; {basis})."
            ),
            Finding::Absent => write!(
                f,
                "no change of {margin} or more: {} ({interval}; {absent}{adjusted}; {basis}).",
                effect.shown(effect.value)
            ),
            Finding::Undecided => write!(
                f,
                "undecided: {} {} ({interval}; no effect: {shown}, one of {margin} or more: \
                 {absent}{adjusted}; {basis}).",
                effect.shown(effect.value),
                effect.unit.name()
            ),
        }
    }
}

/// `p = 0.03`, or `p < 0.001`.
fn p_value(p: f64) -> String {
    match p {
        p if p < 0.001 => "p < 0.001".to_owned(),
        p if p < 0.1 => format!("p = {p:.3}"),
        p => format!("p = {p:.2}"),
    }
}

fn short(value: f64) -> String {
    ((value * 1e4).round() / 1e4).to_string()
}
