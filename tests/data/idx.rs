//! MNIST and other files in the IDX format.

use super::files::{
    TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, folder_with, gzip, idx_bytes, images,
    labels, refusal, refused, whole,
};
use fireproof::data::{idx, mnist};
use std::fs;
use tempfile::tempdir;

#[test]
fn value_mnist_folder_plain_gzipped_and_under_either_name() {
    // Oracle: the bytes that were written.
    for packed in [false, true] {
        for (dotted, suffix) in [(false, ""), (true, ""), (false, ".gz"), (true, ".gz")] {
            let dir = tempdir().unwrap();
            for (name, content) in whole() {
                let name = if dotted {
                    name.replace("-idx", ".idx")
                } else {
                    name.to_owned()
                };
                // Gzip is known by its first bytes, so name and content may disagree.
                let content = if packed { gzip(&content) } else { content };
                fs::write(dir.path().join(name + suffix), content).unwrap();
            }
            let splits = mnist(dir.path()).unwrap();
            assert_eq!(splits.train.labels(), [0, 1, 2]);
            assert_eq!(splits.train.pixels(1), &images(3)[16 + 784..16 + 2 * 784]);
            assert_eq!(splits.test.len(), 2);
            assert_eq!(splits.test.shape(), [1, 28, 28]);
        }
    }
}

// Oracle: the same files in the folder itself. A folder that has both is taken as it is.
#[test]
fn value_mnist_as_torchvision_leaves_it() {
    let dir = folder_with("none", &[]);
    let there = mnist(dir.path()).unwrap();
    let above = tempdir().unwrap();
    for inside in ["raw", "MNIST/raw"] {
        let raw = above.path().join(inside);
        fs::create_dir_all(&raw).unwrap();
        for (name, content) in whole() {
            fs::write(raw.join(name), content).unwrap();
        }
        let found = mnist(above.path()).unwrap();
        assert_eq!(found.train.pixels(2), there.train.pixels(2), "{inside}");
        fs::remove_dir_all(&raw).unwrap();
    }
    let error = mnist(above.path()).unwrap_err().to_string();
    assert!(
        error.contains(&above.path().display().to_string()) && !error.contains("raw"),
        "{error}"
    );
}

#[test]
fn value_idx_reads_any_size_and_number_of_classes() {
    let dir = tempdir().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    fs::write(&a, idx_bytes(&[2, 1, 3], &[1, 2, 3, 4, 5, 6])).unwrap();
    fs::write(&b, gzip(&idx_bytes(&[2], &[25, 0]))).unwrap();
    let set = idx("letters", &a, &b, 26).unwrap();
    assert_eq!(
        (set.name(), set.shape(), set.classes()),
        ("letters", [1, 1, 3], 26)
    );
    assert_eq!((set.pixels(1), set.label(0)), ([4, 5, 6].as_slice(), 25));

    let error = refusal(idx("letters", &a, &b, 25));
    assert_eq!(
        (error.offset, error.expected.as_str()),
        (8, "a label below 25")
    );
}

#[test]
fn error_idx_number_of_classes() {
    for classes in [0, 257] {
        let error = idx("x", "a", "b", classes).unwrap_err().to_string();
        assert!(error.contains("x: number of classes"), "{error}");
    }
}

#[test]
fn error_idx_cut_anywhere() {
    for (file, whole, header) in [(TRAIN_IMAGES, images(3), 16), (TEST_LABELS, labels(2), 8)] {
        let cuts = (0..=header).chain([whole.len() / 2 + header / 2, whole.len() - 1]);
        for cut in cuts {
            let error = refused(file, &whole[..cut]);
            assert_eq!(error.offset, cut as u64, "{error:?}");
            assert!(error.found.contains("end of the data"), "{error:?}");
        }
    }
}

#[test]
fn error_idx_too_long() {
    for (file, mut bytes) in [(TEST_IMAGES, images(2)), (TRAIN_LABELS, labels(3))] {
        let end = bytes.len() as u64;
        bytes.push(0);
        for bytes in [bytes.clone(), gzip(&bytes)] {
            let error = refused(file, &bytes);
            assert_eq!((error.offset, error.found.as_str()), (end, "more bytes"));
            assert!(error.expected.contains("end of the data"), "{error:?}");
        }
    }
}

#[test]
fn error_idx_wrong_magic() {
    for at in 0..4 {
        let mut bytes = images(3);
        bytes[at] ^= 1;
        let error = refused(TRAIN_IMAGES, &bytes);
        assert_eq!(error.offset, 0);
        assert!(error.expected.contains("0x00000803"), "{error:?}");
    }
    let error = refused(TRAIN_IMAGES, &labels(3));
    assert_eq!(error.found, "0x00000801");
    let error = refused(TEST_LABELS, b"<!DOCTYPE html>");
    assert!(error.expected.contains("0x00000801"), "{error:?}");
}

#[test]
fn error_idx_wrong_dimensions() {
    for (sizes, offset, expected) in [
        ([0, 28, 28], 4, "1 or more images"),
        ([3, 0, 28], 8, "1 or more rows"),
        ([3, 28, 0], 12, "1 or more columns"),
        ([3, 27, 28], 8, "28 rows"),
        ([3, 28, 32], 12, "28 columns"),
    ] {
        let bytes = idx_bytes(&sizes, &[0; 3 * 28 * 32]);
        let error = refused(TRAIN_IMAGES, &bytes);
        assert_eq!((error.offset, error.expected.as_str()), (offset, expected));
    }
}

#[test]
fn error_idx_counts_that_overflow_or_exceed_the_limit() {
    let most = u32::MAX;
    for (sizes, offset) in [
        ([most, 28, 28], 4),
        ([most, most, most], 4),
        ([1 << 20, 1 << 20, 28], 8),
        ([1 << 20, 28, 1 << 31], 12),
        ([(1 << 30) / 784 + 1, 28, 28], 12),
    ] {
        let error = refused(TRAIN_IMAGES, &idx_bytes(&sizes, &[]));
        assert_eq!(error.offset, offset, "{error:?}");
        assert!(error.expected.contains("1073741824"), "{error:?}");
    }
    let error = refused(TRAIN_LABELS, &idx_bytes(&[most], &[]));
    assert_eq!(error.offset, 4);
}

#[test]
fn error_idx_header_promises_more_than_there_is() {
    // Within the limit, so the reader goes on and finds the end where it is.
    let count = (1 << 30) / 784;
    let dir = folder_with(TRAIN_IMAGES, &idx_bytes(&[count, 28, 28], &[7; 100]));
    let many = idx_bytes(&[count], &vec![1; count as usize]);
    fs::write(dir.path().join(TRAIN_LABELS), many).unwrap();
    let error = refusal(mnist(dir.path()));
    assert_eq!(error.file, dir.path().join(TRAIN_IMAGES));
    assert_eq!(error.offset, 116);
}

#[test]
fn error_idx_corrupt_label() {
    let mut bytes = labels(3);
    bytes[9] = 10;
    let error = refused(TRAIN_LABELS, &bytes);
    assert_eq!((error.offset, error.found.as_str()), (9, "10"));
    assert_eq!(error.expected, "a label below 10");
}

#[test]
fn error_idx_labels_and_images_differ_in_number() {
    let error = refused(TRAIN_LABELS, &labels(4));
    assert_eq!((error.offset, error.found.as_str()), (4, "4"));
    assert!(
        error.expected.starts_with("3 labels, as many as images in"),
        "{error:?}"
    );
}
