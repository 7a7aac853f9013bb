use super::text::{By, Within};
use super::{PoseSpace, remade, summit};
use crate::attack::alike::{aims, posed};
use crate::attack::ball::check_length;
use crate::attack::label::Short;
use crate::attack::settings::{ascending, published};
use crate::attack::{Attack, AttackSpec, Candidate, Cost, LossSpec, Space, Trial};
use crate::base::{Result, StepSize};
use crate::transform::{Border, PoseBudget, Warp};
use burn::tensor::Tensor;
use std::fmt;

ascending! {
    /// Gradient ascent in rotation and shift, through bilinear sampling.
    ///
    /// (L. Engstrom et al. 2019, "Exploring the Landscape of Spatial Robustness", section 3, where this is
    /// found to be weaker than a grid: the loss has many maxima over the poses of an image.
    /// [`restarts`](Attack::restarts) help.)
    ///
    /// Defaults: 10 steps of 2.5/steps of the budget along the sign of the gradient, a random start,
    /// zeros outside the image, cross-entropy.
    ///
    /// Of each image the best of all poses visited is returned, the identity included. It is made anew
    /// from its pose and judged by an exact pass.
    ///
    /// ```
    /// use fireproof::attack::{Attack, PoseGradient};
    /// use fireproof::base::{Degrees, Pixels};
    /// use fireproof::transform::PoseBudget;
    ///
    /// let attack = PoseGradient::new(PoseBudget::new(Degrees(30.0), Pixels(3.0))?).restarts(5);
    /// assert_eq!(attack.to_string(), "pose gradient-10 ±30° ±3 px step=0.25 ×5");
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub struct PoseGradient {}
}

published! {
    steps: usize = 10,
    random_start: bool = true,
}

impl PoseGradient {
    /// The ascent in the poses of a budget.
    pub fn new(budget: PoseBudget) -> Self {
        Self {
            budget,
            steps: published::steps(),
            step_size: StepSize::default(),
            random_start: published::random_start(),
            border: Border::default(),
            loss: LossSpec::default(),
            targets: None,
            predicted_labels: false,
        }
    }

    pub(super) fn space(&self) -> PoseSpace {
        PoseSpace {
            budget: self.budget,
            border: self.border,
        }
    }

    /// The length of a step in units of the budget.
    pub fn step_length(&self) -> f64 {
        self.step_size.length(1.0, self.steps)
    }
}

/// Refuses lengths of steps that make no sense.
pub(super) fn check_step(size: StepSize) -> Result<()> {
    match size {
        StepSize::Absolute(step) => check_length("step_size", step),
        StepSize::Relative(factor) => check_length("relative step_size", factor),
    }
}

impl Attack for PoseGradient {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        trial.offer_originals();
        trial.survivors(|trial| {
            trial.climb(&self.loss, |trial| {
                let space = self.space();
                let start = space.start(trial, self.random_start);
                let positions = Vec::from_iter(0..trial.len());
                let at = |trial: &Trial, point: &Tensor<2>| {
                    let poses = space.poses(trial, point);
                    let images = remade::images(trial, space.warp(), &positions, &poses);
                    let rows = remade::rows(&poses, &images);
                    Candidate::moved(images, rows)
                };
                summit::search(trial, &space, start, (self.steps, self.step_length()), at)
            })
        })
    }

    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) for a budget or a step size that is negative or not
    /// finite.
    fn check(&self) -> Result<()> {
        self.budget.check_poses()?;
        check_step(self.step_size)
    }

    fn cost(&self) -> Cost {
        Cost {
            // The clean pass, and exact ones of the best and the last pose.
            queries: self.steps + 3,
            gradients: self.steps,
        }
    }

    fn with_effort(&self, steps: usize, step_size: f64) -> Option<AttackSpec> {
        let attack = self.clone().with_steps(steps).with_step_size(step_size);
        Some(attack.into())
    }

    fn is_random(&self) -> bool {
        self.random_start
    }

    fn warps(&self) -> Vec<Warp> {
        vec![self.space().warp()]
    }

    aims!();

    posed!("pose_gradient");
}

impl fmt::Display for PoseGradient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (within, step) = (Within(self.budget), Short(self.step_length()));
        write!(f, "pose gradient-{} {within} step={step}", self.steps)?;
        if !self.random_start {
            f.write_str(", no random start")?;
        }
        write!(f, "{}", By(self.space().warp()))?;
        self.goal().fmt(f)
    }
}
