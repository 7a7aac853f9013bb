//! Eigenvalues and eigenvectors of a symmetric matrix, in `f64`.
//!
//! Householder reflections make it tridiagonal, implicit QL steps with Wilkinson's shift make that
//! diagonal (R. S. Martin, C. Reinsch and J. H. Wilkinson 1968, "Householder's tridiagonalization of a
//! symmetric matrix"; A. Dubrulle, R. S. Martin and J. H. Wilkinson 1968, "The implicit QL algorithm").
//! What it costs grows with the cube of the size.

/// A symmetric matrix, row by row.
pub(super) struct Symmetric {
    size: usize,
    entries: Vec<f64>,
}

/// Eigenvalues, falling, and of each a vector of length 1.
pub(super) struct Eigen {
    pub values: Vec<f64>,
    pub vectors: Vec<Vec<f64>>,
}

impl Symmetric {
    /// All products of these rows with one another.
    pub fn gram(rows: &[Vec<f64>]) -> Self {
        let size = rows.len();
        let mut entries = vec![0.0; size * size];
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows[..=i].iter().enumerate() {
                let product = dot(a, b);
                entries[i * size + j] = product;
                entries[j * size + i] = product;
            }
        }
        Self { size, entries }
    }

    pub fn eigen(self) -> Eigen {
        let Self { size, mut entries } = self;
        let (mut diagonal, mut beside, reflections) = tridiagonal(size, &mut entries);
        // Of each eigenvector one row, so that rotations of two of them run along memory.
        let mut vectors = back_to_rows(size, &reflections);
        ql(&mut diagonal, &mut beside, &mut vectors);
        let mut order = Vec::from_iter(0..size);
        order.sort_by(|&a, &b| diagonal[b].total_cmp(&diagonal[a]));
        Eigen {
            values: order.iter().map(|&at| diagonal[at]).collect(),
            vectors: order
                .iter()
                .map(|&at| std::mem::take(&mut vectors[at]))
                .collect(),
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Eight sums that need not wait for one another.
    let (mut sums, split) = ([0.0; 8], a.len() / 8 * 8);
    for (a, b) in a[..split].chunks_exact(8).zip(b[..split].chunks_exact(8)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest = a[split..].iter().zip(&b[split..]).map(|(a, b)| a * b);
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

fn add(to: &mut [f64], factor: f64, of: &[f64]) {
    for (to, of) in to.iter_mut().zip(of) {
        *to += factor * of;
    }
}

// The diagonal, what stands beside it, and the reflections x ↦ x − 2 (v·x) v that made it so, of which
// number k leaves the first k + 1 coordinates alone.
fn tridiagonal(size: usize, a: &mut [f64]) -> (Vec<f64>, Vec<f64>, Vec<Vec<f64>>) {
    let mut beside = vec![0.0; size];
    let mut reflections = Vec::new();
    for k in 0..size.saturating_sub(2) {
        let column = Vec::from_iter((k + 1..size).map(|i| a[k * size + i]));
        let length = dot(&column, &column).sqrt();
        let rest = dot(&column[1..], &column[1..]);
        let mut v = column;
        if rest == 0.0 {
            beside[k] = v[0];
            reflections.push(Vec::new());
            continue;
        }
        // Away from cancellation.
        let to = if v[0] > 0.0 { -length } else { length };
        beside[k] = to;
        v[0] -= to;
        let norm = dot(&v, &v).sqrt();
        v.iter_mut().for_each(|x| *x /= norm);
        // A − 2 v wᵀ − 2 w vᵀ with w = A v − (v·A v) v on what is left of the matrix.
        let first = k + 1;
        let row = |i: usize| (first + i) * size + first..(first + i + 1) * size;
        let mut w = Vec::from_iter((0..v.len()).map(|i| dot(&a[row(i)], &v)));
        let along = dot(&v, &w);
        add(&mut w, -along, &v);
        for i in 0..v.len() {
            let range = row(i);
            add(&mut a[range.clone()], -2.0 * v[i], &w);
            add(&mut a[range], -2.0 * w[i], &v);
        }
        reflections.push(v);
    }
    if size > 1 {
        beside[size - 2] = a[(size - 2) * size + size - 1];
    }
    let diagonal = (0..size).map(|i| a[i * size + i]).collect();
    (diagonal, beside, reflections)
}

// The columns of the product of all reflections, one to a row.
fn back_to_rows(size: usize, reflections: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut rows = Vec::from_iter((0..size).map(|at| {
        let mut row = vec![0.0; size];
        row[at] = 1.0;
        row
    }));
    for (k, v) in reflections.iter().enumerate().rev() {
        if v.is_empty() {
            continue;
        }
        // Column j of H Q: what stands in the rows before k + 1 stays as it is.
        for row in &mut rows[k + 1..] {
            let along = dot(&row[k + 1..], v);
            add(&mut row[k + 1..], -2.0 * along, v);
        }
    }
    rows
}

fn ql(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [Vec<f64>]) {
    let size = diagonal.len();
    for low in 0..size {
        // Thirty steps for one eigenvalue are more than has ever been seen; more of them do no harm.
        for _ in 0..300 {
            let small = |at: usize| {
                let scale = diagonal[at].abs() + diagonal[at + 1].abs();
                beside[at].abs() <= f64::EPSILON * scale
            };
            let high = (low..size - 1).find(|&at| small(at)).unwrap_or(size - 1);
            if high == low {
                break;
            }
            let half = (diagonal[low + 1] - diagonal[low]) / (2.0 * beside[low]);
            let root = half.hypot(1.0).copysign(half);
            let mut g = diagonal[high] - diagonal[low] + beside[low] / (half + root);
            let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
            let mut whole = true;
            for at in (low..high).rev() {
                let f = sine * beside[at];
                let b = cosine * beside[at];
                let r = f.hypot(g);
                beside[at + 1] = r;
                if r == 0.0 {
                    // It has split by itself.
                    diagonal[at + 1] -= shift;
                    beside[high] = 0.0;
                    whole = false;
                    break;
                }
                (sine, cosine) = (f / r, g / r);
                let apart = diagonal[at + 1] - shift;
                let turned = (diagonal[at] - apart) * sine + 2.0 * cosine * b;
                shift = sine * turned;
                diagonal[at + 1] = apart + shift;
                g = cosine * turned - b;
                let [first, second] = &mut vectors[at..at + 2] else {
                    unreachable!("two vectors")
                };
                for (a, b) in first.iter_mut().zip(second) {
                    (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
                }
            }
            if whole {
                diagonal[low] -= shift;
                beside[low] = g;
                beside[high] = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Purpose, Seed};

    fn random(size: usize, rank: usize) -> Symmetric {
        let mut draws = Seed(3).draws(Purpose::Sample, size as u64, rank as u64);
        let rows = (0..size).map(|_| Vec::from_iter((0..rank).map(|_| draws.normal())));
        Symmetric::gram(&Vec::from_iter(rows))
    }

    // Oracle: the definition. A v = λ v, vectors are orthonormal, the trace is the sum of the values.
    #[test]
    fn value_eigenvectors_are_what_the_matrix_stretches() {
        for (size, rank) in [(1, 1), (2, 5), (3, 1), (12, 30), (40, 7), (97, 97)] {
            let matrix = random(size, rank);
            let entries = matrix.entries.clone();
            let Eigen { values, vectors } = matrix.eigen();
            let trace: f64 = (0..size).map(|i| entries[i * size + i]).sum();
            let tolerance = 1e-12 * trace;
            assert!((values.iter().sum::<f64>() - trace).abs() < tolerance);
            assert!(values.array_windows().all(|[a, b]| a >= b));
            for (i, v) in vectors.iter().enumerate() {
                for (row, x) in entries.chunks(size).zip(v) {
                    assert!((dot(row, v) - values[i] * x).abs() < tolerance, "{size}");
                }
                for (j, w) in vectors.iter().enumerate() {
                    let expected = f64::from(u8::from(i == j));
                    assert!((dot(v, w) - expected).abs() < 1e-12);
                }
            }
            // As many values as the rank, and nothing beyond.
            assert!(
                values
                    .iter()
                    .skip(rank)
                    .all(|value| value.abs() < tolerance)
            );
        }
    }

    // Oracle: the path graph's Laplacian has 2 − 2 cos(π k / n); a diagonal matrix its entries.
    #[test]
    fn value_eigenvalues_of_a_known_matrix() {
        let size = 30;
        let mut entries = vec![0.0; size * size];
        for i in 0..size {
            entries[i * size + i] = if i == 0 || i == size - 1 { 1.0 } else { 2.0 };
            if i > 0 {
                entries[i * size + i - 1] = -1.0;
                entries[(i - 1) * size + i] = -1.0;
            }
        }
        let values = Symmetric { size, entries }.eigen().values;
        for (k, value) in values.iter().rev().enumerate() {
            let angle = std::f64::consts::PI * k as f64 / size as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-13, "{k}");
        }
        let entries = [3.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 5.0].to_vec();
        let found = Symmetric { size: 3, entries }.eigen();
        assert_eq!(found.values, [5.0, 3.0, -1.0]);
        let nothing = Symmetric::gram(&vec![vec![0.0; 4]; 5]).eigen();
        assert_eq!(nothing.values, [0.0; 5]);
    }
}
