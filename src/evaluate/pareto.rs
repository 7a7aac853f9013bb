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

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(f64, f64)]) -> Vec<TradeOff> {
        list.iter()
            .map(|&(spatial, adversarial)| TradeOff {
                spatial,
                adversarial,
            })
            .collect()
    }

    // Oracle: areas of unions of rectangles, by hand.
    #[test]
    fn value_hypervolume_by_hand() {
        assert_eq!(hypervolume(&[]), 0.0);
        assert_eq!(hypervolume(&points(&[(0.5, 0.5)])), 0.25);
        assert_eq!(hypervolume(&points(&[(1.0, 1.0), (0.5, 0.5)])), 1.0);
        // 0.25·1 + 0.25·0.5 + 0.5·0.25, in any order, with a dominated and a repeated point.
        let staircase = points(&[
            (0.5, 0.5),
            (1.0, 0.25),
            (0.25, 1.0),
            (0.25, 0.5),
            (0.5, 0.5),
            (-1.0, 3.0),
            (2.0, 0.0),
        ]);
        assert_eq!(hypervolume(&staircase), 0.5);
    }

    // Oracle: the share of a fine lattice that some point dominates.
    #[test]
    fn value_hypervolume_counts_a_lattice() {
        let mut draws = crate::base::Seed(5).draws(crate::base::Purpose::Subset, 0, 0);
        let list: Vec<(f64, f64)> = (0..12)
            .map(|_| (draws.uniform(0.0, 1.0), draws.uniform(0.0, 1.0)))
            .collect();
        let cells = 400;
        let covered = (0..cells * cells)
            .filter(|k| {
                let x = (f64::from(k % cells) + 0.5) / f64::from(cells);
                let y = (f64::from(k / cells) + 0.5) / f64::from(cells);
                list.iter().any(|p| p.0 >= x && p.1 >= y)
            })
            .count();
        let lattice = covered as f64 / f64::from(cells * cells);
        assert!((hypervolume(&points(&list)) - lattice).abs() < 5e-3);
    }

    #[test]
    fn value_front_is_what_nothing_dominates() {
        let list = points(&[
            (0.9, 0.1),
            (0.2, 0.8),
            (0.5, 0.5),
            (0.5, 0.4),
            (0.2, 0.8),
            (f64::NAN, 1.0),
        ]);
        assert_eq!(pareto_front(&list), [1, 4, 2, 0]);
        assert_eq!(pareto_front(&[]), [] as [usize; 0]);
    }
}
