use crate::attack::{Frozen, GridSearch, LossSpec, Reference, predicted_classes};
use crate::base::{Batch, Degrees, Error, Pixels, Result, indices, read};
use crate::transform::{Pose, PoseBudget, Warp};
use burn::tensor::Tensor;
use derive_more::Display;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// The axis of the image along which it is shifted.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the right; negative shifts are to the left.
    #[default]
    #[display("to the right")]
    Right,
    /// Downwards; negative shifts are upwards.
    #[display("down")]
    Down,
}

/// Looks at an image in every pose of a grid of angles and shifts: settings that give a [`PoseMap`].
///
/// The map shows what a search over poses has to do with: L. Engstrom, B. Tran, D. Tsipras, L. Schmidt
/// and A. Madry 2019, "Exploring the landscape of spatial robustness", figure 5, draw such ones.
///
/// ```
/// use fireproof::attack::Frozen;
/// use fireproof::base::{Degrees, Pixels};
/// use fireproof::data::embedded_mnist;
/// use fireproof::evaluate::PoseScan;
/// use fireproof::model::SmallCnnConfig;
/// use fireproof::transform::PoseBudget;
///
/// let device = fireproof::device();
/// let batch = embedded_mnist().test.batch(&[3], &device);
/// let model = SmallCnnConfig::new([1, 28, 28], 10).init(&device)?;
/// let budget = PoseBudget::new(Degrees(30.0), Pixels(3.0))?;
/// let maps = PoseScan::new(budget).with_points(7, 5).of(&Frozen::new(&model), &batch)?;
/// assert_eq!((maps.len(), maps[0].losses.len()), (1, 35));
/// println!("worst: {}", maps[0].worst_pose());
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct PoseScan {
    /// The largest angle and shift.
    pub budget: PoseBudget,
    /// Numbers of angles and of shifts, each evenly from minus the largest to the largest; where that is
    /// 0, one is enough. With odd numbers the image as it is belongs to them.
    #[setters(skip)]
    pub points: [usize; 2],
    /// Where shifts go.
    pub direction: Direction,
    /// How moved images are sampled.
    pub warp: Warp,
    /// The loss, away from the true class.
    #[setters(into)]
    pub loss: LossSpec,
    /// Images per forward pass: bounds the memory, does not change the map.
    pub batch_size: usize,
}

/// Loss and predicted class of one image in every pose of a grid, as [`PoseScan`] finds them. With
/// feature `report` it draws itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PoseMap {
    /// The image's id.
    pub id: u64,
    /// Its true class.
    pub label: i64,
    /// The angles, growing.
    pub angles: Vec<Degrees>,
    /// The shifts, growing.
    pub shifts: Vec<Pixels>,
    /// Where shifts go.
    pub direction: Direction,
    /// How moved images were sampled.
    pub warp: Warp,
    /// The loss.
    pub loss: LossSpec,
    /// The loss at each angle and, within it, each shift.
    pub losses: Vec<f32>,
    /// The predicted class at each angle and, within it, each shift.
    pub predicted: Vec<i64>,
}

impl PoseScan {
    /// Rotations within this budget, and shifts to the right: 61 angles and 25 shifts, cross-entropy, by
    /// bilinear sampling with zeros outside, 128 images at a time.
    pub fn new(budget: PoseBudget) -> Self {
        Self {
            budget,
            points: [61, 25],
            direction: Direction::default(),
            warp: Warp::bilinear(),
            loss: LossSpec::default(),
            batch_size: 128,
        }
    }

