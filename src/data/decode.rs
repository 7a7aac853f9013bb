//! Image files as bytes.

use super::source::{LIMIT, Source};
use crate::base::{Error, Result};
use png::{BitDepth, ColorType, Decoder, DecodingError, Transformations};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// The pixels of an image: bytes, or numbers (`f32`) of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<T = u8> {
    /// `[channel, height, width]`.
    pub shape: [usize; 3],
    /// Pixels in the order channel, row, column.
    pub pixels: Vec<T>,
}

const PNG: [u8; 4] = [0x89, b'P', b'N', b'G'];

/// Reads a PNG, PGM or PPM, known by its first bytes and not by its name.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be read; [`Error::Format`] if it is no such image, is damaged, or holds
/// what bytes of one or three channels cannot.
pub(super) fn decode(path: &Path) -> Result<Decoded> {
    let failed = |e| Error::io(path, e);
    let mut file = File::open(path).map_err(failed)?;
    let mut start = Vec::new();
    (&mut file)
        .take(4)
        .read_to_end(&mut start)
        .map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    match start.as_slice() {
        magic if magic == PNG => of_png(path, file),
        [b'P', b'5' | b'6', ..] => of_pnm(path, file),
        _ => Err(format(
            path,
            0,
            "a PNG, or a binary PGM or PPM (P5, P6)",
            hex(&start),
        )),
    }
}

fn format(path: &Path, offset: u64, expected: &str, found: impl Into<String>) -> Error {
    Error::Format {
        file: path.to_owned(),
        offset,
        expected: expected.to_owned(),
        found: found.into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match digits.is_empty() {
        true => "no data".to_owned(),
        false => format!("0x{digits}"),
    }
}

fn of_png(path: &Path, file: File) -> Result<Decoded> {
    let damaged = |error: DecodingError| match error {
        DecodingError::IoError(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => {
            Error::io(path, e)
        }
        other => format(path, 0, "an intact PNG", other.to_string()),
    };
    let mut decoder = Decoder::new(BufReader::new(file));
    // Palettes and fewer bits become bytes, which loses nothing.
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = reader.info().size();
    let size = reader
        .output_buffer_size()
        .filter(|&size| size as u64 <= LIMIT);
    let size = size.ok_or_else(|| {
        let found = format!("{width}×{height}");
        format(path, 16, "an image of at most 1 GiB", found)
    })?;
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes).map_err(damaged)?;
    bytes.truncate(frame.buffer_size());
    if frame.bit_depth != BitDepth::Eight {
        return Err(format(path, 24, "at most 8 bits a channel", "16 bits"));
    }
    let (channels, alpha) = match frame.color_type {
        ColorType::Grayscale => (1, false),
        ColorType::GrayscaleAlpha => (1, true),
        ColorType::Rgb => (3, false),
        ColorType::Rgba => (3, true),
        ColorType::Indexed => return Err(format(path, 25, "colours of a palette", "its numbers")),
    };
    let stored = channels + usize::from(alpha);
    // One that hides nothing says nothing.
    let opaque = |pixel: &[u8]| pixel[channels] == 255;
    if alpha && !bytes.chunks_exact(stored).all(opaque) {
        let expected = "grey or colour without transparency";
        return Err(format(path, 25, expected, "pixels that are not opaque"));
    }
    Ok(Decoded {
        shape: [channels, height as usize, width as usize],
        pixels: planes(&bytes, channels, stored),
    })
}

/// Of pixels of so many stored numbers, the first `channels` as planes.
fn planes(bytes: &[u8], channels: usize, stored: usize) -> Vec<u8> {
    let plane = |channel| bytes.iter().skip(channel).step_by(stored).copied();
    (0..channels).flat_map(plane).collect()
}

fn of_pnm(path: &Path, file: File) -> Result<Decoded> {
    let mut source = Source::new(path, BufReader::new(file))?;
    let channels = match source.exactly(2, "magic number")?.as_slice() {
        b"P5" => 1,
        _ => 3,
    };
    let mut offset = 2;
    let mut number = |what: &str| -> Result<u64> {
        let mut digits = String::new();
        loop {
            let byte = source.exactly(1, what)?[0];
            offset += 1;
            match byte {
                b'#' => {
                    while source.exactly(1, "comment")?[0] != b'\n' {
                        offset += 1
                    }
                }
                b'0'..=b'9' if digits.len() < 9 => digits.push(byte as char),
                byte if byte.is_ascii_whitespace() && digits.is_empty() => {}
                byte if byte.is_ascii_whitespace() => {
                    return Ok(digits.parse().expect("few digits"));
                }
                byte => {
                    let expected = format!("the number of {what}");
                    return Err(source.format(offset - 1, expected, hex(&[byte])));
                }
            }
        }
    };
    let (width, height) = (number("columns")?, number("rows")?);
    let most = number("levels")?;
    if most != 255 {
        return Err(source.format(offset - 1, "255 as the largest value", most.to_string()));
    }
    let size = width
        .checked_mul(height)
        .and_then(|size| size.checked_mul(channels));
    let Some(size) = size.filter(|size| (1..=LIMIT).contains(size)) else {
        let expected = "an image of at least one pixel and at most 1 GiB";
        return Err(source.format(2, expected, format!("{width}×{height}")));
    };
    let what = format!("{width}×{height} pixels");
    let bytes = source.exactly(size, &what)?;
    source.end(&what)?;
    let channels = channels as usize;
    Ok(Decoded {
        shape: [channels, height as usize, width as usize],
        pixels: planes(&bytes, channels, channels),
    })
}
