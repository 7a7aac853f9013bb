//! A set of twelve images.

use fireproof::data::ImageSet;

/// Twelve 2×1×2 images of three classes; image `i` has label `i % 3` and first byte `i`.
pub fn twelve() -> ImageSet {
    let pixels = (0..12).flat_map(|i| [i, 255, 0, 51]).collect();
    let labels = (0..12).map(|i| i % 3).collect();
    ImageSet::new("twelve", [2, 1, 2], 3, pixels, labels).unwrap()
}
