//! Quarter turns, flips and whole shifts: exact.

use super::given::{BORDERS, assert_same, images, numbers, padded};
use crate::common::{On, values};
use fireproof::base::Pixels;
use fireproof::transform::{Border, Pose, Warp, flip_horizontal, flip_vertical, rot90, shift};

on_every_device![
    convention_quarter_turns_are_counter_clockwise_as_displayed,
    equivariance_exact_transforms_obey_the_group_laws,
    equivariance_circular_shifts_are_a_group_and_zeros_are_filled_in,
    value_shifts_fill_as_numpy_pad,
];

// Oracle: numpy.rot90 and numpy.flip of [[1, 2, 3], [4, 5, 6]], written out.
fn convention_quarter_turns_are_counter_clockwise_as_displayed(on: &On) {
    let plane = on.tensor(vec![1., 2., 3., 4., 5., 6.], [2, 3]);
    assert_eq!(values(rot90(plane.clone(), 1)), [3., 6., 2., 5., 1., 4.]);
    assert_eq!(values(rot90(plane.clone(), 2)), [6., 5., 4., 3., 2., 1.]);
    assert_eq!(values(rot90(plane.clone(), -1)), [4., 1., 5., 2., 6., 3.]);
    assert_eq!(rot90(plane.clone(), 1).dims(), [3, 2]);
    let mirrored = flip_horizontal(plane.clone());
    assert_eq!(values(&mirrored), [3., 2., 1., 6., 5., 4.]);
    assert_eq!(values(flip_vertical(plane)), [4., 5., 6., 1., 2., 3.]);
}

fn equivariance_exact_transforms_obey_the_group_laws(on: &On) {
    // Rank 5: the planes of group features.
    let features = on.tensor(numbers(1, 2 * 3 * 4 * 5 * 7), [2, 3, 4, 5, 7]);
    let turns = on.pick(-5..6, -1..3);
    for a in turns.clone() {
        for b in turns.clone() {
            let twice = rot90(rot90(features.clone(), a), b);
            assert_same(&twice, &rot90(features.clone(), a + b), "rot90 adds");
        }
    }
    assert_same(&rot90(features.clone(), 4), &features, "four quarter turns");
    let mirrored = flip_horizontal(features.clone());
    assert_same(&flip_horizontal(mirrored.clone()), &features, "flip twice");
    assert_same(
        &rot90(mirrored, 1),
        &flip_horizontal(rot90(features.clone(), -1)),
        "a flip turns a rotation round",
    );
    assert_same(
        &flip_vertical(features.clone()),
        &flip_horizontal(rot90(features, 2)),
        "vertical = horizontal after half a turn",
    );
}

fn equivariance_circular_shifts_are_a_group_and_zeros_are_filled_in(on: &On) {
    let features = on.tensor(numbers(2, 2 * 3 * 5 * 7), [2, 3, 5, 7]);
    let moved = |right, down| shift(features.clone(), right, down, Border::Circular);
    assert_same(&moved(7, -5), &features, "once around");
    assert_same(
        &shift(moved(3, 1), -4, 6, Border::Circular),
        &moved(-1, 7),
        "circular shifts add",
    );
    // Shifting out and back keeps what stayed inside and zeroes the rest.
    let back = shift(
        shift(features.clone(), 2, 0, Border::Zeros),
        -2,
        0,
        Border::Zeros,
    );
    let kept = features.clone().slice([0..2, 0..3, 0..5, 0..5]);
    assert_same(&back.clone().slice([0..2, 0..3, 0..5, 0..5]), &kept, "kept");
    assert!(
        values(back.slice([0..2, 0..3, 0..5, 5..7]))
            .iter()
            .all(|&v| v == 0.0)
    );
    let gone = shift(features, i64::MAX, i64::MIN, Border::Zeros);
    assert!(values(&gone).iter().all(|&v| v == 0.0));
}

// Oracle: numpy.pad's rule, by walking (above).
fn value_shifts_fill_as_numpy_pad(on: &On) {
    for &(height, width) in on.among(&[(5, 7), (1, 4), (6, 6)], &[(5, 7)]) {
        let image = images(on, 3, [1, 1, height, width]);
        let pixels = values(&image);
        for border in BORDERS {
            let shifts = [(0, 0), (2, -1), (-9, 17), (3, 0), (40, -40)];
            for &(right, down) in on.among(&shifts, &shifts[1..3]) {
                let mut expected = Vec::new();
                for row in 0..height as i64 {
                    for column in 0..width as i64 {
                        let (row, column) = (row - down, column - right);
                        expected.push(padded(&pixels, height, width, row, column, border));
                    }
                }
                let what = format!("{border:?}, {height}×{width} by ({right}, {down})");
                let found = shift(image.clone(), right, down, border);
                assert_eq!(values(&found), expected, "shift, {what}");
                let pose = Pose::shift(Pixels(right as f64), Pixels(down as f64));
                for warp in [Warp::nearest(), Warp::bilinear()] {
                    let found = warp.with_border(border).apply(image.clone(), &[pose]);
                    assert_eq!(values(&found), expected, "{warp:?}, {what}");
                }
            }
        }
    }
}
