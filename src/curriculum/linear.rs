use super::ramp::ramp;

ramp! {
    /// From one value to another in equal steps.
    ///
    /// ```
    /// use fireproof::curriculum::{Linear, Schedule};
    ///
    /// let ramp = Linear::new(0.0, 8.0);
    /// assert_eq!([1, 2, 3, 4, 5].map(|epoch| ramp.at(epoch, 5)), [0.0, 2.0, 4.0, 6.0, 8.0]);
    /// let short = ramp.between(2, 4);
    /// assert_eq!([1, 2, 3, 4, 5].map(|epoch| short.at(epoch, 5)), [0.0, 0.0, 4.0, 8.0, 8.0]);
    /// ```
    pub struct Linear in "linear": |from, to, part| from + (to - from) * part;
}
