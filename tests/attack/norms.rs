//! The geometry of the norms, by hand.

use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{Inside, L1, L2, Limits, Linf, Norm};
use fireproof::base::{Bounds, Precision};

on_every_device![
    convention_zero_gradients_give_no_step,
    value_l2_projection_is_onto_ball_and_bounds,
];

fn images(on: &On, values: &[f32]) -> Tensor<4> {
    on.tensor(values.to_vec(), [1, 1, 1, values.len()])
}

#[test]
fn value_length_keeps_nan() {
    for norm in [&Linf as &dyn Norm, &L2, &L1] {
        assert!(norm.length(&[1.0, f64::NAN, 2.0]).is_nan());
        assert_eq!(norm.length(&[]), 0.0);
    }
}

fn convention_zero_gradients_give_no_step(on: &On) {
    for norm in [&Linf as &dyn Norm, &L2, &L1] {
        assert_eq!(
            values(norm.steepest(images(on, &[0.0, 0.0]), 0.5)),
            [0.0, 0.0]
        );
    }
    let step = values(Linf.steepest(images(on, &[0.0, -1e-30, 3.0]), 0.5));
    assert_eq!(step, [0.0, -0.5, 0.5]);
    let step = values(L2.steepest(images(on, &[0.0, -3e-30, 4e-30]), 0.5));
    assert!((step[1] + 0.3).abs() < 1e-7 && (step[2] - 0.4).abs() < 1e-7);
}

fn value_l2_projection_is_onto_ball_and_bounds(on: &On) {
    // Oracle, by hand: the second pixel can only rise by 0.1; of ε² = 0.25 that leaves 0.24
    // for the first, which wished for more.
    let project = |moved: &[f32]| {
        let limits = Limits {
            originals: &images(on, &[0.1, 0.9]),
            epsilon: 0.5,
            bounds: Bounds::default(),
        };
        values(L2.project(images(on, moved), limits))
    };
    let projected = project(&[2.1, 1.9]);
    assert!(
        (projected[0] - 0.1 - 0.24f32.sqrt()).abs() < 1e-6,
        "{projected:?}"
    );
    assert_eq!(projected[1], 1.0);
    // What is inside stays where it is.
    assert_eq!(project(&[0.2, 0.9]), [0.2, 0.9]);
}

#[test]
fn value_settle_brings_every_image_into_the_ball_exactly() {
    // A flat image moved alike everywhere rounds every pixel the same way, so the errors add
    // up to more than the tolerance.
    let pixels = 784;
    let norms = [&L2 as &dyn Norm, &L1];
    let cases = [(0.3, 0.1), (0.7, 1.0), (100.0, 0.5)];
    // Half precision has no steps as small as the others need.
    let cases = Precision::ALL.map(|precision| match precision.epsilon() < 1e-6 {
        true => (precision, &cases[..]),
        false => (precision, &cases[..1]),
    });
    for (precision, cases) in cases {
        for (norm, &(level, epsilon)) in norms
            .iter()
            .flat_map(|norm| cases.iter().map(move |c| (*norm, c)))
        {
            let level = precision.round(level);
            let step = epsilon / (pixels as f64).sqrt();
            let epsilon = norm.length(&vec![step; pixels]);
            let original = vec![level; pixels];
            let mut image = vec![precision.round(level + step * 1.001); pixels];
            let length =
                |image: &[f64]| norm.length(&Vec::from_iter(image.iter().map(|v| v - level)));
            let into = Inside {
                original: &original,
                epsilon,
                precision,
            };
            let settle = |image: &mut [f64]| norm.settle(image, into);

            assert!(settle(&mut image));
            assert!(image.iter().all(|&pixel| precision.round(pixel) == pixel));
            let settled = length(&image);
            assert!(settled <= epsilon, "{settled} {epsilon}");
            assert!(settled >= epsilon * (1.0 - 1e-4) || level > 1.0 || precision.epsilon() > 1e-6);
            assert!(!settle(&mut image));
            let mut inside = original.clone();
            assert!(!settle(&mut inside));
            assert_eq!(inside, original);
        }
    }
}
