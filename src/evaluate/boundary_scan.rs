use super::batches::{batches, classes};
use super::{Boundary, BoundaryPoint, Level, Mean, Outcomes, Rate, Versions, defaults};
use crate::attack::{AttackSpec, Frozen};
use crate::base::{Degrees, Error, Keys, Pixels, Purpose, Result, Seed};
use crate::data::{DataSummary, ImageSet};
use crate::transform::{PoseBudget, Warp};
use burn::tensor::{Device, Tensor};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// How far images are from the decision boundary, by an attack that looks for the nearest image of another
/// class, as they are and in random poses: settings that give a [`Boundary`].
///
/// The boundary is that around the classifier's *own* prediction on the image in its pose, right or wrong:
/// so every image has a distance. The average over the images as they are is what the paper's first version
/// (arXiv 2002.11318v1) and its predecessors report.
///
/// An attack finds an upper bound of the distance. A pose is dealt as
/// [`RandomPose`](super::RandomPose) deals it, from the same random numbers.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::attack::{Fab, Frozen};
/// use fireproof::data::ImageSet;
/// use fireproof::evaluate::BoundaryScan;
///
/// // Two classes: the image is brighter or darker than 1/2 on average.
/// let victim = Frozen::from_fn(|images: Tensor<4>| {
///     let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
///     Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
/// });
/// // Greys of 0.4 and 0.8, the second labelled as dark.
/// let set = ImageSet::new("greys", [1, 1, 1], 2, vec![102, 204], vec![0, 0])?;
/// let boundary = BoundaryScan::new(Fab::linf()).run(&victim, &set, &fireproof::device())?;
/// let mean = boundary.points[0].mean.unwrap();
/// assert!((mean.value - (0.1 + 0.3) / 2.0).abs() < 1e-3);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct BoundaryScan {
    /// The minimum-norm attack: [`Fab`](crate::attack::Fab), [`Fmn`](crate::attack::Fmn),
    /// [`Ddn`](crate::attack::Ddn), [`DeepFool`](crate::attack::DeepFool) or
    /// [`CarliniWagner`](crate::attack::CarliniWagner).
    #[setters(into)]
    pub attack: AttackSpec,
    /// Pose budgets, growing; one of 0 is the image as it is.
    #[serde(default = "defaults::poses")]
    #[setters(skip)]
    pub poses: Vec<PoseBudget>,
    /// Random poses of each image.
    #[serde(default = "defaults::draws")]
    pub draws: usize,
    /// How moved images are sampled.
    #[serde(default)]
    pub warp: Warp,
    /// Images at a time: bounds the memory, does not change the measurement.
    #[serde(default = "defaults::batch_size")]
    pub batch_size: usize,
    /// The seed of poses and of what the attack draws.
    #[serde(default)]
    #[setters(into)]
    pub seed: Seed,
    /// Whether the distances of single images are kept.
    #[serde(default = "defaults::yes")]
    #[setters(rename = "with_distances")]
    pub keep_distances: bool,
}

impl BoundaryScan {
    /// Distances of images as they are, by this attack: nearest sampling, one draw, batches of 128, seed 0.
    pub fn new(attack: impl Into<AttackSpec>) -> Self {
        Self {
            attack: attack.into(),
            poses: defaults::poses(),
            draws: defaults::draws(),
            warp: Warp::default(),
            batch_size: defaults::batch_size(),
            seed: Seed(0),
            keep_distances: true,
        }
    }

    /// With these pose budgets in place of those that there are; one of 0 makes the first point the
    /// distance of the images as they are, to which the others are compared.
    pub fn with_poses(mut self, poses: impl IntoIterator<Item = (Degrees, Pixels)>) -> Self {
        let budget = |(angle, shift)| PoseBudget { angle, shift };
        self.poses = poses.into_iter().map(budget).collect();
        self
    }

