use super::{Check, Evidence, Finding, check_number, settings, thresholds};
use crate::base::{Result, read};

thresholds! {
    /// Looks whether images seem to be normalised already: pixels below 0, of mean about 0 and deviation about
    /// 1. Then ε counts deviations, and the bounds are not those of real images.
    pub struct Normalised {
        /// How far the mean of all pixels is from 0 at most.
        pub mean: f64 = 0.5,
        /// The least and the largest standard deviation of all pixels.
        pub deviation: [f64; 2] = [0.7, 1.4],
    }
}

impl Check for Normalised {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let pixels: Vec<f64> = read(&evidence.batch().images);
        let count = pixels.len() as f64;
        let mean = pixels.iter().sum::<f64>() / count;
        let squares = pixels.iter().map(|pixel| (pixel - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count).sqrt();
        let [least, most] = self.deviation;
        let signed = pixels.iter().any(|&pixel| pixel < 0.0);
        if !signed || mean.abs() > self.mean || !(least..=most).contains(&deviation) {
            return Ok(None);
        }
        let images = evidence.batch().len();
        let message = format!(
            "the images seem to be normalised: pixels below 0, mean {mean:.2}, deviation {deviation:.2}. \
             ε counts in such units, too, and bounds are not those of the images. Hand in pixels as they \
             were, with normalisation inside the model (`nn::Normalize`).",
        );
        let finding = Finding::new(images, images, message)
            .with_number("mean", mean)
            .with_number("deviation", deviation);
        Ok(Some(finding))
    }

    fn check(&self) -> Result<()> {
        check_number("mean", self.mean)?;
        let [least, most] = self.deviation;
        check_number("deviation", least)?;
        check_number("deviation", most)
    }

    settings!("normalised");
}
