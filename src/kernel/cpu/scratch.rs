//! Scratch memory that outlives its use: taken from the thread's store and put back, so that a
//! steady state allocates nothing and touches no fresh pages.

use std::cell::RefCell;

use super::isa::{LANES, Line};

thread_local! {
    static STORE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// Buffers kept per thread.
const KEPT: usize = 8;

/// A buffer of cache lines with unspecified contents, given back to its thread when dropped.
pub struct Scratch(Vec<Line>);

impl Scratch {
    /// At least `lines` lines; the smallest kept buffer that is large enough, else a new one.
    pub fn new(lines: usize) -> Self {
        let kept = STORE.with_borrow_mut(|store| {
            let fits = (0..store.len()).filter(|&i| store[i].len() >= lines);
            let best = fits.min_by_key(|&i| store[i].len());
            best.map(|i| store.swap_remove(i))
        });
        Self(kept.unwrap_or_else(|| vec![Line::ZERO; lines]))
    }

    /// Frees what this thread keeps.
    pub fn release() {
        STORE.with_borrow_mut(Vec::clear);
    }

    /// Room for `count` numbers.
    pub fn floats(count: usize) -> Self {
        Self::new(count.div_ceil(LANES))
    }

    /// The first `lines` lines.
    pub fn lines(&mut self, lines: usize) -> &mut [Line] {
        &mut self.0[..lines]
    }

    /// The first `count` numbers.
    pub fn numbers(&mut self, count: usize) -> &mut [f32] {
        flat_mut(&mut self.0[..count.div_ceil(LANES)])
            .split_at_mut(count)
            .0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        // The store is gone while its thread ends; then the buffer is simply freed.
        let _ = STORE.try_with(|store| {
            let mut store = store.borrow_mut();
            store.push(buffer);
            if store.len() > KEPT {
                let small = (0..store.len()).min_by_key(|&i| store[i].len());
                store.swap_remove(small.unwrap_or(0));
            }
        });
    }
}

/// Lines as numbers.
pub fn flat_mut(lines: &mut [Line]) -> &mut [f32] {
    let count = lines.len() * LANES;
    // SAFETY: a line is exactly sixteen `f32` without padding, and the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), count) }
}
