use super::batches::batches;
use super::{Alignment, Mean, Outcomes, Tangents, Versions};
use crate::attack::{Frozen, LossSpec, Reference};
use crate::base::{Batch, Error, Result, read};
use crate::data::{DataSummary, ImageSet};
use crate::transform::{Border, shift};
use burn::tensor::{Device, Tensor};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// How much the gradient of the loss in the image points along a rotation and along shifts: settings that
/// give [`Tangents`].
///
/// A small rotation moves an image along a line in the space of images, its tangent. If the gradient of the
/// loss lies in that direction, what raises the loss most is partly a rotation, and robustness to the one
/// has to do with robustness to the other; if it is at a right angle, as random directions nearly are in so
/// many dimensions, the two are separate matters.
///
/// The tangent is the derivative of the bilinear [`Warp`](crate::transform::Warp) at pose 0, the mean of the
/// one-sided ones, for at the image itself every sample is at a pixel, where linear interpolation has a
/// corner. That is the central difference of neighbouring pixels along a shift, and
/// y·(tangent to the right) − x·(tangent down) for a rotation, with x to the right and y down from the
/// centre.
///
/// ```
/// use fireproof::attack::Frozen;
/// use fireproof::data::embedded_mnist;
/// use fireproof::evaluate::TangentScan;
/// use fireproof::group::Group;
/// use fireproof::model::CnnConfig;
///
/// let device = fireproof::device();
/// let set = embedded_mnist().test.take(8);
/// let victim = Frozen::new(&CnnConfig::new(Group::P4, set.shape(), 10).init(&device)?);
/// let tangents = TangentScan::new().run(&victim, &set, &device)?;
/// let cosine = tangents.rotation.mean.unwrap();
/// println!("|cos| {cosine}; a random direction would have {:.4}", tangents.random);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct TangentScan {
    /// The loss, away from the true class. Only the direction of its gradient counts.
    #[setters(into)]
    pub loss: LossSpec,
    /// What lies outside the image that is moved.
    pub border: Border,
    /// Images at a time: bounds the memory, does not change the measurement.
    pub batch_size: usize,
}

impl Default for TangentScan {
    fn default() -> Self {
        Self {
            loss: LossSpec::default(),
            border: Border::default(),
            batch_size: 128,
        }
    }
}

impl TangentScan {
    /// Cross-entropy, zeros outside, batches of 128.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tangents of a batch of images `[batch, channel, height, width]` at the images as they are: of a
    /// rotation counter-clockwise, per radian, and of shifts to the right and down, per pixel, each of the
    /// images' shape.
    pub fn tangents(&self, images: &Tensor<4>) -> [Tensor<4>; 3] {
        let moved = |right, down| shift(images.clone(), right, down, self.border);
        let right = (moved(1, 0) - moved(-1, 0)) * 0.5;
        let down = (moved(0, 1) - moved(0, -1)) * 0.5;
        let [_, _, height, width] = images.dims();
        let centred = |length: usize| {
            let half = (length as f32 - 1.0) / 2.0;
            Vec::from_iter((0..length).map(|at| at as f32 - half))
        };
        let like = (&images.device(), images.dtype());
        let x = Tensor::<1>::from_data(&centred(width)[..], like).reshape([1, 1, 1, width]);
        let y = Tensor::<1>::from_data(&centred(height)[..], like).reshape([1, 1, height, 1]);
        // A rotation moves the point (x, y) by (y, −x).
        let rotation = right.clone() * y - down.clone() * x;
        [rotation, right, down]
    }

    /// Measures a classifier on an image set: one forward and one backward pass.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for no image at a time; [`Error::Input`] for an empty set, for labels that the
    /// classifier does not know and for one that cannot be differentiated in its images.
    pub fn run(&self, victim: &Frozen, data: &ImageSet, device: &Device) -> Result<Tangents> {
        Error::unless(self.batch_size > 0, "tangents: batch size", 0, "1 or more")?;
        let mut cosines: [Vec<Option<f32>>; 3] = Default::default();
        let mut right = Vec::new();
        for (victim, batch) in batches(victim, data, self.batch_size, device)? {
            batch.check(victim.classes(&batch.images))?;
            let gradients = rows(&self.gradient(&victim, &batch)?);
            let labels = batch.labels_to_vec();
            let predicted = victim.predict(batch.images.clone());
            right.extend(predicted.iter().zip(&labels).map(|(a, b)| a == b));
            for (cosines, tangent) in cosines.iter_mut().zip(self.tangents(&batch.images)) {
                let pairs = gradients.iter().zip(rows(&tangent));
                cosines.extend(pairs.map(|(gradient, tangent)| cosine(gradient, &tangent)));
            }
        }
        let [rotation, to_the_right, down] = cosines.map(alignment);
        let [channels, height, width] = data.shape();
        let dimension = channels * height * width;
        Ok(Tangents {
            name: "model".to_owned(),
            data: DataSummary::of(data),
            dimension,
            random: random(dimension),
            rotation,
            right: to_the_right,
            down,
            correct: Outcomes::new(right),
            settings: serde_json::to_value(self).expect("settings are plain values"),
            numerics: victim.numerics(),
            versions: Versions::of(device),
        })
    }

    fn gradient(&self, victim: &Frozen, batch: &Batch) -> Result<Tensor<4>> {
        let mut about = Reference::new(batch.labels.clone());
        if self.loss.wants_clean() {
            about = about.with_clean(victim.logits(batch.images.clone()));
        }
        // Where the loss is flat in f32 its direction is still that of what does not saturate.
        let pass = victim.loss_gradient(batch.images.clone(), |logits| {
            self.loss.unsaturated(logits, &about)
        })?;
        Ok(pass.gradient)
    }
}

fn rows(images: &Tensor<4>) -> Vec<Vec<f64>> {
    let [count, ..] = images.dims();
    let numbers: Vec<f64> = read(images);
    numbers
        .chunks((numbers.len() / count).max(1))
        .map(<[f64]>::to_vec)
        .collect()
}

// None where one of the two has no direction.
fn cosine(a: &[f64], b: &[f64]) -> Option<f32> {
    let unit = |x: &[f64]| {
        let largest = x.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let finite = largest > 0.0 && x.iter().all(|x| x.is_finite());
        finite.then(|| Vec::from_iter(x.iter().map(|x| x / largest)))
    };
    let (a, b) = (unit(a)?, unit(b)?);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let cosine = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
    Some(cosine.clamp(-1.0, 1.0) as f32)
}

fn alignment(cosines: Vec<Option<f32>>) -> Alignment {
    let sizes = cosines
        .iter()
        .flatten()
        .map(|&cosine| f64::from(cosine).abs());
    Alignment {
        mean: Mean::of(&Vec::from_iter(sizes)),
        undefined: cosines.iter().filter(|cosine| cosine.is_none()).count(),
        cosines,
    }
}

/// The mean absolute cosine of a direction drawn evenly with any fixed one in so many dimensions:
/// Γ(d/2) / (√π Γ((d + 1)/2)), about √(2/(π d)).
fn random(dimension: usize) -> f64 {
    let half = dimension as f64 / 2.0;
    let log = libm::lgamma(half) - libm::lgamma(half + 0.5);
    log.exp() / std::f64::consts::PI.sqrt()
}
