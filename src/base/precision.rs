use crate::base::{Error, Result};
use burn::tensor::{DType, FloatDType, Tensor};
use derive_more::Display;

/// The element types that this crate computes in, and how finely each of them counts.
///
/// Everything works in all four, where the backend has them; tolerances follow the type. Results are
/// of the type of what came in. Types are never mixed: `f64` images on a model of `f32` weights are
/// refused by name, for a silent cast would give numbers that are less exact than they look.
///
/// ```
/// use burn::tensor::{DType, Tensor};
/// use fireproof::base::Precision;
///
/// let images = Tensor::<4>::ones([2, 1, 8, 8], (&fireproof::device(), DType::F64));
/// let precision = Precision::of("images", &images)?;
/// assert_eq!((precision, precision.to_string()), (Precision::F64, "f64".to_owned()));
/// assert_eq!(precision.epsilon(), f64::EPSILON);
/// // 0.1 as f16 has it.
/// assert_eq!(Precision::F16.round(0.1), 0.0999755859375);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash)]
pub enum Precision {
    /// Double precision: 53 bits.
    #[display("f64")]
    F64,
    /// Single precision: 24 bits, the default of every backend, and what kernels are for.
    #[display("f32")]
    F32,
    /// Half precision: 11 bits, numbers up to 65504.
    #[display("f16")]
    F16,
    /// Half precision with the range of `f32`: 8 bits.
    #[display("bf16")]
    Bf16,
}

impl Precision {
    /// All four, the finest first.
    pub const ALL: [Self; 4] = [Self::F64, Self::F32, Self::F16, Self::Bf16];

    /// The precision of a tensor, which an error calls `what`.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for any other element type, such as quantized numbers.
    pub fn of<const D: usize>(what: &str, tensor: &Tensor<D>) -> Result<Self> {
        Self::of_type(tensor.dtype()).ok_or_else(|| {
            let found = tensor.dtype().name().to_owned();
            let what = format!("element type of {what}");
            Error::input(what, found, "f64, f32, f16 or bf16")
        })
    }

    /// The precision of an element type, if it is one.
    pub fn of_type(dtype: DType) -> Option<Self> {
        match dtype {
            DType::F64 => Some(Self::F64),
            DType::F32 => Some(Self::F32),
            DType::F16 => Some(Self::F16),
            DType::BF16 => Some(Self::Bf16),
            _ => None,
        }
    }

    /// Burn's name of the element type.
    pub fn dtype(self) -> DType {
        match self {
            Self::F64 => DType::F64,
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::BF16,
        }
    }

    /// Bits of a significand.
    fn bits(self) -> i32 {
        match self {
            Self::F64 => 53,
            Self::F32 => 24,
            Self::F16 => 11,
            Self::Bf16 => 8,
        }
    }

    /// The distance of neighbouring numbers from 1 on.
    pub fn epsilon(self) -> f64 {
        exp2(1 - self.bits())
    }

    /// The largest finite number.
    pub fn largest(self) -> f64 {
        match self {
            Self::F64 => f64::MAX,
            Self::F32 => f64::from(f32::MAX),
            Self::F16 => 65504.0,
            Self::Bf16 => (2.0 - exp2(-7)) * exp2(127),
        }
    }

    /// The smallest positive number with all its bits.
    pub fn smallest(self) -> f64 {
        match self {
            Self::F64 => f64::MIN_POSITIVE,
            Self::F32 | Self::Bf16 => f64::from(f32::MIN_POSITIVE),
            Self::F16 => exp2(-14),
        }
    }

    /// The nearest number of this type, ±[`largest`](Self::largest) at most unless `value` itself is
    /// infinite; NaN stays NaN.
    pub fn round(self, value: f64) -> f64 {
        self.rounded(value, f64::round_ties_even)
    }

    /// The nearest number of this type that is no farther from `from` than `value` is.
    pub fn round_towards(self, value: f64, from: f64) -> f64 {
        let nearest = self.round(value);
        match (nearest - value) * (value - from) > 0.0 {
            true if nearest > from => self.rounded(value, f64::floor),
            true => self.rounded(value, f64::ceil),
            false => nearest,
        }
    }

