use super::spread;
use super::text::{By, Within};
use super::visits::{Visits, growing};
use crate::attack::alike::posed;
use crate::attack::settings::{posing, published};
use crate::attack::{Attack, LossSpec, Trial};
use crate::base::{Degrees, Error, Pixels, Result};
use crate::transform::{Pose, PoseBudget, Warp};
use std::fmt;

posing! {
    /// The worst pose of each image on a grid of rotations and shifts.
    ///
    /// (L. Engstrom, B. Tran, D. Tsipras, L. Schmidt, A. Madry 2019, "Exploring the Landscape of Spatial
    /// Robustness", section 3; grid and budget of its experiments: 31 angles up to ±30° and 5 × 5 shifts
    /// up to ±3 pixels.)
    ///
    /// Defaults: 31 × 5 × 5 poses, bilinear sampling with zeros outside, cross-entropy.
    ///
    /// # What is returned
    ///
    /// For each image the pose that fools, or else the one of the highest loss, the image as it is
    /// included; in [`Found::poses`](crate::attack::Found::poses) in degrees and pixels. An image leaves
    /// the search in the round of poses in which one first fools, of that round with the pose of the highest
    /// loss: rounds grow from one pose to 64, far poses first. So who stands has met the whole grid, and the accuracy is
    /// that of the whole grid. [`Found::originals`](crate::attack::Found::originals) are the moved images.
    ///
    /// # Errors
    ///
    /// Those of [`Attack::attack`].
    ///
    /// ```
    /// use fireproof::attack::{Attack, GridSearch};
    /// use fireproof::base::{Degrees, Pixels};
    /// use fireproof::transform::PoseBudget;
    ///
    /// let grid = GridSearch::new(PoseBudget::new(Degrees(30.0), Pixels(3.0))?);
    /// assert_eq!(grid.to_string(), "grid search 31×5×5 ±30° ±3 px");
    /// assert_eq!(grid.cost().queries, 775);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub struct GridSearch {
        /// How many angles, shifts to the right and shifts downwards: spread evenly over the budget, both
        /// ends included; a single one is 0.
        #[serde(default = "published::points")]
        #[setters(skip)]
        pub points: [usize; 3],
        /// How moved images are sampled.
        #[serde(default = "published::warp")]
        pub warp: Warp,
    }
}

published! {
    points: [usize; 3] = [31, 5, 5],
    warp: super::Warp = super::Warp::bilinear(),
}

impl GridSearch {
    /// The search over all poses of a budget.
    pub fn new(budget: PoseBudget) -> Self {
        Self {
            budget,
            points: published::points(),
            warp: published::warp(),
            loss: LossSpec::default(),
            targets: None,
            predicted_labels: false,
        }
    }

    /// With so many angles, shifts to the right and shifts downwards.
    pub fn with_points(self, angles: usize, right: usize, down: usize) -> Self {
        Self {
            points: [angles, right, down],
            ..self
        }
    }

    /// The poses of the grid, angle by angle, of each the shifts to the right and of each of those the
    /// shifts downwards.
    pub fn poses(&self) -> Vec<Pose> {
        grid(self.budget, self.points)
    }

    // In the order in which they are visited.
    fn order(&self) -> Vec<Pose> {
        spread::spread(self.poses(), self.budget)
    }
}

/// Evenly spread poses.
pub(super) fn grid(budget: PoseBudget, [angles, right, down]: [usize; 3]) -> Vec<Pose> {
    let PoseBudget { angle, shift } = budget;
    let mut poses = Vec::new();
    for angle in evenly(angle.0, angles) {
        for right in evenly(shift.0, right) {
            poses.extend(evenly(shift.0, down).map(|down| Pose {
                down: Pixels(down),
                right: Pixels(right),
                ..Pose::rotation(Degrees(angle))
            }));
        }
    }
    poses
}

/// Refuses a grid without a point, or of which some pose cannot be made.
pub(super) fn check_grid(budget: PoseBudget, points: [usize; 3]) -> Result<()> {
    budget.check_poses()?;
    let [angles, right, down] = points;
    let found = format_args!("{angles}×{right}×{down}");
    let expected = "at least one angle and one shift along each axis";
    Error::unless(!points.contains(&0), "points", found, expected)
}

/// How many of these poses are another one than the identity, which has its pass already.
pub(super) fn moving(poses: &[Pose]) -> usize {
    let moves = |pose: &&Pose| **pose != Pose::IDENTITY;
    poses.iter().filter(moves).count()
}

// Symmetric about an exact 0, which is all there is if there is no room.
fn evenly(limit: f64, count: usize) -> impl Iterator<Item = f64> {
    let count = if limit == 0.0 { count.min(1) } else { count };
    let last = count.saturating_sub(1) as f64;
    (0..count).map(move |at| match count {
        1 => 0.0,
        _ => limit * ((2 * at) as f64 - last) / last,
    })
}

impl Attack for GridSearch {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        trial.offer_originals();
        trial.survivors(|trial| {
            let poses = self.order();
            let mut visits = Visits::new(trial, self.warp);
            for round in growing(&poses) {
                visits.round(|_| round.to_vec(), |_, _, _| ())?;
                if visits.is_over() {
                    break;
                }
            }
            visits.offer()
        })
    }

    /// # Errors
    ///
    /// [`Error::Setting`] for a budget that is negative or not finite, and for a grid without a point.
    fn check(&self) -> Result<()> {
        check_grid(self.budget, self.points)
    }

    fn is_random(&self) -> bool {
        false
    }

    posed!("grid_search", |grid| moving(&grid.poses()));
}

impl fmt::Display for GridSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [angles, right, down] = self.points;
        let (within, by) = (Within(self.budget), By(self.warp));
        write!(f, "grid search {angles}×{right}×{down} {within}{by}")?;
        self.goal().fmt(f)
    }
}
