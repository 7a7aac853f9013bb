use serde::{Deserialize, Serialize};

/// Robust accuracy against what an attack may spend on an image, passes or distance: from each image's
/// number at which it falls. A step function that never rises.
///
/// Attacks are compared by the areas under such curves, as AttackBench does with distances (A. E. Cinà,
/// J. Rony, M. Pintor and others 2024, "AttackBench: Evaluating Gradient-based Attacks for Adversarial
/// Examples").
///
/// ```
/// use fireproof::attack::AccuracyCurve;
///
/// // The first is wrong as it is, the last never falls.
/// let weak = AccuracyCurve::new("weak", [Some(0.0), Some(3.0), Some(4.0), None]);
/// let strong = AccuracyCurve::new("strong", [Some(0.0), Some(1.0), Some(4.0), None]);
/// assert_eq!([0.0, 1.0, 3.0, 9.0].map(|at| weak.at(at)), [0.75, 0.75, 0.5, 0.25]);
/// assert_eq!(weak.area(4.0), 2.75);
/// let best = AccuracyCurve::best("best", [&weak, &strong]).unwrap();
/// assert_eq!(best.area(4.0), strong.area(4.0));
/// assert_eq!([&weak, &strong].map(|curve| curve.optimality(&best, 5.0)), [0.6, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccuracyCurve {
    /// What it is of.
    pub name: String,
    /// For each image the least that makes it fall, 0 for one that is wrong as it is; `None` for one
    /// that stands.
    pub falls: Vec<Option<f64>>,
}

impl AccuracyCurve {
    /// The curve of images that fall at these numbers.
    pub fn new(name: impl Into<String>, falls: impl IntoIterator<Item = Option<f64>>) -> Self {
        Self {
            name: name.into(),
            falls: falls.into_iter().collect(),
        }
    }

    /// What all of these curves together know of the same images, each taken at its least: the envelope
    /// that attacks are measured by. None unless there is a curve, and all are of as many images.
    pub fn best<'a>(
        name: impl Into<String>,
        curves: impl IntoIterator<Item = &'a Self>,
    ) -> Option<Self> {
        let mut curves = curves.into_iter();
        let mut best = curves.next()?.clone();
        for curve in curves {
            if curve.falls.len() != best.falls.len() {
                return None;
            }
            for (least, &other) in best.falls.iter_mut().zip(&curve.falls) {
                *least = match (*least, other) {
                    (Some(least), Some(other)) => Some(least.min(other)),
                    (least, other) => least.or(other),
                };
            }
        }
        best.name = name.into();
        Some(best)
    }

    /// The accuracy that is left where an attack may spend so much; NaN without images.
    pub fn at(&self, spent: f64) -> f64 {
        let stands = |fall: &&Option<f64>| fall.is_none_or(|fall| fall > spent);
        self.mean(self.falls.iter().filter(stands).count() as f64)
    }

    /// The area under the curve from 0 to this end.
    pub fn area(&self, end: f64) -> f64 {
        let below = |fall: &Option<f64>| fall.map_or(end, |fall| fall.min(end));
        self.mean(self.falls.iter().map(below).sum())
    }

    /// How much of the area that the best curve takes from the clean accuracy, up to this end, this one
    /// takes: 1 for a curve that is as good everywhere, 0 for one of an attack that finds nothing. 1
    /// also where there is nothing to take.
    ///
    /// # Panics
    ///
    /// Panics unless both are of as many images.
    pub fn optimality(&self, best: &Self, end: f64) -> f64 {
        assert_eq!(
            self.falls.len(),
            best.falls.len(),
            "curves of the same images"
        );
        let clean = best.at(0.0) * end;
        match clean - best.area(end) {
            0.0 => 1.0,
            taken => (clean - self.area(end)) / taken,
        }
    }

    /// The steps of the curve: pairs of a number and the accuracy from there on, beginning at 0.
    pub fn steps(&self) -> Vec<(f64, f64)> {
        let mut falls = Vec::from_iter(self.falls.iter().copied().flatten());
        falls.push(0.0);
        falls.sort_unstable_by(f64::total_cmp);
        falls.dedup();
        falls
            .into_iter()
            .map(|fall| (fall, self.at(fall)))
            .collect()
    }

    fn mean(&self, sum: f64) -> f64 {
        sum / self.falls.len() as f64
    }
}
