//! The embedded digits.

use crate::common::fnv1a;
use fireproof::data::embedded_mnist;
use std::fs;
use std::path::Path;

#[test]
fn value_embedded_digits_are_the_ones_drawn_from_the_release() {
    // Oracle: FNV-1a of the arrays that `data/mnist/make.py` takes from the release (whose MD5
    // sums it checks), computed in Python.
    let digits = embedded_mnist();
    for (set, per_class, pixels, labels) in [
        (
            &digits.train,
            700,
            0x00fe_b299_c0b0_80e6,
            0xc52e_3043_b020_f855,
        ),
        (
            &digits.test,
            200,
            0x31f0_4241_7cd6_f005,
            0xea56_3c3e_7d68_63c5,
        ),
    ] {
        assert_eq!(set.shape(), [1, 28, 28]);
        assert_eq!(set.class_counts(), vec![per_class; 10]);
        assert_eq!(
            fnv1a((0..set.len()).flat_map(|p| set.pixels(p).to_vec())),
            pixels
        );
        assert_eq!(fnv1a(set.labels()), labels);
    }
}

#[test]
fn convention_embedded_digits_are_interleaved_by_class() {
    let digits = embedded_mnist();
    for set in [&digits.train, &digits.test] {
        assert!(
            set.labels()
                .iter()
                .enumerate()
                .all(|(i, &l)| usize::from(l) == i % 10)
        );
    }
    assert_eq!(digits.test.take(70).class_counts(), [7; 10]);
}

#[test]
fn convention_embedded_digits_stay_within_their_size() {
    // The package may spend 1.6 MB on them.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    let bytes: u64 = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= 1_600_000, "{bytes} bytes");
}
