//! Searches that may cost so many passes and no more.

use super::Trial;
use crate::base::{Error, Result};

impl Trial {
    /// Runs `search` until it has cost each image so many passes, forward and backward ones counted
    /// alike. What a further pass would tell of an image counts for nothing, and when no image has any
    /// left the search ends. A pass that only judges what was found is counted, but never refused.
    ///
    /// So what is found for an image does not depend on its batch mates, which may have more left.
    /// Budgets nest: the smaller one holds.
    ///
    /// # Errors
    ///
    /// Those of `search`, except [`Error::Budget`] where this budget was the one that was spent.
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
        let begun = self.spent.all();
        let outer = self.spent.limit(passes);
        let result = search(self);
        self.judge_pending();
        self.spent.unlimit(outer, &begun);
        match result {
            Err(Error::Budget) => Ok(()),
            result => result,
        }
    }
}
