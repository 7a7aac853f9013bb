//! Minimum-norm attacks against distances that are known.

use super::planes::{norms, slow};
use crate::common::On;
use burn::tensor::{DType, Tensor, TensorData};
use fireproof::attack::{AttackSpec, Fab, Found, Frozen, NormSpec};
use fireproof::base::{Batch, Bounds, Precision, Seed, read};

on_every_device![value_fab_finds_the_distance_to_a_plane,];

const SIDE: usize = 8;

const PIXELS: usize = SIDE * SIDE;

// Logits (0, w·x - b): w by formula, and b so that the images are on the side of class 0.
fn weights() -> Vec<f64> {
    Vec::from_iter((0..PIXELS).map(|i| {
        let size = if i % 5 == 0 { 0.6 } else { 0.05 };
        size * (1.7 * i as f64).sin() + if i % 2 == 0 { 0.02 } else { -0.02 }
    }))
}

fn originals() -> Vec<f64> {
    Vec::from_iter((0..3 * PIXELS).map(|i| (i * 37 % 101) as f64 / 100.0))
}

fn score(x: &[f64]) -> f64 {
    x.iter().zip(weights()).map(|(x, w)| x * w).sum()
}

fn offset(gap: f64) -> f64 {
    let highest = originals()
        .chunks(PIXELS)
        .map(score)
        .fold(f64::MIN, f64::max);
    highest + gap
}

fn linear(on: &On, dtype: DType, gap: f64) -> Frozen {
    let data = TensorData::new(weights(), [PIXELS, 1]);
    let weights = Tensor::<2>::from_data(data, (&on.device(), dtype));
    let offset = offset(gap);
    Frozen::from_fn(move |x: Tensor<4>| {
        let score = x.flatten::<2>(1, 3).matmul(weights.clone()) - offset;
        Tensor::cat(vec![score.clone() * 0.0, score], 1)
    })
}

fn batch(on: &On, dtype: DType, bounds: Bounds) -> Batch {
    let data = TensorData::new(originals(), [3, 1, SIDE, SIDE]);
    let images = Tensor::<4>::from_data(data, (&on.device(), dtype));
    let batch = Batch::new(images, on.labels(&[0; 3])).unwrap();
    batch.with_bounds(bounds)
}

fn moves(found: &Found) -> Vec<Vec<f64>> {
    let [images, originals] = [&found.images, &found.originals].map(read::<f64, _, _>);
    let moves = images.iter().zip(&originals).map(|(a, b)| a - b);
    let moves: Vec<f64> = moves.collect();
    moves
        .chunks(moves.len() / found.len())
        .map(<[f64]>::to_vec)
        .collect()
}

fn types(on: &On) -> Vec<DType> {
    match on.is("wgpu") {
        true => vec![DType::F32],
        false => vec![DType::F64, DType::F32],
    }
}

// How far the boundary is, and the bounds: at the larger distance most pixels come to their ends.
fn cases() -> [(f64, Bounds); 3] {
    [
        (0.3, Bounds::none()),
        (0.3, Bounds::default()),
        (1.2, Bounds::default()),
    ]
}

// The excess over the least distance, relative to it, of the image where it is largest.
fn excess(
    on: &On,
    attack: &AttackSpec,
    norm: &NormSpec,
    dtype: DType,
    gap: f64,
    bounds: Bounds,
) -> [f64; 2] {
    let victim = linear(on, dtype, gap);
    let batch = batch(on, dtype, bounds);
    let found = attack.attack(&victim, &batch, Seed(3)).unwrap();
    assert_eq!(found.fooled, [true; 3], "{attack}");
    let limits = match bounds == Bounds::none() {
        true => [-1e9, 1e9],
        false => [0.0, 1.0],
    };
    let mut range = [f64::INFINITY, f64::NEG_INFINITY];
    for (image, moved) in moves(&found).into_iter().enumerate() {
        let x = &originals()[image * PIXELS..][..PIXELS];
        let least = norm.length(&slow(norm, x, &weights(), offset(gap) - score(x), limits));
        let length = norm.length(&moved);
        let told = found.distance[image].expect("fooled");
        let resolution = Precision::of_type(dtype).unwrap().epsilon();
        assert!(
            (told - length).abs() <= 64.0 * resolution * length,
            "{attack}: {told}, {length}"
        );
        let excess = length / least - 1.0;
        range = [range[0].min(excess), range[1].max(excess)];
    }
    println!("{attack} {dtype:?}, gap {gap}: {range:?} farther");
    range
}

fn value_fab_finds_the_distance_to_a_plane(on: &On) {
    // Oracle: |f(x)| over the dual norm; within bounds a bisection in f64.
    for norm in norms() {
        let attack = AttackSpec::from(Fab::new(norm.clone()).with_steps(on.pick(20, 5)));
        for dtype in types(on) {
            for (gap, bounds) in cases() {
                let [least, most] = excess(on, &attack, &norm, dtype, gap, bounds);
                let rounding = if dtype == DType::F64 { 1e-6 } else { 1e-4 };
                // The search in the end shortens pixels at their bounds as well, which the nearest
                // point has there still: a second-order excess that FAB has as published.
                let excess = if bounds == Bounds::none() {
                    rounding
                } else {
                    4e-3
                };
                assert!(
                    least > -rounding && most < excess,
                    "{attack}: {least}, {most}"
                );
            }
        }
    }
}
