use super::{Check, Evidence, Finding, check_share, exceeds, settings, thresholds};
use crate::base::Result;

thresholds! {
    /// Looks for images that stand although the attack passed a point in the ball that fools: it returned
    /// another one. (M. Pintor et al. 2022, section 3, "silent success".)
    ///
    /// A [`Trial`](crate::attack::Trial) keeps the best of what it is offered, so this happens to attacks that
    /// do not offer all that they pass ([`Keep::Last`](crate::attack::Keep::Last)), to classifiers that answer
    /// differently twice, and with fast numerics, which the verdict does not share.
    pub struct Overlooked exceeding 0.0 of "the standing images" {}
}

impl Check for Overlooked {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        evidence.expect_unmoved()?;
        let course = evidence.course()?;
        let standing = course.standing();
        let overlooked = standing
            .iter()
            .filter(|&&at| course.met_fooling(at))
            .count();
        if !exceeds(overlooked, standing.len(), self.share) {
            return Ok(None);
        }
        let message = format!(
            "at {overlooked} of the {} images that stand the attack passed a point in the ball that fools, \
             and returned another: they are not robust. Let it keep the best point (`Keep::Best`, \
             `Trial::offer_with` at every pass); if the classifier answers differently twice, attack and \
             judge it by the mean over many draws.",
            standing.len(),
        );
        Ok(Some(Finding::new(overlooked, standing.len(), message)))
    }

    fn check(&self) -> Result<()> {
        check_share("share", self.share)
    }

    settings!("overlooked");
}
