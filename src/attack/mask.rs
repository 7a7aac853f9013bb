use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Which pixels of an image may change.
///
/// In files rows of text, `#` for a pixel that may change and `.` for one that may not; one plane of
/// them for all channels, or one for each.
///
/// ```
/// use fireproof::attack::Mask;
///
/// // The middle of an image of 4 × 5 pixels.
/// let mask = Mask::new([1, 4, 5], |[_, y, x]| (1..3).contains(&y) && (1..4).contains(&x))?;
/// assert_eq!(mask.count(), 6);
/// let text = r#"[[".....",".###.",".###.","....."]]"#;
/// assert_eq!(serde_json::to_string(&mask).unwrap(), text);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<String>>", into = "Vec<Vec<String>>")]
pub struct Mask {
    shape: [usize; 3],
    free: Arc<[bool]>,
}

impl Mask {
    /// The mask of this shape, `[planes, height, width]`, with the pixels for which `free` says so at
    /// `[plane, row, column]`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a mask without pixels.
    pub fn new(shape: [usize; 3], mut free: impl FnMut([usize; 3]) -> bool) -> Result<Self> {
        let [planes, height, width] = shape;
        let found = format_args!("{shape:?}");
        let some = planes * height * width > 0;
        Error::unless(some, "shape of a mask", found, "at least one pixel")?;
        let at = |index: usize| {
            [
                index / (height * width),
                index / width % height,
                index % width,
            ]
        };
        Ok(Self {
            shape,
            free: (0..planes * height * width)
                .map(|index| free(at(index)))
                .collect(),
        })
    }

    /// The pixels that this one forbids, and no others.
    pub fn inverted(&self) -> Self {
        Self {
            free: self.free.iter().map(|free| !free).collect(),
            ..*self
        }
    }

    /// How many pixels may change; with one plane, in each channel.
    pub fn count(&self) -> usize {
        self.free.iter().filter(|free| **free).count()
    }

    /// For each pixel of an image of this shape whether it may change; none if the mask is of another
    /// size.
    pub(super) fn free(&self, image: [usize; 3]) -> Option<Vec<bool>> {
        let [planes, height, width] = self.shape;
        let fits = [height, width] == image[1..] && [1, image[0]].contains(&planes);
        fits.then(|| self.free.repeat(image[0] / planes))
    }

    /// The pixels that both allow; of masks that fit the same images.
    pub(super) fn and(&self, other: &Self) -> Self {
        let planes = self.shape[0].max(other.shape[0]);
        let shape = [planes, self.shape[1], self.shape[2]];
        let [mine, theirs] = [self, other].map(|mask| mask.free(shape).expect("one size"));
        Self {
            shape,
            free: mine.iter().zip(theirs).map(|(&a, b)| a && b).collect(),
        }
    }
}

/// What it is of, `[planes, height, width]`, and how much of it is free.
impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} free of {:?}", self.count(), self.shape)
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({self})")
    }
}

impl From<Mask> for Vec<Vec<String>> {
    fn from(mask: Mask) -> Self {
        let [_, height, width] = mask.shape;
        let sign = |free: &bool| if *free { '#' } else { '.' };
        let row = |row: &[bool]| row.iter().map(sign).collect();
        let plane = |plane: &[bool]| plane.chunks(width).map(row).collect();
        mask.free.chunks(height * width).map(plane).collect()
    }
}

impl TryFrom<Vec<Vec<String>>> for Mask {
    type Error = Error;

    fn try_from(planes: Vec<Vec<String>>) -> Result<Self> {
        let height = planes.first().map_or(0, Vec::len);
        let first = planes.first().and_then(|rows| rows.first());
        let width = first.map_or(0, |row| row.chars().count());
        let signs: Vec<char> = planes
            .iter()
            .flatten()
            .flat_map(|row| row.chars())
            .collect();
        let of_size = |row: &String| row.chars().count() == width;
        let even = planes
            .iter()
            .all(|rows| rows.len() == height && rows.iter().all(of_size));
        Error::unless(
            even,
            "mask",
            "rows of different length",
            "planes of one size",
        )?;
        let known = signs.iter().find(|sign| !['#', '.'].contains(sign));
        let unknown = known.map(char::to_string).unwrap_or_default();
        Error::unless(
            known.is_none(),
            "mask",
            unknown,
            "`#` or `.` for each pixel",
        )?;
        let at = |[plane, y, x]: [usize; 3]| signs[(plane * height + y) * width + x] == '#';
        Self::new([planes.len(), height, width], at)
    }
}
