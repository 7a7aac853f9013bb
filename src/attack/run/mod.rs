//! Attacks on whole image sets.

mod curve;
mod kept;
mod state;
mod whole;

pub use whole::{Outcome, PartOutcome, Whole};

use self::kept::Kept;
use self::state::State;
use super::{Attack, Frozen, Trial};
use crate::base::{Error, Result, Seed};
use crate::data::ImageSet;
use burn::tensor::Device;
use derive_setters::Setters;
use std::path::PathBuf;
use std::time::Instant;

/// How an attack is run on an image set; made with [`Run::new`].
///
/// Before each [part](Attack::parts) of the attack the images that still stand are gathered from all
/// over the set, so that the long tail of an ensemble runs in full batches. Verdicts are those of the
/// attack on each image alone. Memory is bounded by one batch.
///
/// ```
/// use fireproof::attack::{Apgd, Attack, Dlr, Frozen, Run};
/// use fireproof::data::embedded_mnist;
/// use fireproof::model::SmallCnnConfig;
///
/// let device = fireproof::device();
/// let set = embedded_mnist().test.take(8);
/// let victim = Frozen::new(&SmallCnnConfig::new(set.shape(), 10).init(&device)?);
/// let attack = Apgd::linf(0.1).with_steps(3).or(Apgd::linf(0.1).with_steps(3).with_loss(Dlr));
/// let whole = Run::new(7).with_batch_size(4).attack(&attack, &victim, &set, &device)?;
/// assert!(whole.standing() <= whole.clean_correct());
/// println!("{whole}");
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, Setters)]
#[setters(prefix = "with_")]
pub struct Run {
    /// Seed of all draws.
    #[setters(into)]
    pub seed: Seed,
    /// Images at a time.
    pub batch_size: usize,
    /// A file that keeps what is known after every batch, by which an interrupted run goes on.
    #[setters(into, strip_option)]
    pub state: Option<PathBuf>,
    /// The most passes, forward and backward, that all parts of the attack together may cost an image;
    /// see [`Budget`](super::Budget).
    #[setters(strip_option)]
    pub budget: Option<u32>,
    /// Which of how many parts of the set, from 0: `[0, 1]` is all of it. Images are dealt out by turns.
    pub shard: [usize; 2],
    /// A file that gets the [`Adversaries`](super::Adversaries) of the run: of each image the nearest
    /// or first one that fools, or else the one of the highest loss.
    ///
    /// They are written as they are found, so that memory stays bounded by one batch; the disk needs
    /// twice the images in the classifier's element type. Until the end of the run the file's name has
    /// `.partial` behind it. An interrupted run that keeps a [`state`](Self::state) goes on with them.
    #[setters(into, strip_option)]
    pub adversaries: Option<PathBuf>,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress<'a> {
    /// The part that runs.
    pub part: &'a str,
    /// Its number, from 0; the clean pass is the first.
    pub number: usize,
    /// The number of parts.
    pub parts: usize,
    /// Images that this part has met.
    pub done: usize,
    /// Images that it meets in all.
    pub total: usize,
    /// Images that nothing has fooled yet.
    pub standing: usize,
}

impl Run {
    /// A run with this seed in batches of 256 images.
    pub fn new(seed: impl Into<Seed>) -> Self {
        Self {
            seed: seed.into(),
            batch_size: 256,
            state: None,
            budget: None,
            shard: [0, 1],
            adversaries: None,
        }
    }

    /// Attacks an image set.
    ///
    /// # Errors
    ///
    /// What the attack refuses; [`Error::Setting`] for a batch size of 0 or a shard that is none;
    /// [`Error::Input`] for an empty set or a state of another run, [`Error::Io`] for a state that
    /// cannot be read or written, and for adversaries alike.
    pub fn attack(
        &self,
        attack: &(impl Attack + ?Sized),
        victim: &Frozen,
        set: &ImageSet,
        device: &Device,
    ) -> Result<Whole> {
        self.attack_with_progress(attack, victim, set, device, |_| {})
    }

    /// Attacks as [`attack`](Self::attack) does, and tells where it stands before every batch.
    ///
    /// # Errors
    ///
    /// As [`attack`](Self::attack).
    pub fn attack_with_progress(
        &self,
        attack: &(impl Attack + ?Sized),
        victim: &Frozen,
        set: &ImageSet,
        device: &Device,
        mut progress: impl FnMut(Progress),
    ) -> Result<Whole> {
        self.check(set)?;
        attack.check()?;
        let mine: Vec<usize> = self.mine(set.len()).collect();
        let set = set.subset(&mine);
        let mut parts = vec![attack.untouched()];
        parts.extend(attack.parts());
        let names = parts.iter().map(|part| part.name().to_owned()).collect();
        let fresh = Whole::new(attack, self, victim, &set, names);
        let mut state = State::open(self.state.as_deref(), fresh)?;
        let kept = self.adversaries.as_deref().map(|path| {
            let precision = victim.precision();
            Kept::open(path, self, attack, &set, precision, device, &state.whole)
        });
        let mut kept = kept.transpose()?;
        for (number, part) in parts.iter().enumerate() {
            loop {
                let whole = &state.whole;
                let open = whole.open(number);
                let Some(positions) = open.chunks(self.batch_size).next() else {
                    break;
                };
                progress(Progress {
                    part: part.name(),
                    number,
                    parts: parts.len(),
                    done: whole.met(number),
                    total: whole.met(number) + open.len(),
                    standing: whole.standing(),
                });
                let begun = Instant::now();
                let mut batch = set.batch(positions, device);
                if let Some(precision) = victim.precision() {
                    batch = batch.with_precision(precision);
                }
                let mut trial = Trial::new(victim, &batch, &attack.goal(), self.seed)?;
                let idle = trial.classes() < part.least_classes();
                let found = match idle {
                    true => None,
                    false => {
                        match (number, self.budget) {
                            (1.., Some(budget)) => {
                                let left = state.whole.left(positions, budget);
                                trial.in_budget(&left, |trial| part.search(trial))?;
                            }
                            _ => part.search(&mut trial)?,
                        }
                        Some(trial.conclude(attack.ball().as_ref())?)
                    }
                };
                state
                    .whole
                    .take(number, positions, found.as_ref(), begun.elapsed());
                if let (Some(kept), Some(found)) = (&mut kept, &found) {
                    kept.prepare(&state.whole, positions, &batch, found)?;
                }
                state.save()?;
                if let Some(kept) = &mut kept {
                    kept.write()?;
                }
            }
        }
        if let Some(kept) = kept {
            kept.finish()?;
        }
        Ok(state.whole)
    }

    // The images of the shard.
    fn mine(&self, count: usize) -> impl Iterator<Item = usize> {
        let [index, shards] = self.shard;
        (index..count).step_by(shards)
    }

    fn check(&self, set: &ImageSet) -> Result<()> {
        Error::unless(
            self.batch_size > 0,
            "batch_size",
            self.batch_size,
            "at least 1",
        )?;
        let [index, count] = self.shard;
        let found = format_args!("{index} of {count}");
        Error::unless(
            index < count,
            "shard",
            found,
            "one of 0 to the number of shards",
        )?;
        let what = format!("images of `{}` in shard {found}", set.name());
        match index < set.len() {
            true => Ok(()),
            false => Err(Error::input(what, "none", "at least one")),
        }
    }
}
