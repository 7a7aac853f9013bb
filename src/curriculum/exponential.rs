use super::ramp::ramp;
use crate::base::Error;

ramp! {
    /// From one value to another in equal ratios: every epoch multiplies by the same number. Both are
    /// above 0.
    ///
    /// PyTorch's `ExponentialLR` with γ = (to / from)^(1 / (epochs - 1)); given by its ends, it keeps
    /// them in any number of epochs.
    ///
    /// ```
    /// use fireproof::curriculum::{Exponential, Schedule};
    ///
    /// let fall = Exponential::new(0.4, 0.1);
    /// assert_eq!([1, 2, 3].map(|epoch| fall.at(epoch, 3)), [0.4, 0.2, 0.1]);
    /// ```
    pub struct Exponential in "exponential": |from, to, part| from * (to / from).powf(part),
        ends |end, value| {
            let positive = value.is_finite() && value > 0.0;
            let end = format_args!("exponential: {end}");
            Error::unless(positive, end, value, "a finite number above 0")
        };
}
