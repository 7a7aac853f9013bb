use super::ramp::ramp;
use std::f64::consts::PI;

ramp! {
    /// From one value to another along half a wave of the cosine: slowly at both ends, fastest in the
    /// middle.
    ///
    /// As a learning rate it is cosine annealing (I. Loshchilov and F. Hutter 2017, "SGDR", equation 5,
    /// without restarts): PyTorch's `CosineAnnealingLR(T_max = epochs - 1, eta_min = to)`. A learning
    /// rate must stay above 0, so let it end there.
    ///
    /// ```
    /// use fireproof::curriculum::{Cosine, Schedule};
    ///
    /// let ramp = Cosine::new(0.0, 8.0);
    /// let values = [1, 2, 3, 4, 5].map(|epoch| ramp.at(epoch, 5));
    /// assert_eq!([values[0], values[4]], [0.0, 8.0]);
    /// assert!(values[1] < 2.0 && (values[2] - 4.0).abs() < 1e-12 && values[3] > 6.0);
    /// ```
    pub struct Cosine in "cosine": |from, to, part| {
        from + (to - from) * 0.5 * (1.0 - (PI * part).cos())
    };
}
