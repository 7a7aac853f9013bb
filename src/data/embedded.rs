use super::source::Source;
use super::{Splits, idx};
use std::path::Path;
use std::sync::OnceLock;

macro_rules! file {
    ($name:literal) => {
        (
            concat!("data/mnist/", $name),
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist/", $name)).as_slice(),
        )
    };
}

/// Real handwritten digits inside this crate: 7,000 training and 2,000 test images of MNIST, drawn
/// evenly over the ten classes of its training and its test set.
///
/// The classes are interleaved (0, 1, …, 9, 0, 1, …), so the first 10·n images hold n of each.
/// Ids are positions in these sets, not in MNIST. The images are unpacked at the first call; all
/// calls share them.
///
/// The digits are by Y. LeCun, C. Cortes and C. Burges, under CC BY-SA 3.0; `data/mnist/README.md`
/// says how they were drawn.
pub fn embedded_mnist() -> Splits {
    static DIGITS: OnceLock<Splits> = OnceLock::new();
    DIGITS.get_or_init(unpack).clone()
}

fn unpack() -> Splits {
    let split = |name, images: (&str, &'static [u8]), labels: (&str, &'static [u8])| {
        let open = |(path, bytes)| Source::new(Path::new(path), bytes);
        open(images)
            .and_then(|images| idx::read(name, images, open(labels)?, 10, Some([28, 28])))
            .expect("the embedded files are intact")
    };
    Splits {
        train: split(
            "embedded MNIST train",
            file!("train-images-idx3-ubyte.gz"),
            file!("train-labels-idx1-ubyte.gz"),
        ),
        test: split(
            "embedded MNIST test",
            file!("t10k-images-idx3-ubyte.gz"),
            file!("t10k-labels-idx1-ubyte.gz"),
        ),
    }
}
