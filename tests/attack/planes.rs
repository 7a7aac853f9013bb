//! The nearest points of a hyperplane within bounds, against a slow search.

use crate::common::On;
use burn::tensor::{DType, Tensor, TensorData};
use fireproof::attack::{L1, L2, Linf, NormSpec, Plane};
use fireproof::base::{Bounds, Draws, Purpose, Seed, read};

on_every_device![
    value_the_nearest_point_of_plane_and_bounds,
    value_no_row_depends_on_the_others,
    value_shortened_rows_are_the_nearest_of_their_ball,
];

pub fn norms() -> [NormSpec; 3] {
    [Linf.into(), L2.into(), L1.into()]
}

// Each coordinate's move at this place on the way, by the norm's own rule.
fn moved(norm: &NormSpec, w: f64, time: f64, [low, high]: [f64; 2]) -> f64 {
    match norm.to_string().as_str() {
        "L∞" => (w.signum() * time * f64::from(w != 0.0)).clamp(low, high),
        _ => (w * time).clamp(low, high),
    }
}

/// The nearest move that closes the gap within bounds, or all that there is, by bisection on the
/// multiplier of the plane in f64; in L1 by spending as little as possible, coordinate by coordinate.
pub fn slow(norm: &NormSpec, x: &[f64], w: &[f64], gap: f64, bounds: [f64; 2]) -> Vec<f64> {
    if *norm == L1.into() {
        return greedy(x, w, gap, bounds);
    }
    let at = |time: f64| {
        let each = x.iter().zip(w);
        Vec::from_iter(each.map(|(x, &w)| moved(norm, w, time, bounds.map(|b| b - x))))
    };
    let closed = |time: f64| -> f64 { at(time).iter().zip(w).map(|(m, w)| m * w).sum() };
    let (mut low, mut high) = (-1e14, 1e14);
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        match closed(middle) < gap {
            true => low = middle,
            false => high = middle,
        }
    }
    at((low + high) / 2.0)
}

fn greedy(x: &[f64], w: &[f64], gap: f64, [low, high]: [f64; 2]) -> Vec<f64> {
    let mut order = Vec::from_iter(0..x.len());
    order.sort_by(|&a, &b| w[b].abs().total_cmp(&w[a].abs()));
    let (mut left, mut moves) = (gap, vec![0.0; x.len()]);
    for at in order {
        if w[at] != 0.0 {
            moves[at] = (left / w[at]).clamp(low - x[at], high - x[at]);
            left -= moves[at] * w[at];
        }
    }
    moves
}

const PIXELS: usize = 40;

// Points on the edge, normals of zeros and of very different sizes, gaps too wide for the bounds.
fn cases(count: usize) -> [Vec<f64>; 3] {
    let mut draws = Seed(5).draws(Purpose::Subset, 0, 0);
    let point = |draws: &mut Draws| match draws.below(4) {
        0 => draws.below(2) as f64,
        _ => draws.uniform(0.0, 1.0),
    };
    let scales = [1.0, 1e-3, 1e4];
    let (mut points, mut normals, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
    for case in 0..count {
        let scale = scales[case % 3];
        points.extend((0..PIXELS).map(|_| point(&mut draws)));
        for _ in 0..PIXELS {
            normals.push(match draws.below(5) {
                0 => 0.0,
                1 => scale * draws.uniform(-0.01, 0.01),
                _ => scale * draws.normal(),
            });
        }
        gaps.push(match case % 7 {
            0 => 0.0,
            1 => scale * 1e3,
            _ => scale * draws.normal() * 6.0,
        });
    }
    [points, normals, gaps]
}

fn rows(on: &On, values: &[f64], dtype: DType) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len() / PIXELS, PIXELS]);
    Tensor::from_data(data, (&on.device(), dtype))
}

fn column(on: &On, values: &[f64], dtype: DType) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len(), 1]);
    Tensor::from_data(data, (&on.device(), dtype))
}

fn types(on: &On) -> Vec<(DType, f64)> {
    let double = (!on.is("wgpu")).then_some((DType::F64, 1e-12));
    Vec::from_iter(double.into_iter().chain([(DType::F32, 2e-5)]))
}

