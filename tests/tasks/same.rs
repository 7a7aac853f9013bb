//! Tasks give what they give alone: no thread hands the settings of one to another.

use super::given::{Kind, run, tasks, within};
use fireproof::kernel::Numerics;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

const SEEDS: u64 = 4;

// Oracle: the same task on a single thread, bit for bit. `FIREPROOF_TASKS` says how many, for instance
// 5000.
#[test]
fn value_tasks_of_pools_give_what_they_give_alone() {
    let many = std::env::var("FIREPROOF_TASKS").map_or(1000, |many| many.parse().unwrap());
    let kinds: Vec<(Kind, u64)> = (0..SEEDS)
        .flat_map(|seed| Kind::ALL.map(|kind| (kind, seed)))
        .collect();
    let alone: Vec<OnceLock<Vec<u32>>> = kinds.iter().map(|_| OnceLock::new()).collect();
    tasks(1, 0..kinds.len(), |at| {
        let (kind, seed) = kinds[at];
        alone[at].set(run(kind, seed)).unwrap();
    });
    let alone: Vec<Vec<u32>> = alone
        .into_iter()
        .map(|one| one.into_inner().unwrap())
        .collect();
    // A leak would show.
    let of = |kind| kinds.iter().position(|&task| task == (kind, 0)).unwrap();
    if Numerics::current() == Numerics::Exact {
        assert_ne!(alone[of(Kind::FastAttack)], alone[of(Kind::ExactAttack)]);
    }
    within(Duration::from_secs(600), || {
        let mut differ = Vec::new();
        for threads in 2..=8 {
            let share = many / 7 + usize::from(threads - 2 < many % 7);
            let found = Mutex::new(Vec::new());
            tasks(threads, 0..share, |at| {
                let at = at * 13 % kinds.len();
                let (kind, seed) = kinds[at];
                if run(kind, seed) != alone[at] {
                    found.lock().unwrap().push((threads, kind, seed));
                }
            });
            differ.extend(found.into_inner().unwrap());
        }
        println!("{} of {many} tasks differ", differ.len());
        assert!(differ.is_empty(), "{} of {many}: {differ:?}", differ.len());
    });
}
