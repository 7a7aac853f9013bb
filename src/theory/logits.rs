use super::rule::Rule;
use crate::base::{Classifier, read};
use burn::tensor::{Device, Tensor, TensorData};

/// A classifier of images, such as a network, as a rule: points are images `[1, 1, features]`, class 1 is
/// +1 and class 0 is −1.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::theory::{Logits, Rule};
///
/// let first = |images: Tensor<4>| {
///     let first = images.narrow(3, 0, 1).flatten::<2>(1, 3);
///     Tensor::cat(vec![-first.clone(), first], 1)
/// };
/// let rule = Logits::of(first, &fireproof::device());
/// assert!(rule.score(&[0.5, -2.0]) > 0.0);
/// ```
pub struct Logits<C> {
    classifier: C,
    device: Device,
}

impl<C: Classifier> Logits<C> {
    /// The rule of this classifier, which is run on this device.
    pub fn of(classifier: C, device: &Device) -> Self {
        Self {
            classifier,
            device: device.clone(),
        }
    }
}

impl<C: Classifier> Rule for Logits<C> {
    fn score(&self, features: &[f64]) -> f64 {
        self.scores(&[features])[0]
    }

    /// The second logit minus the first.
    ///
    /// # Panics
    ///
    /// Panics if the classifier has not two classes, or the points have not the same number of features.
    fn scores(&self, points: &[&[f64]]) -> Vec<f64> {
        let [count, width] = [points.len(), points.first().map_or(0, |p| p.len())];
        if count == 0 {
            return Vec::new();
        }
        let numbers = points
            .iter()
            .flat_map(|point| point.iter().map(|&x| x as f32));
        let numbers = TensorData::new(numbers.collect::<Vec<_>>(), [count, 1, 1, width]);
        let mut images = Tensor::<4>::from_data(numbers, &self.device);
        if let Some(precision) = self.classifier.precision() {
            images = images.cast(precision.dtype());
        }
        let logits = self.classifier.logits(images);
        assert_eq!(logits.dims(), [count, 2], "logits of two classes");
        let logits: Vec<f64> = read(&logits);
        logits.chunks(2).map(|pair| pair[1] - pair[0]).collect()
    }
}
