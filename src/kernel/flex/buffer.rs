//! Recycled memory as that of tensors.

use std::mem::MaybeUninit;

use burn::backend::{DType, Shape};
use burn_flex::{FlexTensor, Layout};
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty, Bytes};

use crate::base::errand;
use crate::kernel::cpu::count;
use crate::kernel::cpu::isa::LANES;
use crate::kernel::cpu::memory;
pub(crate) use crate::kernel::cpu::memory::Buffer;
use crate::kernel::cpu::scratch::Scratch;

/// Frees the memory that kernels keep for their next results and as scratch on the threads of the
/// current pool and of this crate's own, and forgets how much was ever in use.
///
/// For programs that will not use kernels for a long time. Memory in use is not concerned.
pub fn release_memory() {
    memory::release();
    Scratch::release();
    rayon::broadcast(|_| Scratch::release());
    errand::broadcast(Scratch::release);
}

impl Buffer {
    /// A tensor of this shape whose numbers `fill` writes.
    pub fn filled<const D: usize>(shape: [usize; D], fill: impl FnOnce(&mut [f32])) -> FlexTensor {
        let mut buffer = Self::new(count(shape));
        fill(buffer.as_floats_mut());
        buffer.into_tensor(shape)
    }

    /// Room for `count` bytes.
    pub fn bytes(count: usize) -> Self {
        Self::new(count.div_ceil(4))
    }

    /// The first `count` bytes.
    pub fn as_bytes(&self, count: usize) -> &[u8] {
        assert!(count <= 4 * self.floats, "{count} bytes fit");
        // SAFETY: initialised as in `as_floats_mut`; any byte is a `u8`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), count) }
    }

    /// The first `count` bytes.
    pub fn as_bytes_mut(&mut self, count: usize) -> &mut [u8] {
        assert!(count <= 4 * self.floats, "{count} bytes fit");
        // SAFETY: as in `as_bytes`; any `u8`s make valid `f32`s, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), count) }
    }

    /// The numbers as a tensor of this shape, which gives the memory back when it is dropped.
    pub fn into_tensor(self, shape: impl Into<Shape>) -> FlexTensor {
        let shape = shape.into();
        assert_eq!(shape.num_elements(), self.floats, "numbers for {shape:?}");
        let bytes = 4 * self.floats;
        // SAFETY: all lines are initialised, and they are at least as long.
        let bytes = unsafe { Bytes::from_controller(Box::new(self), bytes) };
        FlexTensor::new(bytes, Layout::contiguous(shape), DType::F32)
    }
}

impl AllocationController for Buffer {
    fn alloc_align(&self) -> usize {
        // What a copy must have: the memory itself is never handed over, and `Bytes` allocates with
        // no larger alignment than this.
        align_of::<u128>()
    }

    fn duplicate(&self) -> Option<Box<dyn AllocationController>> {
        // All of it: `Bytes` may have grown into what is behind the numbers.
        let mut copy = Self::new(self.lines.len() * LANES);
        copy.lines[..self.lines.len()].copy_from_slice(&self.lines);
        copy.floats = self.floats;
        Some(Box::new(copy))
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(
        &mut self,
        _: AccessPolicy,
    ) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let count = size_of_val(self.lines.as_slice());
        // SAFETY: the lines are that many bytes; the caller writes initialised ones only.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), count) })
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let count = size_of_val(self.lines.as_slice());
        // SAFETY: the lines are that many bytes.
        Ok(unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), count) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_tensor_owns_and_returns_memory() {
        let mut buffer = Buffer::new(6);
        buffer
            .as_floats_mut()
            .copy_from_slice(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let tensor = buffer.into_tensor([2, 3]);
        let copy = tensor.clone();
        assert_eq!(copy.as_slice::<f32>().unwrap()[5], 5.0);
        let data = tensor.into_data();
        assert_eq!(data.clone().iter::<f32>().sum::<f32>(), 15.0);
        assert_eq!(data.iter::<f32>().sum::<f32>(), 15.0);
        drop(copy);
        // Longer than anything else here asks for, so that nothing else takes or frees it.
        let long = 1 << 24;
        let at = |buffer: &mut Buffer| buffer.as_floats_mut().as_ptr() as usize;
        let mut first = Buffer::new(long);
        let place = at(&mut first);
        drop(first.into_tensor([long]));
        assert_eq!(at(&mut Buffer::new(long)), place);
        let mut bytes = Buffer::bytes(5);
        bytes.as_bytes_mut(5).copy_from_slice(&[1, 2, 3, 4, 5]);
        assert_eq!(bytes.as_bytes(5), [1, 2, 3, 4, 5]);
    }

    // Oracle: a clone is what it is a clone of.
    #[test]
    fn value_clones_keep_what_was_appended() {
        for floats in [1, 6, 15, 16, 17, 100] {
            let mut buffer = Buffer::new(floats);
            buffer.as_floats_mut().fill(7.0);
            let mut bytes = buffer.into_tensor([floats]).into_data().into_bytes();
            for appended in 1..=70 {
                bytes.extend_from_byte_slice(&[appended]);
                let copy = bytes.clone();
                assert_eq!(
                    copy[..],
                    bytes[..],
                    "{appended} bytes after {floats} numbers"
                );
            }
        }
    }
}
