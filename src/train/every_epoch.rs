use burn::train::EarlyStoppingStrategy;
use burn::train::metric::store::EventStoreClient;

/// Stops no training: but burn-train, asked at the end of an epoch whether to stop, waits until
/// the [`Monitor`](super::monitor::Monitor) has taken the epoch down, so that the next one's stage
/// may depend on it.
#[derive(Clone)]
pub(super) struct EveryEpoch;

impl EarlyStoppingStrategy for EveryEpoch {
    fn should_stop(&mut self, _epoch: usize, _store: &EventStoreClient) -> bool {
        false
    }
}
