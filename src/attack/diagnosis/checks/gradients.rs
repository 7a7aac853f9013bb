use super::{Check, Evidence, Finding, check_share, exceeds, settings, thresholds};
use crate::attack::Outcome;
use crate::base::{Error, Result};

thresholds! {
    /// Looks for images at which gradients are zero: attacks have nothing to go by there. Counted are images
    /// that stand, or that a part without gradients fooled; for the others gradients were good enough.
    pub struct VanishedGradients exceeding 0.01 of "those images" {
        /// The share of an image's gradients, from 0 to 1, that have to be zero for it to count.
        pub passes: f64 = 0.5,
    }
}

impl Check for VanishedGradients {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let (parts, images) = evidence.outcomes()?;
        let blind = |part: &usize| parts[*part].gradients == 0;
        let withstood = |image: &&Outcome| image.fooled_by.as_ref().is_none_or(blind);
        let asked = images.iter().filter(|image| image.gradients > 0);
        let asked = Vec::from_iter(asked.filter(withstood));
        let vanished = |image: &&&Outcome| {
            image.vanished > 0 && image.vanished as f64 >= self.passes * image.gradients as f64
        };
        let vanished = asked.iter().filter(vanished).count();
        if !exceeds(vanished, asked.len(), self.share) {
            return Ok(None);
        }
        let message = format!(
            "gradients are zero at {vanished} of the {} images that withstood them: the attack had nothing \
             to go by there, so that their standing says nothing. Look for a loss that saturates or for an \
             operation without a gradient (rounding, thresholds, an argmax); give that one a smooth \
             backward pass, and attack by `Square`, which needs none.",
            asked.len(),
        );
        Ok(Some(Finding::new(vanished, asked.len(), message)))
    }

    fn check(&self) -> Result<()> {
        check_share("passes", self.passes)?;
        check_share("share", self.share)
    }

    settings!("vanished_gradients");
}

thresholds! {
    /// Looks for images with gradients of which some entry is NaN or infinite. Attacks go on with the others.
    pub struct UndefinedGradients exceeding 0.0 of "the images with gradients" {}
}

impl Check for UndefinedGradients {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let (_, images) = evidence.outcomes()?;
        let asked = Vec::from_iter(images.iter().filter(|image| image.gradients > 0));
        let undefined = asked.iter().filter(|image| image.undefined > 0).count();
        if !exceeds(undefined, asked.len(), self.share) {
            return Ok(None);
        }
        let message = format!(
            "gradients are NaN or infinite at {undefined} of {} images; the attack took such entries for \
             zero. Look for a root or a logarithm at 0, a division by 0 or numbers beyond the element \
             type, and compare with `Square`, which needs no gradient.",
            asked.len(),
        );
        Ok(Some(Finding::new(undefined, asked.len(), message)))
    }

    fn check(&self) -> Result<()> {
        check_share("share", self.share)
    }

    settings!("undefined_gradients");
}

/// What a check says that needs gradients.
pub(super) fn without_gradients() -> Error {
    Error::input("backward passes of the attack", "none", "some")
}
