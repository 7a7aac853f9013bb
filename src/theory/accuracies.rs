use serde::{Deserialize, Serialize};

/// The accuracies of a rule in a setting, as probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accuracies {
    /// On points as they are.
    pub natural: f64,
    /// On randomly shifted points: S.
    pub spatial: f64,
    /// On attacked points in their place.
    pub in_place: f64,
    /// On attacked points, randomly shifted: R.
    pub adversarial: f64,
}

impl Accuracies {
    /// Those of a rule that says of a shifted point what it says of the point.
    pub(super) fn invariant(clean: f64, attacked: f64) -> Self {
        Self {
            natural: clean,
            spatial: clean,
            in_place: attacked,
            adversarial: attacked,
        }
    }
}
