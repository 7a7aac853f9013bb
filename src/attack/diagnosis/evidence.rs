use super::Course;
use crate::attack::{Attack, Ball, Found, Frozen, Outcome, PartOutcome, Whole};
use crate::base::{Batch, Error, Result, Seed};
use burn::tensor::Tensor;
use std::sync::Arc;

/// What a [`Check`](super::Check) goes by: the attack, the classifier, a few images, and what is known of
/// them so far. Passes are made when they are first asked for, and counted.
pub struct Evidence<'a> {
    attack: &'a dyn Attack,
    victim: Frozen,
    batch: Batch,
    seed: Seed,
    whole: Option<&'a Whole>,
    clean: Option<Tensor<2>>,
    course: Option<Arc<Course>>,
    spent: [u64; 2],
}

impl<'a> Evidence<'a> {
    pub(super) fn new(
        attack: &'a dyn Attack,
        victim: &Frozen,
        batch: Batch,
        seed: Seed,
        whole: Option<&'a Whole>,
    ) -> Self {
        Self {
            attack,
            victim: victim.for_ids(&batch.ids),
            batch,
            seed,
            whole,
            clean: None,
            course: None,
            spent: [0, 0],
        }
    }

    /// The attack.
    pub fn attack(&self) -> &'a dyn Attack {
        self.attack
    }

    /// The classifier; [`logits_at`](Self::logits_at) counts its passes.
    pub fn victim(&self) -> &Frozen {
        &self.victim
    }

    /// The images that are looked at.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The evaluation's run, if it is at hand.
    pub fn whole(&self) -> Option<&'a Whole> {
        self.whole
    }

    /// Refuses an attack that moves images: for checks that look at perturbations of the images as they are.
    ///
    /// # Errors
    ///
    /// [`Error::Input`].
    pub fn expect_unmoved(&self) -> Result<()> {
        let expected = "one that leaves images in their place";
        match self.attack.moves_images() {
            true => Err(Error::input("attack", self.attack, expected)),
            false => Ok(()),
        }
    }

    /// The ball of the attack, around the images as they are.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if it has none, or moves images.
    pub fn ball(&self) -> Result<Ball> {
        self.expect_unmoved()?;
        let ball = self.attack.ball();
        ball.ok_or_else(|| Error::input("ball of the attack", "none", "one with a radius"))
    }

    /// Forward and backward passes so far.
    pub fn spent(&self) -> [u64; 2] {
        self.spent
    }

    /// Logits of images at these positions of the batch by an exact pass, which is counted.
    pub fn logits_at(&mut self, positions: &[usize], images: Tensor<4>) -> Tensor<2> {
        self.spent[0] += (positions.len() * self.victim.draws()) as u64;
        let ids = Vec::from_iter(positions.iter().map(|&at| self.batch.ids[at]));
        self.victim.for_ids(&ids).logits(images)
    }

    /// Logits of the batch as it is, by a pass that is made anew each time.
    pub fn answer(&mut self) -> Tensor<2> {
        let every = Vec::from_iter(0..self.batch.len());
        let images = self.batch.images.clone();
        self.logits_at(&every, images)
    }

    /// Logits of the batch as it is, by a pass that is made once.
    pub fn clean(&mut self) -> Tensor<2> {
        if self.clean.is_none() {
            self.clean = Some(self.answer());
        }
        self.clean.clone().expect("the pass was made")
    }

    /// What the attack does on the batch, run once.
    ///
    /// # Errors
    ///
    /// Those of the attack.
    pub fn course(&mut self) -> Result<Arc<Course>> {
        if let Some(course) = &self.course {
            return Ok(course.clone());
        }
        let course = Course::of(self.attack, &self.victim, &self.batch, self.seed)?;
        for part in course.parts() {
            self.spent[0] += part.queries;
            self.spent[1] += part.gradients;
        }
        let course = Arc::new(course);
        self.course = Some(course.clone());
        Ok(course)
    }

    /// The parts of the attack and what came of each image: in the evaluation's run if it is at hand,
    /// else on the batch.
    ///
    /// # Errors
    ///
    /// Those of the attack.
    pub fn outcomes(&mut self) -> Result<(Vec<PartOutcome>, Vec<Outcome>)> {
        match self.whole {
            Some(whole) => Ok((whole.parts.clone(), whole.images.clone())),
            None => {
                let course = self.course()?;
                Ok((course.parts().to_vec(), course.images().to_vec()))
            }
        }
    }

    /// Runs another attack on the images at these positions of the batch.
    ///
    /// # Errors
    ///
    /// Those of the attack.
    pub fn run(&mut self, attack: &dyn Attack, positions: &[usize]) -> Result<Found> {
        let batch = self.batch.select(positions);
        let found = attack.attack(&self.victim, &batch, self.seed)?;
        let sum = |passes: &[u32]| passes.iter().map(|&n| u64::from(n)).sum::<u64>();
        self.spent[0] += sum(&found.queries);
        self.spent[1] += sum(&found.gradients);
        Ok(found)
    }
}
