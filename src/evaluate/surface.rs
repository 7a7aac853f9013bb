use super::{Axis, Evaluation, SurfaceMap, WorstCase};
use crate::attack::{AttackSpec, Frozen, RandomPose};
use crate::base::{Degrees, Pixels, Result, Seed};
use crate::data::ImageSet;
use crate::transform::{PoseBudget, Warp};
use burn::tensor::Device;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// The whole surface of A_ε(T_θ(x)): every pose budget θ with every radius ε, images in random poses and
/// then attacked. Settings that give a [`SurfaceMap`].
///
/// An image has the same poses at every ε, and over the budgets the same ones scaled; its random starts
/// are likewise the same, scaled. Each field is nevertheless measured by itself: nothing makes the surface
/// fall where an attack finds less at a larger radius.
///
/// ```
/// use fireproof::attack::{Frozen, Pgd};
/// use fireproof::base::Degrees;
/// use fireproof::data::embedded_mnist;
/// use fireproof::evaluate::Surface;
/// use fireproof::model::SmallCnnConfig;
///
/// let device = fireproof::device();
/// let set = embedded_mnist().test.take(8);
/// let victim = Frozen::new(&SmallCnnConfig::new(set.shape(), 10).init(&device)?);
/// let attack = Pgd::linf(0.0).with_steps(2);
/// let surface = Surface::rotations(attack, [0.0, 90.0, 180.0].map(Degrees), [0.0, 0.1]);
/// let map = surface.run(&victim, &set, &device)?;
/// assert_eq!(map.curve().points.len(), 6);
/// println!("mean accuracy over the surface: {}", map.volume.accuracy);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Surface {
    /// The attack on pixels, whose own radius each ε replaces.
    #[setters(into)]
    pub attack: AttackSpec,
    /// Pose budgets, growing.
    #[setters(skip)]
    pub poses: Vec<PoseBudget>,
    /// Radii ε, growing.
    #[setters(skip)]
    pub radii: Vec<f64>,
    /// Random poses of each image.
    pub draws: usize,
    /// How moved images are sampled.
    pub warp: Warp,
    /// Images per forward pass: bounds the memory, does not change the measurement.
    pub batch_size: usize,
    /// The seed of poses and random starts.
    #[setters(into)]
    pub seed: Seed,
}

impl Surface {
    /// The name of its axis in a profile.
    pub const AXIS: &str = "attacked_poses";

    /// An attack at these radii around images in random poses of these budgets: one draw of each image,
    /// nearest sampling, batches of 128, seed 0.
    pub fn new(
        attack: impl Into<AttackSpec>,
        poses: impl IntoIterator<Item = (Degrees, Pixels)>,
        radii: impl IntoIterator<Item = f64>,
    ) -> Self {
        let budget = |(angle, shift)| PoseBudget { angle, shift };
        Self {
            attack: attack.into(),
            poses: poses.into_iter().map(budget).collect(),
            radii: radii.into_iter().collect(),
            draws: 1,
            warp: Warp::default(),
            batch_size: 128,
            seed: Seed(0),
        }
    }

    /// Over rotations alone.
    pub fn rotations(
        attack: impl Into<AttackSpec>,
        angles: impl IntoIterator<Item = Degrees>,
        radii: impl IntoIterator<Item = f64>,
    ) -> Self {
        let poses = angles.into_iter().map(|angle| (angle, Pixels(0.0)));
        Self::new(attack, poses, radii)
    }

    /// Over shifts alone.
    pub fn shifts(
        attack: impl Into<AttackSpec>,
        shifts: impl IntoIterator<Item = Pixels>,
        radii: impl IntoIterator<Item = f64>,
    ) -> Self {
        let poses = shifts.into_iter().map(|shift| (Degrees(0.0), shift));
        Self::new(attack, poses, radii)
    }

    /// The surface as one axis of an [`Evaluation`] with others: its levels are (θ, s, ε). From the
    /// profile [`SurfaceMap::of`] makes a map.
    pub fn axis(&self) -> Axis {
        let poses = self.poses.iter().map(|budget| (budget.angle, budget.shift));
        let axis = Axis::attacked_poses(self.attack.clone(), poses, self.radii.clone());
        let pose = RandomPose::default().with_warp(self.warp);
        let threat = WorstCase::new(pose.before(self.attack.clone())).with_draws(self.draws);
        axis.named(Self::AXIS).with_threat(threat)
    }

    /// The surface as an evaluation of this one axis.
    pub fn evaluation(&self) -> Evaluation {
        Evaluation::new()
            .with_axis(self.axis())
            .with_batch_size(self.batch_size)
            .with_seed(self.seed)
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) for what an [axis](Axis::check) refuses: no budget or
    /// radius, some that do not grow, no draw; and for no images per batch.
    pub fn check(&self) -> Result<()> {
        self.evaluation().check()
    }

    /// Measures a classifier on an image set.
    ///
    /// # Errors
    ///
    /// As [`Evaluation::run`] and [`SurfaceMap::of`].
    pub fn run(&self, victim: &Frozen, data: &ImageSet, device: &Device) -> Result<SurfaceMap> {
        self.run_with_progress(victim, data, device, |_, _| {})
    }

    /// Measures as [`run`](Self::run) does, and calls `progress(done, total)` on the way, as
    /// [`Evaluation::run_with_progress`] does.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_with_progress(
        &self,
        victim: &Frozen,
        data: &ImageSet,
        device: &Device,
        progress: impl FnMut(usize, usize),
    ) -> Result<SurfaceMap> {
        let evaluation = self.evaluation();
        let profile = evaluation.run_with_progress(victim, data, device, progress)?;
        SurfaceMap::of(&profile, Self::AXIS)
    }
}
