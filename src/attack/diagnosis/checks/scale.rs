use super::{Check, Evidence, Finding, check_share, settings, thresholds};
use crate::base::{Error, Result, read};

thresholds! {
    /// Looks whether all pixels together fill next to nothing of the batch's bounds, such as pixels from 0 to
    /// 1 in bounds from 0 to 255: then ε, if it was chosen for those bounds, is beyond all measure.
    pub struct Scale {
        /// The share of the bounds that pixels fill at least, from 0 to 1.
        pub share: f64 = 0.02,
    }
}

impl Check for Scale {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let batch = evidence.batch();
        let [low, high] = [batch.bounds.low(), batch.bounds.high()].map(f64::from);
        if !(high - low).is_finite() {
            return Err(Error::input(
                "bounds",
                "none",
                "two finite bounds to compare pixels with",
            ));
        }
        let images = batch.images.clone();
        let [lowest, highest]: [f64; 2] =
            [images.clone().min(), images.max()].map(|extreme| read(&extreme)[0]);
        let share = (highest - lowest) / (high - low);
        // NaN is another check's.
        if share.is_nan() || share >= self.share {
            return Ok(None);
        }
        let message = format!(
            "all pixels are from {lowest} to {highest}, next to nothing of the bounds [{low}, {high}]. \
             Check that images, bounds and ε are in the same units.",
        );
        let finding = Finding::new(batch.len(), batch.len(), message)
            .with_number("lowest", lowest)
            .with_number("highest", highest)
            .with_number("share_of_bounds", share);
        Ok(Some(finding))
    }

    fn check(&self) -> Result<()> {
        check_share("share", self.share)
    }

    settings!("scale");
}