fn value_the_nearest_point_of_plane_and_bounds(on: &On) {
    let count = on.pick(210, 21);
    let [points, normals, gaps] = cases(count);
    let unit = Bounds::default();
    for norm in norms() {
        let geometry = norm.geometry().expect("a geometry");
        for (dtype, most) in types(on) {
            for (bounds, limits) in [(unit, [0.0, 1.0]), (Bounds::none(), [-1e9, 1e9])] {
                let plane = Plane {
                    normal: rows(on, &normals, dtype),
                    gap: column(on, &gaps, dtype),
                };
                let x = rows(on, &points, dtype);
                let moves: Vec<f64> = read(&geometry.onto(&x, &plane, bounds));
                let mut reached = 0;
                for case in 0..count {
                    let of = |values: &[f64]| values[case * PIXELS..][..PIXELS].to_vec();
                    let (x, w, found) = (of(&points), of(&normals), of(&moves));
                    let gap = gaps[case];
                    let expected = slow(&norm, &x, &w, gap, limits);
                    let scale = norm.length(&expected).max(1e-3);
                    let length = norm.length(&found);
                    let error = (length - norm.length(&expected)).abs() / scale;
                    assert!(error < most, "{norm}, {dtype:?}, case {case}: {error}");
                    for (at, (a, b)) in found.iter().zip(&expected).enumerate() {
                        let place = format!("{norm}, {dtype:?}, case {case}, pixel {at}");
                        // A move along 0 closes nothing: it may not be made.
                        assert!(w[at] != 0.0 || *a == 0.0, "{place}");
                        assert!((a - b).abs() < most * scale, "{place}: {a} for {b}");
                        let end = x[at] + a;
                        assert!(
                            end >= limits[0] - 1e-6 && end <= limits[1] + 1e-6,
                            "{place}"
                        );
                    }
                    let product = |m: &[f64]| m.iter().zip(&w).map(|(m, w)| m * w).sum::<f64>();
                    reached +=
                        usize::from((product(&expected) - gap).abs() <= 1e-6 * gap.abs().max(1e-6));
                }
                // Some gaps are too wide for bounds, none is without.
                assert_eq!(reached < count, bounds == unit, "{norm}: {reached}");
                assert!(reached > count / 2);
            }
        }
    }
}

fn value_no_row_depends_on_the_others(on: &On) {
    let count = on.pick(60, 9);
    let [points, normals, gaps] = cases(count);
    for norm in norms() {
        let geometry = norm.geometry().expect("a geometry");
        let moves = |cases: &[usize]| -> Vec<f32> {
            let of = |values: &[f64]| {
                let rows = cases
                    .iter()
                    .flat_map(|&case| &values[case * PIXELS..][..PIXELS]);
                rows.copied().collect::<Vec<f64>>()
            };
            let gaps = Vec::from_iter(cases.iter().map(|&case| gaps[case]));
            let plane = Plane {
                normal: rows(on, &of(&normals), DType::F32),
                gap: column(on, &gaps, DType::F32),
            };
            let x = rows(on, &of(&points), DType::F32);
            read(&geometry.onto(&x, &plane, Bounds::default()))
        };
        let whole = moves(&Vec::from_iter(0..count));
        for case in 0..count {
            let (alone, beside) = (moves(&[case]), &whole[case * PIXELS..][..PIXELS]);
            // WGPU sums in an order that goes by the size of the batch.
            match on.is("wgpu") {
                true => {
                    let off = alone.iter().zip(beside).map(|(a, b)| (a - b).abs());
                    let longest = beside
                        .iter()
                        .fold(1e-3f32, |longest, v| longest.max(v.abs()));
                    assert!(off.fold(0.0, f32::max) < 1e-5 * longest, "{norm}, {case}");
                }
                false => assert_eq!(alone, beside, "{norm}, {case}"),
            }
        }
    }
}

fn value_shortened_rows_are_the_nearest_of_their_ball(on: &On) {
    // Oracle: the definition; scaling in L2, clipping in L∞, drawing in by 3 in L1.
    let row = [3.0, -4.0, 0.5, 0.0];
    let device = on.device();
    let tensor = |values: &[f64], shape: [usize; 2]| {
        Tensor::<2>::from_data(
            TensorData::new(values.to_vec(), shape),
            (&device, DType::F32),
        )
    };
    let twice = tensor(&[row, row].concat(), [2, 4]);
    let radius = tensor(&[1.0, 10.0], [2, 1]);
    let length = (9.0f32 + 16.0 + 0.25).sqrt();
    let scaled = row.map(|v| v as f32 / length);
    let clipped = [1.0, -1.0, 0.5, 0.0];
    let drawn_in = [0.0, -1.0, 0.0, 0.0];
    for (norm, expected) in norms().into_iter().zip([clipped, scaled, drawn_in]) {
        let geometry = norm.geometry().expect("a geometry");
        let found: Vec<f32> = read(&geometry.shorten(twice.clone(), radius.clone()));
        for (found, expected) in found
            .iter()
            .zip(expected.into_iter().chain(row.map(|v| v as f32)))
        {
            assert!(
                (found - expected).abs() < 1e-6,
                "{norm}: {found} for {expected}"
            );
        }
        // The dual norm is what a step of length 1 along the best direction rises by.
        let dual: Vec<f32> = read(&geometry.dual_lengths(twice.clone()));
        let steepest = norm.steepest(twice.clone().reshape([2, 1, 1, 4]), 1.0);
        let rise: Vec<f32> = read(&(steepest.reshape([2, 4]) * twice.clone()).sum_dim(1));
        assert!(
            (dual[0] - rise[0]).abs() < 1e-5,
            "{norm}: {} for {}",
            dual[0],
            rise[0]
        );
        let own: Vec<f32> = read(&geometry.row_lengths(twice.clone()));
        assert!((f64::from(own[1]) - norm.length(&row)).abs() < 1e-6);
    }
}
