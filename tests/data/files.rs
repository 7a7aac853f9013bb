//! Files as the releases have them, and what readers say of damaged ones.

use fireproof::base::Error;
use fireproof::data::mnist;
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use tempfile::{TempDir, tempdir};

pub const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";

pub const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";

pub const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";

pub const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

pub fn idx_bytes(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes
        .iter()
        .for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

pub fn images(count: u32) -> Vec<u8> {
    let data: Vec<u8> = (0..count * 784).map(|i| (i % 251) as u8).collect();
    idx_bytes(&[count, 28, 28], &data)
}

pub fn labels(count: u32) -> Vec<u8> {
    let data: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    idx_bytes(&[count], &data)
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The four files of three training and two test images.
pub fn whole() -> [(&'static str, Vec<u8>); 4] {
    [
        (TRAIN_IMAGES, images(3)),
        (TRAIN_LABELS, labels(3)),
        (TEST_IMAGES, images(2)),
        (TEST_LABELS, labels(2)),
    ]
}

/// A folder with three training and two test images, but with `bytes` in place of `file`.
pub fn folder_with(file: &str, bytes: &[u8]) -> TempDir {
    let dir = tempdir().unwrap();
    for (name, content) in whole() {
        let content = if name == file { bytes } else { &content };
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

#[derive(Debug)]
pub struct Refusal {
    pub file: PathBuf,
    pub offset: u64,
    pub expected: String,
    pub found: String,
}

pub fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result.unwrap_err() {
        Error::Format {
            file,
            offset,
            expected,
            found,
        } => Refusal {
            file,
            offset,
            expected,
            found,
        },
        other => panic!("not a format error: {other:?}"),
    }
}

/// What `mnist` says of a folder with these bytes in `file`; the error must name that file.
pub fn refused(file: &str, bytes: &[u8]) -> Refusal {
    let dir = folder_with(file, bytes);
    let refusal = refusal(mnist(dir.path()));
    assert_eq!(refusal.file, dir.path().join(file));
    refusal
}
