use crate::attack::{Attack, Found, Frozen};
use crate::base::{Batch, Keys, Result, Seed};
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
    // In this draw: which images had a gradient that vanished, and one that was not finite.
    flaws: [Vec<bool>; 2],
}

impl<'a> Scene<'a> {
    pub(super) fn new(victim: &'a Frozen, batch: &'a Batch, clean: &'a [i64], seed: Seed) -> Self {
        Self {
            victim,
            batch,
            clean,
            keys: Keys::new(seed, batch.ids.iter().copied()),
            queries: 0,
            flaws: [(); 2].map(|()| vec![false; batch.len()]),
        }
    }

    pub(super) fn in_draw(&mut self, draw: usize) -> &mut Self {
        self.keys.draw = draw as u64;
        self.flaws.iter_mut().for_each(|flags| flags.fill(false));
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

    /// The class that the classifier takes each of these images for, the scene's own changed: one
    /// forward pass for each of its [draws](Frozen::draws). [`NO_CLASS`](crate::attack::NO_CLASS), which
    /// is never right, where a logit is NaN.
    pub fn predict(&mut self, images: Tensor<4>) -> Vec<i64> {
        self.queries += (self.batch.len() * self.victim.draws()) as u64;
        self.victim.predict(images)
    }

    /// The gradient of the loss of each of these images, the scene's own changed.
    pub(super) fn gradient(
        &mut self,
        images: Tensor<4>,
        loss: impl Fn(Tensor<2>) -> Tensor<1>,
    ) -> Result<Tensor<4>> {
        self.queries += (self.batch.len() * self.victim.draws()) as u64;
        Ok(self.victim.loss_gradient(images, loss)?.gradient)
    }

    /// Attacks a batch, the scene's own or the same images changed; other draws find other random
    /// starts.
    ///
    /// # Errors
    ///
    /// As [`Attack::attack`].
    pub fn attack(&mut self, attack: &dyn Attack, batch: &Batch) -> Result<Found> {
        let found = self.search(attack, batch)?;
        for (flags, passes) in self
            .flaws
            .iter_mut()
            .zip([&found.vanished, &found.undefined])
        {
            let each = flags.iter_mut().zip(passes);
            each.for_each(|(flag, &passes)| *flag |= passes > 0);
        }
        Ok(found)
    }

    /// The same for any images of the scene; their flaws are not noted.
    pub(super) fn search(&mut self, attack: &dyn Attack, batch: &Batch) -> Result<Found> {
        let Keys { seed, draw, .. } = self.keys;
        let seed = if draw == 0 { seed } else { seed.derive(draw) };
        let found = attack.attack(self.victim, batch, seed)?;
        self.queries += found.queries.iter().map(|&q| u64::from(q)).sum::<u64>();
        Ok(found)
    }

    pub(super) fn flaws(&self) -> [&[bool]; 2] {
        self.flaws.each_ref().map(|flags| &flags[..])
    }

    pub(super) fn queries(&self) -> u64 {
        self.queries
    }
}
