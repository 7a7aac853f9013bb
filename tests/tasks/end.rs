//! Tasks come to an end: nothing waits for a lock that a task further down on its own stack holds.

use super::given::{Kind, run, within};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use std::time::Duration;

/// Trainings above all: their passes once held a lock.
const KINDS: [Kind; 4] = [
    Kind::Training,
    Kind::AttackedTraining,
    Kind::ExactAttack,
    Kind::Evaluation,
];

// Oracle: a watch. A hundred starts, as whether threads meet is chance.
#[test]
fn value_tasks_of_pools_come_to_an_end() {
    within(Duration::from_secs(240), || {
        for start in 0..100 {
            let pool = ThreadPoolBuilder::new().num_threads(2 + start % 7);
            pool.build().unwrap().install(|| {
                (0..16usize).into_par_iter().with_max_len(1).for_each(|at| {
                    let bits = run(KINDS[at % KINDS.len()], at as u64);
                    assert!(!bits.is_empty());
                });
            });
        }
    });
}
