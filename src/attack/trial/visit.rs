//! What searches need that try many changes of each image, several of them in one pass.

use super::Trial;
use crate::attack::Candidate;
use crate::attack::candidate::Best;
use crate::attack::goal::{fooled, predicted_classes};
use crate::base::{indices, read};
use burn::tensor::Tensor;

/// What one pass says of one change of an image.
#[derive(Clone, Copy, Debug)]
pub(in crate::attack) struct Seen {
    /// Whether it fools.
    pub fooled: bool,
    /// What the goal ranks it by: the unsaturated loss; the lowest of all where that is NaN.
    pub rank: f64,
}

impl Seen {
    /// Whether it is better than another one: fooling before not, then the higher loss.
    pub fn beats(self, other: Self) -> bool {
        match self.fooled == other.fooled {
            true => self.rank > other.rank,
            false => self.fooled,
        }
    }
}

impl Trial {
    /// How many images a pass may have at most: as many as the batch that the trial was made of, of
    /// which this one may be a part.
    pub(in crate::attack) fn rows(&self) -> usize {
        self.whole
    }

    /// Judges changes of the images at these positions, which may name one several times, by the logits
    /// of a pass on them.
    pub(in crate::attack) fn seen_at(&self, positions: &[usize], logits: Tensor<2>) -> Vec<Seen> {
        let at = indices(positions.iter().copied(), &logits.device());
        let reference = self.reference.select(&at);
        let loss = self.loss.unsaturated(logits.clone(), &reference);
        // Asked of the device: a comparison on the host would not know what a shader took for NaN.
        let lost = loss.clone().is_nan();
        let rank = loss.mask_fill(lost, f32::MIN);
        let fooled = fooled(predicted_classes(logits), &reference).float();
        let both = Tensor::cat(vec![fooled.cast(rank.dtype()), rank], 0);
        let both: Vec<f64> = read(&both);
        let (fooled, rank) = both.split_at(positions.len());
        let pairs = fooled.iter().zip(rank);
        pairs
            .map(|(&fooled, &rank)| Seen {
                fooled: fooled > 0.0,
                rank,
            })
            .collect()
    }

    /// The passes that the image at this position will have cost after so many more forward passes.
    pub(in crate::attack) fn passes_after(&self, position: usize, more: usize) -> u32 {
        self.spent.passes(position) + more as u32 * self.spent.query_counts()
    }

    /// The passes that each image has cost, and 1 where one was more than what it had left, if there is
    /// any such image `[batch]`.
    pub(in crate::attack) fn spent_by_now(&self) -> (Tensor<1>, Option<Tensor<1>>) {
        (self.spent.on_device(), self.spent.out())
    }

    /// Offers candidates of which a pass that their images could afford has said this, when they had cost
    /// so many passes, whatever they could not afford since. `loss` is what was climbed, unsaturated, and
    /// `f32::MIN` for an image that could afford no pass.
    pub(in crate::attack) fn offer_searched(
        &mut self,
        candidate: Candidate,
        logits: Tensor<2>,
        loss: Tensor<1>,
        passes: Tensor<1>,
    ) {
        let candidate = self.allowed_candidate(candidate);
        self.judge_pending();
        let never = loss.clone().equal_elem(f32::MIN);
        let goal = self.climbs_goal().then_some(loss);
        let judged = self.judged(candidate, logits, goal, false);
        self.join(Best {
            passes,
            loss: judged.loss.mask_fill(never.clone(), f32::MIN),
            fooled: judged.fooled.mask_fill(never, 0.0),
            ..judged
        });
    }

    /// Offers candidates with the logits of exact passes on exactly these images, which an image had
    /// cost so many passes to find.
    pub(in crate::attack) fn offer_seen(
        &mut self,
        candidate: Candidate,
        logits: Tensor<2>,
        passes: &[u32],
    ) {
        let candidate = self.allowed_candidate(candidate);
        self.judge_pending();
        let mut judged = self.judged(candidate, logits, None, true);
        let passes = Vec::from_iter(passes.iter().map(|&passes| passes as f32));
        judged.passes = Tensor::from_data(passes.as_slice(), &judged.passes.device());
        self.join(judged);
    }
}
