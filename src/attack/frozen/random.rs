use super::{Frozen, Stage};
use crate::base::{Classifier, Keys, Seed};
use burn::tensor::Tensor;
use std::ops::Range;
use std::sync::Arc;

/// How often a random classifier is asked for one answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Random {
    draws: usize,
    seed: Seed,
}

/// Logits of images with these keys, one row for each.
type Rows<'a> = dyn Fn(Tensor<4>, &Keys) -> Tensor<2> + 'a;

/// Which draws a pass makes: those with these numbers, for each image.
pub(super) struct Lot {
    seed: Seed,
    ids: Arc<[u64]>,
    numbers: Option<Arc<[u64]>>,
}

impl Frozen {
    /// A random classifier, by a function from images and keys, one for each image, to logits:
    /// everything that it draws must be a function of the keys. It is attacked by *expectation over
    /// transformation*: its logits are the mean of so many draws, and a gradient is that of the loss of
    /// such a mean. (A. Athalye, L. Engstrom, A. Ilyas, K. Kwok 2018, "Synthesizing Robust Adversarial
    /// Examples", section 2.1; as an attack on defences A. Athalye, N. Carlini, D. Wagner 2018,
    /// "Obfuscated Gradients Give a False Sense of Security", section 4.2.)
    ///
    /// [`logits`](Self::logits), and so every verdict, are always of the same draws, a function of
    /// this seed and the image's id. A gradient pass of an attack makes others, which differ from
    /// image to image, from pass to pass, from restart to restart and from those of verdicts: what
    /// was fitted to draws is judged by others. They do not depend on the batch. An attack that
    /// climbs no gradient, as [`Square`](crate::attack::Square), sees the verdict's own;
    /// [`with_draws`](Self::with_draws) judges what it found by others.
    ///
    /// It is the loss of the mean that is climbed, not the mean of the losses: an image is to be taken
    /// for something else on average, not to be as wrong as can be in a few draws. Candidates are
    /// compared by the passes that made them. The fewer draws, the more of that is chance; the verdict
    /// is not.
    ///
    /// Every draw counts as a pass. The draws of a few images at a time run as one batch of about as
    /// many rows as there are images: memory is what it is without draws, and the batch of one image is
    /// as full as that of many.
    ///
    /// The function's images are on an autodiff device in all passes, so that a
    /// [`GroupDropout`](crate::nn::GroupDropout) that was not switched off drops in all of them.
    ///
    /// ```
    /// use burn::tensor::{Tensor, TensorData};
    /// use fireproof::attack::Frozen;
    /// use fireproof::base::Purpose;
    ///
    /// // Brighter or darker than 1/2, as far as noise on each image tells.
    /// let victim = Frozen::random(20, 7, |images: Tensor<4>, keys| {
    ///     let noise = keys.each(Purpose::Noise, |draws| 0.1 * draws.normal());
    ///     let noise = TensorData::new(noise, [keys.len(), 1]);
    ///     let noise = Tensor::from_data(noise, (&images.device(), images.dtype()));
    ///     let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3) + noise;
    ///     Tensor::cat(vec![mean.clone(), -mean + 1.0], 1)
    /// });
    /// let images = Tensor::<4>::ones([3, 1, 8, 8], &fireproof::device());
    /// assert_eq!(victim.draws(), 20);
    /// assert_eq!(victim.predict(images), [0, 0, 0]);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is no draw.
    pub fn random(
        draws: usize,
        seed: impl Into<Seed>,
        function: impl Fn(Tensor<4>, &Keys) -> Tensor<2> + Send + Sync + 'static,
    ) -> Self {
        Self::from_shared(Arc::new(Keyed(function))).with_draws(draws, seed)
    }

    /// The same classifier with this many draws of whatever is random in it, and with this seed of
    /// theirs: for more exact gradients, or to judge by other draws what was found with some. Of a
    /// classifier of one's own what [`Classifier::keyed_logits`] draws.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::attack::Frozen;
    ///
    /// let victim = Frozen::random(1, 7, |images: Tensor<4>, _| images.flatten::<2>(1, 3));
    /// let judge = victim.clone().with_draws(1000, 8);
    /// assert_eq!((victim.draws(), judge.draws()), (1, 1000));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there is no draw.
    pub fn with_draws(mut self, draws: usize, seed: impl Into<Seed>) -> Self {
        self.random = Some(Random::new(draws, seed.into()));
        self
    }

