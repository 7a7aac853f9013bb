//! Memory of results, used again and again.
//!
//! A fresh page costs about as much as computing on it. A [`Buffer`] is taken from a store and
//! goes back to it when what owns it is dropped, so that in the steady state of an
//! attack or a training no page is fresh. Idle and used memory together never exceed twice the most that was
//! in use at one time, each piece counted whole: a piece may be up to twice as long as what it holds.

use std::sync::Mutex;

use super::isa::{LANES, Line};

static STORE: Mutex<Store> = Mutex::new(Store {
    idle: Vec::new(),
    used: 0,
    peak: 0,
});

/// Sizes are counted in lines.
struct Store {
    /// The least recently used first.
    idle: Vec<Vec<Line>>,
    used: usize,
    peak: usize,
}

impl Store {
    fn take(&mut self, lines: usize) -> Vec<Line> {
        // The smallest one that is large enough, unless most of it would lie fallow.
        let fits = |line: &Vec<Line>| line.len() >= lines && line.len() / 2 <= lines;
        let best = (0..self.idle.len())
            .filter(|&at| fits(&self.idle[at]))
            .min_by_key(|&at| self.idle[at].len());
        let found = best.map(|at| self.idle.remove(at));
        self.used += found.as_ref().map_or(lines, Vec::len);
        self.peak = self.peak.max(self.used);
        let found = found.unwrap_or_default();
        self.trim();
        found
    }

    fn give(&mut self, lines: Vec<Line>) {
        self.used -= lines.len();
        self.idle.push(lines);
        self.trim();
    }

    fn trim(&mut self) {
        let most = 2 * self.peak;
        let mut held = self.used + self.idle.iter().map(Vec::len).sum::<usize>();
        let mut old = 0;
        while held > most && old < self.idle.len() {
            held -= self.idle[old].len();
            old += 1;
        }
        self.idle.drain(..old);
    }
}

fn store() -> std::sync::MutexGuard<'static, Store> {
    // Nothing in the store can be half done when a thread panics with it.
    STORE.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Frees what is idle, and forgets how much was ever in use.
pub fn release() {
    let mut store = store();
    store.idle.clear();
    store.peak = store.used;
}

/// Memory from the store, with unspecified contents.
#[derive(Debug)]
pub(crate) struct Buffer {
    pub lines: Vec<Line>,
    pub floats: usize,
}

impl Buffer {
    /// Room for `floats` numbers.
    pub fn new(floats: usize) -> Self {
        let lines = floats.div_ceil(LANES);
        let mut found = store().take(lines);
        if found.len() < lines {
            // Outside the lock; zeroed pages come from the system without being touched.
            found = vec![Line::ZERO; lines];
        }
        Self {
            lines: found,
            floats,
        }
    }

    /// The numbers.
    pub fn as_floats_mut(&mut self) -> &mut [f32] {
        // SAFETY: lines are sixteen `f32` without padding, all initialised, there are at least
        // `floats` of them, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.floats) }
    }

    /// The numbers.
    pub fn as_floats(&self) -> &[f32] {
        // SAFETY: as in `as_floats_mut`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.floats) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        store().give(std::mem::take(&mut self.lines));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(count: usize) -> Vec<Line> {
        vec![Line::ZERO; count]
    }

    fn held(store: &Store) -> usize {
        store.used + store.idle.iter().map(Vec::len).sum::<usize>()
    }

    #[test]
    fn value_store_returns_what_it_got_and_stays_small() {
        let mut store = Store {
            idle: Vec::new(),
            used: 0,
            peak: 0,
        };
        let take = |store: &mut Store, lines: usize| {
            let found = store.take(lines);
            if found.is_empty() { line(lines) } else { found }
        };
        let (large, small) = (take(&mut store, 100), take(&mut store, 10));
        let at = large.as_ptr();
        store.give(large);
        store.give(small);
        assert_eq!((store.used, held(&store)), (0, 110));
        // The large one is too large for a small request, and right for a similar one.
        let again = take(&mut store, 8);
        assert_eq!(again.len(), 10);
        let large = take(&mut store, 60);
        assert_eq!((large.len(), large.as_ptr()), (100, at));
        store.give(again);
        store.give(large);
        // Ever other sizes push the old ones out.
        for lines in 20..90 {
            let one = take(&mut store, lines);
            assert!(one.len() >= lines);
            assert!(held(&store) <= 2 * 110);
            store.give(one);
            assert!(held(&store) <= 2 * 110);
        }
    }
}
