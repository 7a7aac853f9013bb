use super::{
    Check, Evidence, Finding, check_number, check_share, settings, surely_exceeds, thresholds,
};
use crate::base::Result;

thresholds! {
    /// Looks for images that stand while their loss was still rising when the attack ended: it had not
    /// converged, and more or longer steps would have gone on. (M. Pintor et al. 2022, section 3,
    /// "incomplete optimization".)
    ///
    /// Judged in the part of the attack that reached an image's highest loss, by the best loss so far: it
    /// rises if in the last passes it gained at least so much as it would at a given part of its average pace.
    pub struct RisingLoss {
        /// The share of the passes that are the last ones, from 0 to 1, but at least three.
        pub last: f64 = 0.1,
        /// The part of its average pace at which a loss still rises.
        pub pace: f64 = 0.5,
        /// The share of the standing images, from 0 to 1, that the rising ones have to exceed by the lower end
        /// of their 95 % interval.
        pub share: f64 = 0.1,
    }
}

impl RisingLoss {
    fn rises(&self, losses: &[f32]) -> bool {
        let passes = losses.len();
        let last = ((passes as f64 * self.last).ceil() as usize).max(3);
        let highest = |losses: &[f32]| losses.iter().copied().fold(f32::MIN, f32::max);
        if passes <= 2 * last {
            return false;
        }
        let [first, before, end] = [1, passes - last, passes].map(|n| highest(&losses[..n]));
        let [gain, late] = [end - first, end - before].map(f64::from);
        let average = gain / (passes - 1) as f64;
        gain > 0.0 && late >= self.pace * average * last as f64
    }
}

impl Check for RisingLoss {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        evidence.expect_unmoved()?;
        let course = evidence.course()?;
        let standing = course.standing();
        let rises = |&&at: &&usize| {
            let highest = |losses: &&[f32]| losses.iter().copied().fold(f32::MIN, f32::max);
            let parts = course.losses(at);
            let best = parts.max_by(|a, b| highest(a).total_cmp(&highest(b)));
            best.is_some_and(|losses| self.rises(losses))
        };
        let rising = standing.iter().filter(rises).count();
        if !surely_exceeds(rising, standing.len(), self.share) {
            return Ok(None);
        }
        let message = format!(
            "the loss of {rising} of the {} images that stand was still rising when the attack ended: it \
             has not converged. Take more or longer steps, or `Apgd`, which finds its own.",
            standing.len(),
        );
        Ok(Some(Finding::new(rising, standing.len(), message)))
    }

    fn check(&self) -> Result<()> {
        check_share("last", self.last)?;
        check_number("pace", self.pace)?;
        check_share("share", self.share)
    }

    settings!("rising_loss");
}
