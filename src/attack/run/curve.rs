//! Robust accuracy at every ε.

use super::{Run, Whole};
use crate::attack::{AccuracyCurve, Attack, Frozen};
use crate::base::{Error, Result};
use crate::data::ImageSet;
use burn::tensor::Device;

impl Run {
    /// Robust accuracy against the size of the perturbation.
    ///
    /// Of an attack without a ball that looks for the nearest image that fools, one run tells it at
    /// every size, and the levels are not used. Any other attack is run [at each
    /// level](Attack::at_level), the lowest first, on the images that still stand: what fools at one
    /// level does so at every higher one, so that the curve never rises. Each level has the whole
    /// [budget](Run::budget). Neither a [state](Run::state) nor [adversaries](Run::adversaries) are kept.
    ///
    /// # Errors
    ///
    /// As [`attack`](Self::attack); [`Error::Setting`] unless there are levels and they rise.
    pub fn curve(
        &self,
        attack: &(impl Attack + ?Sized),
        victim: &Frozen,
        set: &ImageSet,
        device: &Device,
        levels: &[f64],
    ) -> Result<AccuracyCurve> {
        let name = attack.to_string();
        let run = Self {
            state: None,
            adversaries: None,
            ..self.clone()
        };
        if attack.goal().nearest.is_some_and(|nearest| nearest.goes_on) {
            return Ok(run.attack(attack, victim, set, device)?.distance_curve());
        }
        let finite = levels.iter().all(|level| level.is_finite());
        let rising = !levels.is_empty() && finite && levels.is_sorted_by(|a, b| a < b);
        let found = format_args!("{levels:?}");
        Error::unless(
            rising,
            "levels of a curve",
            found,
            "rising numbers, at least one",
        )?;
        let mut falls = vec![None; set.len()];
        let mut standing: Vec<usize> = self.mine(set.len()).collect();
        let all = standing.clone();
        let run = Self {
            shard: [0, 1],
            ..run
        };
        for &level in levels {
            if standing.is_empty() {
                break;
            }
            let attack = attack.at_level(&[level])?;
            let whole = run.attack(&*attack, victim, &set.subset(&standing), device)?;
            for (&at, image) in standing.iter().zip(&whole.images) {
                falls[at] = image.fooled_by.map(|by| if by == 0 { 0.0 } else { level });
            }
            standing.retain(|&at| falls[at].is_none());
        }
        Ok(AccuracyCurve::new(
            name,
            all.into_iter().map(|at| falls[at]),
        ))
    }
}

impl Whole {
    /// Robust accuracy against the passes that each image may cost, forward and backward ones counted
    /// alike: an image falls with the pass that first shows a candidate to fool.
    pub fn passes_curve(&self) -> AccuracyCurve {
        let fall = |image: &super::Outcome| match image.fooled_by? {
            0 => Some(0.0),
            _ => image.passes_to_fool.map(|passes| passes as f64),
        };
        AccuracyCurve::new(self.name.clone(), self.images.iter().map(fall))
    }

    /// Robust accuracy against distance, of an attack that looks for the nearest image that fools. Of
    /// any other it is no more than an upper bound: see
    /// [`Found::accuracy_at`](crate::attack::Found::accuracy_at).
    pub fn distance_curve(&self) -> AccuracyCurve {
        let fall = |image: &super::Outcome| match image.fooled_by? {
            0 => Some(0.0),
            _ => image.distance,
        };
        AccuracyCurve::new(self.name.clone(), self.images.iter().map(fall))
    }
}
