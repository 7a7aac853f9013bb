use crate::base::errand::on_pool;
use crate::base::{Batch, Degrees, Error, Keys, Pixels, Precision, Purpose, Result, Seed};
use crate::curriculum::Stage;
use crate::data::ImageSet;
use crate::train::ahead::Ahead;
use crate::train::{Augmentation, Course};
use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A batch that knows when in a training it is used.
#[derive(Clone, Debug)]
pub struct StagedBatch {
    /// The images, unmoved and unattacked.
    pub batch: Batch,
    /// What the course fixes for this epoch.
    pub stage: Stage,
    /// The seed of the training.
    pub seed: Seed,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step of the epoch, counted from 1.
    pub step: usize,
    /// How much of its step's images these are: all of them, 1, but where other devices have the others.
    pub share: f64,
}

impl StagedBatch {
    /// What random draws for these images depend on in this epoch.
    pub fn keys(&self) -> Keys {
        Keys::new(self.seed, self.batch.ids.iter().copied()).with_draw(self.epoch as u64)
    }

    /// The same batch at a stage without rotation and shift.
    pub(super) fn unmoved(&self) -> Self {
        let mut unmoved = self.clone();
        (unmoved.stage.angle, unmoved.stage.shift) = (Degrees(0.0), Pixels(0.0));
        unmoved
    }
}

/// Batches of an [`ImageSet`], in a fresh order each epoch, stamped with the epoch's
/// [`Stage`].
///
/// Burn tells no batcher the epoch. This loader counts: each call of
/// [`iter`](DataLoader::iter) is one epoch. The order of epoch *e* is a function of the seed and
/// *e* alone, so a resumed training sees the batches that an uninterrupted one would have seen.
/// The last batch of an epoch may be smaller.
///
/// Batches are prepared by another thread while the training is at the ones before, so that it need not
/// wait for them; with an [augmentation](Self::with_augmentation) that includes moving the images.
/// They are the same as without: nothing in them depends on when they are made. On a thread of a
/// rayon pool, which must not wait for another one, they are made where they are asked for.
///
/// A copy made by [`to_device`](DataLoader::to_device) or [`slice`](DataLoader::slice) counts by
/// itself from where the original stood: so with one slice for each device, all are in the same
/// epoch. A slice is a range of *positions in the epoch's order*, not of images, so the slices of
/// one loader share no image within an epoch. [Dealt](Self::dealt_to) to so many devices, the slices'
/// batches are parts of the batches that one device would have.
pub struct StagedLoader {
    set: ImageSet,
    course: Arc<Course>,
    batch_size: usize,
    seed: Seed,
    shuffled: bool,
    positions: Range<usize>,
    device: Device,
    augmentation: Option<Augmentation>,
    posed: bool,
    precision: Option<Precision>,
    ahead: usize,
    // Devices that share every batch.
    workers: usize,
    // Epochs begun so far.
    begun: AtomicUsize,
}

// One that is being learnt from hides the time that the next one takes; another one its jitter.
const AHEAD: usize = 2;

impl StagedLoader {
    /// A loader that shuffles.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the batch size is 0, [`Error::Input`] if the set is empty.
    pub fn shuffled(
        set: ImageSet,
        course: Arc<Course>,
        batch_size: usize,
        seed: impl Into<Seed>,
        device: &Device,
    ) -> Result<Self> {
        Error::unless(batch_size > 0, "batch size", batch_size, "at least 1")?;
        not_empty(&set)?;
        Ok(Self {
            positions: 0..set.len(),
            set,
            course,
            batch_size,
            seed: seed.into(),
            shuffled: true,
            device: device.clone(),
            augmentation: None,
            posed: true,
            precision: None,
            ahead: AHEAD,
            workers: 1,
            begun: AtomicUsize::new(0),
        })
    }

    /// The same loader of images that are moved already, as this augmentation moves them. They are
    /// outside autodiff. Whoever learns from them must not move them again.
    pub fn with_augmentation(self, augmentation: Augmentation) -> Self {
        let augmentation = Some(augmentation);
        Self {
            augmentation,
            ..self
        }
    }

    /// The same loader, which crops and flips images but deals them no poses if `posed` is false: for an
    /// objective that [moves](crate::train::Objective::moves_images) them itself.
    pub fn with_poses(self, posed: bool) -> Self {
        Self { posed, ..self }
    }

    /// The same loader of images of this element type, before they are moved.
    pub fn with_precision(self, precision: Option<Precision>) -> Self {
        Self { precision, ..self }
    }

    /// The same loader with at most so many batches prepared ahead, 2 by default; with 0 each is made
    /// where it is asked for.
    pub fn with_ahead(self, batches: usize) -> Self {
        let ahead = batches;
        Self { ahead, ..self }
    }

    /// The same loader, whose every batch so many devices share: with a slice for each, cut as burn-train
    /// cuts them, their batches are the parts of the one that a single device would have, with the
    /// [`share`](StagedBatch::share) that each is. The parts are as large as each other but in an epoch's last
    /// batch, where the last device has what does not divide.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if a batch does not divide into so many parts.
    pub fn dealt_to(self, workers: usize) -> Result<Self> {
        let divides = workers > 0 && self.batch_size.is_multiple_of(workers);
        let expected = format_args!("a number that divides batches of {}", self.batch_size);
        Error::unless(divides, "devices of a training", workers, expected)?;
        Ok(Self { workers, ..self })
    }

    /// The same loader in the set's own order, as for validation.
    pub fn in_order(mut self) -> Self {
        self.shuffled = false;
        self
    }

