//! Work with settings of its own, kept apart from the tasks of rayon's pools.
//!
//! A thread of a pool that waits, as it does inside of every large tensor operation, takes up another
//! task of its pool in the meantime, and that task would find whatever the thread holds: the neighbour's
//! numerics, say. So nothing is ever set on a thread of somebody's pool. What wants a setting there is an
//! *errand*: it runs on a pool of our own, where all tasks that read settings are errands, and each
//! sees its own settings only.

#[cfg(not(feature = "flex"))]
use plain as place;
#[cfg(feature = "flex")]
use pooled as place;

#[cfg(feature = "train")]
pub(crate) use place::on_pool;
pub(crate) use place::{current, run};
#[cfg(feature = "flex")]
pub(crate) use pooled::broadcast;

/// Without the CPU backend no operation waits on a pool.
#[cfg(not(feature = "flex"))]
mod plain {
    pub fn run<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    pub fn current() -> u64 {
        0
    }

    #[cfg(feature = "train")]
    pub fn on_pool() -> bool {
        false
    }
}

#[cfg(feature = "flex")]
mod pooled {
    use rayon::{ThreadPool, ThreadPoolBuilder};
    use std::cell::Cell;
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, PoisonError, mpsc};

    thread_local! {
        static CURRENT: Cell<u64> = const { Cell::new(0) };
        /// Whether this is a thread of our own pools.
        static OURS: Cell<bool> = const { Cell::new(false) };
    }

    /// Our pools by their number of threads, so that the limit of the pool that an errand comes from
    /// holds for it as well.
    static POOLS: Mutex<BTreeMap<usize, Arc<ThreadPool>>> = Mutex::new(BTreeMap::new());

    /// The errand that runs on this thread; 0 for everything else.
    pub fn current() -> u64 {
        CURRENT.get()
    }

    /// Whether this thread is one of a pool, and may so take up a task while it waits for another.
    pub fn on_pool() -> bool {
        rayon::current_thread_index().is_some()
    }

    /// Runs `work` where it may set what a thread holds: as an errand if this is a thread of somebody's
    /// pool, else right here.
    pub fn run<R: Send>(work: impl FnOnce() -> R + Send) -> R {
        if !on_pool() || OURS.get() {
            return work();
        }
        let pool = pool(rayon::current_num_threads());
        let (sender, receiver) = mpsc::sync_channel(1);
        let result = pool.in_place_scope(|scope| {
            scope.spawn(move |_| {
                let _ = sender.send(errand(work));
            });
            // Waiting as rayon does would take up one task of the caller's pool after the other, each
            // on top of the one before, until the stack is full.
            receiver.recv()
        });
        result.expect("a panic of the errand has passed the scope")
    }

    fn errand<R>(work: impl FnOnce() -> R) -> R {
        struct Restore(u64);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        static NEXT: AtomicU64 = AtomicU64::new(1);
        // This thread may be waiting inside of another errand.
        let _restore = Restore(CURRENT.replace(NEXT.fetch_add(1, Ordering::Relaxed)));
        work()
    }

    fn pool(threads: usize) -> Arc<ThreadPool> {
        let make = || {
            let pool = ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|at| format!("fireproof-{at}"))
                .start_handler(|_| OURS.set(true))
                .build();
            Arc::new(pool.expect("as many threads as the caller's pool has"))
        };
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.entry(threads).or_insert_with(make).clone()
    }

    /// Calls `each` on every thread of our pools.
    pub fn broadcast(each: impl Fn() + Sync) {
        let pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for pool in pools.values() {
            pool.broadcast(|_| each());
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::pooled::{current, on_pool, run};
    use rayon::ThreadPoolBuilder;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn value_only_tasks_of_pools_go_on_errands() {
        let here = std::thread::current().id();
        let name = || std::thread::current().name().unwrap_or_default().to_owned();
        assert_eq!(run(|| (std::thread::current().id(), current())), (here, 0));
        let pool = ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let (outer, inner) = pool.install(|| {
            assert!(on_pool());
            run(|| {
                assert_eq!(rayon::current_num_threads(), 3);
                let outer = (name(), current());
                (outer, run(|| (name(), current())))
            })
        });
        assert!(outer.0.starts_with("fireproof-") && outer.1 > 0);
        assert_eq!(inner, outer, "an errand's own scopes are part of it");
        assert_eq!(pool.install(current), 0);
    }

    #[test]
    fn error_panics_pass_and_leave_nothing() {
        let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let broken = catch_unwind(AssertUnwindSafe(|| {
            pool.install(|| run(|| panic!("as work may")))
        }));
        let said = broken.unwrap_err();
        assert_eq!(said.downcast_ref::<&str>(), Some(&"as work may"));
        let errand = || pool.install(|| run(current));
        assert!(errand() < errand());
    }
}
