//! Settings that hold while some work runs, such as its numerics, and for nothing else.

use super::errand;
use std::cell::RefCell;
use std::thread::LocalKey;

/// A setting of the work that runs on this thread; one static for each, thread-local.
///
/// It is held by the thread, but belongs to the [errand](super::errand) that set it: what the thread
/// takes up while that one waits does not see it.
pub(crate) struct Setting<T: 'static>(RefCell<Option<Held<T>>>);

struct Held<T> {
    errand: u64,
    value: T,
}

impl<T> Setting<T> {
    /// Not set.
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// Runs `work` with this value, and tells what has become of it meanwhile.
    pub fn during<R: Send>(
        at: &'static LocalKey<Self>,
        value: T,
        work: impl FnOnce() -> R + Send,
    ) -> (R, T)
    where
        T: Send,
    {
        errand::run(move || {
            let errand = errand::current();
            let held = Held { errand, value };
            let before = at.with(|setting| setting.0.replace(Some(held)));
            // At the end, also when a panic passes.
            let restore = Restore { at, before };
            let result = work();
            let held = at.with(|setting| setting.0.take());
            drop(restore);
            (result, held.expect("scopes within have ended").value)
        })
    }

    /// What `look` makes of the value that holds here, if there is one.
    pub fn with<R>(at: &'static LocalKey<Self>, look: impl FnOnce(&mut T) -> R) -> Option<R> {
        at.with(|setting| {
            let mut held = setting.0.borrow_mut();
            let held = held.as_mut();
            let ours = held.filter(|held| held.errand == errand::current());
            ours.map(|held| look(&mut held.value))
        })
    }
}

struct Restore<T: 'static> {
    at: &'static LocalKey<Setting<T>>,
    before: Option<Held<T>>,
}

impl<T> Drop for Restore<T> {
    fn drop(&mut self) {
        let before = self.before.take();
        self.at.with(|setting| *setting.0.borrow_mut() = before);
    }
}
