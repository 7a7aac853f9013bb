use super::remade;
use crate::attack::rows::{replace, select};
use crate::attack::trial::Seen;
use crate::attack::{Candidate, Trial};
use crate::base::Result;
use crate::transform::{Pose, Warp};
use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// A search that shows the victim many poses of each image, in rounds.
///
/// After a round only those go on that nothing has fooled. How many poses a round has for an image is for
/// the attack to say, whatever the batch, so that what is found for an image, and at what cost, is what is
/// found for it alone. Within a round the poses of all images follow each other in passes as large as
/// the batch that the [`Trial`] was made of: memory is bounded by that, and a few images with many poses
/// fill a pass.
pub(super) struct Visits<'a> {
    trial: &'a mut Trial,
    warp: Warp,
    standing: Vec<usize>,
    // Of each image, once it has met a pose.
    met: Vec<Option<Met>>,
    // Of the passes that judged them: a row for each image, once there is one.
    logits: Option<Tensor<2>>,
}

/// The best pose so far.
#[derive(Clone, Copy)]
struct Met {
    pose: Pose,
    seen: Seen,
    // What the image had cost when one first had this verdict.
    passes: u32,
}

/// A pose of the image at a position.
struct Row {
    at: usize,
    pose: Pose,
    passes: u32,
}

impl<'a> Visits<'a> {
    /// On all images of a trial, by this warp.
    pub fn new(trial: &'a mut Trial, warp: Warp) -> Self {
        Self {
            warp,
            standing: Vec::from_iter(0..trial.len()),
            met: vec![None; trial.len()],
            logits: None,
            trial,
        }
    }

    /// Whether no image goes on.
    pub fn is_over(&self) -> bool {
        self.standing.is_empty()
    }

    /// Shows each image that goes on in the poses that are said for its position, and tells `met` what
    /// came of each.
    ///
    /// # Errors
    ///
    /// Those of passes.
    pub fn round(
        &mut self,
        mut poses: impl FnMut(usize) -> Vec<Pose>,
        mut met: impl FnMut(usize, Pose, Seen),
    ) -> Result<()> {
        let (mut rows, mut broke) = (Vec::new(), Vec::new());
        for &at in &self.standing {
            let mut wanted = poses(at);
            let paid = self.trial.affordable(at, wanted.len());
            if paid < wanted.len() {
                broke.push(at);
                wanted.truncate(paid);
            }
            rows.extend(wanted.into_iter().enumerate().map(|(index, pose)| Row {
                at,
                pose: remade::rounded(pose, self.trial.originals()),
                passes: self.trial.passes_after(at, index + 1),
            }));
        }
        for rows in rows.chunks(self.trial.rows()) {
            for (row, seen) in rows.iter().zip(self.judge(rows)?) {
                met(row.at, row.pose, seen);
            }
        }
        broke.iter().for_each(|&at| self.trial.turn_down(at));
        let stands = |at: &usize| self.met[*at].is_none_or(|met| !met.seen.fooled);
        self.standing
            .retain(|at| stands(at) && self.trial.affords(*at));
        Ok(())
    }

    // One pass.
    fn judge(&mut self, rows: &[Row]) -> Result<Vec<Seen>> {
        let positions = Vec::from_iter(rows.iter().map(|row| row.at));
        let poses = Vec::from_iter(rows.iter().map(|row| row.pose));
        let images = remade::images(self.trial, self.warp, &positions, &poses);
        let logits = self.trial.logits_at(&positions, images)?;
        let all = self.trial.seen_at(&positions, logits.clone());
        // The best row of each image that has met none as good.
        let mut better = BTreeMap::new();
        for (index, (row, &seen)) in rows.iter().zip(&all).enumerate() {
            let before = &mut self.met[row.at];
            if before.is_some_and(|before| !seen.beats(before.seen)) {
                continue;
            }
            let first = before.filter(|before| before.seen.fooled == seen.fooled);
            *before = Some(Met {
                pose: row.pose,
                seen,
                passes: first.map_or(row.passes, |first| first.passes),
            });
            better.insert(row.at, index);
        }
        if !better.is_empty() {
            let (at, index): (Vec<_>, Vec<_>) = better.into_iter().unzip();
            let chosen = select(&logits, &index);
            let kept = self.logits.take().unwrap_or_else(|| {
                let shape = [self.met.len(), logits.dims()[1]];
                Tensor::zeros(shape, (&logits.device(), logits.dtype()))
            });
            self.logits = Some(replace(kept, &at, chosen));
        }
        Ok(all)
    }

    /// Offers the best pose of each image.
    ///
    /// # Errors
    ///
    /// Those of the trial.
    pub fn offer(self) -> Result<()> {
        let Some(logits) = self.logits else {
            return Ok(());
        };
        let each = self.met.iter().enumerate();
        let met = each.filter_map(|(at, met)| met.map(|met| (at, met)));
        let (at, met): (Vec<usize>, Vec<Met>) = met.unzip();
        let poses = Vec::from_iter(met.iter().map(|met| met.pose));
        let passes = Vec::from_iter(met.iter().map(|met| met.passes));
        let images = remade::images(self.trial, self.warp, &at, &poses);
        let rows = remade::rows(&poses, &images);
        let logits = select(&logits, &at);
        self.trial.part(&at, |trial| {
            trial.offer_seen(Candidate::moved(images, rows), logits, &passes);
            Ok(())
        })
    }
}

/// Rounds that grow from one pose to 64: who falls early costs little, who stands fills passes.
pub(super) fn growing<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    let mut size = 1;
    std::iter::from_fn(move || {
        let (round, rest) = items.split_at(size.min(items.len()));
        items = rest;
        size = (2 * size).min(64);
        (!round.is_empty()).then_some(round)
    })
}
