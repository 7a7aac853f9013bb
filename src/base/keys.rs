use crate::base::{Draws, Purpose, Seed};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The seed.
    pub seed: Seed,
    /// The id of each image, in the order of the batch.
    pub ids: Vec<u64>,
    /// The number of the draw.
    pub draw: u64,
}

impl Keys {
    /// The keys of images with these ids; draw 0.
    pub fn new(seed: impl Into<Seed>, ids: impl IntoIterator<Item = u64>) -> Self {
        Self {
            seed: seed.into(),
            ids: ids.into_iter().collect(),
            draw: 0,
        }
    }

    /// The same images in another draw.
    pub fn with_draw(mut self, draw: u64) -> Self {
        self.draw = draw;
        self
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
        self.seed.draws(purpose, self.ids[position], self.draw)
    }

    /// What `draw` makes of the generator of each image, in the order of the batch.
    pub fn each<T>(&self, purpose: Purpose, mut draw: impl FnMut(&mut Draws) -> T) -> Vec<T> {
        let positions = 0..self.len();
        positions
            .map(|at| draw(&mut self.draws(purpose, at)))
            .collect()
    }

    /// The keys of the images at these positions.
    ///
    /// # Panics
    ///
    /// Panics if a position is not in the batch.
    pub fn select(&self, positions: &[usize]) -> Self {
        Self {
            seed: self.seed,
            ids: positions.iter().map(|&at| self.ids[at]).collect(),
            draw: self.draw,
        }
    }
}
