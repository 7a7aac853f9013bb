//! Image sets and the readers that fill them.

use burn::data::dataset::Dataset;
use fireproof::base::{Bounds, Error, Seed};
use fireproof::data::{ImageSet, cifar10, cifar100, cifar100_coarse, embedded_mnist, idx, mnist};
use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

// ---------------------------------------------------------------------------------------------
// In memory

/// Twelve 2×1×2 images of three classes; image `i` has label `i % 3` and first byte `i`.
fn twelve() -> ImageSet {
    let pixels = (0..12).flat_map(|i| [i, 255, 0, 51]).collect();
    let labels = (0..12).map(|i| i % 3).collect();
    ImageSet::new("twelve", [2, 1, 2], 3, pixels, labels).unwrap()
}

#[test]
fn value_batch_holds_bytes_over_255_labels_and_ids() {
    // Oracle: the definition, byte / 255 rounded to f32.
    let device = fireproof::device();
    let batch = twelve().batch(&[5, 0], &device);
    assert_eq!(batch.images.dims(), [2, 2, 1, 2]);
    let pixels: Vec<f32> = batch.images.to_data().iter::<f32>().collect();
    let byte = |b: u8| f32::from(b) / 255.0;
    let expected = [
        byte(5),
        1.0,
        0.0,
        byte(51), //
        byte(0),
        1.0,
        0.0,
        byte(51),
    ];
    assert_eq!(pixels, expected);
    assert_eq!(batch.labels_to_vec(), [2, 0]);
    assert_eq!(batch.ids, [5, 0]);
    assert_eq!(batch.bounds, Bounds::default());
    batch.check(3).unwrap();
}

#[test]
fn value_batches_cover_the_set_in_order() {
    let (device, set) = (fireproof::device(), twelve());
    let batches = set.batches(5, &device);
    assert_eq!(batches.len(), 3);
    let ids: Vec<Vec<u64>> = batches.map(|batch| batch.ids).collect();
    assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 2]);
    assert_eq!(ids.concat(), (0..12).collect::<Vec<_>>());
}

#[test]
fn convention_subsets_keep_ids_and_pixels() {
    let subset = twelve().subset(&[7, 2, 7]).subset(&[1, 0]);
    assert_eq!(subset.ids(), [2, 7]);
    assert_eq!(subset.labels(), [2, 1]);
    assert_eq!(subset.pixels(1), [7, 255, 0, 51]);
    assert_eq!(twelve().take(2).ids(), [0, 1]);
    assert_eq!(twelve().take(99).len(), 12);
}

#[test]
fn convention_balanced_draws_are_even_interleaved_nested_and_reproducible() {
    let digits = embedded_mnist().train;
    let drawn = digits.balanced(100, Seed(3)).unwrap();
    assert_eq!(drawn.class_counts(), [10; 10]);
    let labels: Vec<u8> = (0..100).map(|i| i % 10).collect();
    assert_eq!(drawn.labels(), labels);

    let ids = drawn.ids();
    assert_eq!(digits.balanced(100, Seed(3)).unwrap().ids(), ids);
    assert_ne!(digits.balanced(100, Seed(4)).unwrap().ids(), ids);
    let more = digits.balanced(250, Seed(3)).unwrap().ids();
    assert_eq!(more[..100], ids);
    let mut unique = more.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), 250);

    // 23 = 10·2 + 3: the first three classes have one more.
    let uneven = digits.balanced(23, Seed(3)).unwrap();
    assert_eq!(uneven.class_counts(), [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]);
}

#[test]
fn value_held_out_images_and_the_rest_make_up_the_set() {
    let (rest, held) = twelve().hold_out(6, Seed(1)).unwrap();
    assert_eq!(held.class_counts(), [2, 2, 2]);
    assert!(rest.ids().is_sorted(), "the rest keeps its order");
    let mut ids = [rest.ids(), held.ids()].concat();
    ids.sort_unstable();
    assert_eq!(ids, (0..12).collect::<Vec<_>>());
}

#[test]
fn error_balanced_draw_of_more_than_a_class_has() {
    let error = twelve().balanced(13, Seed(0)).unwrap_err().to_string();
    assert!(
        error.contains("4 images of class 0") && error.contains("not for 5"),
        "{error}"
    );
    assert!(twelve().hold_out(15, Seed(0)).is_err());
    assert!(twelve().balanced(12, Seed(0)).is_ok());
}

#[test]
fn smoke_burn_dataset() {
    let set = twelve();
    let image = Dataset::get(&set, 4).unwrap();
    assert_eq!((image.label, image.id), (1, 4));
    assert_eq!(image.pixels, [4, 255, 0, 51]);
    assert_eq!(Dataset::iter(&set).count(), 12);
}

