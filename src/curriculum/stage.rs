use crate::base::{Degrees, Pixels};
use serde::{Deserialize, Serialize};

/// Everything a curriculum fixes for one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Largest random rotation either way.
    pub angle: Degrees,
    /// Largest random shift along each axis either way.
    pub shift: Pixels,
    /// Radius of the pixel ball, in units of the pixel range. At 0 there is no attack, whatever the
    /// steps.
    pub epsilon: f64,
    /// Steps of the attack.
    pub steps: usize,
    /// Size of an attack step, in units of the pixel range.
    pub step_size: f64,
    /// Learning rate of the optimiser.
    pub learning_rate: f64,
}
