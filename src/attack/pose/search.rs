use super::grid::{check_grid, grid, moving};
use super::spread;
use super::text::{By, Within};
use super::visits::{Visits, growing};
use crate::attack::alike::posed;
use crate::attack::settings::{posing, published};
use crate::attack::trial::Seen;
use crate::attack::{Attack, LossSpec, Trial};
use crate::base::{Degrees, Pixels, Result};
use crate::transform::{Pose, PoseBudget, Warp};
use std::fmt;

posing! {
    /// The worst pose of each image, looked for from coarse to fine: passes are spent where the loss is
    /// high.
    ///
    /// A coarse grid first, as [`GridSearch`](super::GridSearch); then rounds of poses between those seen,
    /// around the ones of the highest loss, one step away along one coordinate, the steps half as long
    /// each time.
    ///
    /// Defaults: 9 × 3 × 3 poses, then 6 rounds of 12; bilinear sampling with zeros outside, cross-entropy.
    /// On small networks that finds what grids a hundred times as large find (`docs/attacks.md`), but it
    /// proves nothing about the poses between, as a grid does not either.
    ///
    /// ```
    /// use fireproof::attack::{Attack, PoseSearch};
    /// use fireproof::base::{Degrees, Pixels};
    /// use fireproof::transform::PoseBudget;
    ///
    /// let search = PoseSearch::new(PoseBudget::new(Degrees(30.0), Pixels(3.0))?);
    /// assert!(search.cost().queries <= 155);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub struct PoseSearch {
        /// How many angles, shifts to the right and shifts downwards the coarse grid has.
        #[serde(default = "published::points")]
        #[setters(skip)]
        pub points: [usize; 3],
        /// How many rounds come after it.
        #[serde(default = "published::rounds")]
        pub rounds: usize,
        /// How many poses an image meets in each.
        #[serde(default = "published::poses")]
        pub poses: usize,
        /// How moved images are sampled.
        #[serde(default = "published::warp")]
        pub warp: Warp,
    }
}

published! {
    points: [usize; 3] = [9, 3, 3],
    rounds: usize = 6,
    poses: usize = 12,
    warp: super::Warp = super::Warp::bilinear(),
}

impl PoseSearch {
    /// The search in the poses of a budget.
    pub fn new(budget: PoseBudget) -> Self {
        Self {
            budget,
            points: published::points(),
            rounds: published::rounds(),
            poses: published::poses(),
            warp: published::warp(),
            loss: LossSpec::default(),
            targets: None,
            predicted_labels: false,
        }
    }

    /// With a coarse grid of so many angles, shifts to the right and shifts downwards.
    pub fn with_points(self, angles: usize, right: usize, down: usize) -> Self {
        Self {
            points: [angles, right, down],
            ..self
        }
    }

    fn coarse(&self) -> Vec<Pose> {
        spread::spread(grid(self.budget, self.points), self.budget)
    }

    // The distances of neighbours on the coarse grid.
    fn spacing(&self) -> [f64; 3] {
        let PoseBudget { angle, shift } = self.budget;
        let mut limits = [angle.0, shift.0, shift.0].into_iter().zip(self.points);
        std::array::from_fn(|_| {
            let (limit, points) = limits.next().expect("three coordinates");
            2.0 * limit / points.saturating_sub(1).max(1) as f64
        })
    }
}

// The poses that an image has met, with their ranks.
type History = Vec<([f64; 3], f64)>;

fn coordinates(pose: Pose) -> [f64; 3] {
    [pose.angle.0, pose.right.0, pose.down.0]
}

fn pose([angle, right, down]: [f64; 3]) -> Pose {
    Pose {
        right: Pixels(right),
        down: Pixels(down),
        ..Pose::rotation(Degrees(angle))
    }
}

impl PoseSearch {
    // Neighbours of the best poses so far that have not been met, one step away along one coordinate.
    fn around(&self, history: &mut History, steps: [f64; 3]) -> Vec<Pose> {
        history.sort_by(|a, b| b.1.total_cmp(&a.1));
        let limits = [
            self.budget.angle.0,
            self.budget.shift.0,
            self.budget.shift.0,
        ];
        let met = |at: &[f64; 3], others: &[[f64; 3]]| {
            let near = |other: &[f64; 3]| {
                let mut gaps = at.iter().zip(other).zip(steps);
                gaps.all(|((a, b), step)| (a - b).abs() <= step / 2.0)
            };
            others.iter().any(near)
        };
        let known = Vec::from_iter(history.iter().map(|(at, _)| *at));
        let mut chosen: Vec<[f64; 3]> = Vec::new();
        for (centre, _) in history.iter() {
            for axis in 0..3 {
                for sign in [1.0, -1.0] {
                    let mut at = *centre;
                    at[axis] = (at[axis] + sign * steps[axis]).clamp(-limits[axis], limits[axis]);
                    if chosen.len() < self.poses && !met(&at, &known) && !met(&at, &chosen) {
                        chosen.push(at);
                    }
                }
            }
        }
        chosen.into_iter().map(pose).collect()
    }
}

impl Attack for PoseSearch {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        trial.offer_originals();
        trial.survivors(|trial| {
            let coarse = self.coarse();
            let mut histories = vec![History::new(); trial.len()];
            if coarse.is_empty() {
                // Then the image as it is is all that there is to look around.
                let at = Vec::from_iter(0..trial.len());
                let clean = trial.clean();
                let seen = trial.seen_at(&at, clean);
                for (history, seen) in histories.iter_mut().zip(seen) {
                    history.push(([0.0; 3], seen.rank));
                }
            }
            let mut visits = Visits::new(trial, self.warp);
            let mut rounds = growing(&coarse);
            let mut steps = self.spacing();
            let mut finer = 0;
            while !visits.is_over() {
                let coarse = rounds.next();
                if coarse.is_none() {
                    if finer == self.rounds {
                        break;
                    }
                    finer += 1;
                    steps = steps.map(|step| step / 2.0);
                }
                let mut met = Vec::new();
                let poses = |at: usize| match coarse {
                    Some(round) => round.to_vec(),
                    None => self.around(&mut histories[at], steps),
                };
                visits.round(poses, |at, pose, seen: Seen| {
                    met.push((at, (coordinates(pose), seen.rank)));
                })?;
                met.into_iter()
                    .for_each(|(at, seen)| histories[at].push(seen));
            }
            visits.offer()
        })
    }

    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) for a budget that is negative or not finite, and for a grid without a point.
    fn check(&self) -> Result<()> {
        check_grid(self.budget, self.points)
    }

    fn is_random(&self) -> bool {
        false
    }

    posed!("pose_search", |search| {
        let coarse = grid(search.budget, search.points);
        moving(&coarse) + search.rounds * search.poses
    });
}

impl fmt::Display for PoseSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [angles, right, down] = self.points;
        let (rounds, poses) = (self.rounds, self.poses);
        let (within, by) = (Within(self.budget), By(self.warp));
        write!(
            f,
            "pose search {angles}×{right}×{down} and {rounds}×{poses} {within}{by}"
        )?;
        self.goal().fmt(f)
    }
}
