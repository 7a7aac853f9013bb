use super::alike::{aims, balls, in_ball};
use super::ball::check_length;
use super::diversified::diversify;
use super::label::Short;
use super::settings::{climbing, published};
use super::{
    Ascent, Attack, AttackSpec, Ball, Cost, FixedStep, Keep, LossSpec, Momentum, NormSpec,
    PixelSpace, Space, Trial,
};
use crate::base::{Draws, Purpose, Result, StepSize};
use burn::tensor::Tensor;
use std::fmt;

climbing! {
    /// Projected gradient descent: steps along the steepest ascent of the loss, each followed by a
    /// projection onto the ball and the batch's bounds.
    ///
    /// (A. Madry et al. 2018, "Towards Deep Learning Models Resistant to Adversarial Attacks",
    /// section 2.1.)
    ///
    /// Defaults: 10 steps of 2.5·ε/steps, a random start, cross-entropy, true labels, the best candidate
    /// kept.
    ///
    /// # What is returned
    ///
    /// For each image the best of *all* points visited, the image itself and the start included: see
    /// [`Trial`]. So accuracy under attack never rises with more steps of the same size or more
    /// [restarts](Attack::restarts). [`Keep::Last`] gives the textbook algorithm instead.
    ///
    /// Which candidate is best is decided by the passes that also give the gradients; the verdict is
    /// that of an exact pass on exactly the images returned. Between the two, and between an image in
    /// one batch and in another, a backend may round differently; the random draws are the same to the
    /// bit.
    ///
    /// # Errors
    ///
    /// Those of [`Attack::attack`].
    ///
    /// [`Batch::check`]: crate::base::Batch::check
    /// [`Error::Setting`]: crate::base::Error::Setting
    /// [`Error::Input`]: crate::base::Error::Input
    /// [`Error::Ball`]: crate::base::Error::Ball
    ///
    /// ```
    /// use fireproof::attack::{Attack, NextClass, Pgd};
    ///
    /// let attack = Pgd::l2(0.5).with_steps(40).with_targets(NextClass).restarts(5);
    /// assert_eq!(attack.to_string(), "PGD-40 L2 ε=0.5 step=0.03125, towards next class ×5");
    /// assert!(Pgd::linf(-0.1).check().is_err());
    /// ```
    pub struct Pgd {
        /// How many steps it takes; none returns the start.
        #[serde(default = "published::steps")]
        pub steps: usize,
        /// The length of a step; a plain number is an absolute one.
        #[serde(default)]
        #[setters(into)]
        pub step_size: StepSize,
        /// Whether it starts at a random point of the ball, and not at the image itself.
        #[serde(default = "published::random_start")]
        pub random_start: bool,
        /// The standard deviation of the Gaussian noise that it starts with in place of a uniform point of
        /// the ball, kept within ball and bounds; 0 for none. What starts a climb along [`Kl`](super::Kl),
        /// which is flat at the image itself: TRADES is published with 0.001.
        #[serde(default, skip_serializing_if = "is_zero")]
        pub noise: f64,
        /// How many steps of length ε it takes at first along a direction of the logits that each image
        /// draws: an output-diversified start. (Y. Tashiro et al. 2020, "Diversity can be Transferred",
        /// equations 2 and 3; published as 2.)
        #[serde(default, skip_serializing_if = "is_none")]
        pub diversified_steps: usize,
        /// What remains of the sum of gradients from step to step, which is what it then goes along: 0 for
        /// the newest gradient alone, published as 1. (Y. Dong et al. 2018, "Boosting Adversarial Attacks
        /// with Momentum", algorithm 1.)
        #[serde(default, skip_serializing_if = "is_zero")]
        pub momentum: f64,
        /// Which images it returns.
        #[serde(default)]
        pub keep: Keep,
    }
}

published! {
    steps: usize = 10,
    random_start: bool = true,
}