#[test]
#[should_panic(expected = "out of bounds")]
fn error_burn_dataset_index_out_of_range_panics() {
    let _ = Dataset::get(&twelve(), 12);
}

#[test]
fn convention_display_summarises() {
    assert_eq!(
        twelve().to_string(),
        "twelve: 12 images of 2×1×2, 3 classes of 4"
    );
    assert_eq!(
        format!("{:?}", twelve().take(4)),
        "ImageSet(twelve: 4 images of 2×1×2, 3 classes of 1 to 2)"
    );
}

#[test]
fn error_set_that_does_not_fit_together() {
    let new = |shape, classes, pixels: usize, labels: Vec<u8>| {
        ImageSet::new("bad", shape, classes, vec![0; pixels], labels)
            .unwrap_err()
            .to_string()
    };
    for (error, part) in [
        (
            new([1, 0, 2], 2, 0, vec![]),
            "shape of the images: found 1×0×2",
        ),
        (
            new([usize::MAX, 2, 2], 2, 4, vec![0]),
            "shape of the images",
        ),
        (new([1, 2, 2], 0, 4, vec![0]), "number of classes: found 0"),
        (
            new([1, 2, 2], 257, 4, vec![0]),
            "number of classes: found 257",
        ),
        (
            new([1, 2, 2], 2, 7, vec![0, 1]),
            "found 7 bytes, expected 4 bytes for every label",
        ),
        (new([1, usize::MAX, 1], 2, 7, vec![0, 1]), "found 7 bytes"),
        (
            new([1, 2, 2], 2, 12, vec![0, 1, 2]),
            "label of image 2: found 2, expected 0 to 1",
        ),
    ] {
        assert!(error.contains(part), "{error}");
    }
}

// ---------------------------------------------------------------------------------------------
// The embedded digits

/// 64-bit FNV-1a.
fn fnv(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

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
            fnv((0..set.len()).flat_map(|p| set.pixels(p).to_vec())),
            pixels
        );
        assert_eq!(fnv(set.labels()), labels);
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

// ---------------------------------------------------------------------------------------------
// IDX files

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

fn idx_bytes(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes
        .iter()
        .for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn images(count: u32) -> Vec<u8> {
    let data: Vec<u8> = (0..count * 784).map(|i| (i % 251) as u8).collect();
    idx_bytes(&[count, 28, 28], &data)
}

fn labels(count: u32) -> Vec<u8> {
    let data: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
    idx_bytes(&[count], &data)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A folder with three training and two test images, but with `bytes` in place of `file`.
fn folder_with(file: &str, bytes: &[u8]) -> TempDir {
    let dir = tempdir().unwrap();
    for (name, content) in [
        (TRAIN_IMAGES, images(3)),
        (TRAIN_LABELS, labels(3)),
        (TEST_IMAGES, images(2)),
        (TEST_LABELS, labels(2)),
    ] {
        let content = if name == file { bytes } else { &content };
        fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

#[derive(Debug)]
struct Refusal {
    file: PathBuf,
    offset: u64,
    expected: String,
    found: String,
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
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
fn refused(file: &str, bytes: &[u8]) -> Refusal {
    let dir = folder_with(file, bytes);
    let refusal = refusal(mnist(dir.path()));
    assert_eq!(refusal.file, dir.path().join(file));
    refusal
}

#[test]
fn value_mnist_folder_plain_gzipped_and_under_either_name() {
    // Oracle: the bytes that were written.
    for packed in [false, true] {
        for (dotted, suffix) in [(false, ""), (true, ""), (false, ".gz"), (true, ".gz")] {
            let dir = tempdir().unwrap();
            for (name, content) in [
                (TRAIN_IMAGES, images(3)),
                (TRAIN_LABELS, labels(3)),
                (TEST_IMAGES, images(2)),
                (TEST_LABELS, labels(2)),
            ] {
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

// ---------------------------------------------------------------------------------------------
// CIFAR

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
fn convention_cifar_planes_are_red_green_blue() {
    let mut record = vec![3];
    record.extend([[10; 1024], [20; 1024], [30; 1024]].concat());
    let dir = cifar10_folder(&[(1, record.clone())], &record);
    let batch = cifar10(dir.path())
        .unwrap()
        .test
        .batch(&[0], &fireproof::device());
    let channels: Vec<f32> = batch
        .images
        .mean_dims(&[2, 3])
        .to_data()
        .iter::<f32>()
        .collect();
    for (found, byte) in channels.into_iter().zip([10.0, 20.0, 30.0]) {
        assert!((found - byte / 255.0).abs() < 1e-6);
    }
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