    /// The same loader after this many epochs: its next one is `epochs + 1`.
    pub fn with_epochs_begun(self, epochs: usize) -> Self {
        self.begun.store(epochs, Ordering::Relaxed);
        self
    }

    /// Batches of an epoch, the last partial one included.
    pub fn batches(&self) -> usize {
        let images = match self.workers {
            1 => self.positions.len(),
            _ => self.set.len(),
        };
        images.div_ceil(self.batch_size)
    }

    // The positions in the set that this loader visits in this epoch, in order.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.set.len()).collect();
        if self.shuffled {
            self.seed
                .draws(Purpose::Order, epoch as u64, 0)
                .shuffle(&mut order);
        }
        if self.workers > 1 {
            let part = |worker| {
                let batches = order.chunks(self.batch_size);
                batches.flat_map(move |batch| self.part(batch, worker))
            };
            order = (0..self.workers).flat_map(part).copied().collect();
        }
        order.drain(self.positions.clone()).collect()
    }

    // What this one of the devices has of a batch.
    fn part<'a>(&self, batch: &'a [usize], worker: usize) -> &'a [usize] {
        let even = batch.len() / self.workers;
        let end = match worker + 1 == self.workers {
            true => batch.len(),
            false => (worker + 1) * even,
        };
        &batch[worker * even..end]
    }

    fn copy(&self, positions: Range<usize>, device: &Device) -> Arc<dyn DataLoader<StagedBatch>> {
        Arc::new(Self {
            set: self.set.clone(),
            course: self.course.clone(),
            positions,
            device: device.clone(),
            augmentation: self.augmentation,
            begun: AtomicUsize::new(self.begun.load(Ordering::Relaxed)),
            ..*self
        })
    }
}

impl DataLoader<StagedBatch> for StagedLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<StagedBatch> + 'a> {
        let epoch = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let order = self.order(epoch);
        let total = order.len();
        let batches = Batches {
            set: self.set.clone(),
            order,
            of: self.set.len(),
            batch_size: self.batch_size,
            workers: self.workers,
            device: self.device.clone(),
            augmentation: self.augmentation,
            posed: self.posed,
            precision: self.precision,
            stage: self.course.stage(epoch),
            seed: self.seed,
            epoch,
            steps: 0,
            done: 0,
        };
        let batches: Box<dyn Iterator<Item = StagedBatch> + Send> = match self.ahead {
            0 => Box::new(batches),
            _ if on_pool() => Box::new(batches),
            most => Box::new(Ahead::new(batches, most)),
        };
        let done = 0;
        Box::new(Epoch {
            batches,
            done,
            total,
        })
    }

    fn num_items(&self) -> usize {
        self.positions.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<StagedBatch>> {
        self.copy(self.positions.clone(), device)
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<StagedBatch>> {
        let from = self.positions.start;
        let end = (from + end).min(self.positions.end);
        self.copy((from + start).min(end)..end, &self.device)
    }
}

pub(super) fn not_empty(set: &ImageSet) -> Result<()> {
    let what = || format!("image set {}", set.name());
    match set.is_empty() {
        true => Err(Error::input(what(), "no image", "at least one image")),
        false => Ok(()),
    }
}

/// The batches of an epoch, as they are made.
struct Batches {
    set: ImageSet,
    order: Vec<usize>,
    // Images of the epoch, on all devices.
    of: usize,
    // Of a step, on all devices.
    batch_size: usize,
    workers: usize,
    steps: usize,
    device: Device,
    augmentation: Option<Augmentation>,
    posed: bool,
    precision: Option<Precision>,
    stage: Stage,
    seed: Seed,
    epoch: usize,
    done: usize,
}

impl Batches {
    // Images of this step on all devices together.
    fn of_step(&self) -> usize {
        self.batch_size.min(self.of - self.steps * self.batch_size)
    }

    // Images of this step here, at most: in the last one of several devices, all that are left.
    fn size(&self) -> usize {
        match self.workers {
            1 => self.batch_size,
            _ if self.of_step() < self.batch_size => self.order.len(),
            workers => self.batch_size / workers,
        }
    }
}

impl Iterator for Batches {
    type Item = StagedBatch;

    fn next(&mut self) -> Option<StagedBatch> {
        let rest = &self.order[self.done..];
        let chosen = &rest[..rest.len().min(self.size())];
        if chosen.is_empty() {
            return None;
        }
        self.done += chosen.len();
        let share = match self.workers {
            1 => 1.0,
            _ => chosen.len() as f64 / self.of_step() as f64,
        };
        self.steps += 1;
        let mut staged = StagedBatch {
            batch: self.set.batch(chosen, &self.device),
            stage: self.stage,
            seed: self.seed,
            epoch: self.epoch,
            step: self.steps,
            share,
        };
        if let Some(precision) = self.precision {
            staged.batch = staged.batch.with_precision(precision);
        }
        if let Some(augmentation) = &self.augmentation {
            staged.batch.images = augmentation.moved(&staged, self.posed);
        }
        Some(staged)
    }
}

/// The batches of an epoch, as they are handed out.
struct Epoch {
    batches: Box<dyn Iterator<Item = StagedBatch> + Send>,
    done: usize,
    total: usize,
}

impl Iterator for Epoch {
    type Item = std::result::Result<StagedBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let staged = self.batches.next()?;
        self.done += staged.batch.len();
        Some(Ok(staged))
    }
}

impl DataLoaderIterator<StagedBatch> for Epoch {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.total, Some("images".to_owned()))
    }
}
