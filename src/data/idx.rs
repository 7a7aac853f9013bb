use super::image_set::check_classes;
use super::source::{LIMIT, Source, find};
use super::{ImageSet, Splits};
use crate::base::Result;
use std::path::{Path, PathBuf};

// Two zero bytes, the type code of unsigned bytes, the number of dimensions.
const IMAGES: [u8; 4] = [0, 0, 8, 3];
const LABELS: [u8; 4] = [0, 0, 8, 1];
const DIMENSIONS: [&str; 3] = ["images", "rows", "columns"];

/// Reads MNIST, or another set in its format (10 classes of 28×28 digits, clothes, signs), from
/// the folder with its four files, or a folder with such a folder as `MNIST/raw` or `raw`, as
/// torchvision leaves them.
///
/// The files are those of the release, `train-images-idx3-ubyte` and so on, with `.idx3-ubyte` in
/// place of `-idx3-ubyte` if need be, plain or with `.gz`. They may hold fewer images than the
/// release.
///
/// # Errors
///
/// [`Error::Io`](crate::base::Error::Io) if a file is missing or unreadable,
/// [`Error::Format`](crate::base::Error::Format) if one does not hold what it should.
pub fn mnist(dir: impl AsRef<Path>) -> Result<Splits> {
    let dir = dir.as_ref();
    // What is missing is said of the folder that was named.
    let holds = |dir: &PathBuf| locate(dir, "train", "images", 3).is_ok();
    let inside = ["MNIST/raw", "raw"].map(|raw| dir.join(raw));
    let dir = &match inside.into_iter().find(holds) {
        Some(raw) if !holds(&dir.to_owned()) => raw,
        _ => dir.to_owned(),
    };
    let split = |name: &str, prefix: &str| {
        let images = Source::open(&locate(dir, prefix, "images", 3)?)?;
        let labels = Source::open(&locate(dir, prefix, "labels", 1)?)?;
        read(name, images, labels, 10, Some([28, 28]))
    };
    Ok(Splits {
        train: split("MNIST train", "train")?,
        test: split("MNIST test", "t10k")?,
    })
}

/// Reads grey images of any one size and their labels from a pair of IDX files, each plain or
/// gzipped.
///
/// # Errors
///
/// [`Error::Io`](crate::base::Error::Io) if a file is missing or unreadable,
/// [`Error::Format`](crate::base::Error::Format) if it does not hold what it should,
/// [`Error::Input`](crate::base::Error::Input) unless `classes` is within 1 to 256.
pub fn idx(
    name: impl Into<String>,
    images: impl AsRef<Path>,
    labels: impl AsRef<Path>,
    classes: usize,
) -> Result<ImageSet> {
    let name = name.into();
    check_classes(&name, classes)?;
    let (images, labels) = (
        Source::open(images.as_ref())?,
        Source::open(labels.as_ref())?,
    );
    read(name, images, labels, classes, None)
}

fn locate(dir: &Path, prefix: &str, kind: &str, dimensions: usize) -> Result<PathBuf> {
    let plain = format!("{prefix}-{kind}-idx{dimensions}-ubyte");
    let dotted = format!("{prefix}-{kind}.idx{dimensions}-ubyte");
    let (plain_gz, dotted_gz) = (format!("{plain}.gz"), format!("{dotted}.gz"));
    find(dir, &[&plain, &plain_gz, &dotted, &dotted_gz])
}

/// Images and labels from a pair of sources; `size` is the `[rows, columns]` they must have.
pub(super) fn read(
    name: impl Into<String>,
    mut images: Source,
    labels: Source,
    classes: usize,
    size: Option<[u64; 2]>,
) -> Result<ImageSet> {
    let [count, rows, columns] = header::<3>(&mut images, IMAGES)?;
    if let Some(size) = size {
        for (at, (found, wanted)) in [rows, columns].into_iter().zip(size).enumerate() {
            if found != wanted {
                let expected = format!("{wanted} {}", DIMENSIONS[at + 1]);
                return Err(images.format(8 + 4 * at as u64, expected, found.to_string()));
            }
        }
    }
    // Labels first: they are few, and with a wrong count the images need not be read.
    let labels = read_labels(labels, count, images.path(), classes)?;
    let what = format!("{count} images of {rows}×{columns}");
    let pixels = images.exactly(count * rows * columns, &what)?;
    images.end(&what)?;
    let shape = [1, rows as usize, columns as usize];
    ImageSet::new(name, shape, classes, pixels, labels)
}

fn read_labels(mut source: Source, count: u64, images: &Path, classes: usize) -> Result<Vec<u8>> {
    let [found] = header::<1>(&mut source, LABELS)?;
    if found != count {
        let expected = format!("{count} labels, as many as images in {}", images.display());
        return Err(source.format(4, expected, found.to_string()));
    }
    let labels = source.exactly(count, "labels")?;
    if let Some(at) = labels.iter().position(|&l| usize::from(l) >= classes) {
        let expected = format!("a label below {classes}");
        return Err(source.format(8 + at as u64, expected, labels[at].to_string()));
    }
    source.end(&format!("{count} labels"))?;
    Ok(labels)
}

/// The sizes in a header: each at least 1, their product at most [`LIMIT`].
fn header<const D: usize>(source: &mut Source, magic: [u8; 4]) -> Result<[u64; D]> {
    let found = source.exactly(4, "magic number")?;
    if found != magic {
        return Err(source.format(
            0,
            format!(
                "the magic number {} (IDX, unsigned bytes, {D} dimension{})",
                hex(&magic),
                if D == 1 { "" } else { "s" }
            ),
            hex(&found),
        ));
    }
    let bytes = source.exactly(4 * D as u64, "header")?;
    let mut sizes = [0; D];
    let mut product: u64 = 1;
    for (at, four) in bytes.chunks_exact(4).enumerate() {
        let size = u64::from(u32::from_be_bytes(four.try_into().expect("four bytes")));
        let offset = 4 + 4 * at as u64;
        if size == 0 {
            return Err(source.format(offset, format!("1 or more {}", DIMENSIONS[at]), "0"));
        }
        product = product
            .checked_mul(size)
            .filter(|&product| product <= LIMIT)
            .ok_or_else(|| {
                let expected = format!("sizes whose product is at most {LIMIT}");
                source.format(offset, expected, format!("{size} {}", DIMENSIONS[at]))
            })?;
        sizes[at] = size;
    }
    Ok(sizes)
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}
