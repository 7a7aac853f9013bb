use crate::evaluate::Outcomes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};

/// Outcomes in the files of cells: eight to a byte from the lowest bit, deflated (zlib), as Base64.
///
/// In Python: `numpy.unpackbits(numpy.frombuffer(zlib.decompress(base64.b64decode(bits)), "u1"),
/// bitorder="little")[:count]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub(super) struct Packed(pub Vec<bool>);

impl Packed {
    pub fn of(outcomes: &Outcomes) -> Self {
        Self(outcomes.iter().collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    count: usize,
    bits: String,
}

impl From<Packed> for Written {
    fn from(packed: Packed) -> Self {
        let mut bytes = vec![0u8; packed.0.len().div_ceil(8)];
        for (at, _) in packed.0.iter().enumerate().filter(|(_, flag)| **flag) {
            bytes[at / 8] |= 1 << (at % 8);
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        let deflated = encoder.write_all(&bytes).and_then(|()| encoder.finish());
        Self {
            count: packed.0.len(),
            bits: STANDARD.encode(deflated.expect("memory takes all")),
        }
    }
}

impl TryFrom<Written> for Packed {
    type Error = String;

    fn try_from(Written { count, bits }: Written) -> Result<Self, String> {
        let deflated = STANDARD.decode(bits).map_err(|error| error.to_string())?;
        let (expected, mut bytes) = (count.div_ceil(8), Vec::new());
        // One more than there may be, so that a small file cannot fill the memory.
        let mut decoder = ZlibDecoder::new(&deflated[..]).take(expected as u64 + 1);
        decoder
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        if bytes.len() != expected {
            let found = bytes.len().min(expected + 1);
            return Err(format!(
                "{count} outcomes are {expected} bytes, found {found}"
            ));
        }
        let flag = |at: usize| bytes[at / 8] >> (at % 8) & 1 == 1;
        if (count..8 * expected).any(flag) {
            return Err(format!("bits are set beyond the {count} outcomes"));
        }
        Ok(Self((0..count).map(flag).collect()))
    }
}
