use super::Scores;
use super::scores::means;
use crate::base::{Error, Result};
use crate::evaluate::{At, Estimand, Outcomes, Profile};

impl Estimand {
    /// Whether a larger value is the better one.
    pub fn is_better_larger(self) -> bool {
        matches!(self, Self::Accuracy)
    }

    /// The scores of networks of several seeds, whose mean this quantity is.
    ///
    /// The last one is a ratio whose denominator, the images that are right when clean, each network has
    /// for itself. Its scores are linearised: R + (f − R c) / C for an image with f of its draws
    /// lost and c = 1 if it is right when clean, where R is the network's ratio and C its clean
    /// accuracy. Their mean is R, and they vary as R does (W. G. Cochran 1977, "Sampling techniques",
    /// section 6.3). The few images that intervals add for rare outcomes count 1 / C each.
    ///
    /// ```
    /// use fireproof::evaluate::{Estimand, Outcomes};
    /// use fireproof::study::verdicts::Bits;
    ///
    /// // Four images; the first three are right when clean, one of them is lost.
    /// let clean = Outcomes::new([true, true, true, false]);
    /// let correct = Outcomes::new([true, false, true, false]);
    /// let fooled = Outcomes::new([false, true, false, true]);
    /// let network = Bits { clean: &clean, correct: &correct, fooled: &fooled, draws: 1 };
    /// let value = |estimand: Estimand| Ok::<_, fireproof::base::Error>(estimand.scores(&[network])?.mean());
    /// assert_eq!(value(Estimand::Accuracy)?, 0.5);
    /// assert_eq!(value(Estimand::Fooling)?, 0.5);
    /// assert_eq!(value(Estimand::Gap)?, 0.25);
    /// assert!((value(Estimand::FoolingOfRight)? - 1.0 / 3.0).abs() < 1e-12);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if there is no network, if outcomes do not fit together, or if a network gets
    /// no clean image right where only those count.
    pub fn scores(self, networks: &[Bits<'_>]) -> Result<Scores> {
        let draws = networks.first().map_or(1, |network| network.draws);
        if let Some(other) = networks.iter().find(|network| network.draws != draws) {
            return Err(Error::input("draws", other.draws, format!("{draws}")));
        }
        let rows: Result<Vec<Vec<f64>>> = networks
            .iter()
            .map(|network| network.of_images(self))
            .collect();
        match self {
            Self::Accuracy | Self::Fooling => Scores::new(rows?, draws),
            Self::Gap => Scores::within(rows?, Some(draws), [-1.0, 1.0]),
            Self::FoolingOfRight => {
                let scores = Scores::within(rows?, None, [0.0, 1.0])?;
                let clean = networks.iter().flat_map(|network| network.clean.iter());
                let right = clean.filter(|right| *right).count();
                let all = scores.seeds() * scores.images();
                Ok(scores.with_outcome(all as f64 / right as f64))
            }
        }
    }
}

/// What one network does on each image when clean and at a level, `draws` outcomes of each image at
/// the level.
#[derive(Clone, Copy, Debug)]
pub struct Bits<'a> {
    /// Whether the clean image is classified rightly.
    pub clean: &'a Outcomes,
    /// Whether the image is classified rightly at the level.
    pub correct: &'a Outcomes,
    /// Whether its class at the level is another one than when clean.
    pub fooled: &'a Outcomes,
    /// Outcomes of each image at the level.
    pub draws: usize,
}

impl<'a> Bits<'a> {
    /// What a profile keeps of this level of an axis.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is no such axis or level, [`Error::Input`] if the profile does not
    /// keep outcomes.
    pub fn of(profile: &'a Profile, at: impl Into<At>) -> Result<Self> {
        let point = profile.at(at)?;
        match (&profile.clean_correct, &point.correct, &point.fooled) {
            (Some(clean), Some(correct), Some(fooled)) => Ok(Self {
                clean,
                correct,
                fooled,
                draws: point.draws,
            }),
            _ => Err(Error::input(
                format!("profile `{}`", profile.name),
                "no outcomes of single images",
                "a profile of an `Evaluation` that keeps outcomes",
            )),
        }
    }

    fn of_images(&self, estimand: Estimand) -> Result<Vec<f64>> {
        match estimand {
            Estimand::Accuracy => self.at_level(self.correct),
            Estimand::Fooling => self.at_level(self.fooled),
            Estimand::Gap => self.gap(),
            Estimand::FoolingOfRight => self.lost(),
        }
    }

    fn gap(&self) -> Result<Vec<f64>> {
        let clean = self.clean.iter().map(f64::from);
        let gaps = clean
            .zip(self.at_level(self.correct)?)
            .map(|(c, right)| c - right);
        Ok(gaps.collect())
    }

    fn lost(&self) -> Result<Vec<f64>> {
        let right = self.at_level(self.correct)?;
        let clean: Vec<f64> = self.clean.iter().map(f64::from).collect();
        let count: f64 = clean.iter().sum();
        if count == 0.0 {
            return Err(Error::input(
                "images that are right when clean",
                0,
                "at least one",
            ));
        }
        let lost: Vec<f64> = clean
            .iter()
            .zip(&right)
            .map(|(c, r)| c * (1.0 - r))
            .collect();
        let ratio = lost.iter().sum::<f64>() / count;
        let share = count / clean.len() as f64;
        let linear = lost
            .iter()
            .zip(&clean)
            .map(|(f, c)| ratio + (f - ratio * c) / share);
        Ok(linear.collect())
    }

    fn at_level(&self, outcomes: &Outcomes) -> Result<Vec<f64>> {
        let means = means(outcomes, self.draws)?;
        if means.len() == self.clean.len() {
            return Ok(means);
        }
        Err(Error::input(
            "images with outcomes at the level",
            means.len(),
            format!("{}, as many as clean ones", self.clean.len()),
        ))
    }
}
