//! Things made ahead of their use by another thread.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

/// An iterator that another thread goes through, at most so many things ahead.
///
/// They come in the iterator's order, so nothing depends on the thread. It ends with the iterator, or
/// when this is dropped, which waits for it: no thread outlives what it works for. Its panic passes on
/// to whoever asks for the next thing.
pub(super) struct Ahead<T> {
    made: Option<Receiver<T>>,
    worker: Option<JoinHandle<()>>,
}

impl<T: Send + 'static> Ahead<T> {
    /// # Panics
    ///
    /// Panics if `most` is 0, or the system gives no thread.
    pub fn new(things: impl Iterator<Item = T> + Send + 'static, most: usize) -> Self {
        assert!(most > 0, "nothing ahead needs no thread");
        // One is in the thread's hands, the others wait here.
        let (sender, made) = sync_channel(most - 1);
        let work = move || {
            for thing in things {
                if sender.send(thing).is_err() {
                    break;
                }
            }
        };
        let worker = Builder::new().name("fireproof-batches".to_owned());
        Self {
            made: Some(made),
            worker: Some(worker.spawn(work).expect("a thread for batches")),
        }
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let next = self.made.as_ref()?.recv().ok();
        if next.is_none() {
            self.made = None;
            if let Some(Err(panic)) = self.worker.take().map(JoinHandle::join) {
                resume_unwind(panic);
            }
        }
        next
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        // Whoever waits to hand something over stops waiting.
        self.made = None;
        if let Some(worker) = self.worker.take() {
            // Its panic would come on top of what ends here.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    #[test]
    fn value_everything_comes_in_order() {
        for most in [1, 2, 7] {
            let things = Ahead::new(0..1000, most);
            assert!(things.eq(0..1000), "{most} ahead");
        }
        assert_eq!(Ahead::new(0..0, 3).next(), None);
    }

    #[test]
    fn convention_no_more_are_made_than_asked_for() {
        let made = Arc::new(AtomicUsize::new(0));
        let counted = made.clone();
        let things = (0..100).inspect(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let mut ahead = Ahead::new(things, 3);
        assert_eq!(ahead.next(), Some(0));
        // Oracle: the one taken, two that wait, one in hand. Then it has time to make more.
        let began = Instant::now();
        while made.load(Ordering::SeqCst) < 4 && began.elapsed() < Duration::from_secs(60) {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(made.load(Ordering::SeqCst), 4);
    }

    #[test]
    fn convention_the_thread_ends_with_what_it_works_for() {
        // Oracle: what the thread holds is given up when the drop is over.
        let held = Arc::new(());
        let holding = held.clone();
        let mut ahead = Ahead::new((0..).map(move |at| (at, holding.clone()).0), 2);
        ahead.next();
        drop(ahead);
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[test]
    fn error_a_panic_passes_on_in_its_turn() {
        let broken = (0..9).map(|at| if at == 2 { panic!("no third one") } else { at });
        let mut ahead = Ahead::new(broken, 4);
        assert_eq!([ahead.next(), ahead.next()], [Some(0), Some(1)]);
        let panic = catch_unwind(AssertUnwindSafe(|| ahead.next())).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"no third one"));
        assert_eq!(ahead.next(), None);
    }
}
