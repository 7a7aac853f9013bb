//! A schedule: half a period of a cosine.

use fireproof::base::named;
use fireproof::curriculum::Schedule;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::f64::consts::PI;

/// From one value to another along half a period of a cosine; a single epoch has the first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {
    /// The value in the first epoch.
    pub from: f64,
    /// The value in the last epoch.
    pub to: f64,
}

impl Schedule for Cosine {
    fn at(&self, epoch: usize, epochs: usize) -> f64 {
        let part = (epoch - 1) as f64 / (epochs - 1).max(1) as f64;
        self.to + (self.from - self.to) * 0.5 * (1.0 + (PI * part).cos())
    }

    fn settings(&self) -> Value {
        named::<dyn Schedule>("own_cosine", self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fireproof::curriculum::Curriculum;

    #[test]
    fn value_of_every_epoch() {
        // Oracle: cosines of 0, 60, 120 and 180 degrees, by hand.
        let curriculum = Curriculum::new(4).with_learning_rate(Cosine { from: 0.4, to: 0.0 });
        for (epoch, expected) in [(1, 0.4), (2, 0.3), (3, 0.1), (4, 0.0)] {
            let rate = curriculum.stage(epoch).learning_rate;
            assert!((rate - expected).abs() < 1e-12, "{epoch}: {rate}");
        }
        assert_eq!(Cosine { from: 0.4, to: 0.0 }.at(1, 1), 0.4);
    }
}
