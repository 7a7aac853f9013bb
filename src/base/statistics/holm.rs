/// Holm's step-down adjustment: p-values that may each be held against the level wanted for the
/// whole family. (S. Holm 1979.)
///
/// ```
/// use fireproof::base::statistics::holm;
///
/// assert_eq!(holm(&[0.01, 0.04, 0.03]), vec![0.03, 0.06, 0.06]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, &at) in order.iter().enumerate() {
        let scaled = (p_values.len() - rank) as f64 * p_values[at];
        largest = largest.max(scaled.min(1.0));
        adjusted[at] = largest;
    }
    adjusted
}

/// Holm's adjustment for hypotheses in groups, of each of which at most one can be true: that two
/// models are equally good, and that they differ by more than a margin.
///
/// `groups` names the group of each p-value. What is rejected is one of them only, so a p-value is
/// multiplied by the number of groups with a hypothesis that is not rejected yet, not by the number
/// of all such hypotheses; the probability of rejecting any true one is bounded as in Holm's. With
/// every hypothesis in a group of its own this is [`holm`].
///
/// (J. P. Shaffer 1986, "Modified sequentially rejective multiple test procedures".)
///
/// ```
/// use fireproof::base::statistics::holm_exclusive;
///
/// // Two questions, each asked both ways.
/// let adjusted = holm_exclusive(&[0.001, 0.9, 0.6, 0.02], &[0, 0, 1, 1]);
/// assert_eq!(adjusted, [0.002, 1.0, 1.0, 0.04]);
/// ```
///
/// # Panics
///
/// Panics unless there is one group for each p-value.
pub fn holm_exclusive(p_values: &[f64], groups: &[usize]) -> Vec<f64> {
    assert_eq!(p_values.len(), groups.len(), "one group for each p-value");
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, &at) in order.iter().enumerate() {
        let mut open: Vec<usize> = order[rank..].iter().map(|&at| groups[at]).collect();
        open.sort_unstable();
        open.dedup();
        largest = largest.max((open.len() as f64 * p_values[at]).min(1.0));
        adjusted[at] = largest;
    }
    adjusted
}