    /// How many draws the logits are the mean of, 1 if nothing is random. So many passes each of its
    /// answers costs, and is counted as: see [`Found::queries`](crate::attack::Found::queries).
    pub fn draws(&self) -> usize {
        self.random.map_or(1, |random| random.draws)
    }

    /// The same classifier for the gradient passes that come next in an attack with these keys, where
    /// each image has so many behind it.
    pub(in crate::attack) fn in_pass(&self, keys: &Keys, behind: &[u64]) -> Self {
        let stage = Stage {
            seed: keys.seed.derive(keys.draw),
            numbers: behind.into(),
        };
        Self {
            stage: Some(stage),
            ..self.clone()
        }
    }

    /// Which draws make a verdict.
    pub(super) fn verdicts(&self, count: usize) -> Lot {
        Lot {
            seed: self.random.map_or(Seed(0), |random| random.seed),
            ids: self.ids_of(count),
            numbers: None,
        }
    }

    /// Which draws make the gradient passes that come next.
    pub(super) fn next_pass(&self, count: usize) -> Lot {
        let attack = (self.stage.as_ref()).map_or(Seed(0).derive(0), |stage| stage.seed);
        let own = self.verdicts(count);
        Lot {
            seed: own.seed.derive(attack.0),
            numbers: self.stage.as_ref().map(|stage| stage.numbers.clone()),
            ..own
        }
    }

    fn ids_of(&self, count: usize) -> Arc<[u64]> {
        let numbered = || (0..count as u64).collect();
        let ids = self.ids.clone().unwrap_or_else(numbered);
        assert_eq!(ids.len(), count, "one id for each image");
        ids
    }
}

impl Random {
    pub fn new(draws: usize, seed: Seed) -> Self {
        assert!(draws > 0, "at least one draw");
        Self { draws, seed }
    }

    /// The places of a batch that are passed together: all their draws are about as many rows as the
    /// batch has.
    pub fn chunks(self, count: usize) -> impl Iterator<Item = Range<usize>> {
        let at_once = (count / self.draws).max(1);
        let firsts = (0..count).step_by(at_once);
        firsts.map(move |first| first..count.min(first + at_once))
    }

    /// The mean logits of a batch.
    pub fn forward(self, images: Tensor<4>, lot: &Lot, rows: &Rows) -> Tensor<2> {
        let images = match images.is_autodiff() {
            true => images,
            false => Tensor::from_inner(images),
        };
        let count = images.dims()[0];
        let means = self.chunks(count).map(|places| {
            let some = images.clone().narrow(0, places.start, places.len());
            self.mean(some, &lot.keys(Some(places), self.draws), rows)
        });
        Tensor::cat(means.collect(), 0)
    }

    /// The mean logits of images with the keys of all their draws.
    pub fn mean(self, images: Tensor<4>, keys: &Keys, rows: &Rows) -> Tensor<2> {
        let [count, channels, height, width] = images.dims();
        let every = images.unsqueeze_dim::<5>(1);
        let every = every.expand([count, self.draws, channels, height, width]);
        let logits = rows(
            every.reshape([count * self.draws, channels, height, width]),
            keys,
        );
        let classes = logits.dims()[1];
        let logits = logits.reshape([count, self.draws, classes]);
        logits.mean_dim(1).squeeze_dim(1)
    }
}

impl Lot {
    /// The keys of all draws of the images at these places, of all images if none is named.
    pub fn keys(&self, places: Option<Range<usize>>, draws: usize) -> Keys {
        let places = places.unwrap_or(0..self.ids.len());
        let number = |at: usize| (self.numbers.as_ref()).map_or(0, |numbers| numbers[at]);
        let each = |at: usize| {
            let first = number(at) * draws as u64;
            (0..draws as u64).map(move |draw| (at, first + draw))
        };
        let (at, draw): (Vec<usize>, Vec<u64>) = places.flat_map(each).unzip();
        Keys::new(self.seed, at.into_iter().map(|at| self.ids[at])).with_draws(draw)
    }
}

struct Keyed<F>(F);

impl<F: Fn(Tensor<4>, &Keys) -> Tensor<2> + Send + Sync> Classifier for Keyed<F> {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let ids = 0..images.dims()[0] as u64;
        self.keyed_logits(images, &Keys::new(0, ids))
    }

    fn keyed_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
        (self.0)(images, &keys.next_layer())
    }
}
