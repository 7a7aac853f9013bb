use super::gradient::{check_step, published};
use super::joint_space::JointSpace;
use super::text::{By, Within};
use super::{PoseGradient, level, remade, summit};
use crate::attack::alike::aims;
use crate::attack::ball::check_length;
use crate::attack::label::Short;
use crate::attack::part::in_turn;
use crate::attack::settings::ascending;
use crate::attack::{
    Attack, AttackSpec, Ball, Candidate, Cost, L1, L2, Linf, LossSpec, NormSpec, Part, Pgd, Space,
    Trial,
};
use crate::base::{Result, StepSize, named};
use crate::transform::{Border, PoseBudget, Warp};
use burn::tensor::Tensor;
use serde_json::Value;
use std::fmt;

ascending! {
    /// Projected gradient descent in pose and pixels together: each image is moved, and perturbed within
    /// the ball around the moved image.
    ///
    /// Three [parts](Attack::parts), each on the images that still stand: the pose alone
    /// ([`PoseGradient`](super::PoseGradient)), the pixels alone ([`Pgd`](crate::attack::Pgd)), and both,
    /// where every step goes along the gradient in all coordinates at once. So what it finds for an image is at
    /// least what each of the first two finds, and it costs three times as many passes as one of them.
    ///
    /// Defaults: 10 steps of 2.5/steps, a random start, zeros outside the image, cross-entropy.
    ///
    /// Bounds are those of the batch; [`Found::originals`](crate::attack::Found::originals) are the moved
    /// images, which are made anew from the poses returned.
    ///
    /// ```
    /// use fireproof::attack::{Attack, JointPgd};
    /// use fireproof::base::{Degrees, Pixels};
    /// use fireproof::transform::PoseBudget;
    ///
    /// let budget = PoseBudget::new(Degrees(30.0), Pixels(3.0))?;
    /// let attack = JointPgd::linf(budget, 0.1);
    /// assert_eq!(attack.to_string(), "joint PGD-10 ±30° ±3 px L∞ ε=0.1 step=0.25");
    /// assert_eq!(attack.cost().gradients, 30);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub struct JointPgd {
        /// The norm of the ball.
        #[setters(into)]
        pub norm: NormSpec,
        /// The radius of the ball, in units of the pixels.
        pub epsilon: f64,
    }
}

impl JointPgd {
    /// The attack with poses of a budget, and perturbations of this norm and radius.
    pub fn new(budget: PoseBudget, norm: impl Into<NormSpec>, epsilon: f64) -> Self {
        Self {
            budget,
            norm: norm.into(),
            epsilon,
            steps: published::steps(),
            step_size: StepSize::default(),
            random_start: published::random_start(),
            border: Border::default(),
            loss: LossSpec::default(),
            targets: None,
            predicted_labels: false,
        }
    }

    /// The attack with perturbations in L∞.
    pub fn linf(budget: PoseBudget, epsilon: f64) -> Self {
        Self::new(budget, Linf, epsilon)
    }

    /// The attack with perturbations in L2.
    pub fn l2(budget: PoseBudget, epsilon: f64) -> Self {
        Self::new(budget, L2, epsilon)
    }

    /// The attack with perturbations in L1.
    pub fn l1(budget: PoseBudget, epsilon: f64) -> Self {
        Self::new(budget, L1, epsilon)
    }

    /// The length of a step in units of budget and radius.
    pub fn step_length(&self) -> f64 {
        self.step_size.length(1.0, self.steps)
    }

    /// The part that moves images and leaves their pixels.
    pub fn pose(&self) -> PoseGradient {
        PoseGradient {
            steps: self.steps,
            step_size: self.step_size,
            random_start: self.random_start,
            border: self.border,
            loss: self.loss.clone(),
            targets: self.targets.clone(),
            predicted_labels: self.predicted_labels,
            ..PoseGradient::new(self.budget)
        }
    }

