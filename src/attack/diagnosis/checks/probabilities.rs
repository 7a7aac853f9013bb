use super::{Check, Evidence, Finding, check_number, settings, thresholds};
use crate::base::{Precision, Result, read};

thresholds! {
    /// Looks whether what the classifier gives for each image is from 0 to 1 and sums to 1: probabilities, of
    /// which attacks take a softmax once more. Their logarithms are logits as good as any.
    pub struct Probabilities {
        /// How exactly they have to be so, beyond the rounding of their element type.
        pub tolerance: f64 = 1e-5,
    }
}

impl Check for Probabilities {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let logits = evidence.clean();
        let [images, classes] = logits.dims();
        let precision = Precision::of("logits", &logits)?;
        let tolerance = self.tolerance + classes as f64 * precision.epsilon();
        let outputs: Vec<f64> = read(&logits);
        let probable = outputs.chunks(classes).filter(|row| {
            let share = |&output: &f64| (-tolerance..=1.0 + tolerance).contains(&output);
            row.iter().all(share) && (row.iter().sum::<f64>() - 1.0).abs() <= tolerance
        });
        if probable.count() < images {
            return Ok(None);
        }
        let message = format!(
            "what the classifier gives for all {images} images are probabilities and no logits: attacks \
             take a softmax of them once more, and where it is sure their gradients are lost. Leave the \
             softmax out.",
        );
        Ok(Some(Finding::new(images, images, message)))
    }

    fn check(&self) -> Result<()> {
        check_number("tolerance", self.tolerance)
    }

    settings!("probabilities");
}
