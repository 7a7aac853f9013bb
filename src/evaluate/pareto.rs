use serde::{Deserialize, Serialize};

/// One model in the plane of the two robustnesses: accuracies from 0 to 1, larger is better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TradeOff {
    /// Accuracy under random rotations or shifts of a chosen range.
    pub spatial: f64,
    /// Accuracy under the attack at a chosen radius.
    pub adversarial: f64,
}

impl TradeOff {
    /// Whether this model is at least as good in both, and better in one.
    pub fn dominates(&self, other: &Self) -> bool {
        self.spatial >= other.spatial && self.adversarial >= other.adversarial && self != other
    }
}

/// The positions of the models that no other one dominates, by growing spatial accuracy.
///
/// Equal points do not dominate each other: all of them are on the front. A point with a NaN is
/// never on it.
pub fn pareto_front(points: &[TradeOff]) -> Vec<usize> {
    let comparable = |p: &TradeOff| !p.spatial.is_nan() && !p.adversarial.is_nan();
    let mut front: Vec<usize> = (0..points.len())
        .filter(|&at| {
            comparable(&points[at]) && !points.iter().any(|other| other.dominates(&points[at]))
        })
        .collect();
    front.sort_by(|&a, &b| {
        let (a, b) = (points[a], points[b]);
        (a.spatial.total_cmp(&b.spatial)).then(b.adversarial.total_cmp(&a.adversarial))
    });
    front
}

/// The area that the points dominate, measured from the reference point (0, 0): 1 for a model
/// that is perfect in both, 0 for none.
///
/// (E. Zitzler and L. Thiele 1998, "Multiobjective optimization using evolutionary algorithms".)
/// Points that are not above the reference in both coordinates add nothing.
pub fn hypervolume(points: &[TradeOff]) -> f64 {
    let above: Vec<TradeOff> = points
        .iter()
        .copied()
        .filter(|p| p.spatial > 0.0 && p.adversarial > 0.0)
        .collect();
    let mut area = 0.0;
    let mut left = 0.0;
    // Along the front the height falls, so each point adds the strip that it alone reaches.
    for at in pareto_front(&above) {
        let point = above[at];
        area += (point.spatial - left) * point.adversarial;
        left = point.spatial;
    }
    area
}
