use super::scope::{Scope, check_between_0_and_1, check_positive};
use super::walk::{Rows, annealed, from_the_right, unit};
use crate::attack::alike::walks;
use crate::attack::settings::{nearest, published};
use crate::attack::{Attack, L2, Trial};
use crate::base::Result;
use std::fmt;

nearest! {
    /// Decoupled direction and norm: a small L2 perturbation by steps whose direction and whose length
    /// are chosen apart.
    ///
    /// The direction follows the gradient of the loss; the length grows by γ where the image does not fool
    /// yet and shrinks by γ where it does. (J. Rony et al. 2019, "Decoupling Direction and Norm for
    /// Efficient Gradient-Based L2 Adversarial Attacks and Defenses", algorithm 1, without its
    /// quantization.)
    ///
    /// Defaults, as published: 100 steps, γ = 0.05, a first length of 1; the share of the gradient in the
    /// direction falls from 1 to 0.01 along a cosine. It starts at the image and draws nothing. One
    /// forward and one backward pass a step, all [exact](crate::kernel::Numerics::Exact), and a forward
    /// pass at the last point; ε as with [`Fab`](super::Fab).
    ///
    /// # Errors
    ///
    /// Those of [`Attack::attack`].
    ///
    /// ```
    /// use fireproof::attack::{Attack, Ddn};
    ///
    /// assert_eq!(Ddn::new().with_steps(300).to_string(), "DDN-300 L2");
    /// assert!(Ddn::new().with_gamma(1.5).check().is_err());
    /// ```
    pub struct Ddn {
        /// How many steps it takes.
        #[serde(default = "published::steps")]
        pub steps: usize,
        /// γ: by what share the length grows or shrinks.
        #[serde(default = "published::gamma")]
        pub gamma: f64,
        /// The length of the first perturbation.
        #[serde(default = "published::first_length")]
        pub first_length: f64,
    }
}

published! {
    steps: usize = 100,
    gamma: f64 = 0.05,
    first_length: f64 = 1.0,
}

impl Default for Ddn {
    fn default() -> Self {
        Self::new()
    }
}

impl Ddn {
    /// The attack with the published settings.
    pub fn new() -> Self {
        Self {
            epsilon: None,
            steps: published::steps(),
            gamma: published::gamma(),
            first_length: published::first_length(),
            predicted_labels: false,
        }
    }

    fn scope(&self) -> Scope {
        Scope::new(L2.into(), self.epsilon, self.predicted_labels)
    }

    fn walk(&self, trial: &mut Trial) -> Result<()> {
        let (rows, ball) = (Rows::new(trial), self.ball());
        let (goal, reference) = (self.goal().loss, trial.reference().clone());
        let mut way = rows.origin.zeros_like();
        let mut length = rows.origin.clone().narrow(1, 0, 1).zeros_like() + self.first_length;
        let farthest = rows.farthest(&L2);
        for step in 0..self.steps {
            let point = rows.origin.clone() + way.clone();
            let (pass, gradient) =
                rows.gradient(trial, &point, |logits| goal.unsaturated(logits, &reference))?;
            // The image itself has been offered.
            if step > 0 {
                trial.offer_within(ball.as_ref(), pass.images, pass.logits.clone());
            }
            let fooled = trial.fooled_by(pass.logits);
            let change = [1.0 + self.gamma, 1.0 - self.gamma].map(|by| length.clone() * by);
            length = rows.either(change, &fooled).min_pair(farthest.clone());
            let share = annealed(step, self.steps, 1.0, LAST_SHARE);
            let direction = way + unit(gradient) * share;
            let moved = rows.origin.clone() + unit(direction) * length.clone();
            way = rows.bounds.clamp(moved) - rows.origin.clone();
        }
        let point = rows.bounds.clamp(rows.origin.clone() + way);
        rows.offer(trial, ball.as_ref(), &point)?;
        Ok(())
    }
}

// The gradient's share in the direction at the last step.
const LAST_SHARE: f64 = 0.01;

impl Attack for Ddn {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        from_the_right(trial, |trial| self.walk(trial))
    }

    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if ε is negative or not finite in f32, if γ is not between 0 and 1, or if the
    /// first length is not positive.
    fn check(&self) -> Result<()> {
        self.scope().check()?;
        check_between_0_and_1("gamma", self.gamma)?;
        check_positive("first_length", self.first_length)
    }

    // The clean pass, the last point's, one to be sure of what was found, and the verdict's.
    walks!("ddn", |ddn| ddn.steps, 4);
}

impl fmt::Display for Ddn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DDN-{}", self.steps)?;
        self.scope().fmt(f)
    }
}
