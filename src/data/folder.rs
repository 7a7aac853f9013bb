use super::ImageSet;
use super::collected::{Collected, Pixel};
use super::decode::{Decoded, decode};
use crate::base::{Bounds, Error, Result};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The images of a folder, with the names of their classes.
#[derive(Clone, Debug)]
pub struct ImageFolder {
    /// The images, by class and then by file name; ids count in that order.
    pub set: ImageSet,
    /// The names of the classes' folders in alphabetical order: class 0 is the first.
    pub class_names: Vec<String>,
}

/// Reads the images of a folder that has a folder for each class, as torchvision's `ImageFolder`
/// takes it: PNG (8 bits a channel or fewer, grey, colour or palette), and binary PGM and PPM.
///
/// All must have one size and one number of channels, 1 or 3. Classes and files count in alphabetical
/// order of their names. What begins with a dot is passed over, and so are files beside the class
/// folders that are no images; anything else that could not be read is an error: no image is lost
/// without a word.
///
/// # Errors
///
/// [`Error::Io`] for what is missing or cannot be read, or a class without an image;
/// [`Error::Format`] for a file that is no such image, or damaged; [`Error::Input`] for images of
/// several sizes or numbers of channels, each named, and for more than 256 classes.
pub fn image_folder(dir: impl AsRef<Path>) -> Result<ImageFolder> {
    image_folder_with(dir, decode)
}

/// The same by a decoder of your own, for other formats: from a file's path to its pixels.
///
/// ```
/// use fireproof::base::Result;
/// use fireproof::data::{Decoded, ImageFolder, image_folder_with};
///
/// fn read(dir: &str) -> Result<ImageFolder> {
///     image_folder_with(dir, |path| {
///         // A decoder of one's own: here, raw bytes of 8×8 grey images.
///         let pixels = std::fs::read(path).map_err(|e| fireproof::base::Error::io(path, e))?;
///         Ok(Decoded { shape: [1, 8, 8], pixels })
///     })
/// }
/// ```
///
/// # Errors
///
/// As [`image_folder`], and the decoder's.
pub fn image_folder_with(
    dir: impl AsRef<Path>,
    decode: impl Fn(&Path) -> Result<Decoded>,
) -> Result<ImageFolder> {
    of_folder(dir.as_ref(), (), decode)
}

/// The same by a decoder that gives numbers within `bounds`, or of any size with [`Bounds::none`]: images of
/// more than 8 bits, features.
///
/// # Errors
///
/// As [`image_folder_with`], and [`Error::Input`] for a pixel that is not a finite number within the bounds.
pub fn image_folder_of_numbers(
    dir: impl AsRef<Path>,
    bounds: Bounds,
    decode: impl Fn(&Path) -> Result<Decoded<f32>>,
) -> Result<ImageFolder> {
    of_folder(dir.as_ref(), bounds, decode)
}

fn of_folder<T: Pixel>(
    dir: &Path,
    range: T::Range,
    decode: impl Fn(&Path) -> Result<Decoded<T>>,
) -> Result<ImageFolder> {
    let name = dir.file_name().unwrap_or(dir.as_os_str()).to_string_lossy();
    let (mut class_names, mut images) = (Vec::new(), Collected::default());
    for class in entries(dir)? {
        if !class.is_dir() {
            refuse_image(&class)?;
            continue;
        }
        let label = class_names.len();
        let files = entries(&class)?;
        if files.is_empty() {
            return Err(Error::io(&class, not_found("a class without an image")));
        }
        for file in &files {
            if file.is_dir() {
                let reason = "a folder inside the folder of a class";
                return Err(Error::io(
                    file,
                    io::Error::new(ErrorKind::InvalidInput, reason),
                ));
            }
            let Decoded { shape, pixels } = decode(file)?;
            images.push(&file.display(), shape, pixels, label)?;
        }
        let class = class.file_name().expect("an entry of a folder");
        class_names.push(class.to_string_lossy().into_owned());
    }
    if class_names.is_empty() {
        return Err(Error::io(dir, not_found("no folder of a class in it")));
    }
    let classes = class_names.len();
    Ok(ImageFolder {
        set: images.into_set(name, classes, range)?,
        class_names,
    })
}

fn not_found(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::NotFound, reason)
}

/// What a folder holds and does not hide, in the order of the names.
fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::io(dir, e);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Refuses an image that belongs to no class.
fn refuse_image(path: &Path) -> Result<()> {
    const KINDS: [&str; 9] = [
        "png", "pgm", "ppm", "pnm", "jpg", "jpeg", "bmp", "gif", "webp",
    ];
    let kind = path.extension().and_then(|kind| kind.to_str());
    let kind = kind.map(str::to_ascii_lowercase).unwrap_or_default();
    match KINDS.contains(&kind.as_str()) {
        true => {
            let reason = "an image beside the folders of the classes";
            Err(Error::io(
                path,
                io::Error::new(ErrorKind::InvalidInput, reason),
            ))
        }
        false => Ok(()),
    }
}
