use super::batches::{batches, classes};
use super::{OrbitAccuracy, Outcomes, Rate, Versions, defaults};
use crate::attack::{Attack, Frozen, Orbit};
use crate::base::{Error, Result};
use crate::data::{DataSummary, ImageSet};
use crate::group::Group;
use crate::transform::Warp;
use burn::tensor::Device;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Accuracy in *every* pose of an [`Orbit`]: all quarter turns (and mirror images, and whole shifts) of each
/// image, which move pixels and change none. Settings that give an [`OrbitAccuracy`].
///
/// Nothing is drawn and nothing interpolated, so that the shares are exact for the images: of a classifier
/// that is invariant under the group, every pose has the clean accuracy, to the image. The orbit as an
/// attack, and as the [axis](super::Axis::orbit) of an evaluation, stops at the first pose that fools; here
/// each pose is met.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::attack::{Frozen, Orbit};
/// use fireproof::data::embedded_mnist;
/// use fireproof::evaluate::OrbitScan;
/// use fireproof::group::Group;
/// use fireproof::model::CnnConfig;
///
/// let device = fireproof::device();
/// let set = embedded_mnist().test.take(8);
/// let victim = Frozen::new(&CnnConfig::new(Group::P4, set.shape(), 10).init(&device)?);
/// let orbit = OrbitScan::new(Orbit::p4()).run(&victim, &set, &device)?;
/// assert_eq!(orbit.elements.len(), 4);
/// println!("in all four: {}; the same prediction: {}", orbit.worst, orbit.invariant);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct OrbitScan {
    /// The poses: group, shifts and what comes into an image that is shifted. Its loss and targets do not
    /// matter.
    pub orbit: Orbit,
    /// Images at a time: bounds the memory, does not change the measurement.
    #[serde(default = "defaults::batch_size")]
    pub batch_size: usize,
}

impl OrbitScan {
    /// Over these poses, in batches of 128.
    pub fn new(orbit: Orbit) -> Self {
        Self {
            orbit,
            batch_size: defaults::batch_size(),
        }
    }

    /// Measures a classifier on an image set: one forward pass of each image in each pose.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for what the orbit refuses, and for no image at a time; [`Error::Input`] for an
    /// empty set, for images that are not square unless the group is p1, and for logits that are no numbers
    /// or fewer than the set has classes.
    pub fn run(&self, victim: &Frozen, data: &ImageSet, device: &Device) -> Result<OrbitAccuracy> {
        self.orbit.check()?;
        let [_, height, width] = data.shape();
        if self.orbit.group != Group::P1 && height != width {
            return Err(Error::input(
                "images of an orbit",
                format!("{height}×{width}"),
                "square ones, which quarter turns leave in their frame",
            ));
        }
        // The identity is the first of them.
        let poses = self.orbit.poses();
        let warp = Warp::nearest().with_border(self.orbit.border);
        let (mut correct, mut same) = (Vec::new(), Vec::new());
        for (victim, batch) in batches(victim, data, self.batch_size, device)? {
            let labels = batch.labels_to_vec();
            let in_pose = |&pose| {
                let images = warp.apply(batch.images.clone(), &vec![pose; batch.len()]);
                classes(&victim, &batch, images, data)
            };
            let met = poses.iter().map(in_pose).collect::<Result<Vec<_>>>()?;
            for (image, label) in labels.iter().enumerate() {
                correct.extend(met.iter().map(|classes| classes[image] == *label));
                same.extend(met.iter().map(|classes| classes[image] == met[0][image]));
            }
        }
        let images = data.len();
        let every = |flags: &[bool]| {
            let each = flags.chunks(poses.len());
            each.filter(|flags| flags.iter().all(|&flag| flag)).count()
        };
        let of_pose = |pose: usize| {
            let right = correct.iter().skip(pose).step_by(poses.len());
            Rate::of(right.filter(|&&right| right).count(), images)
        };
        Ok(OrbitAccuracy {
            name: "model".to_owned(),
            data: DataSummary::of(data),
            orbit: self.orbit.to_string(),
            elements: (0..poses.len()).map(of_pose).collect(),
            average: Rate::of_draws(&correct, poses.len()),
            worst: Rate::of(every(&correct), images),
            invariant: Rate::of(every(&same), images),
            correct: Outcomes::new(correct),
            same: Outcomes::new(same),
            poses,
            settings: serde_json::to_value(self).expect("settings are plain values"),
            versions: Versions::of(device),
        })
    }
}
