/// An output tensor that units write at once, each its own rows.
#[derive(Clone, Copy)]
pub(crate) struct Shared {
    start: *mut f32,
    len: usize,
}

// SAFETY: rows are handed out by `Shared::slice`, whose callers promise that no two overlap.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Shares `all`, which must stay borrowed while the result is in use.
    pub fn new(all: &mut [f32]) -> Self {
        Self {
            start: all.as_mut_ptr(),
            len: all.len(),
        }
    }

    /// Where the number at `at` is, or would be: to tell the memory of it, not to be read.
    #[inline(always)]
    pub fn place(self, at: usize) -> *const f32 {
        self.start.wrapping_add(at)
    }

    /// `len` numbers from `start`.
    ///
    /// # Safety
    /// The shared slice is still borrowed for this use, and no other live slice overlaps.
    #[inline(always)]
    pub unsafe fn slice<'a>(self, start: usize, len: usize) -> &'a mut [f32] {
        assert!(start <= self.len && len <= self.len - start);
        // SAFETY: in bounds by the assertion; exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}
