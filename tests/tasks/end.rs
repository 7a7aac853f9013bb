//! Tasks come to an end: nothing waits for a lock that a task further down on its own stack holds.

use super::given::{Kind, run, tasks, within};
use std::time::Duration;

/// Trainings above all: their passes once held a lock.
const KINDS: [Kind; 6] = [
    Kind::Training,
    Kind::AttackedTraining,
    Kind::Training,
    Kind::FastAttack,
    Kind::Training,
    Kind::Evaluation,
];

// Oracle: a watch. A hundred starts, as whether threads meet is chance; every other one of trainings
// alone.
#[test]
fn value_tasks_of_pools_come_to_an_end() {
    within(Duration::from_secs(240), || {
        for start in 0..100 {
            let kinds = match start % 2 {
                0 => &KINDS[..1],
                _ => &KINDS,
            };
            tasks(2 + start % 7, 0..16, |at| {
                let bits = run(kinds[at % kinds.len()], at as u64);
                assert!(!bits.is_empty());
            });
        }
    });
}