    /// With these numbers of angles and of shifts.
    pub fn with_points(mut self, angles: usize, shifts: usize) -> Self {
        self.points = [angles, shifts];
        self
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for no angle, shift or image at a time, and for what the budget refuses.
    pub fn check(&self) -> Result<()> {
        self.budget.check_poses()?;
        let [angles, shifts] = self.points;
        for (name, count) in [
            ("angles", angles),
            ("shifts", shifts),
            ("batch size", self.batch_size),
        ] {
            let name = format_args!("pose scan: {name}");
            Error::unless(count > 0, name, count, "1 or more")?;
        }
        Ok(())
    }

    /// The map of each image of a batch: one forward pass for each pose of each, as many at a time as
    /// the batch size says.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) refuses; [`Error::Input`] for a batch that
    /// [makes no sense](Batch::check), and for losses that are no numbers.
    pub fn of(&self, victim: &Frozen, batch: &Batch) -> Result<Vec<PoseMap>> {
        self.check()?;
        let batch = match victim.precision() {
            Some(precision) => batch.clone().with_precision(precision),
            None => batch.clone(),
        };
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let victim = victim.for_ids(&batch.ids);
        batch.check(victim.classes(&batch.images))?;
        let poses = self.poses();
        // Angle by angle, of each all shifts.
        let mut angles = Vec::from_iter(poses.iter().map(|pose| pose.angle));
        angles.dedup();
        let first = &poses[..poses.len() / angles.len()];
        let shifts = Vec::from_iter(first.iter().map(|pose| match self.direction {
            Direction::Right => pose.right,
            Direction::Down => pose.down,
        }));
        let (mut losses, mut predicted) = (Vec::new(), Vec::new());
        let every = Vec::from_iter(0..batch.len());
        let clean = self.loss.wants_clean().then(|| {
            let logits = every.chunks(self.batch_size).map(|images| {
                let part = batch.select(images);
                victim.for_ids(&part.ids).logits(part.images)
            });
            Tensor::cat(logits.collect(), 0)
        });
        let rows = Vec::from_iter(0..batch.len() * poses.len());
        for rows in rows.chunks(self.batch_size) {
            let images = Vec::from_iter(rows.iter().map(|row| row / poses.len()));
            let here = Vec::from_iter(rows.iter().map(|row| poses[row % poses.len()]));
            let part = batch.select(&images);
            let (victim, mut about) = (
                victim.for_ids(&part.ids),
                Reference::new(part.labels.clone()),
            );
            if let Some(clean) = &clean {
                let images = indices(images.iter().copied(), &clean.device());
                about = about.with_clean(clean.clone().select(0, images));
            }
            let logits = victim.logits(self.warp.apply(part.images, &here));
            let loss = self.loss.per_image(logits.clone(), &about);
            losses.extend(read::<f32, _, _>(&loss));
            predicted.extend(read::<i64, _, _>(&predicted_classes(logits)));
        }
        if let Some(at) = losses.iter().position(|loss| !loss.is_finite()) {
            return Err(Error::input(
                format!("loss of image {}", batch.ids[at / poses.len()]),
                losses[at],
                "a finite number",
            ));
        }
        let found = (losses.chunks(poses.len()))
            .zip(predicted.chunks(poses.len()))
            .zip(batch.ids.iter().zip(batch.labels_to_vec()));
        let maps = found.map(|((losses, predicted), (&id, label))| PoseMap {
            id,
            label,
            angles: angles.clone(),
            shifts: shifts.clone(),
            direction: self.direction,
            warp: self.warp,
            loss: self.loss.clone(),
            losses: losses.to_vec(),
            predicted: predicted.to_vec(),
        });
        Ok(maps.collect())
    }

    fn poses(&self) -> Vec<Pose> {
        let [angles, shifts] = self.points;
        let grid = GridSearch::new(self.budget);
        let grid = match self.direction {
            Direction::Right => grid.with_points(angles, shifts, 1),
            Direction::Down => grid.with_points(angles, 1, shifts),
        };
        grid.poses()
    }
}

fn posed(angle: Degrees, shift: Pixels, direction: Direction) -> Pose {
    let still = Pixels(0.0);
    let (right, down) = match direction {
        Direction::Right => (shift, still),
        Direction::Down => (still, shift),
    };
    Pose {
        angle,
        ..Pose::shift(right, down)
    }
}

impl PoseMap {
    /// The pose of number `at` of the losses and classes.
    ///
    /// # Panics
    ///
    /// Panics if there are not so many.
    pub fn pose(&self, at: usize) -> Pose {
        let count = self.shifts.len();
        posed(
            self.angles[at / count],
            self.shifts[at % count],
            self.direction,
        )
    }

    /// The number of the pose that an attack would choose of these: one that is misclassified before
    /// one that is not, then that of the highest loss, then the first.
    pub fn worst(&self) -> usize {
        let rank = |&at: &usize| (self.is_wrong(at), self.losses[at]);
        let all = 0..self.losses.len();
        all.reduce(|best, at| if rank(&at) > rank(&best) { at } else { best })
            .unwrap_or(0)
    }

    /// The pose of [`worst`](Self::worst).
    pub fn worst_pose(&self) -> Pose {
        self.pose(self.worst())
    }

    /// The share of poses in which the image is misclassified, from 0 to 1.
    pub fn wrong(&self) -> f64 {
        let wrong = (0..self.predicted.len()).filter(|&at| self.is_wrong(at));
        wrong.count() as f64 / self.predicted.len() as f64
    }

    fn is_wrong(&self, at: usize) -> bool {
        self.predicted[at] != self.label
    }
}
