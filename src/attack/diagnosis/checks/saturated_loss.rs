use super::{Check, Evidence, Finding, check_share, exceeds, settings, thresholds};
use crate::attack::{Loss, Margin, Reference};
use crate::base::{Precision, Result, read};

thresholds! {
    /// Looks for images of which the label's logit is so far above all others that their probabilities are
    /// zero in the logits' element type: a distance of 87 in `f32`. There the gradient of the cross-entropy as
    /// textbooks have it is zero, as with defensive distillation (N. Carlini, D. Wagner 2017, section VIII-B).
    ///
    /// This crate's [`CrossEntropy`](crate::attack::CrossEntropy) climbs a form that does not saturate; the sign
    /// is of numbers from elsewhere, and of losses of one's own.
    pub struct SaturatedLoss exceeding 0.1 of "the images that the classifier gets right" {}
}

impl Check for SaturatedLoss {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let logits = evidence.clean();
        let precision = Precision::of("logits", &logits)?;
        let reference = Reference::new(evidence.batch().labels.clone().inner());
        let margins: Vec<f64> = read(&Margin.per_image(logits, &reference));
        let enough = -precision.smallest().ln();
        let mut right = Vec::from_iter(margins.into_iter().filter(|&margin| margin < 0.0));
        right.sort_unstable_by(f64::total_cmp);
        let saturated = right.iter().filter(|&&margin| -margin > enough).count();
        if !exceeds(saturated, right.len(), self.share) {
            return Ok(None);
        }
        let message = format!(
            "of {saturated} of the {} images that are classified right, the label's logit is more than \
             {enough:.0} above all others: the textbook gradient of their cross-entropy is exactly zero in \
             {precision}. This crate climbs a form that does not saturate; do not trust numbers of \
             attacks that climb the loss itself, and compare with a margin or DLR loss.",
            right.len(),
        );
        let finding = Finding::new(saturated, right.len(), message)
            .with_number("median_distance_of_logits", -right[right.len() / 2]);
        Ok(Some(finding))
    }

    fn check(&self) -> Result<()> {
        check_share("share", self.share)
    }

    settings!("saturated_loss");
}
