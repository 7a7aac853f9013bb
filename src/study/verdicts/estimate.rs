use crate::base::statistics::Interval;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A measured quantity with its 95 % interval: a rate, a gap, an area.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value, from 0 to 1 if it is a share.
    pub value: f64,
    /// Its 95 % interval: over seeds and images, or with one seed over images alone.
    pub interval: Interval,
    /// The number of networks, one for each seed.
    pub seeds: usize,
    /// The number of images.
    pub images: usize,
}

/// As percentages: `97.0 % (95.7–97.9)`.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Interval { low, high } = self.interval;
        let [value, low, high] = [self.value, low, high].map(|share| 100.0 * share);
        write!(f, "{value:.1} % ({low:.1}–{high:.1})")
    }
}
