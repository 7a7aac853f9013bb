//! CIFAR in its binary format.

use super::files::{gzip, refusal};
use fireproof::data::{cifar10, cifar100, cifar100_coarse};
use std::fs;
use tempfile::{TempDir, tempdir};

/// `count` records with these label bytes each, the pixels of image `i` all `i`.
fn records(count: u8, label_bytes: &[u8]) -> Vec<u8> {
    (0..count)
        .flat_map(|i| [label_bytes.to_vec(), vec![i; 3072]].concat())
        .collect()
}

fn cifar10_folder(batches: &[(u8, Vec<u8>)], test: &[u8]) -> TempDir {
    let dir = tempdir().unwrap();
    for (number, bytes) in batches {
        fs::write(dir.path().join(format!("data_batch_{number}.bin")), bytes).unwrap();
    }
    fs::write(dir.path().join("test_batch.bin"), test).unwrap();
    dir
}

#[test]
fn value_cifar10_joins_the_files_that_are_there() {
    let batches = [(4, gzip(&records(2, &[9]))), (2, records(3, &[1]))];
    let dir = cifar10_folder(&batches, &records(1, &[5]));
    let splits = cifar10(dir.path()).unwrap();
    assert_eq!(splits.train.labels(), [1, 1, 1, 9, 9]);
    assert_eq!(splits.train.pixels(4), vec![1; 3072]);
    assert_eq!(splits.train.shape(), [3, 32, 32]);
    assert_eq!(splits.test.labels(), [5]);
}

#[test]
fn value_cifar100_fine_and_coarse() {
    let dir = tempdir().unwrap();
    for name in ["train.bin", "test.bin"] {
        fs::write(dir.path().join(name), records(2, &[19, 99])).unwrap();
    }
    let (fine, coarse) = (
        cifar100(dir.path()).unwrap(),
        cifar100_coarse(dir.path()).unwrap(),
    );
    assert_eq!((fine.train.label(0), fine.train.classes()), (99, 100));
    assert_eq!((coarse.test.label(1), coarse.test.classes()), (19, 20));
    assert_eq!(fine.train.pixels(1), vec![1; 3072]);
}

#[test]
fn error_cifar_cut_or_too_long() {
    for bytes in [3073 + 1, 3073 + 3072, 2 * 3073 - 1].map(|n| records(2, &[0])[..n].to_vec()) {
        let dir = cifar10_folder(&[(1, bytes.clone())], &records(1, &[0]));
        let error = refusal(cifar10(dir.path()));
        assert_eq!(error.file, dir.path().join("data_batch_1.bin"));
        assert_eq!(error.offset, bytes.len() as u64);
        assert_eq!(error.expected, "3073 bytes of image 1 from byte 3073");
    }
    let dir = cifar10_folder(&[(1, vec![])], &records(1, &[0]));
    assert_eq!(refusal(cifar10(dir.path())).offset, 0);

    // No CIFAR file holds more than the whole release: 60,000 images.
    let bomb = gzip(&vec![0; 60_000 * 3073 + 1]);
    let dir = cifar10_folder(&[(1, bomb)], &records(1, &[0]));
    let error = refusal(cifar10(dir.path()));
    assert_eq!(
        (error.offset, error.found.as_str()),
        (60_000 * 3073, "more bytes")
    );
}

#[test]
fn error_cifar_corrupt_label() {
    let mut bytes = records(3, &[0]);
    bytes[2 * 3073] = 10;
    let dir = cifar10_folder(&[(1, records(1, &[0]))], &bytes);
    let error = refusal(cifar10(dir.path()));
    assert_eq!(error.file, dir.path().join("test_batch.bin"));
    assert_eq!((error.offset, error.found.as_str()), (2 * 3073, "10"));
    assert_eq!(error.expected, "a label from 0 to 9");

    // Both labels of CIFAR-100 are checked, whichever is asked for.
    for (labels, offset, expected) in [
        ([20, 0], 0, "a coarse label from 0 to 19"),
        ([0, 100], 1, "a fine label from 0 to 99"),
    ] {
        let dir = tempdir().unwrap();
        fs::write(dir.path().join("train.bin"), records(1, &labels)).unwrap();
        for error in [
            refusal(cifar100(dir.path())),
            refusal(cifar100_coarse(dir.path())),
        ] {
            assert_eq!((error.offset, error.expected.as_str()), (offset, expected));
        }
    }
}
