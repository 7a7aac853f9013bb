//! The front of what nothing dominates, and the area below it: on the host.

use fireproof::base::{Purpose, Seed};
use fireproof::evaluate::{TradeOff, hypervolume, pareto_front};

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
    let mut draws = Seed(5).draws(Purpose::Subset, 0, 0);
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
