//! Tasks give what they give alone: no thread hands the settings of one to another.

use super::given::{Kind, run, within};
use fireproof::kernel::Numerics;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use std::time::Duration;

const SEEDS: u64 = 4;

// Oracle: the same task on a single thread, bit for bit. `FIREPROOF_TASKS` says how many, for instance
// 5000.
#[test]
fn value_tasks_of_pools_give_what_they_give_alone() {
    let many = std::env::var("FIREPROOF_TASKS").map_or(1000, |many| many.parse().unwrap());
    let tasks: Vec<(Kind, u64)> = (0..SEEDS)
        .flat_map(|seed| Kind::ALL.map(|kind| (kind, seed)))
        .collect();
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let alone: Vec<Vec<u32>> = pool(1).install(|| {
        let each = tasks.iter().map(|&(kind, seed)| run(kind, seed));
        each.collect()
    });
    // A leak would show.
    let of = |kind| tasks.iter().position(|&task| task == (kind, 0)).unwrap();
    if Numerics::current() == Numerics::Exact {
        assert_ne!(alone[of(Kind::FastAttack)], alone[of(Kind::ExactAttack)]);
    }
    within(Duration::from_secs(600), || {
        let mut differ = Vec::new();
        for threads in 2..=8 {
            let share = many / 7 + usize::from(threads - 2 < many % 7);
            let found: Vec<usize> = pool(threads).install(|| {
                (0..share)
                    .into_par_iter()
                    .with_max_len(1)
                    .map(|at| at * 13 % tasks.len())
                    .filter(|&at| run(tasks[at].0, tasks[at].1) != alone[at])
                    .collect()
            });
            differ.extend(found.into_iter().map(|at| (threads, tasks[at])));
        }
        println!("{} of {many} tasks differ", differ.len());
        assert!(differ.is_empty(), "{} of {many}: {differ:?}", differ.len());
    });
}
