//! Image sets in memory, and the files they come from.
//!
//! | data | from | classes |
//! |---|---|---|
//! | [`embedded_mnist`] | 9,000 real MNIST digits inside this crate, no file needed | 10 |
//! | [`mnist`] | a folder with the four IDX files of MNIST, Fashion-MNIST, KMNIST, … | 10 |
//! | [`idx`] | any pair of IDX files, one of images and one of labels | up to 256 |
//! | [`cifar10`] | a folder with the binary version of CIFAR-10 | 10 |
//! | [`cifar100`], [`cifar100_coarse`] | a folder with the binary version of CIFAR-100 | 100, 20 |
//! | [`image_folder`] | a folder of PNG, PGM or PPM images for each class | up to 256 |
//! | [`image_folder_with`], [`image_folder_of_numbers`] | the same by a decoder of your own | up to 256 |
//! | [`ImageSet::from_dataset`], [`from_dataset_of_numbers`](ImageSet::from_dataset_of_numbers) | any Burn [`Dataset`](burn::data::dataset::Dataset) | up to 256 |
//! | [`ImageSet::new`] | bytes in memory | up to 256 |
//! | [`ImageSet::of_numbers`] | numbers in memory, with their bounds or without | up to 256 |
//!
//! Every reader unpacks gzip by itself, knowing it by its first two bytes and not by its name. A
//! file that is cut short, too long, of another format or with an impossible label is refused
//! with an [`Error::Format`](crate::base::Error::Format) that names the file, the position in it
//! and what should be there. Nothing is allocated on a header's word alone. A [`DataSummary`] says
//! which images were used, with a digest of them.
//!
//! To add a format, write a file with a function from a path to [`Splits`] or an [`ImageSet`], which
//! reads through `source::Source` and so refuses damaged files alike.
//!
//! ```
//! use fireproof::base::Seed;
//! use fireproof::data::embedded_mnist;
//!
//! let digits = embedded_mnist();
//! assert_eq!((digits.train.len(), digits.test.len()), (7000, 2000));
//!
//! let (train, valid) = digits.train.hold_out(500, Seed(1))?;
//! assert_eq!(valid.class_counts(), [50; 10]);
//!
//! let device = fireproof::device();
//! let batch = train.batches(64, &device).next().expect("6,500 images");
//! assert_eq!(batch.images.dims(), [64, 1, 28, 28]);
//! # Ok::<(), fireproof::base::Error>(())
//! ```

mod adapter;
mod cifar;
mod collected;
mod decode;
mod draw;
mod embedded;
mod folder;
mod idx;
mod image;
mod image_set;
mod pixels;
mod source;
mod summary;

pub use cifar::{cifar10, cifar100, cifar100_coarse};
pub use decode::Decoded;
pub use embedded::embedded_mnist;
pub use folder::{ImageFolder, image_folder, image_folder_of_numbers, image_folder_with};
pub use idx::{idx, mnist};
pub use image::Image;
pub use image_set::ImageSet;
pub use summary::DataSummary;

/// The two halves of a data set.
#[derive(Clone, Debug)]
pub struct Splits {
    /// The images to learn from.
    pub train: ImageSet,
    /// The images to measure on.
    pub test: ImageSet,
}
