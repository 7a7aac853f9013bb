use crate::base::{Draws, Purpose, Seed, Setting};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the random numbers of a batch's images depend on: a seed, the images' ids and the number of
/// the draw, for instance the epoch or the restart.
///
/// It travels as one value, so that no part of it can come from elsewhere.
///
/// ```
/// use fireproof::base::{Keys, Purpose};
///
/// let keys = Keys::new(7, [12, 40]).with_draw(3);
/// let alone = Keys::new(7, [40]).with_draw(3);
/// assert_eq!(keys.draws(Purpose::Pose, 1).next(), alone.draws(Purpose::Pose, 0).next());
/// ```
///
/// The layers of a model that draw, dropouts above all, must not all draw the same: each takes
/// [`next_layer`](Keys::next_layer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The seed.
    pub seed: Seed,
    /// The id of each image, in the order of the batch.
    pub ids: Vec<u64>,
    /// The number of the draw, if all images are in the same one.
    pub draw: u64,
    // The number of each image's own draw, if they are not.
    each: Option<Arc<[u64]>>,
    stream: u64,
    layers: Layers,
}

impl Keys {
    /// The keys of images with these ids; draw 0.
    pub fn new(seed: impl Into<Seed>, ids: impl IntoIterator<Item = u64>) -> Self {
        Self {
            seed: seed.into(),
            ids: ids.into_iter().collect(),
            draw: 0,
            each: None,
            stream: 0,
            layers: Layers::default(),
        }
    }

    /// The same images in another draw, with no layer counted yet.
    pub fn with_draw(mut self, draw: u64) -> Self {
        self.draw = draw;
        self.each = None;
        self.layers = Layers::default();
        self
    }

    /// The same images, each in a draw of its own, with no layer counted yet. An image may be among
    /// them several times, in several draws.
    ///
    /// ```
    /// use fireproof::base::{Keys, Purpose};
    ///
    /// let keys = Keys::new(7, [12, 12, 40]).with_draws([0, 3, 3]);
    /// let alone = Keys::new(7, [12]).with_draw(3);
    /// assert_eq!(keys.draws(Purpose::Pose, 1).next(), alone.draws(Purpose::Pose, 0).next());
    /// ```
    ///
    /// # Panics
    ///
    /// Panics unless there is one draw for each image.
    pub fn with_draws(mut self, draws: impl IntoIterator<Item = u64>) -> Self {
        let draws = Arc::<[u64]>::from_iter(draws);
        assert_eq!(draws.len(), self.len(), "one draw for each image");
        self.each = Some(draws);
        self.layers = Layers::default();
        self
    }

    /// The number of the draw of the image at this position of the batch.
    ///
    /// # Panics
    ///
    /// Panics if the position is not in the batch.
    pub fn draw_of(&self, position: usize) -> u64 {
        (self.each.as_ref()).map_or(self.draw, |draws| draws[position])
    }

    /// The keys for the next layer of a model that draws in this pass, in a stream of its own: the
    /// first layer's generators are those of the keys themselves, and every further layer's are
    /// independent of all before.
    ///
    /// The keys count. So what a layer draws depends on its place among the drawing layers of the
    /// pass besides seed, image and draw, not on the batch; and a copy of the keys is for another
    /// pass, which begins at the first layer again.
    ///
    /// ```
    /// use fireproof::base::{Keys, Purpose};
    ///
    /// let keys = Keys::new(7, [12, 40]);
    /// let first_number = |keys: Keys| keys.draws(Purpose::Dropout, 0).next();
    /// let pass = keys.clone();
    /// let layers = [pass.next_layer(), pass.next_layer()].map(first_number);
    /// assert!(layers[0] != layers[1]);
    /// let pass = keys.clone();
    /// assert_eq!([pass.next_layer(), pass.next_layer()].map(first_number), layers);
    /// ```
    pub fn next_layer(&self) -> Self {
        // A layer made of layers hands these on to them: they count on together.
        Self {
            stream: self.layers.next(),
            ..self.counting_on()
        }
    }

    // The same keys, with the same count of layers.
    fn counting_on(&self) -> Self {
        Self {
            ids: self.ids.clone(),
            each: self.each.clone(),
            layers: Layers(Arc::clone(&self.layers.0)),
            ..*self
        }
    }

    /// Runs a pass whose layers may [ask](Self::next_of_pass) for these keys where nobody hands
    /// them on: those of networks that know of none.
    #[cfg(feature = "train")]
    pub(crate) fn during<R: Send>(&self, pass: impl FnOnce() -> R + Send) -> R {
        Setting::during(&PASS, self.counting_on(), pass).0
    }

    /// The keys for the next layer of the pass that runs here, if one does.
    pub(crate) fn next_of_pass() -> Option<Self> {
        Setting::with(&PASS, |keys| keys.next_layer())
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The generator of the image at this position of the batch.
    ///
    /// # Panics
    ///
    /// Panics if the position is not in the batch.
    pub fn draws(&self, purpose: Purpose, position: usize) -> Draws {
        let draws = self
            .seed
            .draws(purpose, self.ids[position], self.draw_of(position));
        draws.in_stream(self.stream)
    }

    /// What `draw` makes of the generator of each image, in the order of the batch.
    pub fn each<T>(&self, purpose: Purpose, mut draw: impl FnMut(&mut Draws) -> T) -> Vec<T> {
        let positions = 0..self.len();
        positions
            .map(|at| draw(&mut self.draws(purpose, at)))
            .collect()
    }

    /// The keys of the images at these positions, with no layer counted yet.
    ///
    /// # Panics
    ///
    /// Panics if a position is not in the batch.
    pub fn select(&self, positions: &[usize]) -> Self {
        Self {
            ids: positions.iter().map(|&at| self.ids[at]).collect(),
            each: (self.each.as_ref()).map(|draws| positions.iter().map(|&at| draws[at]).collect()),
            layers: Layers::default(),
            ..*self
        }
    }
}

thread_local! {
    static PASS: Setting<Keys> = const { Setting::new() };
}

/// Counts the layers of a pass. A copy is for another pass; no part of what keys say.
#[derive(Debug, Default)]
struct Layers(Arc<AtomicU64>);

impl Layers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl Clone for Layers {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Layers {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Layers {}
