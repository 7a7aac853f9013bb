use crate::base::{Error, Result};
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The most bytes any file may unpack to, whatever its header says: 1 GiB, more than the largest
/// set in these formats known to us (EMNIST, 0.6 GiB). It stops a small packed file from filling
/// the memory.
pub(super) const LIMIT: u64 = 1 << 30;

/// A file read from its start, unpacked on the way if it is gzipped.
pub(super) struct Source {
    path: PathBuf,
    reader: Box<dyn Read>,
    packed: bool,
    // Bytes taken so far from the unpacked stream.
    offset: u64,
}

impl Source {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, e))?;
        Self::new(path, BufReader::new(file))
    }

    /// A source that stands for the file `path` but reads from `reader`.
    pub fn new(path: &Path, mut reader: impl BufRead + 'static) -> Result<Self> {
        let start = reader.fill_buf().map_err(|e| Error::io(path, e))?;
        let packed = start.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn Read> = if packed {
            Box::new(MultiGzDecoder::new(reader))
        } else {
            Box::new(reader)
        };
        Ok(Self {
            path: path.to_owned(),
            reader,
            packed,
            offset: 0,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next `count` bytes, which hold `what`. Memory grows with the bytes that are really
    /// there, not with `count`.
    pub fn exactly(&mut self, count: u64, what: &str) -> Result<Vec<u8>> {
        let start = self.offset;
        let bytes = self.at_most(count)?;
        if bytes.len() as u64 == count {
            return Ok(bytes);
        }
        let expected = format!("{count} bytes of {what} from byte {start}");
        Err(self.format(self.offset, expected, "the end of the data"))
    }

    /// All bytes that are left if they are no more than `count`, else one byte more than that.
    pub fn at_most(&mut self, count: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(count).read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        match read {
            Ok(_) => Ok(bytes),
            Err(error) => Err(self.unreadable(error)),
        }
    }

    /// Refuses anything after what was read.
    pub fn end(mut self, what: &str) -> Result<()> {
        let end = self.offset;
        match self.at_most(1)?.as_slice() {
            [] => Ok(()),
            _ => Err(self.format(
                end,
                format!("the end of the data, after {what}"),
                "more bytes",
            )),
        }
    }

    pub fn format(
        &self,
        offset: u64,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        Error::Format {
            file: self.path.clone(),
            offset,
            expected: expected.into(),
            found: found.into(),
        }
    }

    fn unreadable(&self, error: io::Error) -> Error {
        match error.kind() {
            // What the decoder says of a stream that is cut, damaged, or followed by other bytes.
            ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData
                if self.packed =>
            {
                self.format(self.offset, "an intact gzip stream", error.to_string())
            }
            _ => Error::io(&self.path, error),
        }
    }
}

/// A missing file, with the names it might have had.
pub(super) fn missing(dir: &Path, names: &[&str]) -> Error {
    let reason = match dir.is_dir() {
        true => format!("the folder holds none of {}", names.join(", ")),
        false => format!("no such folder (expected to hold {})", names.join(" or ")),
    };
    Error::io(dir, io::Error::new(ErrorKind::NotFound, reason))
}

/// The first of these names that is a file in `dir`.
pub(super) fn find(dir: &Path, names: &[&str]) -> Result<PathBuf> {
    names
        .iter()
        .map(|name| dir.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| missing(dir, names))
}
