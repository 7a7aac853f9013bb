/// The exact two-sided sign-flip test of paired differences: the probability, if either model might
/// as well have been the other one on each image, of differences that sum up to at least as much.
///
/// A difference is in whole outcomes: the number of draws that only the first model gets right,
/// minus the number that only the second does. With one draw this is [`mcnemar`]. Below 1e-30 it is
/// given as 1e-30.
///
/// (R. A. Fisher 1935, "The design of experiments"; E. J. G. Pitman 1937.)
///
/// ```
/// use fireproof::base::statistics::{mcnemar, sign_flip};
///
/// assert_eq!(sign_flip(&[1, 1, 0, -1, 1, 1, 1]), mcnemar(5, 1));
/// // 2 + 2 + 1 = 5 of 5 either way: 2 of 8 signs.
/// assert!((sign_flip(&[2, 2, 1]) - 0.25).abs() < 1e-12);
/// ```
pub fn sign_flip(differences: &[i64]) -> f64 {
    let count = |size: i64| differences.iter().filter(|d| d.abs() == size).count();
    let largest = differences.iter().map(|d| d.abs()).max().unwrap_or(0);
    let sum: i64 = differences.iter().sum();
    if largest <= 1 {
        let positive = (count(1) as i64 + sum) / 2;
        return mcnemar(positive as usize, count(1) - positive as usize);
    }
    // The distribution of the sum, from `lowest` on in steps of two: of the differences of one
    // size a binomial number is positive.
    let (mut lowest, mut sums) = (0, vec![1.0]);
    for size in 1..=largest {
        let (first, binomial) = fair_binomial(count(size));
        let stride = size as usize;
        let mut next = vec![0.0; sums.len() + stride * (binomial.len() - 1)];
        for (positive, &weight) in binomial.iter().enumerate() {
            for (at, &sum) in sums.iter().enumerate() {
                next[at + stride * positive] += weight * sum;
            }
        }
        sums = next;
        lowest += size * (2 * first as i64 - count(size) as i64);
    }
    let as_extreme = |&(at, _): &(usize, &f64)| (lowest + 2 * at as i64).abs() >= sum.abs();
    let tail: f64 = sums
        .iter()
        .enumerate()
        .filter(as_extreme)
        .map(|(_, p)| p)
        .sum();
    tail.clamp(1e-30, 1.0)
}

// The probabilities of heads in so many tosses, from the first number on that is not negligible.
fn fair_binomial(count: usize) -> (usize, Vec<f64>) {
    let mut log = -(count as f64) * std::f64::consts::LN_2;
    let mut terms = vec![log];
    for k in 1..=count {
        log += ((count - k + 1) as f64 / k as f64).ln();
        terms.push(log);
    }
    let matters = |log: &f64| *log > -92.0;
    let first = terms.iter().position(matters).unwrap_or(0);
    let terms = terms.into_iter().skip(first).take_while(matters);
    (first, terms.map(f64::exp).collect())
}

/// McNemar's exact two-sided test: the probability, if two models were equally good, of a split
/// at least as uneven as `only_first` images that only the first model gets right against
/// `only_second` that only the second does.
///
/// ```
/// use fireproof::base::statistics::mcnemar;
///
/// assert_eq!(mcnemar(0, 0), 1.0);
/// assert!((mcnemar(1, 9) - 22.0 / 1024.0).abs() < 1e-12);
/// ```
pub fn mcnemar(only_first: usize, only_second: usize) -> f64 {
    let (count, fewer) = (only_first + only_second, only_first.min(only_second));
    // Sum of C(count, k) / 2^count for k up to `fewer`, in logarithms: 2^-count underflows.
    let mut log_term = -(count as f64) * std::f64::consts::LN_2;
    let mut tail = log_term.exp();
    for k in 1..=fewer {
        log_term += ((count - k + 1) as f64 / k as f64).ln();
        tail += log_term.exp();
    }
    (2.0 * tail).min(1.0)
}
