use super::endpoint::margin;
use super::{Claimed, Effect, Endpoint, Finding, Verdict};
use crate::base::statistics::holm_exclusive;
use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};

/// The tests that a study declares together: the probability that it says anything wrong, be it an
/// effect that is not there or the absence of one that is, is at most [`level`](Self::level).
///
/// Each endpoint is asked two questions: is there no effect, and is there one of at least the margin?
/// p-values of both are adjusted together after Holm, with the factors of [`holm_exclusive`]: of the two
/// at most one can be true. With K endpoints the smallest p-value is multiplied by K.
///
/// ```
/// use fireproof::study::verdicts::{Endpoint, Family, Finding, Scores, difference};
///
/// let networks = |right: [usize; 3]| {
///     let network = |right| (0..1000).map(|image| f64::from(image < right)).collect();
///     Scores::new(right.map(network).to_vec(), 1)
/// };
/// let (natural, robust) = (networks([902, 899, 899])?, networks([848, 850, 852])?);
/// let endpoint = Endpoint::new("StdCNN, accuracy at ±30° with ε = 0.3 against 0").falls();
/// let verdicts = Family::new().verdicts(&[(endpoint, difference(&robust, &natural)?)])?;
/// assert_eq!(verdicts[0].finding, Finding::Shows);
/// println!("{}", verdicts[0]);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Family {
    /// The probability of a wrong word that is allowed, at most 0.05, so that no verdict contradicts
    /// its 95 % interval. 0.05 unless said otherwise.
    pub level: f64,
    /// Effects that are smaller in either direction are none: 0.02 (2 points) unless said otherwise.
    pub margin: f64,
}

impl Default for Family {
    fn default() -> Self {
        Self {
            level: 0.05,
            margin: 0.02,
        }
    }
}

impl Family {
    /// A level of 0.05 and a margin of 2 points.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the probability of a wrong word.
    pub fn with_level(mut self, level: f64) -> Self {
        self.level = level;
        self
    }

    /// Sets the margin of endpoints that have none of their own, as a share: 0.02 is 2 points.
    pub fn with_margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] unless the level is above 0 and at most 0.05, and the margin above 0.
    pub fn check(&self) -> Result<()> {
        Error::unless(
            self.level > 0.0 && self.level <= 0.05,
            "level",
            self.level,
            "a probability above 0 and at most 0.05",
        )?;
        margin(self.margin)
    }

    /// The verdict on each endpoint, in their order. All that was declared must be among them.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for what [`check`](Self::check) and [`Endpoint::check`] refuse.
    pub fn verdicts(&self, measured: &[(Endpoint, Effect)]) -> Result<Vec<Verdict>> {
        self.check()?;
        let margins: Vec<f64> = (measured.iter())
            .map(|(endpoint, _)| endpoint.margin.unwrap_or(self.margin))
            .collect();
        let (mut p_values, mut groups) = (Vec::new(), Vec::new());
        for (at, ((endpoint, effect), &margin)) in measured.iter().zip(&margins).enumerate() {
            endpoint.check()?;
            p_values.extend([effect.p_value, effect.equivalence(margin)]);
            groups.extend([at, at]);
        }
        let adjusted = holm_exclusive(&p_values, &groups);
        let verdict = |(at, (endpoint, effect)): (usize, &(Endpoint, Effect))| {
            let (difference, equivalence) = (adjusted[2 * at], adjusted[2 * at + 1]);
            let margin = margins[at];
            Verdict {
                name: endpoint.name.clone(),
                finding: self.finding(endpoint.direction, effect, difference, equivalence, margin),
                claimed: endpoint.direction,
                effect: *effect,
                margin,
                difference,
                equivalence,
                level: self.level,
                family: measured.len(),
            }
        };
        Ok(measured.iter().enumerate().map(verdict).collect())
    }

    fn finding(
        &self,
        claimed: Claimed,
        effect: &Effect,
        difference: f64,
        equivalence: f64,
        margin: f64,
    ) -> Finding {
        let interval = effect.interval;
        // Nobody shall read of an absence beside an interval that reaches beyond the margin.
        let within = interval.low > -margin && interval.high < margin;
        match claimed {
            _ if difference >= self.level && equivalence < self.level && within => Finding::Absent,
            _ if difference >= self.level => Finding::Undecided,
            Claimed::Rises if effect.centre < 0.0 => Finding::Opposite,
            Claimed::Falls if effect.centre > 0.0 => Finding::Opposite,
            Claimed::Rises | Claimed::Falls | Claimed::Differs => Finding::Shows,
        }
    }
}
