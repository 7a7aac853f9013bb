//! What attacks found as data: kept in files, read again, shown to other classifiers.

mod file;
mod layout;

pub(super) use file::numbers;
pub(super) use layout::Layout;

use super::rows::{each, select};
use super::{Attack, Found, Frozen};
use crate::base::{Batch, Bounds, Error, Precision, Result, Seed};
use crate::transform::Pose;
use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

// What a classifier is shown at a time.
const BATCH: usize = 256;

/// What an attack found, as data that can be kept: attacked images with what is known of each.
///
/// Made from what an attack [found](Self::of) in a batch or, for a whole image set, by a
/// [`Run`](super::Run) with [`adversaries`](super::Run::adversaries). [`save`](Self::save) writes one
/// SafeTensors file, [`load`](Self::load) reads it again, equal to the bit; feature `report` adds
/// `save_images`.
///
/// ```
/// use fireproof::attack::{Adversaries, Apgd, Attack, Frozen};
/// use fireproof::base::Seed;
/// use fireproof::data::embedded_mnist;
/// use fireproof::model::SmallCnnConfig;
///
/// let device = fireproof::device();
/// let set = embedded_mnist().test.take(4);
/// let network = |seed| SmallCnnConfig::new(set.shape(), 10).with_seed(seed).init(&device);
/// let (victim, other) = (Frozen::new(&network(1)?), Frozen::new(&network(2)?));
/// let batch = set.batch(&[0, 1, 2, 3], &device);
/// let attack = Apgd::linf(0.1).with_steps(3);
/// let found = attack.attack(&victim, &batch, Seed(7))?;
///
/// # let folder = std::env::temp_dir().join(format!("fireproof-adversaries-{}", std::process::id()));
/// # let path = folder.join("found.safetensors");
/// Adversaries::of(&found, &batch, &attack, Seed(7))?.save(&path)?;
///
/// // Transfer: how many of them does another network get right?
/// let kept = Adversaries::load(&path, &device)?;
/// assert_eq!(kept.predicted, found.predicted);
/// println!("{:.1} % of {}", 100.0 * kept.accuracy(&other), kept.len());
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Adversaries {
    /// The attacked images `[image, channel, height, width]`, outside autodiff.
    pub images: Tensor<4>,
    /// The images that the perturbations start from, as [`Found::originals`].
    pub originals: Tensor<4>,
    /// Each image's id in its data set.
    pub ids: Vec<u64>,
    /// The true classes.
    pub labels: Vec<i64>,
    /// The classes that the attacked classifier takes the images for; [`NO_CLASS`](super::NO_CLASS)
    /// where it has no answer.
    pub predicted: Vec<i64>,
    /// Whether each image fools the attacked classifier.
    pub fooled: Vec<bool>,
    /// How far each image that fools is from its original, as [`Found::distance`].
    pub distance: Vec<Option<f64>>,
    /// The attack's loss at each image.
    pub loss: Vec<f32>,
    /// The poses that the images were put in, if the attack moves images.
    pub poses: Option<Vec<Pose>>,
    /// The range of valid pixels.
    pub bounds: Bounds,
    /// The attack, as [`Attack::settings`].
    pub attack: Value,
    /// Seed of all draws.
    pub seed: Seed,
    /// Which of how many parts of an image set this is; `[0, 1]` is all of it.
    pub shard: [usize; 2],
}

/// What is said once of all images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct About {
    /// Of the format.
    pub version: u32,
    pub attack: Value,
    pub seed: Seed,
    pub bounds: Bounds,
    pub shard: [usize; 2],
    // Whether there are poses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moved: bool,
}

impl About {
    pub fn new(attack: Value, seed: Seed, bounds: Bounds, shard: [usize; 2]) -> Self {
        Self {
            version: 1,
            attack,
            seed,
            bounds,
            shard,
            moved: false,
        }
    }

    pub fn with_moved(self, moved: bool) -> Self {
        Self { moved, ..self }
    }
}

impl Adversaries {
    /// What this attack with this seed found in a batch, fooling or not.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] unless as many were found as the batch has images.
    pub fn of(
        found: &Found,
        batch: &Batch,
        attack: &(impl Attack + ?Sized),
        seed: impl Into<Seed>,
    ) -> Result<Self> {
        let about = About::new(attack.settings(), seed.into(), batch.bounds, [0, 1]);
        let about = about.with_moved(attack.moves_images() || found.poses.is_some());
        match found.len() == batch.len() {
            true => Ok(Self::with(found, batch, &about)),
            false => {
                let expected = format!("one for each of the {} images", batch.len());
                Err(Error::input("what was found", found.len(), expected))
            }
        }
    }

    pub(super) fn with(found: &Found, batch: &Batch, about: &About) -> Self {
        Self {
            images: found.images.clone().inner(),
            originals: found.originals.clone().inner(),
            ids: batch.ids.clone(),
            labels: batch.labels_to_vec(),
            predicted: found.predicted.clone(),
            fooled: found.fooled.clone(),
            distance: found.distance.clone(),
            loss: found.loss.clone(),
            poses: about.moved.then(|| match &found.poses {
                Some(poses) => poses.clone(),
                None => vec![Pose::IDENTITY; found.len()],
            }),
            bounds: about.bounds,
            attack: about.attack.clone(),
            seed: about.seed,
            shard: about.shard,
        }
    }