    /// The part that changes pixels and leaves images in their place.
    pub fn pixels(&self) -> Pgd {
        let length = self.step_length() * self.epsilon;
        Pgd {
            loss: self.loss.clone(),
            targets: self.targets.clone(),
            predicted_labels: self.predicted_labels,
            ..Pgd::new(self.norm.clone(), self.epsilon)
                .with_steps(self.steps)
                .with_step_size(length)
                .with_random_start(self.random_start)
        }
    }

    fn both(&self, trial: &mut Trial) -> Result<()> {
        let pose = self.pose().space();
        let space = JointSpace {
            pose,
            ball: Ball::new(self.norm.clone(), self.epsilon),
        };
        trial.climb(&self.loss, |trial| {
            let start = space.start(trial, self.random_start);
            let positions = Vec::from_iter(0..trial.len());
            let at = |trial: &Trial, point: &Tensor<2>| {
                let poses = pose.poses(trial, &space.pose_of(trial, point));
                let moved = remade::images(trial, pose.warp(), &positions, &poses);
                let poses = Some(remade::rows(&poses, &moved));
                let candidate = space.remade(trial, moved, point);
                Candidate { poses, ..candidate }
            };
            summit::search(trial, &space, start, (self.steps, self.step_length()), at)
        })
    }
}

impl Attack for JointPgd {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        in_turn(&self.parts(), trial)
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let (pose, pixels) = (self.pose(), self.pixels());
        vec![
            Part::new(pose.to_string(), move |trial| pose.search(trial)),
            Part::new(pixels.to_string(), move |trial| pixels.search(trial)),
            Part::new(self.to_string(), |trial| self.both(trial)),
        ]
    }

    fn ball(&self) -> Option<Ball> {
        Some(Ball::new(self.norm.clone(), self.epsilon))
    }

    fn moves_images(&self) -> bool {
        true
    }

    fn warps(&self) -> Vec<Warp> {
        vec![self.pose().space().warp()]
    }

    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) for a budget, a radius or a step size that is
    /// negative or not finite.
    fn check(&self) -> Result<()> {
        self.budget.check_poses()?;
        check_length("epsilon", self.epsilon)?;
        check_step(self.step_size)
    }

    fn cost(&self) -> Cost {
        let both = Cost {
            // The best and the last point.
            queries: self.steps + 2,
            gradients: self.steps,
        };
        self.pose().cost().plus(self.pixels().cost()).plus(both)
    }

    fn level(&self) -> Option<Vec<f64>> {
        Some([level::of(self.budget), vec![self.epsilon]].concat())
    }

    /// The last number is the radius, those before are the budget's, as those of
    /// [`GridSearch`](super::GridSearch); one number is the radius alone.
    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let (budget, epsilon) = level::split(self.budget, level)?;
        let attack = self.clone().with_budget(budget).with_epsilon(epsilon);
        Ok(attack.into())
    }

    /// Steps as long in the pixels as said; the pose goes as far in proportion.
    fn with_effort(&self, steps: usize, step_size: f64) -> Option<AttackSpec> {
        let share = match self.epsilon > 0.0 {
            true => StepSize::Absolute(step_size / self.epsilon),
            false => self.step_size,
        };
        let attack = self.clone().with_steps(steps).with_step_size(share);
        Some(attack.into())
    }

    fn is_random(&self) -> bool {
        self.random_start
    }

    aims!();

    fn settings(&self) -> Value {
        named::<dyn Attack>("joint_pgd", self)
    }
}

impl fmt::Display for JointPgd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "joint PGD-{} {} {} ε={} step={}",
            self.steps,
            Within(self.budget),
            self.norm,
            Short(self.epsilon),
            Short(self.step_length()),
        )?;
        if !self.random_start {
            f.write_str(", no random start")?;
        }
        write!(f, "{}", By(self.pose().space().warp()))?;
        self.goal().fmt(f)
    }
}