    /// The number of this type before the one that is nearest to `value`.
    pub(crate) fn below(self, value: f64) -> f64 {
        self.rounded(self.round(value).next_down(), f64::floor)
    }

    fn rounded(self, value: f64, whole: fn(f64) -> f64) -> f64 {
        if self == Self::F64 || !value.is_finite() || value == 0.0 {
            return value;
        }
        let least = match self {
            Self::F16 => -14,
            _ => -126,
        };
        let spacing = exp2(exponent(value).max(least) + 1 - self.bits());
        // Both are exact, the spacing being a power of two.
        (whole(value / spacing) * spacing).clamp(-self.largest(), self.largest())
    }

    /// A number as text, with as many digits as tell it from others of its type.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::F64 => value.to_string(),
            _ => (value as f32).to_string(),
        }
    }

    /// What sums over many numbers are made in: `f32` at least.
    pub(crate) fn of_sums(self) -> Self {
        match self {
            Self::F16 | Self::Bf16 => Self::F32,
            other => other,
        }
    }
}

/// What sums over a tensor are made of: the tensor in `f32`, unless its type is as fine already.
pub(crate) fn widened<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(FloatDType::F32),
        _ => tensor,
    }
}

/// Refuses operands of an operation that are not all of one precision.
///
/// # Panics
///
/// Panics naming the operation and the operands that differ, or the element type that is none.
pub(crate) fn assert_alike(operation: &str, operands: &[(&str, DType)]) {
    let Some(((first, dtype), others)) = operands.split_first() else {
        return;
    };
    assert!(
        Precision::of_type(*dtype).is_some(),
        "{operation}: {first} of element type {}, expected f64, f32, f16 or bf16",
        dtype.name()
    );
    for (name, other) in others {
        assert!(
            other == dtype,
            "{operation}: {first} of {} and {name} of {}, expected one element type (cast one of \
             them)",
            dtype.name(),
            other.name()
        );
    }
}

fn exp2(exponent: i32) -> f64 {
    f64::powi(2.0, exponent)
}

/// The exponent of a finite number other than 0; of a subnormal one, one that is small enough.
fn exponent(value: f64) -> i32 {
    (value.to_bits() >> 52 & 0x7ff) as i32 - 1023
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{bf16, f16};

    // Oracle: the conversion of the standard library; for half precision the crate `half`, which
    // rounds twice from f64, so that its numbers may be farther away.
    #[test]
    fn value_rounding_is_that_of_the_types() {
        let mut draws = crate::base::Seed(3).draws(crate::base::Purpose::Subset, 0, 0);
        for _ in 0..20_000 {
            let value = draws.uniform(-2.0, 2.0) * f64::powi(2.0, draws.below(55) as i32 - 40);
            let [f64, f32, f16, bf16] = Precision::ALL.map(|precision| precision.round(value));
            assert_eq!([f64, f32], [value, f64::from(value as f32)], "{value:e}");
            let half = [
                f16::from_f64(value).to_f64(),
                bf16::from_f64(value).to_f64(),
            ];
            for (found, half) in [f16, bf16].into_iter().zip(half) {
                assert!((found - value).abs() <= (half - value).abs(), "{value:e}");
            }
            let again = [f16::from_f64(f16).to_f64(), bf16::from_f64(bf16).to_f64()];
            assert_eq!(again, [f16, bf16], "{value:e}");
        }
        assert_eq!(
            Precision::F16.round(1e6),
            65504.0,
            "what is infinite as f16 is not an f16"
        );
    }

    #[test]
    fn value_rounding_towards_never_goes_farther() {
        let mut draws = crate::base::Seed(4).draws(crate::base::Purpose::Subset, 0, 0);
        for _ in 0..20_000 {
            let (value, from) = (draws.uniform(-1.0, 1.0), draws.uniform(-1.0, 1.0));
            for precision in Precision::ALL {
                let from = precision.round(from);
                let found = precision.round_towards(value, from);
                assert_eq!(precision.round(found), found);
                assert!((found - from).abs() <= (value - from).abs());
                assert!((found - value).abs() <= precision.epsilon());
            }
            let below = f64::from((value as f32).next_down());
            assert_eq!(Precision::F32.below(value), below);
        }
        assert_eq!(Precision::F64.below(1.0), 1.0f64.next_down());
    }
}
