use derive_more::{Display, From};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// The seed of an experiment.
///
/// Every random number in this crate is a function of `(seed, purpose, id, draw)` alone: these
/// four numbers *are* the 256-bit key of a ChaCha8 generator. So an image's random start or pose
/// never depends on its batch, its position, the backend or the number of threads, and no hidden
/// generator has a state to lose.
///
/// ```
/// use fireproof::base::{Purpose, Seed};
///
/// let mut first = Seed(7).draws(Purpose::Pose, 12, 0);
/// let mut again = Seed(7).draws(Purpose::Pose, 12, 0);
/// assert_eq!(first.uniform(-30.0, 30.0), again.uniform(-30.0, 30.0));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Display, From,
)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// What random numbers are drawn for. Draws for different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u64)]
pub enum Purpose {
    /// Initial weights; the id is the parameter's index in its model.
    Weights = 1,
    /// The order of the images in an epoch; the id is the epoch.
    Order = 2,
    /// Poses of images that are trained on; the id is the image's.
    Pose = 3,
    /// Random starts of attacks; the id is the image's, the draw the restart.
    Start = 4,
    /// Crops of images; the id is the image's.
    Crop = 5,
    /// Flips of images; the id is the image's.
    Flip = 6,
    /// Dropout masks; the id is the image's.
    Dropout = 7,
    /// Seeds derived from a seed.
    Derive = 9,
    /// Choice of a subset of a data set.
    Subset = 10,
    /// Poses of images that a classifier is tested on; the id is the image's.
    TestPose = 11,
    /// Target classes of attacks; the id is the image's.
    Target = 12,
    /// Steps of attacks that search at random; the id is the image's, the draw the restart.
    Search = 13,
    /// Noise that a random classifier adds; the id is the image's.
    Noise = 14,
    /// Poses that attacks try; the id is the image's, the draw the restart.
    SearchedPose = 15,
    /// Points of a statistical setting; the id is the point's.
    Sample = 20,
    /// Repetitions of a bootstrap; the id is the repetition.
    Bootstrap = 21,
}

impl Seed {
    /// The generator for one `(purpose, id, draw)`.
    pub fn draws(self, purpose: Purpose, id: u64, draw: u64) -> Draws {
        let mut key = [0; 32];
        for (bytes, word) in key
            .chunks_exact_mut(8)
            .zip([self.0, purpose as u64, id, draw])
        {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Draws(ChaCha8Rng::from_seed(key))
    }

    /// An independent seed for part `index` of an experiment.
    pub fn derive(self, index: u64) -> Self {
        Self(self.draws(Purpose::Derive, index, 0).next())
    }
}

/// A stream of random numbers, made by [`Seed::draws`].
#[derive(Clone, Debug)]
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// The generator's place in the stream of this number: the streams of one key are independent
    /// of each other. A new generator is at the beginning of stream 0.
    pub fn in_stream(mut self, stream: u64) -> Self {
        self.0.set_stream(stream);
        self
    }

    /// The next 64 random bits.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A uniform number in `[low, high)`, or `low` if the two are equal.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        // 53 random bits fill the significand of an f64 exactly.
        let unit = (self.next() >> 11) as f64 * (1.0 / (1u64 << 53) as f64);
        low + (high - low) * unit
    }

    /// A number of the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// A uniform whole number in `0..count`.
    ///
    /// # Panics
    ///
    /// Panics if `count` is 0.
    pub fn below(&mut self, count: u64) -> u64 {
        assert!(count > 0, "no number is below 0");
        // Lemire's multiplication with rejection: no modulo bias.
        let threshold = count.wrapping_neg() % count;
        loop {
            let wide = u128::from(self.next()) * u128::from(count);
            if wide as u64 >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// `true` with the given probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform(0.0, 1.0) < probability
    }

    /// Brings `items` into a uniformly random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}
