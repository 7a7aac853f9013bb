use super::{Check, Evidence, Finding, check_share, exceeds, settings, thresholds};
use crate::attack::Ball;
use crate::base::{Error, Result, read};

thresholds! {
    /// Looks for images that stand in a ball of any radius, up to one that holds every image within the
    /// bounds: there each image is beside one of another class, and an attack that finds none is failing.
    /// (A. Athalye et al. 2018, section 3.1: unbounded attacks reach 100 % success.)
    ///
    /// The attack runs again at larger and larger radii, each time on the images that stand. Where there are no
    /// bounds, the range of all pixels takes their place. Of an attack that leaves some pixels alone it says
    /// nothing.
    pub struct NoFall exceeding 0.0 of "all images" {
        /// By how much the radius grows from one run to the next, more than 1.
        pub growth: f64 = 4.0,
    }
}

impl Check for NoFall {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let ball = evidence.ball()?;
        let largest = largest(evidence, &ball)?;
        let images = evidence.batch().len();
        let mut standing = evidence.course()?.standing();
        let mut accuracies = vec![(ball.epsilon, standing.len())];
        for radius in radii(ball.epsilon, largest, self.growth) {
            if standing.is_empty() {
                break;
            }
            let attack = evidence.attack().at_level(&[radius])?;
            let found = evidence.run(&*attack, &standing)?;
            let mut fooled = found.fooled.into_iter();
            standing.retain(|_| !fooled.next().expect("a verdict for each"));
            accuracies.push((radius, standing.len()));
        }
        if !exceeds(standing.len(), images, self.share) {
            return Ok(None);
        }
        let message = format!(
            "{} of {images} images stand in a ball of radius {largest:.3}, which holds every image there \
             is, some of them of other classes: the attack fails there, and so its number at ε = {} may \
             be its own failure. Look for masked gradients, or for a classifier that knows one class.",
            standing.len(),
            ball.epsilon,
        );
        let finding = accuracies.iter().fold(
            Finding::new(standing.len(), images, message),
            |finding, (radius, standing)| {
                let accuracy = *standing as f64 / images as f64;
                finding.with_number(format!("accuracy at {radius}"), accuracy)
            },
        );
        Ok(Some(finding))
    }

    fn check(&self) -> Result<()> {
        let valid = self.growth > 1.0 && self.growth.is_finite();
        Error::unless(valid, "growth", self.growth, "a finite number above 1")?;
        check_share("share", self.share)
    }

    settings!("no_fall");
}

// The radius of a ball that holds every image.
fn largest(evidence: &Evidence, ball: &Ball) -> Result<f64> {
    let batch = evidence.batch();
    let bounds = f64::from(batch.bounds.high()) - f64::from(batch.bounds.low());
    let range = match bounds.is_finite() {
        true => bounds,
        false => {
            let images = batch.images.clone();
            let [lowest, highest]: [f64; 2] =
                [images.clone().min(), images.max()].map(|extreme| read(&extreme)[0]);
            highest - lowest
        }
    };
    let pixels = batch.images.dims()[1..].iter().product();
    Ok(ball.norm.length(&vec![range; pixels]))
}

// Growing radii behind the first, up to the largest.
fn radii(first: f64, largest: f64, growth: f64) -> Vec<f64> {
    let mut radii = Vec::new();
    // A ball of radius 0 grows as well.
    let mut radius = first.max(largest * 1e-3) * growth;
    while radius < largest {
        radii.push(radius);
        radius *= growth;
    }
    if first < largest {
        radii.push(largest);
    }
    radii
}

#[cfg(test)]
mod tests {
    use super::radii;

    #[test]
    fn value_radii_grow_to_the_largest() {
        assert_eq!(radii(0.1, 1.0, 4.0), [0.4, 1.0]);
        assert_eq!(radii(0.125, 1.0, 2.0), [0.25, 0.5, 1.0]);
        assert_eq!(radii(0.0, 1.0, 100.0), [0.1, 1.0]);
        assert!(radii(1.0, 1.0, 4.0).is_empty());
    }
}
