use serde::{Deserialize, Serialize};

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
        let digits = outcomes.bytes.iter().map(|byte| format!("{byte:02x}"));
        Self {
            count: outcomes.count,
            bits: digits.collect(),
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
            .is_some_and(|last| (last.leading_zeros() as usize) < unused)
        {
            return Err(format!("bits are set beyond the {count} outcomes"));
        }
        Ok(Self { count, bytes })
    }
}