fn is_none(steps: &usize) -> bool {
    *steps == 0
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl Pgd {
    /// The attack within a ball of any norm.
    pub fn new(norm: impl Into<NormSpec>, epsilon: f64) -> Self {
        Self {
            norm: norm.into(),
            epsilon,
            steps: published::steps(),
            step_size: StepSize::default(),
            random_start: published::random_start(),
            noise: 0.0,
            diversified_steps: 0,
            momentum: 0.0,
            loss: LossSpec::default(),
            targets: None,
            predicted_labels: false,
            keep: Keep::default(),
        }
    }

    /// The same attack with steps of `factor`·ε/steps.
    pub fn with_relative_step_size(mut self, factor: f64) -> Self {
        self.step_size = StepSize::Relative(factor);
        self
    }

    /// The length of a step.
    pub fn step_length(&self) -> f64 {
        self.step_size.length(self.epsilon, self.steps)
    }

    /// Where it starts.
    pub(super) fn start(&self, trial: &Trial, space: &PixelSpace) -> Tensor<2> {
        if self.noise == 0.0 {
            return space.start(trial, self.random_start);
        }
        let draw = |pixels, draws: &mut Draws| {
            let each = (0..pixels).map(|_| self.noise * draws.normal());
            Vec::from_iter(each)
        };
        let noise = trial.draw_pixels(Purpose::Start, draw).flatten(1, 3);
        let point = space.start(trial, false) + noise;
        space.project(trial, point)
    }
}

balls!(Pgd, "PGDLinf", "PGDL2", "PGDL1");

impl Attack for Pgd {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        trial.climb(&self.loss, |trial| {
            if self.keep == Keep::Best && self.is_random() {
                trial.offer_originals();
            }
            let space = PixelSpace(Ball::new(self.norm.clone(), self.epsilon));
            let ascent = Ascent {
                space: &space,
                loss: None,
                steps: self.steps,
                keep: self.keep,
            };
            let start = self.start(trial, &space);
            let start = diversify(trial, &space, start, self.diversified_steps)?;
            let length = self.step_length();
            match self.momentum == 0.0 {
                true => ascent.climb(trial, start, &mut FixedStep(length)),
                false => ascent.climb(trial, start, &mut Momentum::new(length, self.momentum)),
            }
        })
    }

    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if ε, the step size, the noise or the momentum is
    /// negative or not finite in f32.
    fn check(&self) -> Result<()> {
        check_length("epsilon", self.epsilon)?;
        check_length("noise", self.noise)?;
        check_length("momentum", self.momentum)?;
        match self.step_size {
            StepSize::Absolute(step) => check_length("step_size", step),
            StepSize::Relative(factor) => check_length("relative step_size", factor),
        }
    }

    fn cost(&self) -> Cost {
        Cost {
            // The clean pass, the last point's and the verdict's.
            queries: self.diversified_steps + self.steps + 3,
            gradients: self.diversified_steps + self.steps,
        }
    }

    fn with_effort(&self, steps: usize, step_size: f64) -> Option<AttackSpec> {
        let attack = self.clone().with_steps(steps).with_step_size(step_size);
        Some(attack.into())
    }

    fn is_random(&self) -> bool {
        self.random_start || self.noise > 0.0 || self.diversified_steps > 0
    }

    aims!();

    in_ball!("pgd");
}

impl fmt::Display for Pgd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PGD-{} {} ε={} step={}",
            self.steps,
            self.norm,
            Short(self.epsilon),
            Short(self.step_length()),
        )?;
        if self.noise != 0.0 {
            write!(f, ", start with noise {}", Short(self.noise))?;
        } else if !self.random_start {
            f.write_str(", no random start")?;
        }
        if self.diversified_steps > 0 {
            write!(f, ", {} diversified steps", self.diversified_steps)?;
        }
        if self.momentum != 0.0 {
            write!(f, ", momentum {}", Short(self.momentum))?;
        }
        self.goal().fmt(f)?;
        match self.keep {
            Keep::Best => Ok(()),
            Keep::Last => f.write_str(", last iterate"),
        }
    }
}
