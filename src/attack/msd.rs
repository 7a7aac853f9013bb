use super::alike::aims;
use super::label::Short;
use super::rows::{either, rows_of_second};
use super::settings::{aiming, published};
use super::{Attack, AttackSpec, Ball, Cost, Keep, Limits, LossSpec, Trial};
use crate::base::{Error, Result, named};
use burn::tensor::Tensor;
use serde_json::Value;
use std::fmt;

aiming! {
    /// Multi steepest descent: every step is, for each image, the steepest step of that norm which leads to
    /// the highest loss.
    ///
    /// From where an image is, it looks at a steepest step in each ball's norm, projected onto that ball and
    /// the bounds, and takes the one with the highest loss. So what it returns is in *one* of the balls,
    /// whichever it was last projected onto: the threat is the union of the balls, and
    /// [`ball`](Attack::ball) is none.
    ///
    /// A step costs a forward and a backward pass, and a forward pass for each ball. Steps are
    /// `relative_step_size`·ε/steps long in each ball, by default 2.5. It starts at the image itself.
    ///
    /// (P. Maini, E. Wong, J. Z. Kolter 2020, "Adversarial Robustness Against the Union of Multiple
    /// Perturbation Models", algorithm 1. Published with step sizes of each ball's own and, in L1, with a
    /// random number of pixels per step; here steps are this crate's steepest ones.)
    ///
    /// ```
    /// use fireproof::attack::{Attack, Ball, L1, L2, Linf, Msd};
    ///
    /// let attack = Msd::new([Ball::new(Linf, 0.3), Ball::new(L2, 2.0), Ball::new(L1, 10.0)]);
    /// assert_eq!(attack.to_string(), "MSD-10 in L∞ ε=0.3, L2 ε=2, L1 ε=10");
    /// assert_eq!(attack.level(), Some(vec![0.3, 2.0, 10.0]));
    /// // One number is the first radius, and the others follow in proportion.
    /// assert_eq!(attack.at_level(&[0.15])?.level(), Some(vec![0.15, 1.0, 5.0]));
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub struct Msd {
        /// The balls whose union is the threat.
        #[setters(skip)]
        pub balls: Vec<Ball>,
        /// How many steps it takes.
        #[serde(default = "published::steps")]
        pub steps: usize,
        /// The length of a step in units of ε/steps, in each ball.
        #[serde(default = "published::relative_step_size")]
        pub relative_step_size: f64,
        /// Which images it returns.
        #[serde(default)]
        pub keep: Keep,
    }
}

published! {
    steps: usize = 10,
    relative_step_size: f64 = 2.5,
}

impl Msd {
    /// The attack in these balls.
    pub fn new(balls: impl IntoIterator<Item = Ball>) -> Self {
        Self {
            balls: balls.into_iter().collect(),
            steps: published::steps(),
            relative_step_size: published::relative_step_size(),
            loss: LossSpec::default(),
            targets: None,
            predicted_labels: false,
            keep: Keep::default(),
        }
    }

    // The images after the best step of each.
    fn step(&self, trial: &mut Trial, images: Tensor<4>) -> Result<Tensor<4>> {
        let reference = trial.reference().clone();
        let loss = |logits: Tensor<2>| self.loss.unsaturated(logits, &reference);
        let pass = trial.gradient_of(images.clone(), loss)?;
        let mut best: Option<(Tensor<4>, Tensor<1>)> = None;
        for Ball { norm, epsilon } in &self.balls {
            let limits = Limits {
                originals: trial.originals(),
                epsilon: *epsilon,
                bounds: trial.bounds(),
            };
            let length = self.relative_step_size * epsilon / self.steps as f64;
            let moved = norm.step(images.clone(), pass.gradient.clone(), length, limits);
            let logits = trial.logits(moved.clone())?;
            let loss = self.loss.unsaturated(logits.clone(), &reference);
            if self.keep == Keep::Best {
                trial.offer_exact(moved.clone(), logits);
            }
            best = Some(match best.take() {
                None => (moved, loss),
                Some((images, before)) => {
                    let higher = loss.clone().greater(before.clone());
                    let rows = rows_of_second(&higher);
                    let losses = before.mask_where(higher, loss);
                    (either([images, moved], &rows), losses)
                }
            });
        }
        Ok(best.map_or(images, |(images, _)| images))
    }
}

impl Attack for Msd {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        trial.climb(&self.loss, |trial| {
            let mut images = trial.originals().clone();
            for _ in 0..self.steps {
                images = self.step(trial, images)?;
            }
            trial.offer(images);
            Ok(())
        })
    }

    /// None: a perturbation is in one of several.
    fn ball(&self) -> Option<Ball> {
        None
    }

    /// # Errors
    ///
    /// [`Error::Setting`] without a ball, for a radius or a step size that is negative or not finite in
    /// f32.
    fn check(&self) -> Result<()> {
        Error::unless(!self.balls.is_empty(), "balls", "none", "at least one")?;
        self.balls.iter().try_for_each(Ball::check)?;
        super::ball::check_length("relative_step_size", self.relative_step_size)
    }

    fn cost(&self) -> Cost {
        Cost {
            // The last point's and the verdict's.
            queries: self.steps * (1 + self.balls.len()) + 2,
            gradients: self.steps,
        }
    }

    fn level(&self) -> Option<Vec<f64>> {
        Some(self.balls.iter().map(|ball| ball.epsilon).collect())
    }

    /// One number is the radius of the first ball, and the others follow in proportion; else there is one
    /// for each ball.
    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let mut attack = self.clone();
        let first = self.balls.first().map_or(0.0, |ball| ball.epsilon);
        let of = |ball: &Ball, at: usize| match level {
            [one] if at == 0 => *one,
            [one] if first == 0.0 => ball.epsilon * one,
            [one] => ball.epsilon * (one / first),
            _ => level[at],
        };
        let fits = level.len() == 1 || level.len() == self.balls.len();
        let expected = "one number, or one for each ball";
        Error::unless(fits, "level", format_args!("{level:?}"), expected)?;
        for (at, ball) in attack.balls.iter_mut().enumerate() {
            ball.epsilon = of(ball, at);
        }
        Ok(attack.into())
    }

    /// Steps as long in the first ball as said, and in proportion in the others.
    fn with_effort(&self, steps: usize, step_size: f64) -> Option<AttackSpec> {
        let first = self.balls.first().map_or(0.0, |ball| ball.epsilon);
        let relative_step_size = match first > 0.0 {
            true => step_size * steps as f64 / first,
            false => self.relative_step_size,
        };
        let attack = self.clone().with_steps(steps);
        Some(attack.with_relative_step_size(relative_step_size).into())
    }

    fn is_random(&self) -> bool {
        false
    }

    aims!();

    fn settings(&self) -> Value {
        named::<dyn Attack>("msd", self)
    }
}

impl fmt::Display for Msd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MSD-{} in ", self.steps)?;
        for (at, Ball { norm, epsilon }) in self.balls.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{norm} ε={}", Short(*epsilon))?;
        }
        self.goal().fmt(f)?;
        match self.keep {
            Keep::Best => Ok(()),
            Keep::Last => f.write_str(", last iterate"),
        }
    }
}
