use super::{Check, Evidence, Finding, settings, thresholds};
use crate::base::{Result, read};

thresholds! {
    /// Looks for pixels that are NaN or outside the batch's bounds. Attacks refuse such images, so that no
    /// other check that runs one can be made.
    pub struct OutOfBounds {}
}

impl Check for OutOfBounds {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let batch = evidence.batch();
        let pixels = batch.images.clone().flatten::<2>(1, 3);
        let wrong = batch.bounds.holds(pixels.clone()).bool_not().any_dim(1);
        let wrong: Vec<f32> = read(&wrong.float());
        let images = wrong.iter().filter(|wrong| **wrong > 0.0).count();
        if images == 0 {
            return Ok(None);
        }
        let [lowest, highest]: [f64; 2] =
            [pixels.clone().min(), pixels.max()].map(|extreme| read(&extreme)[0]);
        let message = format!(
            "{images} of {} images have pixels outside the bounds [{}, {}] (they go from {lowest} to \
             {highest}): attacks refuse them. Hand in the images as they were, with normalisation inside \
             the model (`nn::Normalize`), or give the batch the bounds that they have \
             (`Batch::with_bounds`).",
            wrong.len(),
            batch.bounds.low(),
            batch.bounds.high(),
        );
        let finding = Finding::new(images, wrong.len(), message)
            .with_number("lowest", lowest)
            .with_number("highest", highest);
        Ok(Some(finding))
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    settings!("out_of_bounds");
}
