use super::gradients::without_gradients;
use super::{Check, Evidence, Finding, check_share, exceeds, settings, thresholds};
use crate::attack::{PartOutcome, Square};
use crate::base::Result;

thresholds! {
    /// Looks for images that gradients left standing and a search without them fools: gradients are masked
    /// there, or the attack by gradients is weak.
    ///
    /// Where no part of the attack does without gradients, [`Square`] is tried on the images that stand,
    /// in the attack's ball on all pixels: of an attack that leaves some alone, or that has
    /// [a radius for each image](crate::attack::PerImage), it says nothing. It does not look at attacks that
    /// move images: what a pose fools says nothing of gradients in pixels.
    ///
    /// The share is that of AutoAttack's published code.
    pub struct BlackBox exceeding 0.002 of "all images" {
        /// Queries of [`Square`] on an image, where it is tried.
        pub queries: usize = 1000,
    }
}

impl Check for BlackBox {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        // What a pose fools says nothing of gradients in pixels.
        evidence.expect_unmoved()?;
        let (parts, images) = evidence.outcomes()?;
        let is_blind = |part: &PartOutcome| part.queries > 0 && part.gradients == 0;
        let Some(first) = parts.iter().position(|part| part.gradients > 0) else {
            let stands = images.iter().any(|image| image.fooled_by.is_none());
            return if stands {
                Err(without_gradients())
            } else {
                Ok(None)
            };
        };
        let blind = Vec::from_iter(parts[first..].iter().filter(|part| is_blind(part)));
        let (fooled, of) = match blind.is_empty() {
            false => (blind.iter().map(|part| part.fooled).sum(), images.len()),
            true => (self.try_square(evidence)?, evidence.batch().len()),
        };
        if !exceeds(fooled, of, self.share) {
            return Ok(None);
        }
        let message = format!(
            "a search without gradients fools {fooled} of {of} images that the attack by gradients left \
             standing: gradients are masked, or that attack is weak. Trust the lower number, give \
             `Square` more queries and restarts, and attack what masks the gradients by a smooth backward \
             pass of its own.",
        );
        Ok(Some(Finding::new(fooled, of, message)))
    }

    fn check(&self) -> Result<()> {
        check_share("share", self.share)
    }

    settings!("black_box");
}

impl BlackBox {
    // How many of the images that stand it fools.
    fn try_square(&self, evidence: &mut Evidence) -> Result<usize> {
        let standing = evidence.course()?.standing();
        if standing.is_empty() || self.queries == 0 {
            return Ok(0);
        }
        let (ball, goal) = (evidence.ball()?, evidence.attack().goal());
        let square = Square {
            targets: goal.targets,
            predicted_labels: goal.predicted_labels,
            ..Square::new(ball.norm, ball.epsilon)
        };
        let square = square
            .with_queries(self.queries)
            .with_rescaled_schedule(true);
        Ok(evidence.run(&square, &standing)?.fooled_count())
    }
}
