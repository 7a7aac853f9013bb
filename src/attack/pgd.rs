use super::descent::{Best, Descent, indices};
use super::loss::{Goal, LabelGoal};
use super::verify::{settle, to_vec, verify_pixels};
use super::{Attack, AttackSpec, Found, Frozen, Loss, Norm, Targets};
use crate::base::{Batch, Error, Result, Seed};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Projected gradient descent: steps along the steepest ascent of the loss, each followed by a
/// projection onto the ball and the batch's bounds.
///
/// (A. Madry et al. 2018, "Towards Deep Learning Models Resistant to Adversarial Attacks",
/// section 2.1.)
///
/// Defaults: 10 steps of 2.5·ε/steps, a random start, one restart, cross-entropy, true labels, the
/// best candidate kept.
///
/// # What is returned
///
/// For each image the best of *all* points visited: the image itself, the starts and every iterate
/// of every restart, where one that fools comes before one that does not, then the higher loss
/// before the lower, and of losses equal within f32 rounding the later. So accuracy under attack never rises with more steps of the same size or more
/// restarts. A restart is run only for the images that nothing has fooled yet. [`Keep::Last`] gives
/// the textbook algorithm instead.
///
/// Which candidate is best is decided by the passes that also give the gradients; a last forward
/// pass over the whole batch, outside autodiff, decides [`Found::fooled`] for exactly the images
/// returned. Between the two, and between an image in one batch and in another, a backend may
/// round differently; the random draws are the same to the bit.
///
/// # Errors
///
/// [`Error::Setting`] for settings out of range, [`Error::Input`] for what [`Batch::check`]
/// refuses and for a classifier of fewer than two classes, without a gradient or with a loss of NaN,
/// [`Error::Ball`] should a result not be in its ball.
///
/// ```
/// use fireproof::attack::{Pgd, Targets};
///
/// let attack = Pgd::l2(0.5).with_steps(40).with_restarts(5).with_targets(Targets::Next);
/// assert_eq!(attack.to_string(), "PGD-40 L2 ε=0.5 step=0.03125 ×5, towards next class");
/// assert!(Pgd::linf(-0.1).check().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pgd {
    pub(super) norm: Norm,
    pub(super) epsilon: f64,
    #[serde(default = "default_steps")]
    pub(super) steps: usize,
    #[serde(default)]
    pub(super) step_size: StepSize,
    #[serde(default = "default_restarts")]
    pub(super) restarts: usize,
    #[serde(default = "default_random_start")]
    pub(super) random_start: bool,
    #[serde(default)]
    pub(super) loss: Loss,
    #[serde(default)]
    pub(super) targets: Option<Targets>,
    #[serde(default)]
    pub(super) predicted_labels: bool,
    #[serde(default)]
    pub(super) keep: Keep,
}

fn default_steps() -> usize {
    10
}

fn default_restarts() -> usize {
    1
}

fn default_random_start() -> bool {
    true
}

/// The length of a step, in units of the norm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepSize {
    /// This many times ε/steps: how often the steps could cross the ball's radius.
    Relative(f64),
    /// This length.
    Absolute(f64),
}

impl Default for StepSize {
    fn default() -> Self {
        Self::Relative(2.5)
    }
}

/// Which of the points visited an attack returns for an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The best one, the image itself included.
    #[default]
    Best,
    /// The last iterate; of several restarts the best last iterate. What training on attacked
    /// images and comparisons with other libraries use.
    Last,
}

impl Pgd {
    /// The attack with `|δ| ≤ epsilon` for every pixel, `epsilon` in units of the pixels: 8/255
    /// for images in `[0, 1]`, whatever the model does to them.
    #[doc(alias = "PGDLinf")]
    pub fn linf(epsilon: f64) -> Self {
        Self::new(Norm::Linf, epsilon)
    }

    /// The attack with `‖δ‖₂ ≤ epsilon` for every image, over all pixels and channels.
    #[doc(alias = "PGDL2")]
    pub fn l2(epsilon: f64) -> Self {
        Self::new(Norm::L2, epsilon)
    }

    fn new(norm: Norm, epsilon: f64) -> Self {
        Self {
            norm,
            epsilon,
            steps: default_steps(),
            step_size: StepSize::default(),
            restarts: default_restarts(),
            random_start: default_random_start(),
            loss: Loss::default(),
            targets: None,
            predicted_labels: false,
            keep: Keep::default(),
        }
    }

    /// The same attack with another radius. A relative step size follows it.
    pub fn with_epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// The same attack with this many steps; none returns the start.
    pub fn with_steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// The same attack with steps of this absolute length.
    pub fn with_step_size(mut self, length: f64) -> Self {
        self.step_size = StepSize::Absolute(length);
        self
    }

    /// The same attack with steps of `factor`·ε/steps.
    pub fn with_relative_step_size(mut self, factor: f64) -> Self {
        self.step_size = StepSize::Relative(factor);
        self
    }

