use crate::base::{Error, NoSettings, Result, Seed, Spec, named};
use crate::data::{ImageSet, Splits, cifar10, cifar100, embedded_mnist, image_folder, mnist};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};

/// The images of a study, and how many of them it uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPlan {
    /// Where they come from: `"embedded_mnist"`, or `{"source": "mnist", "folder": "…"}`; as well
    /// `fashion`-like sets in MNIST's format, `cifar10`, `cifar100`, `image_folders`.
    pub images: SourceSpec,
    /// Training images, as many of each class; all if it is not said or more than there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    /// Test images, as many of each class; all if it is not said or more than there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
    /// The seed that chooses them.
    #[serde(default)]
    pub seed: Seed,
}

impl DataPlan {
    /// All images from there.
    pub fn new(images: impl Into<SourceSpec>) -> Self {
        Self {
            images: images.into(),
            train: None,
            test: None,
            seed: Seed(0),
        }
    }

    /// The same images from another folder.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if they are of no folder.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self> {
        let mut settings = Source::settings(&*self.images);
        match settings.get_mut("folder") {
            Some(place) => *place = Value::from(folder.to_string_lossy()),
            None => {
                let expected = "images that lie in a folder";
                return Err(Error::setting("data", &self.images, expected));
            }
        }
        self.images = serde_json::from_value(settings)
            .map_err(|error| Error::setting("data", error, "a folder of such images"))?;
        Ok(self)
    }

    /// The images that it says.
    ///
    /// # Errors
    ///
    /// Those of the readers in [`data`](crate::data).
    pub(crate) fn load(&self) -> Result<Splits> {
        let all = self.images.load()?;
        Ok(Splits {
            train: self.some_of(&all.train, self.train)?,
            test: self.some_of(&all.test, self.test)?,
        })
    }

    /// So many of these images: as many of each class, or all in their own order.
    pub(crate) fn some_of(&self, set: &ImageSet, count: Option<usize>) -> Result<ImageSet> {
        match count.filter(|&count| count < set.len()) {
            Some(count) => set.balanced(count, self.seed),
            None => Ok(set.clone()),
        }
    }
}

/// Where images come from: an open point, for sets of your own.
///
/// ```
/// use fireproof::base::{Kind, NoSettings, Result, named};
/// use fireproof::data::{Splits, embedded_mnist};
/// use fireproof::study::{Source, SourceSpec};
/// use std::{fmt, sync::Arc};
///
/// /// The first digits alone.
/// #[derive(Debug)]
/// struct Few;
///
/// impl fmt::Display for Few {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("a few digits")
///     }
/// }
///
/// impl Source for Few {
///     fn load(&self) -> Result<Splits> {
///         let all = embedded_mnist();
///         Ok(Splits { train: all.train.take(100), test: all.test.take(50) })
///     }
///
///     fn settings(&self) -> serde_json::Value {
///         named::<dyn Source>("few", &NoSettings {})
///     }
/// }
///
/// <dyn Source>::registry().add("few", |_: NoSettings| Arc::new(Few))?;
/// let few: SourceSpec = serde_json::from_str(r#""few""#).unwrap();
/// assert_eq!(few.load()?.test.len(), 50);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
pub trait Source: fmt::Debug + fmt::Display + Send + Sync {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// What is wrong with the files.
    fn load(&self) -> Result<Splits>;

    /// Everything that says where they are, its name under `source`.
    fn settings(&self) -> Value;
}

/// A source as a plain value, in files by name.
pub type SourceSpec = Spec<dyn Source>;

crate::base::open_kind! {
    Source in "source";
    with settings: "cifar10" => Cifar10, "cifar100" => Cifar100, "image_folders" => ImageFolders, "mnist" => Mnist;
    plain: "embedded_mnist" => EmbeddedMnist;
}

/// `embedded_mnist`: the digits inside this crate.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedMnist;

impl fmt::Display for EmbeddedMnist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the embedded digits")
    }
}

impl Source for EmbeddedMnist {
    fn load(&self) -> Result<Splits> {
        Ok(embedded_mnist())
    }

    fn settings(&self) -> Value {
        named::<dyn Source>("embedded_mnist", &NoSettings {})
    }
}

macro_rules! folders {
    ($($(#[$about:meta])* $kind:ident: $name:literal by $read:path;)+) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $kind {
            /// The folder.
            pub folder: PathBuf,
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} in {}", $name, self.folder.display())
            }
        }

        impl Source for $kind {
            fn load(&self) -> Result<Splits> {
                $read(&self.folder)
            }

            fn settings(&self) -> Value {
                named::<dyn Source>($name, self)
            }
        }
    )+};
}

folders! {
    /// `mnist`: a folder with the four files of MNIST, or of a set in its format: [`data::mnist`](crate::data::mnist).
    Mnist: "mnist" by mnist;
    /// `cifar10`: a folder with CIFAR-10's binary version: [`data::cifar10`](crate::data::cifar10).
    Cifar10: "cifar10" by cifar10;
    /// `cifar100`: a folder with CIFAR-100's binary version: [`data::cifar100`](crate::data::cifar100).
    Cifar100: "cifar100" by cifar100;
    /// `image_folders`: a folder with the folders `train` and `test`, each with a folder of images for every
    /// class: [`data::image_folder`](crate::data::image_folder).
    ImageFolders: "image_folders" by folders_of_images;
}

fn folders_of_images(folder: &Path) -> Result<Splits> {
    let [train, test] = ["train", "test"].map(|part| image_folder(folder.join(part)));
    let (train, test) = (train?, test?);
    if train.class_names != test.class_names {
        return Err(Error::input(
            format!("classes in {}", folder.display()),
            test.class_names.join(", "),
            format!(
                "those of the training images: {}",
                train.class_names.join(", ")
            ),
        ));
    }
    Ok(Splits {
        train: train.set,
        test: test.set,
    })
}
