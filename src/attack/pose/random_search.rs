use super::text::{By, Within};
use super::visits::{Visits, growing};
use crate::attack::alike::posed;
use crate::attack::settings::{posing, published};
use crate::attack::{Attack, LossSpec, Trial};
use crate::base::{Error, Purpose, Result};
use crate::transform::{PoseBudget, Warp};
use std::fmt;

posing! {
    /// The worst of so many random poses of each image.
    ///
    /// (L. Engstrom et al. 2019, "Exploring the Landscape of Spatial Robustness", section 3: worst of k,
    /// published as 10.)
    ///
    /// Every image has its own poses, which depend on its id and not on how many there are: the first
    /// ones of many are those of few, so that accuracy never rises with more. Otherwise as
    /// [`GridSearch`](super::GridSearch).
    ///
    /// ```
    /// use fireproof::attack::{Attack, RandomSearch};
    /// use fireproof::base::{Degrees, Pixels};
    /// use fireproof::transform::PoseBudget;
    ///
    /// let budget = PoseBudget::new(Degrees(30.0), Pixels(3.0))?;
    /// assert_eq!(RandomSearch::new(budget, 10).to_string(), "worst of 10 poses ±30° ±3 px");
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub struct RandomSearch {
        /// How many poses.
        pub poses: usize,
        /// How moved images are sampled.
        #[serde(default = "published::warp")]
        pub warp: Warp,
    }
}

published! {
    warp: super::Warp = super::Warp::bilinear(),
}

impl RandomSearch {
    /// The worst of so many poses of a budget; sampled bilinearly, with zeros outside.
    pub fn new(budget: PoseBudget, poses: usize) -> Self {
        Self {
            budget,
            poses,
            warp: published::warp(),
            loss: LossSpec::default(),
            targets: None,
            predicted_labels: false,
        }
    }
}

impl Attack for RandomSearch {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        trial.offer_originals();
        trial.survivors(|trial| {
            let keys = trial.keys().clone();
            let mut draws = keys.each(Purpose::SearchedPose, |draws| draws.clone());
            let mut visits = Visits::new(trial, self.warp);
            for round in growing(&vec![(); self.poses]) {
                let next = |at: usize| {
                    let pose = |_| self.budget.draw_next(&mut draws[at]);
                    round.iter().map(pose).collect()
                };
                visits.round(next, |_, _, _| ())?;
                if visits.is_over() {
                    break;
                }
            }
            visits.offer()
        })
    }

    /// # Errors
    ///
    /// [`Error::Setting`] for a budget that is negative or not finite, and without a pose.
    fn check(&self) -> Result<()> {
        self.budget.check_poses()?;
        Error::unless(self.poses > 0, "poses", self.poses, "at least 1")
    }

    posed!("random_search", |search| search.poses);
}

impl fmt::Display for RandomSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (within, by) = (Within(self.budget), By(self.warp));
        write!(f, "worst of {} poses {within}{by}", self.poses)?;
        self.goal().fmt(f)
    }
}
