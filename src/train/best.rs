use crate::train::{Course, EpochRecord};
use burn::train::checkpoint::{CheckpointingAction, CheckpointingStrategy};
use burn::train::metric::store::EventStoreClient;
use std::collections::BTreeSet;
use std::sync::Arc;

// The last epochs whose checkpoints are kept: while one is written, the one before is complete.
const LAST: usize = 2;

/// The record of the epoch of the highest robust accuracy; of equal ones, the first. Nothing if it was
/// never measured.
pub fn best_epoch(records: &[EpochRecord]) -> Option<&EpochRecord> {
    let mut best: Option<(&EpochRecord, f64)> = None;
    for record in records {
        let Some(accuracy) = record.robust.map(|robust| robust.accuracy) else {
            continue;
        };
        if best.is_none_or(|(_, most)| accuracy > most) {
            best = Some((record, accuracy));
        }
    }
    best.map(|(record, _)| record)
}

/// Keeps the checkpoints of the last two epochs, and of the best one where robustness is measured.
pub(super) struct LastAndBest {
    pub course: Arc<Course>,
    /// Epochs whose checkpoints there are.
    pub kept: BTreeSet<usize>,
}

impl CheckpointingStrategy for LastAndBest {
    fn checkpointing(
        &mut self,
        epoch: usize,
        _store: &EventStoreClient,
    ) -> Vec<CheckpointingAction> {
        let past = self.course.past();
        // Of each of the last epochs also what was best when it was done: to any of them a
        // training may have to fall back, should it be killed while it writes the next one.
        let oldest = (epoch + 1).saturating_sub(LAST).max(1);
        let wanted = (oldest..=epoch).flat_map(|last| {
            let until = past.partition_point(|record| record.epoch <= last);
            let best = best_epoch(&past[..until]).map(|record| record.epoch);
            [Some(last), best]
        });
        let wanted = BTreeSet::from_iter(wanted.flatten());
        self.kept.insert(epoch);
        let gone: Vec<usize> = self.kept.difference(&wanted).copied().collect();
        self.kept.retain(|epoch| wanted.contains(epoch));
        let gone = gone.into_iter().map(CheckpointingAction::Delete);
        std::iter::once(CheckpointingAction::Save)
            .chain(gone)
            .collect()
    }
}
