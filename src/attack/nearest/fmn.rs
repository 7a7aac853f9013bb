use super::scope::{check_between_0_and_1, check_positive, geometry};
use super::walk::{Rows, annealed, from_the_right, unit};
use crate::attack::alike::{distances, walks};
use crate::attack::settings::{nearest, published};
use crate::attack::{Attack, Loss, Margin, NormSpec, Trial};
use crate::base::Result;
use std::fmt;

nearest! {
    /// The fast minimum-norm attack: steps up the margin within a ball whose radius is looked for on the
    /// way.
    ///
    /// Until an image fools for the first time, the radius is the distance at which the margin would come
    /// to 0 to first order, and after the first step no less than by γ more than before; then it grows by γ where the image does not fool and shrinks by γ, to what was
    /// found at most, where it does. (M. Pintor et al. 2021, "Fast Minimum-norm Adversarial Attacks through
    /// Adaptive Norm Constraints", algorithm 1, which does not have that least growth: it never crosses a
    /// boundary that it approaches from within.)
    ///
    /// Defaults, as published: 100 steps; a step of Euclidean length 1 that falls to 1/100 of the first
    /// and γ that falls from 0.05 to 0.001, both along a cosine. It starts at the image and draws nothing.
    /// One forward and one backward pass a step, all [exact](crate::kernel::Numerics::Exact), and a
    /// forward pass at the last point; ε as with [`Fab`](super::Fab).
    ///
    /// # Errors
    ///
    /// Those of [`Attack::attack`].
    ///
    /// ```
    /// use fireproof::attack::{Attack, Fmn};
    ///
    /// assert_eq!(Fmn::linf().with_steps(1000).to_string(), "FMN-1000 L∞");
    /// assert!(Fmn::l2().with_epsilon(-1.0).check().is_err());
    /// ```
    pub struct Fmn in any norm {
        /// How many steps it takes.
        #[serde(default = "published::steps")]
        pub steps: usize,
        /// The Euclidean length of the first step, in any norm.
        #[serde(default = "published::first_step")]
        pub first_step: f64,
        /// γ: by what share the radius grows or shrinks at first.
        #[serde(default = "published::gamma")]
        pub gamma: f64,
    }
}

published! {
    steps: usize = 100,
    first_step: f64 = 1.0,
    gamma: f64 = 0.05,
}

// Of the first step's length, the last one's share.
const LAST_STEP: f64 = 0.01;

// What γ falls to.
const LAST_GAMMA: f64 = 0.001;

impl Fmn {
    /// The attack for any norm with a [`Geometry`](super::Geometry).
    pub fn new(norm: impl Into<NormSpec>) -> Self {
        Self {
            norm: norm.into(),
            epsilon: None,
            steps: published::steps(),
            first_step: published::first_step(),
            gamma: published::gamma(),
            predicted_labels: false,
        }
    }

    fn walk(&self, trial: &mut Trial) -> Result<()> {
        let (geometry, rows, ball) = (geometry(&self.norm)?, Rows::new(trial), self.ball());
        let reference = trial.reference().clone();
        let farthest = rows.farthest(geometry);
        let mut way = rows.origin.zeros_like();
        let mut radius = farthest.clone();
        // Farther than anything before something fools.
        let mut nearest = farthest.clone() * 2.0;
        for step in 0..self.steps {
            let point = rows.origin.clone() + way.clone();
            let (pass, gradient) =
                rows.gradient(trial, &point, |logits| Margin.per_image(logits, &reference))?;
            // The image itself has been offered.
            if step > 0 {
                trial.offer_within(ball.as_ref(), pass.images, pass.logits.clone());
            }
            let fooled = trial.fooled_by(pass.logits);
            let length = geometry.row_lengths(way.clone());
            let nearer = nearest.clone().min_pair(length.clone());
            nearest = rows.either([nearest, nearer], &fooled);
            let gamma = annealed(step, self.steps, self.gamma, LAST_GAMMA.min(self.gamma));
            let ahead = rows.column(pass.loss).abs() / geometry.dual_lengths(gradient.clone());
            let unknown = ahead.clone().is_finite().bool_not();
            // Where nothing leads anywhere, the radius is no obstacle.
            let first = length + ahead.mask_fill(unknown, FAR);
            let found = nearest.clone().lower_equal(farthest.clone()).squeeze_dim(1);
            let wider = radius.clone() * (1.0 + gamma);
            // A boundary that is approached from within would never be crossed.
            let first = if step == 0 {
                first
            } else {
                first.max_pair(wider.clone())
            };
            let standing = rows.either([first, wider], &found);
            let fooling = (radius * (1.0 - gamma)).min_pair(nearest.clone());
            radius = rows
                .either([standing, fooling], &fooled)
                .min_pair(farthest.clone());
            let last = self.first_step * LAST_STEP;
            let stride = annealed(step, self.steps, self.first_step, last);
            let moved = geometry.shorten(way + unit(gradient) * stride, radius.clone());
            way = rows.bounds.clamp(rows.origin.clone() + moved) - rows.origin.clone();
        }
        let point = rows.bounds.clamp(rows.origin.clone() + way);
        rows.offer(trial, ball.as_ref(), &point)?;
        Ok(())
    }
}

const FAR: f32 = 1e30;

distances!(Fmn);

impl Attack for Fmn {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        from_the_right(trial, |trial| self.walk(trial))
    }

    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if ε is negative or not finite in f32, if the norm has no geometry, if γ is
    /// not between 0 and 1, or if the first step is not positive.
    fn check(&self) -> Result<()> {
        self.scope().check()?;
        check_between_0_and_1("gamma", self.gamma)?;
        check_positive("first_step", self.first_step)
    }

    // The clean pass, the last point's, one to be sure of what was found, and the verdict's.
    walks!("fmn", |fmn| fmn.steps, 4);
}

impl fmt::Display for Fmn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FMN-{}{}", self.steps, self.scope())
    }
}
