//! The table in the document, and what happens.

use super::attacks::attacks;
use super::given::{SIDE, images, numbers};
use super::operations::{Given, Operation, distance, operations};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::base::{Precision, Purpose, Seed};

on_every_device![convention_the_documented_table_is_what_happens];

/// A row of the document: the name and, for each of `Precision::ALL`, what it says.
struct Row<'a> {
    name: &'a str,
    cells: Vec<&'a str>,
}

const TABLE: &str = include_str!("../../docs/types.md");

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &'static str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        Row {
            name: cells.next().unwrap(),
            cells: cells.collect(),
        }
    };
    lines.map(row).collect()
}

fn convention_the_documented_table_is_what_happens(on: &On) {
    let has = |precision: &Precision| on.device().supports_dtype(precision.dtype());
    let rows = rows();
    let done: Vec<(&str, Vec<Option<f64>>)> = (operations().iter())
        .map(|operation| (operation.name, errors(on, operation, has)))
        .chain(attacks(on, has))
        .collect();
    let names = |name: &[&str]| name.join("\n");
    assert_eq!(
        names(&rows.iter().map(|row| row.name).collect::<Vec<_>>()),
        names(&done.iter().map(|(name, _)| *name).collect::<Vec<_>>()),
    );
    let mut wrong = String::new();
    for (Row { name, cells }, (_, errors)) in rows.iter().zip(&done) {
        for ((cell, error), precision) in cells.iter().zip(errors).zip(Precision::ALL) {
            let Some(error) = error else { continue };
            let most = match *cell {
                "exact" | "reference" => 0.0,
                number => number.parse().expect("a number"),
            };
            if error.is_nan() || *error > most {
                wrong += &format!("{name} in {precision}: {error:.1e}, not {cell}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

// How far the results in each element type are from those in the finest, and in the finest the
// gradient from finite differences.
fn errors(on: &On, operation: &Operation, has: impl Fn(&Precision) -> bool) -> Vec<Option<f64>> {
    let run = |precision, x| (operation.run)(&Given { on, precision }, x);
    let finest = Precision::ALL.into_iter().find(&has).unwrap();
    let expected = numbers(&run(finest, images(on, finest, 2, SIDE)));
    let error = |precision: Precision| {
        let found = run(precision, images(on, precision, 2, SIDE));
        assert_eq!(found.dtype(), precision.dtype(), "{}", operation.name);
        let rounding = distance(&found, &expected);
        match precision {
            Precision::F64 if operation.smooth => gradient_error(on, operation),
            _ => rounding,
        }
    };
    let cell = |precision| has(&precision).then(|| error(precision));
    Precision::ALL.map(cell).to_vec()
}

// Along one direction in the images, of one combination of the results.
fn gradient_error(on: &On, operation: &Operation) -> f64 {
    let precision = Precision::F64;
    let given = Given { on, precision };
    // Of all 53 bits, so that no two pixels tie for a maximum.
    let mut draws = Seed(8).draws(Purpose::Subset, 0, 0);
    let x: Vec<f64> = (0..2 * 2 * SIDE * SIDE)
        .map(|_| draws.uniform(0.0, 1.0))
        .collect();
    let x = given.tensor(&x, [2, 2, SIDE, SIDE]);
    let weighted = |x: Tensor<4>| {
        let y = (operation.run)(&given, x);
        let count = y.dims()[0];
        let weights: Vec<f64> = (0..count).map(|at| (at as f64 * 0.7).sin()).collect();
        let weights = given.tensor(&weights, [count]);
        let weights = if y.is_autodiff() {
            Tensor::from_inner(weights)
        } else {
            weights
        };
        (y * weights).sum()
    };
    let leaf = Tensor::from_inner(x.clone()).require_grad();
    let gradients = weighted(leaf.clone()).backward();
    let gradient = leaf.grad(&gradients).expect("a gradient");
    assert_eq!(gradient.dtype(), precision.dtype());
    let count = x.shape().num_elements();
    let along: Vec<f64> = (0..count).map(|at| (at as f64 * 1.3).cos()).collect();
    let along = given.tensor(&along, x.dims());
    // Small enough to meet no kink of a relu or a maximum.
    let step = 1e-6;
    let at = |t: f64| numbers(&weighted(x.clone() + along.clone() * t))[0];
    let differences = (at(step) - at(-step)) / (2.0 * step);
    let slope = numbers(&(gradient * along).sum())[0];
    (slope - differences).abs() / differences.abs().max(1e-3)
}
