use super::{Check, Evidence, Finding, check_share, settings, surely_exceeds, thresholds};
use crate::attack::goal::{fooled, predicted_classes};
use crate::base::{Error, Result, indices, read};

thresholds! {
    /// Looks for adversarial images that no longer fool as images of 8 bits, the nearest of 256 values from
    /// the lower bound to the upper one for each pixel: no file holds them.
    ///
    /// They are not brought back into the ball; around 8-bit images they stay in it in L∞ where ε is a multiple
    /// of such a step. Images that are wrong as they are do not count.
    pub struct Rounding {
        /// The number of steps between the bounds: 255 for 8 bits.
        pub steps: usize = 255,
        /// The share of the fooling images, from 0 to 1, that those that fool no more have to exceed by the lower end of
        /// their 95 % interval.
        pub share: f64 = 0.2,
    }
}

impl Check for Rounding {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let bounds = evidence.batch().bounds;
        let (low, high) = (f64::from(bounds.low()), f64::from(bounds.high()));
        if !(high - low).is_finite() {
            return Err(Error::input(
                "bounds",
                "none",
                "two finite bounds, to round between",
            ));
        }
        let course = evidence.course()?;
        let Some((positions, images)) = course.fooling() else {
            return Ok(None);
        };
        let step = (high - low) / self.steps as f64;
        let rounded = bounds.clamp(((images - low) / step).round() * step + low);
        let at = indices(positions.iter().copied(), &rounded.device());
        let reference = course.reference().select(&at);
        let logits = evidence.logits_at(&positions, rounded);
        let still: Vec<f32> = read(&fooled(predicted_classes(logits), &reference).float());
        let lost = still.iter().filter(|still| **still == 0.0).count();
        if !surely_exceeds(lost, positions.len(), self.share) {
            return Ok(None);
        }
        let message = format!(
            "{lost} of {} adversarial images no longer fool when their pixels are rounded to {} steps: the \
             robust accuracy of images from files is higher than this number. Report it so, or attack \
             the classifier behind rounding with a smooth backward pass.",
            positions.len(),
            self.steps,
        );
        Ok(Some(Finding::new(lost, positions.len(), message)))
    }

    fn check(&self) -> Result<()> {
        Error::unless(self.steps > 0, "steps", self.steps, "at least 1")?;
        check_share("share", self.share)
    }

    settings!("rounding");
}