    pub(super) fn about(&self) -> About {
        About::new(self.attack.clone(), self.seed, self.bounds, self.shard)
            .with_moved(self.poses.is_some())
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The images at these positions, in this order.
    ///
    /// # Panics
    ///
    /// Panics if a position is not below [`len`](Self::len).
    pub fn select(&self, positions: &[usize]) -> Self {
        Self {
            images: select(&self.images, positions),
            originals: select(&self.originals, positions),
            ids: each(&self.ids, positions),
            labels: each(&self.labels, positions),
            predicted: each(&self.predicted, positions),
            fooled: each(&self.fooled, positions),
            distance: each(&self.distance, positions),
            loss: each(&self.loss, positions),
            poses: self.poses.as_ref().map(|poses| each(poses, positions)),
            attack: self.attack.clone(),
            ..*self
        }
    }

    /// Those that fool the attacked classifier.
    pub fn fooling(&self) -> Self {
        let fools = |&at: &usize| self.fooled[at];
        self.select(&Vec::from_iter((0..self.len()).filter(fools)))
    }

    /// The attacked images as a batch, to be shown to other classifiers, attacked further or learnt
    /// from.
    pub fn batch(&self) -> Batch {
        Batch {
            labels: Tensor::<1, Int>::from_data(&self.labels[..], &self.images.device()),
            images: self.images.clone(),
            ids: self.ids.clone(),
            bounds: self.bounds,
        }
    }

    /// The share of the attacked images that a classifier takes for their labels, from 0 to 1: robust
    /// accuracy for the classifier that was attacked, for any other one how well it stands attacks
    /// that were made without it. NaN without images.
    ///
    /// Images are made of the classifier's [element type](Frozen::precision) first.
    ///
    /// # Panics
    ///
    /// Panics if the classifier does not take such images.
    pub fn accuracy(&self, victim: &Frozen) -> f64 {
        let mut right = 0;
        for (chunk, labels) in self.labels.chunks(BATCH).enumerate() {
            let mut images = self.images.clone().narrow(0, chunk * BATCH, labels.len());
            if let Some(precision) = victim.precision() {
                images = images.cast(precision.dtype());
            }
            let ids = &self.ids[chunk * BATCH..][..labels.len()];
            let predicted = victim.for_ids(ids).predict(images);
            right += predicted.iter().zip(labels).filter(|(p, l)| p == l).count();
        }
        right as f64 / self.len() as f64
    }

    /// Those of a whole image set from those of all its shards, in any order.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] unless they are all shards of one run.
    pub fn join(shards: impl IntoIterator<Item = Self>) -> Result<Self> {
        let mut shards: Vec<Self> = shards.into_iter().collect();
        shards.sort_by_key(|shard| shard.shard[0]);
        let count = shards.len();
        let wrong = |found: String| {
            let expected = "every shard of one run, once";
            Err(Error::input("shards of adversaries", found, expected))
        };
        let Some(first) = shards.first() else {
            return wrong("none".to_owned());
        };
        let images: usize = shards.iter().map(Self::len).sum();
        let kind = |of: &Self| (of.images.dtype(), of.images.dims()[1..].to_vec());
        for (index, shard) in shards.iter().enumerate() {
            let mut about = first.about();
            about.shard = [index, count];
            let dealt = images.saturating_sub(index).div_ceil(count);
            if shard.about() != about || kind(shard) != kind(first) || shard.len() != dealt {
                return wrong(format!("shard {} of {}", shard.shard[0], shard.shard[1]));
            }
        }
        // Where each image is once they follow one another.
        let lengths = shards.iter().map(Self::len);
        let starts = Vec::from_iter(lengths.scan(0, |sum, len| {
            *sum += len;
            Some(*sum - len)
        }));
        let order = (0..images).map(|at| starts[at % count] + at / count);
        let joined = Self::concatenated(shards);
        Ok(joined.select(&Vec::from_iter(order)))
    }

    // One after the other; the first one says what holds for all.
    fn concatenated(parts: Vec<Self>) -> Self {
        fn all<T: Clone>(parts: &[Adversaries], of: fn(&Adversaries) -> &Vec<T>) -> Vec<T> {
            parts.iter().flat_map(|part| of(part).clone()).collect()
        }
        let tensors = |of: fn(&Self) -> &Tensor<4>| {
            Tensor::cat(parts.iter().map(|part| of(part).clone()).collect(), 0)
        };
        Self {
            images: tensors(|part| &part.images),
            originals: tensors(|part| &part.originals),
            ids: all(&parts, |part| &part.ids),
            labels: all(&parts, |part| &part.labels),
            predicted: all(&parts, |part| &part.predicted),
            fooled: all(&parts, |part| &part.fooled),
            distance: all(&parts, |part| &part.distance),
            loss: all(&parts, |part| &part.loss),
            poses: (parts.iter().map(|part| part.poses.clone()))
                .collect::<Option<Vec<_>>>()
                .map(|poses| poses.concat()),
            bounds: parts[0].bounds,
            attack: parts[0].attack.clone(),
            seed: parts[0].seed,
            shard: [0, 1],
        }
    }

    pub(super) fn layout(&self) -> Result<Layout> {
        let [count, channels, height, width] = self.images.dims();
        let precision = Precision::of("attacked images", &self.images)?;
        Ok(Layout::new(
            &self.about(),
            count,
            [channels, height, width],
            precision,
        ))
    }
}
