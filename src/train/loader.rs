use crate::base::{Batch, Degrees, Error, Keys, Pixels, Purpose, Result, Seed};
use crate::curriculum::Stage;
use crate::data::ImageSet;
use crate::train::Course;
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
/// A copy made by [`to_device`](DataLoader::to_device) or [`slice`](DataLoader::slice) counts by
/// itself from where the original stood: so with one slice for each device, all are in the same
/// epoch. A slice is a range of *positions in the epoch's order*, not of images, so the slices of
/// one loader share no image within an epoch.
pub struct StagedLoader {
    set: ImageSet,
    course: Arc<Course>,
    batch_size: usize,
    seed: Seed,
    shuffled: bool,
    positions: Range<usize>,
    device: Device,
    // Epochs begun so far.
    begun: AtomicUsize,
}

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
            begun: AtomicUsize::new(0),
        })
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
        self.positions.len().div_ceil(self.batch_size)
    }

    // The positions in the set that this loader visits in this epoch, in order.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.set.len()).collect();
        if self.shuffled {
            self.seed
                .draws(Purpose::Order, epoch as u64, 0)
                .shuffle(&mut order);
        }
        order.drain(self.positions.clone()).collect()
    }

    fn copy(&self, positions: Range<usize>, device: &Device) -> Arc<dyn DataLoader<StagedBatch>> {
        Arc::new(Self {
            set: self.set.clone(),
            course: self.course.clone(),
            positions,
            device: device.clone(),
            begun: AtomicUsize::new(self.begun.load(Ordering::Relaxed)),
            ..*self
        })
    }
}

impl DataLoader<StagedBatch> for StagedLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<StagedBatch> + 'a> {
        let epoch = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        Box::new(Epoch {
            loader: self,
            order: self.order(epoch),
            stage: self.course.stage(epoch),
            epoch,
            done: 0,
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

struct Epoch<'a> {
    loader: &'a StagedLoader,
    order: Vec<usize>,
    stage: Stage,
    epoch: usize,
    done: usize,
}

impl Iterator for Epoch<'_> {
    type Item = std::result::Result<StagedBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.order[self.done..];
        let chosen = &rest[..rest.len().min(self.loader.batch_size)];
        if chosen.is_empty() {
            return None;
        }
        self.done += chosen.len();
        Some(Ok(StagedBatch {
            batch: self.loader.set.batch(chosen, &self.loader.device),
            stage: self.stage,
            seed: self.loader.seed,
            epoch: self.epoch,
        }))
    }
}

impl DataLoaderIterator<StagedBatch> for Epoch<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.order.len(), Some("images".to_owned()))
    }
}