    /// With rotations alone.
    pub fn with_angles(self, angles: impl IntoIterator<Item = Degrees>) -> Self {
        self.with_poses(angles.into_iter().map(|angle| (angle, Pixels(0.0))))
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for an attack that looks for nothing near or makes no sense, for one that moves
    /// images itself, for no budget, budgets that do not grow or are none, and for no draw or no image at
    /// a time.
    pub fn check(&self) -> Result<()> {
        self.attack.check()?;
        let nearest = self.attack.goal().nearest.is_some() && !self.attack.moves_images();
        let expected = "one for the nearest image that fools, such as `fab`";
        Error::unless(nearest, "boundary: attack", &self.attack, expected)?;
        Error::unless(self.draws > 0, "boundary: draws", 0, "1 or more")?;
        Error::unless(self.batch_size > 0, "boundary: batch size", 0, "1 or more")?;
        Error::unless(
            !self.poses.is_empty(),
            "boundary: poses",
            "none",
            "one or more",
        )?;
        for pose in &self.poses {
            pose.check_poses()?;
        }
        for [a, b] in self.poses.array_windows() {
            let [a, b] = [a, b].map(|pose| Level::from((pose.angle, pose.shift)));
            let found = format_args!("{a} before {b}");
            let expected = "growing ones, each once";
            Error::unless(a < b, "boundary: poses", found, expected)?;
        }
        Ok(())
    }

    /// Measures a classifier on an image set.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) refuses; [`Error::Input`] for an empty set and for logits that are no
    /// numbers or fewer than the set has classes; whatever the attack refuses.
    pub fn run(&self, victim: &Frozen, data: &ImageSet, device: &Device) -> Result<Boundary> {
        self.check()?;
        let mut walks = Vec::from_iter(self.poses.iter().map(|&pose| Walk::new(self, pose)));
        for (victim, batch) in batches(victim, data, self.batch_size, device)? {
            for walk in &mut walks {
                let start = walk.distances.len();
                let (count, draws) = (batch.len(), walk.draws);
                walk.distances.resize(start + count * draws, None);
                walk.right.resize(start + count * draws, false);
                for draw in 0..draws {
                    let keys = Keys::new(self.seed, batch.ids.iter().copied());
                    let poses =
                        (walk.pose).draw_for(Purpose::TestPose, &keys.with_draw(draw as u64));
                    let images = match walk.pose == PoseBudget::default() {
                        true => batch.images.clone(),
                        false => self.warp.apply(batch.images.clone(), &poses),
                    };
                    let own = classes(&victim, &batch, images.clone(), data)?;
                    let labels = batch.labels_to_vec();
                    let mut moved = batch.clone().with_images(images)?;
                    moved.labels = Tensor::from_data(&own[..], device);
                    let seed = match draw {
                        0 => self.seed,
                        draw => self.seed.derive(draw as u64),
                    };
                    let found = self.attack.attack(&victim, &moved, seed)?;
                    walk.queries += count as u64;
                    walk.queries += found.queries.iter().map(|&q| u64::from(q)).sum::<u64>();
                    for image in 0..count {
                        let at = start + image * draws + draw;
                        walk.distances[at] = found.distance[image];
                        walk.right[at] = own[image] == labels[image];
                    }
                }
            }
        }
        let clean = walks.iter().find(|walk| walk.is_clean());
        let clean = clean.map(|walk| walk.distances.clone());
        let points = walks.into_iter().map(|walk| walk.conclude(self, &clean));
        Ok(Boundary {
            name: "model".to_owned(),
            data: DataSummary::of(data),
            attack: self.attack.to_string(),
            norm: (self.attack.goal().nearest)
                .map_or_else(String::new, |nearest| nearest.norm.to_string()),
            warp: self.warp,
            points: points.collect(),
            settings: serde_json::to_value(self).expect("settings are plain values"),
            numerics: victim.numerics(),
            versions: Versions::of(device),
        })
    }
}

// One budget on its way through the batches; image by image, draws side by side.
struct Walk {
    pose: PoseBudget,
    draws: usize,
    distances: Vec<Option<f64>>,
    right: Vec<bool>,
    queries: u64,
}

impl Walk {
    fn new(scan: &BoundaryScan, pose: PoseBudget) -> Self {
        let mut walk = Self {
            pose,
            draws: scan.draws,
            distances: Vec::new(),
            right: Vec::new(),
            queries: 0,
        };
        if walk.is_clean() {
            walk.draws = 1;
        }
        walk
    }

    fn is_clean(&self) -> bool {
        self.pose == PoseBudget::default()
    }

    fn conclude(self, scan: &BoundaryScan, clean: &Option<Vec<Option<f64>>>) -> BoundaryPoint {
        let draws = self.draws;
        let mean_of = |image: usize, only_right: bool| {
            let at = image * draws..(image + 1) * draws;
            let found = at.filter(|&at| !only_right || self.right[at]);
            let found = Vec::from_iter(found.filter_map(|at| self.distances[at]));
            (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
        };
        let images = self.distances.len() / draws;
        let all = |only_right| Vec::from_iter((0..images).map(|image| mean_of(image, only_right)));
        let mean = |of: Vec<Option<f64>>| Mean::of(&Vec::from_iter(of.into_iter().flatten()));
        let change = clean.as_ref().filter(|_| !self.is_clean()).map(|clean| {
            let pairs = all(false).into_iter().zip(clean);
            pairs.map(|(here, clean)| Some(here? - (*clean)?)).collect()
        });
        let found = Vec::from_iter(self.distances.iter().map(Option::is_some));
        BoundaryPoint {
            pose: self.pose,
            draws,
            mean: mean(all(false)),
            of_right: mean(all(true)),
            change: change.and_then(mean),
            median: median(&self.distances),
            found: Rate::of_draws(&found, draws),
            accuracy: Rate::of_draws(&self.right, draws),
            queries: self.queries as f64 / images as f64,
            correct: (scan.keep_distances).then(|| Outcomes::new(self.right.iter().copied())),
            distances: (scan.keep_distances).then(|| {
                self.distances
                    .iter()
                    .map(|&d| d.map(|d| d as f32))
                    .collect()
            }),
        }
    }
}

// What half of all distances reach or exceed, those that were not found being infinite; none if that is
// so of the median.
fn median(distances: &[Option<f64>]) -> Option<f64> {
    let far = |distance: &Option<f64>| distance.unwrap_or(f64::INFINITY);
    let mut sorted = Vec::from_iter(distances.iter().map(far));
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let median = match sorted.len() % 2 {
        1 => sorted[half],
        _ => (sorted[half - 1] + sorted[half]) / 2.0,
    };
    median.is_finite().then_some(median)
}