    /// The same attack run this often, each time from another random start.
    pub fn with_restarts(mut self, restarts: usize) -> Self {
        self.restarts = restarts;
        self
    }

    /// The same attack starting at a random point of the ball, or at the image itself.
    pub fn with_random_start(mut self, random: bool) -> Self {
        self.random_start = random;
        self
    }

    /// The same attack on this loss.
    pub fn with_loss(mut self, loss: Loss) -> Self {
        self.loss = loss;
        self
    }

    /// The same attack towards these classes.
    pub fn with_targets(mut self, targets: impl Into<Targets>) -> Self {
        self.targets = Some(targets.into());
        self
    }

    /// The same attack against the classifier's own clean predictions instead of the labels:
    /// `fooled` then means that the attack changed the prediction.
    pub fn with_predicted_labels(mut self, predicted: bool) -> Self {
        self.predicted_labels = predicted;
        self
    }

    /// The same attack, returning these images.
    pub fn with_keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// The norm of the ball.
    pub fn norm(&self) -> Norm {
        self.norm
    }

    /// The radius of the ball.
    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    /// The length of a step.
    pub fn step_length(&self) -> f64 {
        match self.step_size {
            StepSize::Absolute(length) => length,
            StepSize::Relative(factor) => factor * self.epsilon / self.steps.max(1) as f64,
        }
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if ε or the step size is negative or not finite in f32, if there is no
    /// restart, or if there are several that would all start from the image itself.
    pub fn check(&self) -> Result<()> {
        length("epsilon", self.epsilon)?;
        match self.step_size {
            StepSize::Absolute(step) => length("step_size", step)?,
            StepSize::Relative(factor) => length("relative step_size", factor)?,
        }
        match self.restarts {
            0 => Err(Error::setting("restarts", 0, "at least 1")),
            n if n > 1 && !self.random_start => Err(Error::setting(
                "restarts",
                n,
                "1 without a random start: all would be the same",
            )),
            _ => Ok(()),
        }
    }

    /// The images of the attack alone, outside autodiff, without a verdict on them.
    ///
    /// With [`Keep::Last`] and one restart, as in adversarial training, this costs one forward and
    /// one backward pass per step; and, the first time that a frozen classifier is used, a forward
    /// pass over a single image, to count its classes.
    ///
    /// # Errors
    ///
    /// As the attack's.
    pub fn perturb(&self, victim: &Frozen, batch: &Batch, seed: Seed) -> Result<Tensor<4>> {
        Ok(self.search(victim, batch, seed)?.images)
    }

    // Everything but the verdict.
    fn search(&self, victim: &Frozen, batch: &Batch, seed: Seed) -> Result<Search> {
        self.check()?;
        let originals = batch.images.clone().inner();
        let mut search = self.prepare(victim, batch, &originals)?;
        let descent = Descent {
            norm: self.norm,
            epsilon: self.epsilon,
            steps: self.steps,
            length: self.step_length(),
            bounds: batch.bounds,
        };
        let judge = self.keep == Keep::Best || self.restarts > 1;
        for restart in 0..self.restarts {
            let everyone = || (0..batch.len()).collect::<Vec<_>>();
            let standing = match restart {
                // Whether an image is attacked at all must not depend on rounding.
                0 => everyone(),
                _ => search.best.standing().unwrap_or_else(everyone),
            };
            if standing.is_empty() {
                break;
            }
            let whole = standing.len() == batch.len();
            let at = indices(&standing, &originals);
            let (from, goal, mut best) = if whole {
                let best = std::mem::take(&mut search.best);
                (originals.clone(), search.goal.clone(), best)
            } else {
                let from = originals.clone().select(0, at.clone());
                (from, search.goal.select(&at), search.best.select(&at))
            };
            let start = if self.random_start {
                let ids: Vec<u64> = standing.iter().map(|&p| batch.ids[p]).collect();
                self.norm
                    .random_start(&from, &ids, self.epsilon, batch.bounds, seed, restart)
            } else {
                from.clone()
            };
            let visitor = (self.keep == Keep::Best).then_some(&mut best);
            let last = descent.run(victim, &goal, &from, start, visitor)?;
            for &position in &standing {
                search.queries[position] += self.steps as u32 + u32::from(judge);
                search.gradients[position] += self.steps as u32;
            }
            if !judge {
                search.images = last;
                break;
            }
            best.judge(last.clone(), victim.logits(last), &goal);
            if whole {
                search.best = best;
            } else {
                search.best.replace(&standing, best);
            }
        }
        if let Some(images) = std::mem::take(&mut search.best).into_images() {
            search.images = images;
        }
        self.verify(&mut search, batch, &originals)?;
        Ok(search)
    }

    // Checks the batch, fixes what to climb, and makes the one clean pass if anything needs it.
    fn prepare(&self, victim: &Frozen, batch: &Batch, originals: &Tensor<4>) -> Result<Search> {
        let classes = match batch.is_empty() {
            true => 0,
            false => victim.classes(originals),
        };
        batch.check(classes)?;
        if classes < 2 {
            return Err(Error::input(
                "logits per image",
                classes,
                "at least 2 classes",
            ));
        }
        let by_logits = self.targets.as_ref().is_some_and(Targets::need_logits);
        let as_candidate = self.keep == Keep::Best && self.random_start;
        let clean = (self.predicted_labels || by_logits || as_candidate)
            .then(|| victim.logits(originals.clone()));

        let mut labels = batch.labels_to_vec();
        if let (true, Some(logits)) = (self.predicted_labels, &clean) {
            labels = logits.clone().argmax(1).to_data().iter::<i64>().collect();
        }
        let targets = match &self.targets {
            None => None,
            Some(targets) => {
                let logits = clean.as_ref().filter(|_| by_logits).map(to_vec);
                Some(targets.choose(&labels, classes, &logits.unwrap_or_default())?)
            }
        };
        let on_device = |values: Vec<i64>| {
            let data = TensorData::new(values, [batch.len()]);
            Tensor::from_data(data, &originals.device())
        };
        let goal = LabelGoal {
            loss: self.loss,
            labels: on_device(labels),
            targets: targets.map(on_device),
        };
        let mut best = Best::default();
        let passes = u32::from(clean.is_some());
        if let Some(logits) = clean.filter(|_| as_candidate) {
            best.judge(originals.clone(), logits, &goal);
        }
        Ok(Search {
            images: originals.clone(),
            goal,
            best,
            queries: vec![passes; batch.len()],
            gradients: vec![0; batch.len()],
        })
    }

    fn verify(&self, search: &mut Search, batch: &Batch, originals: &Tensor<4>) -> Result<()> {
        let shape = originals.dims();
        let original_pixels = to_vec(originals);
        let mut pixels = to_vec(&search.images);
        if self.norm == Norm::L2 {
            let per_image = shape[1..].iter().product();
            if settle(&mut pixels, &original_pixels, per_image, self.epsilon) {
                let data = TensorData::new(pixels.clone(), shape);
                search.images = Tensor::from_data(data, &originals.device());
            }
        }
        verify_pixels(&pixels, &original_pixels, batch, self.norm, self.epsilon)
    }

    pub(super) fn write_options(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.loss != Loss::CrossEntropy {
            write!(f, ", {:?} loss", self.loss)?;
        }
        if let Some(targets) = &self.targets {
            write!(f, ", towards {targets}")?;
        }
        if self.predicted_labels {
            f.write_str(", against predictions")?;
        }
        if self.keep == Keep::Last {
            f.write_str(", last iterate")?;
        }
        Ok(())
    }
}

// An attack before its verdict.
struct Search {
    images: Tensor<4>,
    goal: LabelGoal,
    best: Best,
    queries: Vec<u32>,
    gradients: Vec<u32>,
}

impl Attack for Pgd {
    fn attack(&self, victim: &Frozen, batch: &Batch, seed: Seed) -> Result<Found> {
        let mut search = self.search(victim, batch, seed)?;
        let logits = victim.logits(search.images.clone());
        let loss = to_vec(&search.goal.loss(logits.clone()));
        if let Some(position) = loss.iter().position(|loss| loss.is_nan()) {
            return Err(Error::input(
                format!("loss of attacked image {}", batch.ids[position]),
                "NaN",
                "a number: the classifier must give finite logits",
            ));
        }
        search.queries.iter_mut().for_each(|queries| *queries += 1);
        Ok(Found {
            images: search.images,
            fooled: search
                .goal
                .fooled(logits)
                .to_data()
                .iter::<bool>()
                .collect(),
            loss,
            queries: search.queries,
            gradients: search.gradients,
            poses: None,
        })
    }

    fn settings(&self) -> serde_json::Value {
        AttackSpec::from(self.clone()).to_json()
    }
}

impl fmt::Display for Pgd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PGD-{} {} ε={} step={} ×{}",
            self.steps,
            self.norm,
            Short(self.epsilon),
            Short(self.step_length()),
            self.restarts
        )?;
        if !self.random_start {
            f.write_str(", no random start")?;
        }
        self.write_options(f)
    }
}

/// A length as people write it: a multiple of 1/255 as such, anything else to six digits.
pub(super) struct Short(pub f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels = self.0 * 255.0;
        let is_level = (levels - levels.round()).abs() < 1e-9 && (1.0..255.0).contains(&levels);
        if is_level && levels.round() % 51.0 != 0.0 {
            return write!(f, "{}/255", levels.round());
        }
        let digits = format!("{:.5e}", self.0);
        let rounded: f64 = digits.parse().map_err(|_| fmt::Error)?;
        rounded.fmt(f)
    }
}

fn length(setting: &str, value: f64) -> Result<()> {
    if value >= 0.0 && value <= f64::from(f32::MAX) {
        return Ok(());
    }
    Err(Error::setting(setting, value, "a finite number, 0 or more"))
}
