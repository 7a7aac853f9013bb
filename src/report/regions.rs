//! Parts of a grid where one class is predicted.

use std::collections::VecDeque;

/// A connected part of a grid of so many rows and columns with one value, by the cells of which each
/// shares a side with another one.
pub(super) struct Region {
    pub value: i64,
    pub size: usize,
    /// The cell, as row and column, that is farthest from other values and from the edge of the grid.
    pub middle: (usize, usize),
}

/// All regions of a grid given row by row.
pub(super) fn regions(values: &[i64], rows: usize, columns: usize) -> Vec<Region> {
    let depth = depths(values, rows, columns);
    let mut seen = vec![false; values.len()];
    let mut found = Vec::new();
    for start in 0..values.len() {
        if seen[start] {
            continue;
        }
        let (mut next, mut cells) = (vec![start], Vec::new());
        seen[start] = true;
        while let Some(at) = next.pop() {
            cells.push(at);
            for other in beside(at, rows, columns) {
                if !seen[other] && values[other] == values[start] {
                    seen[other] = true;
                    next.push(other);
                }
            }
        }
        // Of cells as deep, the one nearest to the region's centre.
        let mean = |of: fn(usize, usize) -> usize| {
            let sum: usize = cells.iter().map(|&at| of(at, columns)).sum();
            sum as f64 / cells.len() as f64
        };
        let centre = (mean(|at, n| at / n), mean(|at, n| at % n));
        let off = |at: usize| {
            let (row, column) = ((at / columns) as f64, (at % columns) as f64);
            (row - centre.0).powi(2) + (column - centre.1).powi(2)
        };
        let order = |a: &usize, b: &usize| {
            let deeper = depth[*a].cmp(&depth[*b]);
            deeper.then(off(*b).total_cmp(&off(*a)))
        };
        let middle = cells.iter().copied().max_by(order).unwrap_or(start);
        found.push(Region {
            value: values[start],
            size: cells.len(),
            middle: (middle / columns, middle % columns),
        });
    }
    found
}

// How many steps each cell is from one that lies on the edge or beside one of another value.
fn depths(values: &[i64], rows: usize, columns: usize) -> Vec<usize> {
    let differs = |&at: &usize| {
        let alike = beside(at, rows, columns).filter(|&other| values[other] == values[at]);
        alike.count() < 4
    };
    let mut depth = vec![usize::MAX; values.len()];
    let mut next = VecDeque::from_iter((0..values.len()).filter(differs));
    next.iter().for_each(|&at| depth[at] = 0);
    while let Some(at) = next.pop_front() {
        for other in beside(at, rows, columns) {
            if depth[other] == usize::MAX {
                depth[other] = depth[at] + 1;
                next.push_back(other);
            }
        }
    }
    depth
}

fn beside(at: usize, rows: usize, columns: usize) -> impl Iterator<Item = usize> {
    let (row, column) = (at / columns, at % columns);
    let above = (row > 0).then(|| at - columns);
    let below = (row + 1 < rows).then_some(at + columns);
    let left = (column > 0).then(|| at - 1);
    let right = (column + 1 < columns).then_some(at + 1);
    [above, below, left, right].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::regions;

    // Oracle: counted by eye.
    #[test]
    fn value_regions_and_their_middles() {
        #[rustfmt::skip]
        let values = [
            1, 1, 1, 1, 1, 2,
            1, 1, 1, 1, 1, 2,
            1, 1, 1, 1, 1, 2,
            3, 3, 3, 3, 1, 1,
        ];
        let found = Vec::from_iter(
            (regions(&values, 4, 6).iter()).map(|part| (part.value, part.size, part.middle)),
        );
        assert_eq!(found, [(1, 17, (1, 2)), (2, 3, (1, 5)), (3, 4, (3, 2))]);
        assert_eq!(regions(&[7; 6], 2, 3)[0].size, 6);
        assert!(regions(&[], 0, 0).is_empty());
    }
}
