use super::part::clean;
use super::{
    AccuracyCurve, AttackSpec, Ball, Budget, EachTarget, Ensemble, Found, Frozen, Goal, Mask,
    Masked, Part, PerImage, Restarts, Run, Sequence, Trial, Whole,
};
use crate::base::{Batch, Error, Result, Seed};
use crate::data::ImageSet;
use crate::transform::{Pose, Warp};
use auto_impl::auto_impl;
use burn::tensor::{Device, Tensor};
use serde_json::Value;
use std::fmt;

/// A search for an input that a classifier gets wrong, within a threat model.
///
/// Object-safe: an [`AttackSpec`] or `Box<dyn Attack>` can be kept, listed and composed. To add one,
/// implement [`search`](Self::search) on a [`Trial`], which does all the rest; give it a name with
/// [`Registry::add`](crate::base::Registry::add) to use it in files.
#[auto_impl(&, Box, Arc)]
pub trait Attack: fmt::Debug + fmt::Display + Send + Sync {
    /// Searches: asks the trial for passes and offers it candidates.
    ///
    /// # Errors
    ///
    /// Those of the trial's passes, and what the attack itself refuses.
    fn search(&self, trial: &mut Trial) -> Result<()>;

    /// The attack in pieces, each for the images that those before it left standing; one piece unless
    /// it says otherwise. Running them in turn is [`search`](Self::search).
    fn parts(&self) -> Vec<Part<'_>> {
        vec![Part::new(self.to_string(), |trial| self.search(trial))]
    }

    /// When an image counts as fooled; by default when it is not taken for its label.
    fn goal(&self) -> Goal {
        Goal::default()
    }

    /// The ball that every perturbation must be in, if the threat model has one: around the image as
    /// it is or, for an attack that [moves](Self::moves_images) images, around the moved one.
    fn ball(&self) -> Option<Ball>;

    /// Whether it puts images in other poses, besides what it may do to their pixels.
    fn moves_images(&self) -> bool {
        false
    }

    /// How it samples the images that it moves, each way once; empty if it leaves them in their place.
    fn warps(&self) -> Vec<Warp> {
        Vec::new()
    }

    /// Whether the image as it is belongs to what the attack may choose: not if a pose is dealt to it.
    fn includes_originals(&self) -> bool {
        true
    }

    /// What comes before all [parts](Self::parts) on a whole image set: an image that is wrong there
    /// meets none of them. The image as it is, unless the attack does not
    /// [include](Self::includes_originals) it.
    fn untouched(&self) -> Part<'_> {
        clean()
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`].
    fn check(&self) -> Result<()>;

    /// The passes that one image costs at most, verdict included; each of them counts as many times
    /// as a random victim makes [draws](Frozen::draws).
    fn cost(&self) -> Cost;

    /// The level that it is at, as [`at_level`](Self::at_level) takes it, if it is at one: the radius
    /// of its ball unless it says otherwise.
    fn level(&self) -> Option<Vec<f64>> {
        self.ball().map(|ball| vec![ball.epsilon])
    }

    /// The same threat at another level, for instance in a ball of another radius. A level may be
    /// a tuple where a threat has several parts.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the level has the wrong number of parts.
    fn at_level(&self, level: &[f64]) -> Result<AttackSpec>;

    /// The same attack with this number of steps of this absolute length, if it takes steps: in units of
    /// its ball, or of its budget if it has no ball.
    fn with_effort(&self, steps: usize, step_size: f64) -> Option<AttackSpec> {
        let _ = (steps, step_size);
        None
    }

    /// Whether another draw may find something else, so that restarts make sense.
    fn is_random(&self) -> bool {
        true
    }

    /// Everything that determines the attack besides the seed, with its name under `attack`.
    fn settings(&self) -> Value;

    /// Attacks every image of the batch.
    ///
    /// The batch is run through the classifier as it is given; its size bounds the memory.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) and [`Trial::new`] refuse, [`Error::Ball`] should a result not be
    /// in its ball.
    fn attack(&self, victim: &Frozen, batch: &Batch, seed: Seed) -> Result<Found> {
        self.check()?;
        let mut trial = Trial::new(victim, batch, &self.goal(), seed)?;
        self.search(&mut trial)?;
        let mut found = trial.conclude(self.ball().as_ref())?;
        if self.moves_images() {
            let still = || vec![Pose::IDENTITY; batch.len()];
            found.poses.get_or_insert_with(still);
        }
        Ok(found)
    }

    /// Attacks every image of a set, as [`Run`](super::Run) does by default: in batches of 256, with
    /// seed 0.
    ///
    /// # Errors
    ///
    /// As [`Run::attack`](super::Run::attack).
    fn run(&self, victim: &Frozen, set: &ImageSet, device: &Device) -> Result<Whole> {
        Run::new(0).attack(self, victim, set, device)
    }

    /// Robust accuracy against the size of the perturbation, as [`Run::curve`](super::Run::curve) finds
    /// it by default; `levels` are for attacks that do not find all sizes at once.
    ///
    /// # Errors
    ///
    /// As [`Run::curve`](super::Run::curve).
    fn curve(
        &self,
        victim: &Frozen,
        set: &ImageSet,
        device: &Device,
        levels: &[f64],
    ) -> Result<AccuracyCurve> {
        Run::new(0).curve(self, victim, set, device, levels)
    }

    /// The images of the attack alone, outside autodiff, without a verdict on them.
    ///
    /// With [`Keep::Last`](super::Keep::Last), as in adversarial training, PGD costs one forward
    /// and one backward pass per step; and, the first time that a frozen classifier is used, a
    /// forward pass over a single image, to count its classes.
    ///
    /// # Errors
    ///
    /// As [`attack`](Self::attack).
    fn perturb(&self, victim: &Frozen, batch: &Batch, seed: Seed) -> Result<Tensor<4>> {
        self.check()?;
        let mut trial = Trial::new(victim, batch, &self.goal(), seed)?;
        self.search(&mut trial)?;
        let (found, _) = trial.settle(self.ball().as_ref())?;
        Ok(found.images)
    }

    /// The attack run this often, each time from another random start, on the images that still
    /// stand.
    #[auto_impl(keep_default_for(&, Box, Arc))]
    fn restarts(self, count: usize) -> Restarts
    where
        Self: Sized + 'static,
    {
        Restarts::new(self, count)
    }

    /// This attack led to the `classes` most likely other classes, one after the other, on the images
    /// that still stand; see [`EachTarget`].
    #[auto_impl(keep_default_for(&, Box, Arc))]
    fn towards_each(self, classes: usize) -> EachTarget
    where
        Self: Sized + 'static,
    {
        EachTarget::new(self, classes)
    }

    /// This attack as long as it has cost an image no more than so many passes; see [`Budget`].
    #[auto_impl(keep_default_for(&, Box, Arc))]
    fn within(self, passes: u32) -> Budget
    where
        Self: Sized + 'static,
    {
        Budget::new(self, passes)
    }

    /// This attack on the pixels that a mask allows to change; see [`Masked`].
    #[auto_impl(keep_default_for(&, Box, Arc))]
    fn masked(self, mask: Mask) -> Masked
    where
        Self: Sized + 'static,
    {
        Masked::new(self, mask)
    }

    /// This attack at a level of each image's own, by id; see [`PerImage`].
    #[auto_impl(keep_default_for(&, Box, Arc))]
    fn at_each(self, levels: impl IntoIterator<Item = (u64, f64)>) -> PerImage
    where
        Self: Sized + 'static,
    {
        PerImage::new(self, levels)
    }

    /// This attack, then the other one on the images that still stand.
    #[auto_impl(keep_default_for(&, Box, Arc))]
    fn or(self, other: impl Into<AttackSpec>) -> Ensemble
    where
        Self: Sized + 'static,
    {
        Ensemble::new([self.into(), other.into()])
    }

    /// This attack, the other one, and the other one around what this one found; see
    /// [`Sequence`].
    #[auto_impl(keep_default_for(&, Box, Arc))]
    fn then(self, other: impl Into<AttackSpec>) -> Sequence
    where
        Self: Sized + 'static,
    {
        Sequence::new(self, other)
    }
}

/// Passes per image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Forward passes, those with a backward pass included.
    pub queries: usize,
    /// Backward passes.
    pub gradients: usize,
}

impl Cost {
    /// This cost and the other one.
    pub fn plus(self, other: Self) -> Self {
        Self {
            queries: self.queries + other.queries,
            gradients: self.gradients + other.gradients,
        }
    }
}

/// The single part of a level.
///
/// # Errors
///
/// [`Error::Setting`] if there is not exactly one.
pub(super) fn single(level: &[f64]) -> Result<f64> {
    match level {
        [level] => Ok(*level),
        _ => Err(Error::setting("level", format!("{level:?}"), "one number")),
    }
}
