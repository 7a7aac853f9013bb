use crate::base::{Error, Precision, Result};
use burn::tensor::{Bool, Tensor};
use serde::{Deserialize, Serialize};

/// The range that valid pixel values lie in.
///
/// Bounds travel with the [`Batch`](crate::base::Batch), so that an attack can neither forget
/// them nor clip to the wrong ones: `[0, 1]` unless said otherwise.
///
/// ```
/// use fireproof::base::Bounds;
///
/// let bounds = Bounds::default();
/// assert_eq!((bounds.low(), bounds.high()), (0.0, 1.0));
/// assert!(bounds.contains(0.5) && !bounds.contains(f32::NAN));
/// assert!(Bounds::new(1.0, 0.0).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    // JSON has no infinity: an absent limit stands for none.
    low: Option<f32>,
    high: Option<f32>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            low: Some(0.0),
            high: Some(1.0),
        }
    }
}

impl Bounds {
    /// Bounds from `low` to `high`, both included.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] unless both are finite and `low < high`.
    pub fn new(low: f32, high: f32) -> Result<Self> {
        let valid = low.is_finite() && high.is_finite() && low < high;
        let found = format_args!("[{low}, {high}]");
        let expected = "two finite numbers, the lower one first";
        Error::unless(valid, "bounds", found, expected)?;
        Ok(Self {
            low: Some(low),
            high: Some(high),
        })
    }

    /// No bounds at all, for statistical settings whose inputs are not images.
    pub fn none() -> Self {
        Self {
            low: None,
            high: None,
        }
    }

    /// The lowest valid value, `-∞` if there is none.
    pub fn low(&self) -> f32 {
        self.low.unwrap_or(f32::NEG_INFINITY)
    }

    /// The highest valid value, `+∞` if there is none.
    pub fn high(&self) -> f32 {
        self.high.unwrap_or(f32::INFINITY)
    }

    /// Whether a value lies in the bounds; NaN never does.
    pub fn contains(&self, value: f32) -> bool {
        value >= self.low() && value <= self.high()
    }

    /// The lowest and the highest finite number of this type that is valid: the limits as the type
    /// has them, so that what is clamped to them lies in them.
    pub(crate) fn limits(&self, precision: Precision) -> [f64; 2] {
        [self.low(), self.high()].map(|limit| match limit.is_finite() {
            true => precision.round(limit.into()),
            false => f64::from(limit).clamp(-precision.largest(), precision.largest()),
        })
    }

    /// Whether each value is finite and lies in the bounds, as the tensor's type has them.
    ///
    /// # Panics
    ///
    /// Panics if the tensor is of another type than [`Precision`] knows.
    pub fn holds<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D, Bool> {
        let precision = Precision::of("pixels", &tensor).unwrap_or_else(|error| panic!("{error}"));
        let [low, high] = self.limits(precision);
        // Every comparison with NaN is false.
        let below = tensor.clone().lower_equal_elem(high);
        tensor.greater_equal_elem(low).bool_and(below)
    }

    /// Moves every value to the nearest one within the bounds.
    pub fn clamp<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        match (self.low, self.high) {
            (Some(low), Some(high)) => tensor.clamp(low, high),
            (Some(low), None) => tensor.clamp_min(low),
            (None, Some(high)) => tensor.clamp_max(high),
            (None, None) => tensor,
        }
    }
}
