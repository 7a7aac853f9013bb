use super::source::{Source, find, missing};
use super::{ImageSet, Splits};
use crate::base::Result;
use std::path::{Path, PathBuf};

const SHAPE: [usize; 3] = [3, 32, 32];
const PIXELS: usize = 3 * 32 * 32;
// As many images as the whole release has; no single file may hold more.
const MOST_IMAGES: u64 = 60_000;

/// How one image of a CIFAR version is stored: its labels, then its pixels.
struct Layout {
    /// Name and number of classes of each label byte.
    labels: &'static [(&'static str, usize)],
    /// Which of them is the label.
    chosen: usize,
}

const CIFAR10: Layout = Layout {
    labels: &[("label", 10)],
    chosen: 0,
};

const CIFAR100: [(&str, usize); 2] = [("coarse label", 20), ("fine label", 100)];

/// Reads CIFAR-10 (binary version) from the folder with `data_batch_1.bin` to `data_batch_5.bin`
/// and `test_batch.bin`.
///
/// At least one of the training files must be there; ids count over those that are, in order.
///
/// # Errors
///
/// [`Error::Io`](crate::base::Error::Io) if a file is missing or unreadable,
/// [`Error::Format`](crate::base::Error::Format) if one does not hold what it should.
pub fn cifar10(dir: impl AsRef<Path>) -> Result<Splits> {
    let dir = dir.as_ref();
    let names: Vec<String> = (1..=5).map(|n| format!("data_batch_{n}.bin")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let train: Vec<PathBuf> = names
        .iter()
        .map(|name| dir.join(name))
        .filter(|path| path.is_file())
        .collect();
    if train.is_empty() {
        return Err(missing(dir, &names));
    }
    if train.len() < names.len() {
        log::warn!("{}: {} of 5 training files", dir.display(), train.len());
    }
    Ok(Splits {
        train: read("CIFAR-10 train", &train, &CIFAR10)?,
        test: read(
            "CIFAR-10 test",
            &[find(dir, &["test_batch.bin"])?],
            &CIFAR10,
        )?,
    })
}

/// Reads CIFAR-100 (binary version) with its 100 classes from the folder with `train.bin` and
/// `test.bin`.
///
/// # Errors
///
/// As [`cifar10`].
pub fn cifar100(dir: impl AsRef<Path>) -> Result<Splits> {
    cifar100_by(dir.as_ref(), 1)
}

/// Reads CIFAR-100 as [`cifar100`] does, but with its 20 superclasses as labels.
///
/// # Errors
///
/// As [`cifar10`].
pub fn cifar100_coarse(dir: impl AsRef<Path>) -> Result<Splits> {
    cifar100_by(dir.as_ref(), 0)
}

fn cifar100_by(dir: &Path, chosen: usize) -> Result<Splits> {
    let layout = Layout {
        labels: &CIFAR100,
        chosen,
    };
    Ok(Splits {
        train: read("CIFAR-100 train", &[find(dir, &["train.bin"])?], &layout)?,
        test: read("CIFAR-100 test", &[find(dir, &["test.bin"])?], &layout)?,
    })
}

fn read(name: &str, files: &[PathBuf], layout: &Layout) -> Result<ImageSet> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for file in files {
        read_file(file, layout, &mut pixels, &mut labels)?;
    }
    let classes = layout.labels[layout.chosen].1;
    ImageSet::new(name, SHAPE, classes, pixels, labels)
}

fn read_file(
    path: &Path,
    layout: &Layout,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u8>,
) -> Result<()> {
    let mut source = Source::open(path)?;
    let record = layout.labels.len() + PIXELS;
    let bytes = source.at_most(MOST_IMAGES * record as u64)?;
    for (at, image) in bytes.chunks(record).enumerate() {
        let start = (at * record) as u64;
        if image.len() < record {
            return Err(source.format(
                start + image.len() as u64,
                format!("{record} bytes of image {at} from byte {start}"),
                "the end of the data",
            ));
        }
        let (classes, image) = image.split_at(layout.labels.len());
        for (byte, (&class, &(what, count))) in classes.iter().zip(layout.labels).enumerate() {
            if usize::from(class) >= count {
                let expected = format!("a {what} from 0 to {}", count - 1);
                return Err(source.format(start + byte as u64, expected, class.to_string()));
            }
        }
        labels.push(classes[layout.chosen]);
        pixels.extend_from_slice(image);
    }
    if bytes.is_empty() {
        return Err(source.format(0, format!("{record} bytes of image 0"), "no data"));
    }
    source.end(&format!("{MOST_IMAGES} images"))
}
