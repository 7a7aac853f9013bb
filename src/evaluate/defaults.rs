//! What scans take where a file says nothing.

use crate::transform::PoseBudget;

pub(super) fn poses() -> Vec<PoseBudget> {
    vec![PoseBudget::default()]
}

pub(super) fn draws() -> usize {
    1
}

pub(super) fn batch_size() -> usize {
    128
}

pub(super) fn components() -> usize {
    8
}

pub(super) fn yes() -> bool {
    true
}
