use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// One yes or no per image (and draw): eight to a byte, in files as hexadecimal digits.
///
/// The outcome of draw `d` of the image at position `i` has the index `i * draws + d`; index `k`
/// is bit `k % 8`, counted from the lowest, of byte `k / 8`. In Python:
/// `numpy.unpackbits(numpy.frombuffer(bytes.fromhex(bits), "u1"), bitorder="little")[:count]`.
///
/// ```
/// use fireproof::evaluate::Outcomes;
///
/// let outcomes = Outcomes::new([true, false, true]);
/// assert_eq!(serde_json::to_string(&outcomes)?, r#"{"count":3,"bits":"05"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Hexadecimal", into = "Hexadecimal")]
pub struct Outcomes {
    count: usize,
    bytes: Vec<u8>,
}

impl Outcomes {
    /// Packs outcomes.
    pub fn new(flags: impl IntoIterator<Item = bool>) -> Self {
        let mut packed = Self::default();
        for flag in flags {
            if packed.count.is_multiple_of(8) {
                packed.bytes.push(0);
            }
            packed.bytes[packed.count / 8] |= u8::from(flag) << (packed.count % 8);
            packed.count += 1;
        }
        packed
    }

    /// The number of outcomes.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no outcome.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The outcome at this index.
    ///
    /// # Panics
    ///
    /// Panics if the index is not below [`len`](Self::len).
    pub fn get(&self, index: usize) -> bool {
        assert!(index < self.count, "outcome {index} of {}", self.count);
        self.bytes[index / 8] >> (index % 8) & 1 == 1
    }

    /// All outcomes in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = bool> + '_ {
        (0..self.count).map(|index| self.get(index))
    }
}

#[derive(Serialize, Deserialize)]
struct Hexadecimal {
    count: usize,
    bits: String,
}

impl From<Outcomes> for Hexadecimal {
    fn from(outcomes: Outcomes) -> Self {
        let mut bits = String::with_capacity(2 * outcomes.bytes.len());
        for byte in outcomes.bytes {
            write!(bits, "{byte:02x}").expect("writing to a string");
        }
        Self {
            count: outcomes.count,
            bits,
        }
    }
}

impl TryFrom<Hexadecimal> for Outcomes {
    type Error = String;

    fn try_from(text: Hexadecimal) -> Result<Self, String> {
        let Hexadecimal { count, bits } = text;
        let digits = count.div_ceil(8).saturating_mul(2);
        if bits.len() != digits || !bits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!(
                "{count} outcomes take {digits} hexadecimal digits, found {} characters",
                bits.len()
            ));
        }
        let bytes: Vec<u8> = (0..bits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&bits[at..at + 2], 16).expect("two digits"))
            .collect();
        let unused = bytes.len() * 8 - count;
        if bytes
            .last()
            .is_some_and(|last| last.leading_zeros() < unused as u32)
        {
            return Err(format!("bits are set beyond the {count} outcomes"));
        }
        Ok(Self { count, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_packing_and_unpacking_agree() {
        for count in [0, 1, 7, 8, 9, 64, 100] {
            let flags: Vec<bool> = (0..count).map(|k| k % 3 == 0 || k % 7 == 2).collect();
            let packed = Outcomes::new(flags.iter().copied());
            assert_eq!(packed.len(), count);
            assert_eq!(packed.iter().collect::<Vec<_>>(), flags);
            let text = serde_json::to_string(&packed).unwrap();
            assert_eq!(serde_json::from_str::<Outcomes>(&text).unwrap(), packed);
        }
    }

    #[test]
    fn error_corrupt_bits() {
        for text in [
            r#"{"count":9,"bits":"05"}"#,
            r#"{"count":3,"bits":"0g"}"#,
            r#"{"count":3,"bits":"+5"}"#,
            r#"{"count":3,"bits":"ff"}"#,
            r#"{"count":18446744073709551615,"bits":""}"#,
        ] {
            assert!(serde_json::from_str::<Outcomes>(text).is_err(), "{text}");
        }
    }
}
