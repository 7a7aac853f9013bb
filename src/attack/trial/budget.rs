//! Searches that may cost so many passes and no more.

use super::Trial;
use crate::base::{Error, Result};
use crate::kernel::Numerics;
use burn::tensor::Tensor;

impl Trial {
    /// Whether the image at this position could afford every pass that was made.
    pub(in crate::attack) fn affords(&self, position: usize) -> bool {
        self.spent.affords(position)
    }

    /// How many of so many forward passes the image at this position can afford.
    pub(in crate::attack) fn affordable(&self, position: usize, passes: usize) -> usize {
        self.spent.affordable(position, passes)
    }

    /// Takes note that the image at this position would have made a pass that it cannot afford.
    pub(in crate::attack) fn turn_down(&mut self, position: usize) {
        // Whether anybody has passes left is for the next one who asks.
        let _ = self.spent.pay([position], false);
    }

    /// Offers candidates of [draft](Self::draft_at) passes that their images could afford, whatever they
    /// could not since.
    pub(in crate::attack) fn offer_found(&mut self, images: Tensor<4>, logits: Tensor<2>) {
        let candidate = self.allowed_candidate(images);
        self.judge_pending();
        let exact = self.victim.numerics() == Numerics::Exact;
        let judged = self.judged(candidate, logits, None, exact);
        self.join(judged);
    }

    /// Runs `search` until it has cost each image so many passes, forward and backward ones counted
    /// alike. What a further pass would tell of an image counts for nothing, and when no image has any
    /// left the search ends. A pass that only judges what was found is counted, but never refused.
    ///
    /// So what is found for an image does not depend on its batch mates, which may have more left.
    /// Budgets nest: the smaller one holds.
    ///
    /// # Errors
    ///
    /// Those of `search`, except [`Error::Budget`]: that is its end. Where a budget around this one is
    /// spent too, the next pass says so.
    ///
    /// # Panics
    ///
    /// Panics unless there is a number for each image.
    pub fn in_budget(
        &mut self,
        passes: &[u32],
        search: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        assert_eq!(passes.len(), self.len(), "a budget for each image");
        // What was offered before is no part of it.
        self.judge_pending();
        let outer = self.spent.limit(passes);
        let result = search(self);
        self.judge_pending();
        self.spent.unlimit(outer);
        match result {
            Err(Error::Budget) => Ok(()),
            result => result,
        }
    }
}
