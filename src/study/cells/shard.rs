use crate::base::{Error, Result};
use derive_more::Display;
use std::str::FromStr;

/// One of several parts of the work: part `number` of `of`, counted from 1; as text `3/8`.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
#[display("{number}/{of}")]
pub struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// Everything.
    pub const ALL: Self = Self { number: 1, of: 1 };

    /// Part `number`, from 1 on, of `of`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is no such part.
    pub fn new(number: usize, of: usize) -> Result<Self> {
        let valid = (1..=of).contains(&number);
        let found = format_args!("{number}/{of}");
        Error::unless(valid, "shard", found, "i/n with i from 1 to n")?;
        Ok(Self { number, of })
    }

    /// Whether the piece of work at this place, counted from 0, is of this part: one of every n in a row is, so
    /// that all parts have as much of what is urgent, dealt back and forth (1 2 3 3 2 1), so that of two kinds
    /// of work that take turns no part has only the longer one.
    pub fn has(&self, place: usize) -> bool {
        let (row, at) = (place / self.of, place % self.of);
        let part = match row % 2 {
            0 => at,
            _ => self.of - 1 - at,
        };
        part == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once('/');
        let numbers = numbers.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let (number, of) =
            numbers.ok_or_else(|| Error::setting("shard", text, "i/n with i from 1 to n"))?;
        Self::new(number, of)
    }
}
