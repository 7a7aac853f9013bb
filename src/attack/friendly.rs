use super::attack::single;
use super::goal::{fooled, predicted_classes};
use super::rows::{replace, select};
use super::settings::settings;
use super::{Attack, AttackSpec, Ball, Cost, Goal, NormSpec, Pgd, PixelSpace, Space, Trial};
use crate::base::{Error, Result, named, read};
use serde_json::Value;
use std::fmt;

settings! {
    /// PGD that leaves an image alone soon after it is fooled: adversaries that are friendly to training.
    ///
    /// Before each step it is asked what the classifier takes an image for. One that is right takes the
    /// step; one that is wrong takes it as long as it has been wrong no more than `tau` times, and then stays
    /// where it is. So an image that is wrong to begin with stays at its start if `tau` is 0, and an image
    /// that is never fooled makes all steps. The last iterate is what is returned. Images that stay are not
    /// passed again: an image costs as many passes as it makes steps, and one more if it stays.
    ///
    /// (J. Zhang et al. 2020, "Attacks Which Do Not Kill Training Make Adversarial Learning Stronger",
    /// algorithm 1.)
    ///
    /// ```
    /// use fireproof::attack::{Attack, FriendlyPgd, Pgd};
    ///
    /// let attack = FriendlyPgd::new(Pgd::linf(0.1), 1);
    /// assert_eq!(attack.to_string(), "friendly PGD-10 L∞ ε=0.1 step=0.025, τ=1");
    /// assert!(FriendlyPgd::new(Pgd::linf(0.1).with_momentum(1.0), 1).check().is_err());
    /// ```
    pub struct FriendlyPgd {
        /// The steps, their start and the loss that they climb.
        pub pgd: Pgd,
        /// How often an image may be found fooled and still take a step; published as 0 to 3, growing in
        /// the course of a training.
        #[serde(default)]
        pub tau: usize,
    }
}

impl FriendlyPgd {
    /// The attack of these steps.
    pub fn new(pgd: Pgd, tau: usize) -> Self {
        Self { pgd, tau }
    }

    /// The attack in a ball of any norm.
    pub fn in_ball(norm: impl Into<NormSpec>, epsilon: f64, tau: usize) -> Self {
        Self::new(Pgd::new(norm, epsilon), tau)
    }
}

impl Attack for FriendlyPgd {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let Pgd { norm, epsilon, .. } = &self.pgd;
        let space = PixelSpace(Ball::new(norm.clone(), *epsilon));
        let length = self.pgd.step_length();
        trial.climb(&self.pgd.loss, |trial| {
            let mut points = self.pgd.start(trial, &space);
            let mut going = Vec::from_iter(0..trial.len());
            let mut left = vec![self.tau; trial.len()];
            for _ in 0..self.pgd.steps {
                let here = select(&points, &going);
                let (mut moved, mut stays) = (here.clone(), Vec::new());
                trial.part(&going, |part| {
                    let pass = part.gradient(&space, here.clone(), None)?;
                    let wrong = fooled(predicted_classes(pass.logits), part.reference());
                    stays = read::<f32, _, _>(&wrong.float());
                    moved = space.step(part, here, pass.gradient, length);
                    Ok(())
                })?;
                let mut steps = Vec::new();
                for (row, &wrong) in stays.iter().enumerate() {
                    let left = &mut left[going[row]];
                    match (wrong > 0.0, *left) {
                        (false, _) => steps.push(row),
                        (true, 0) => {}
                        (true, _) => {
                            *left -= 1;
                            steps.push(row);
                        }
                    }
                }
                let at = Vec::from_iter(steps.iter().map(|&row| going[row]));
                if at.is_empty() {
                    break;
                }
                points = replace(points, &at, select(&moved, &steps));
                going = at;
            }
            let images = space.images(trial, points);
            trial.offer(images);
            Ok(())
        })
    }

    fn goal(&self) -> Goal {
        self.pgd.goal()
    }

    fn ball(&self) -> Option<Ball> {
        self.pgd.ball()
    }

    /// # Errors
    ///
    /// [`Error::Setting`] for what PGD refuses, and for momentum or diversified steps, which it does not
    /// take.
    fn check(&self) -> Result<()> {
        self.pgd.check().map_err(|error| error.within("pgd"))?;
        let plain = self.pgd.momentum == 0.0 && self.pgd.diversified_steps == 0;
        let expected = "one without momentum and diversified steps";
        Error::unless(plain, "pgd", &self.pgd, expected)
    }

    fn cost(&self) -> Cost {
        self.pgd.cost()
    }

    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let pgd = self.pgd.clone().with_epsilon(single(level)?);
        Ok(Self::new(pgd, self.tau).into())
    }

    fn with_effort(&self, steps: usize, step_size: f64) -> Option<AttackSpec> {
        let pgd = self.pgd.clone().with_steps(steps).with_step_size(step_size);
        Some(Self::new(pgd, self.tau).into())
    }

    fn is_random(&self) -> bool {
        self.pgd.is_random()
    }

    fn settings(&self) -> Value {
        named::<dyn Attack>("friendly_pgd", self)
    }
}

impl fmt::Display for FriendlyPgd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "friendly {}, τ={}", self.pgd, self.tau)
    }
}
