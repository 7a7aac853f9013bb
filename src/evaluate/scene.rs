use crate::attack::{Attack, Found, Frozen, predicted_classes};
use crate::base::{Batch, Error, Keys, Result, Seed, read};
use burn::tensor::Tensor;

/// One batch of an evaluation as a [`Threat`](super::Threat) meets it: the classifier, the images,
/// the random numbers of the draw. It counts the passes.
#[derive(Debug)]
pub struct Scene<'a> {
    victim: &'a Frozen,
    batch: &'a Batch,
    clean: &'a [i64],
    keys: Keys,
    queries: u64,
}

impl<'a> Scene<'a> {
    pub(super) fn new(victim: &'a Frozen, batch: &'a Batch, clean: &'a [i64], seed: Seed) -> Self {
        Self {
            victim,
            batch,
            clean,
            keys: Keys::new(seed, batch.ids.iter().copied()),
            queries: 0,
        }
    }

    pub(super) fn in_draw(&mut self, draw: usize) -> &mut Self {
        self.keys.draw = draw as u64;
        self
    }

    /// The images with their labels, ids and bounds.
    pub fn batch(&self) -> &'a Batch {
        self.batch
    }

    /// The class that the classifier takes each image for as it is.
    pub fn clean(&self) -> &'a [i64] {
        self.clean
    }

    /// What random numbers depend on: seed, ids and the number of the draw.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The class that the classifier takes each of these images for: one forward pass.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for logits of NaN, naming the image.
    pub fn predict(&mut self, images: Tensor<4>) -> Result<Vec<i64>> {
        self.queries += self.batch.len() as u64;
        predictions(self.victim.logits(images), self.batch)
    }

    /// Attacks a batch, the scene's own or the same images changed; other draws find other random
    /// starts.
    ///
    /// # Errors
    ///
    /// As [`Attack::attack`].
    pub fn attack(&mut self, attack: &dyn Attack, batch: &Batch) -> Result<Found> {
        let Keys { seed, draw, .. } = self.keys;
        let seed = if draw == 0 { seed } else { seed.derive(draw) };
        let found = attack.attack(self.victim, batch, seed)?;
        self.queries += found.queries.iter().map(|&q| u64::from(q)).sum::<u64>();
        Ok(found)
    }

    pub(super) fn queries(&self) -> u64 {
        self.queries
    }
}

// The predicted class of each image.
pub(super) fn predictions(logits: Tensor<2>, batch: &Batch) -> Result<Vec<i64>> {
    let wrong: Vec<f32> = read(&logits.clone().is_nan().any_dim(1).float());
    if let Some(at) = wrong.iter().position(|&nan| nan > 0.0) {
        return Err(Error::input(
            format!("logits of image {}", batch.ids[at]),
            "NaN",
            "numbers (has the classifier diverged in training?)",
        ));
    }
    Ok(read(&predicted_classes(logits)))
}
