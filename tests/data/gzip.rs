//! Compressed files, and files that are not there.

use super::files::{TRAIN_IMAGES, folder_with, gzip, images, refused};
use fireproof::base::Error;
use fireproof::data::{cifar10, cifar100, idx, mnist};
use tempfile::tempdir;

#[test]
fn error_gzip_cut_damaged_or_followed_by_other_bytes() {
    let whole = gzip(&images(3));
    let unpacked = images(3).len() as u64;
    for cut in [2, 9, 12, whole.len() / 2, whole.len() - 1] {
        let error = refused(TRAIN_IMAGES, &whole[..cut]);
        assert_eq!(error.expected, "an intact gzip stream");
        assert!(error.offset <= unpacked, "{error:?}");
    }

    let mut damaged = whole.clone();
    let checksum = whole.len() - 8;
    damaged[checksum] ^= 1;
    let error = refused(TRAIN_IMAGES, &damaged);
    assert_eq!(
        (error.offset, error.expected.as_str()),
        (unpacked, "an intact gzip stream")
    );

    let mut followed = whole.clone();
    followed.extend(b"garbage");
    let error = refused(TRAIN_IMAGES, &followed);
    assert_eq!(
        (error.offset, error.expected.as_str()),
        (unpacked, "an intact gzip stream")
    );

    // Several streams in one file are one stream: gzip's own rule.
    let (head, tail) = (&images(3)[..20], &images(3)[20..]);
    let dir = folder_with(TRAIN_IMAGES, &[gzip(head), gzip(tail)].concat());
    assert_eq!(mnist(dir.path()).unwrap().train.len(), 3);
}

#[test]
fn error_gzip_bomb_is_not_unpacked() {
    let mut bytes = images(3);
    let end = bytes.len() as u64;
    bytes.resize(64 << 20, 0);
    let mut bomb = gzip(&bytes);
    // Without its end, unpacking all of it would find a broken stream; the reader stops before.
    bomb.truncate(bomb.len() - 8);
    let error = refused(TRAIN_IMAGES, &bomb);
    assert_eq!((error.offset, error.found.as_str()), (end, "more bytes"));
}

#[test]
fn error_missing_folder_or_file_names_what_was_expected() {
    let message = |result: Result<_, Error>| match result {
        Err(error @ Error::Io { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let dir = tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    for error in [
        message(mnist(&nowhere)),
        message(cifar10(&nowhere)),
        message(cifar100(&nowhere)),
    ] {
        assert!(
            error.contains("nowhere") && error.contains("no such folder"),
            "{error}"
        );
    }
    let error = message(mnist(dir.path()));
    assert!(
        error.contains(TRAIN_IMAGES) && error.contains("train-images.idx3-ubyte.gz"),
        "{error}"
    );
    assert!(message(cifar10(dir.path())).contains("data_batch_1.bin"));
    assert!(message(cifar100(dir.path())).contains("train.bin"));
    let error = idx("x", &nowhere, &nowhere, 10).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}
