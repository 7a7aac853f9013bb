/// The pattern that squares of L2 and L1 carry: two bumps of opposite signs beside each other, each
/// falling off from its centre.
///
/// (Andriushchenko et al. 2020, equations 2 and 3.)
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    side: usize,
    values: Vec<f64>,
}

impl Pattern {
    /// The pattern of this side whose bumps fall off with this power of the distance, of length 1
    /// in the norm of this power.
    pub fn new(side: usize, falloff: i32, power: i32) -> Self {
        let upper = side / 2;
        let mut values = bump([upper, side], falloff, power);
        let lower = bump([side - upper, side], falloff, power);
        values.extend(lower.into_iter().map(|value| -value));
        Self {
            side,
            values: of_length_1(values, power),
        }
    }

    /// Its value there.
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.side + column]
    }
}

// A cell at distance d from the centre is in all rectangles around it from the d-th on; the k-th
// adds 1/k^falloff.
fn bump([rows, columns]: [usize; 2], falloff: i32, power: i32) -> Vec<f64> {
    let centre = [rows / 2, columns / 2];
    let last = centre[0].max(centre[1]) + 1;
    let at = |distance: usize| {
        (distance + 1..=last)
            .map(|k| (k as f64).powi(-falloff))
            .sum()
    };
    let by_distance: Vec<f64> = (0..last).map(at).collect();
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| [row, column]));
    let values = cells
        .map(|[row, column]| by_distance[row.abs_diff(centre[0]).max(column.abs_diff(centre[1]))]);
    of_length_1(values.collect(), power)
}

fn of_length_1(mut values: Vec<f64>, power: i32) -> Vec<f64> {
    let sum: f64 = values.iter().map(|value| value.abs().powi(power)).sum();
    let length = sum.powf(1.0 / f64::from(power));
    values.iter_mut().for_each(|value| *value /= length);
    values
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn value_pattern_by_hand() {
        // Side 3: one row of 1, 1 + 1/4, 1 around (0, 1) without the second ring, over two rows
        // around (1, 1). In units of each bump's length.
        let pattern = Pattern::new(3, 2, 2);
        let ring = 0.25;
        let upper = [ring, 1.0 + ring, ring];
        let lower = [ring, ring, ring, ring, 1.0 + ring, ring];
        let length = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
        let each = |values: &[f64], sign: f64| {
            let unit = sign / length(values) / 2f64.sqrt();
            Vec::from_iter(values.iter().map(|v| v * unit))
        };
        let expected = [each(&upper, 1.0), each(&lower, -1.0)].concat();
        for (at, expected) in expected.into_iter().enumerate() {
            let found = pattern.at(at / 3, at % 3);
            assert!((found - expected).abs() < 1e-15, "{at}: {found} {expected}");
        }
        // In L1 the rings weigh 1/k⁴, and each bump has half of the length.
        let pattern = Pattern::new(3, 4, 1);
        assert!((pattern.at(0, 1) - 0.5 * (17.0 / 16.0) / (19.0 / 16.0)).abs() < 1e-15);
        assert_eq!(Pattern::new(1, 2, 2).at(0, 0), -1.0);
    }
}
