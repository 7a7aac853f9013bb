//! What both interpolations promise.

use super::given::{BORDERS, assert_same, images};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::base::{Degrees, Keys, Pixels};
use fireproof::transform::{Border, Pose, PoseBudget, Warp, flip_horizontal, rot90, shift};

on_every_device![
    value_poses_of_a_batch_are_those_of_single_images,
    value_the_identity_changes_no_bit,
    equivariance_quarter_turns_with_whole_shifts_are_exact,
    equivariance_half_a_turn_is_exact_in_any_aspect_ratio,
    value_mirrored_poses_are_poses_of_mirror_images,
    shape_batches_of_any_size_and_depth,
];

fn value_poses_of_a_batch_are_those_of_single_images(on: &On) {
    let batch = images(on, 4, [5, 3, 11, 8]);
    let budget = PoseBudget::new(Degrees(180.0), Pixels(4.0)).unwrap();
    let poses = budget.draw(&Keys::new(1, 0..5));
    for border in BORDERS {
        for warp in [Warp::nearest(), Warp::bilinear()] {
            let warp = warp.with_border(border);
            let together = warp.apply(batch.clone(), &poses);
            for (i, &pose) in poses.iter().enumerate() {
                let alone = warp.apply(batch.clone().slice(i..i + 1), &[pose]);
                let one = values(together.clone().slice(i..i + 1));
                on.assert_same(&one, &values(&alone), "one of five");
            }
        }
    }
}

// Oracle: `flip_horizontal` and the same pose.
fn value_mirrored_poses_are_poses_of_mirror_images(on: &On) {
    let batch = images(on, 4, [5, 2, 7, 6]);
    let budget = PoseBudget::new(Degrees(180.0), Pixels(4.0)).unwrap();
    let poses = budget.draw(&Keys::new(1, 0..5));
    let mirror = flip_horizontal(batch.clone());
    for border in BORDERS {
        for warp in [Warp::nearest(), Warp::bilinear()] {
            let warp = warp.with_border(border);
            let [plain, mirrored] = [&batch, &mirror].map(|t| warp.apply(t.clone(), &poses));
            let all = Vec::from_iter(poses.iter().map(|pose| pose.mirrored()));
            let found = values(warp.apply(batch.clone(), &all));
            on.assert_same(&found, &values(&mirrored), "all");
            let mut some = poses.clone();
            some[3] = all[3];
            let found = warp.apply(batch.clone(), &some);
            for (at, pose) in some.iter().enumerate() {
                let expected = if pose.mirrored { &mirrored } else { &plain };
                let rows = [&found, expected].map(|t| t.clone().slice(at..at + 1));
                on.assert_same(&values(&rows[0]), &values(&rows[1]), "some");
            }
        }
    }
    let pose = Pose::rotation(Degrees(90.0));
    assert_eq!(
        pose.mirrored().to_string(),
        "mirrored, 90°, right 0 px, down 0 px"
    );
    let written = serde_json::to_value(pose).unwrap();
    assert_eq!(
        written,
        serde_json::json!({"angle": 90.0, "right": 0.0, "down": 0.0})
    );
    let read: Pose =
        serde_json::from_value(serde_json::to_value(pose.mirrored()).unwrap()).unwrap();
    assert_eq!(read, pose.mirrored());
}

fn value_the_identity_changes_no_bit(on: &On) {
    let device = on.device();
    let batch = images(on, 7, [2, 3, 28, 20]);
    for border in BORDERS {
        for warp in [Warp::nearest(), Warp::bilinear()] {
            let warp = warp.with_border(border);
            let same = warp.apply(batch.clone(), &[Pose::IDENTITY; 2]);
            assert_same(&same, &batch, &format!("{warp:?}"));
        }
        let warp = Warp::bilinear().with_border(border);
        let same = warp.apply_tensor(batch.clone(), Tensor::zeros([2, 3], &device));
        assert_same(&same, &batch, "apply_tensor");
    }
}

// Oracle: rot90 and shift.
fn equivariance_quarter_turns_with_whole_shifts_are_exact(on: &On) {
    for &side in on.among(&[8, 9], &[9]) {
        let image = images(on, 8, [1, 2, side, side]);
        for turns in on.pick(-4..5, -1..3) {
            for &(right, down) in on.among(&[(0, 0), (2, -3), (-1, 4)], &[(2, -3)]) {
                let pose = Pose {
                    angle: Degrees(90.0 * f64::from(turns)),
                    right: Pixels(right as f64),
                    down: Pixels(down as f64),
                    ..Pose::IDENTITY
                };
                let turned = rot90(image.clone(), turns);
                let expected = shift(turned, right, down, Border::Zeros);
                let what = format!("{side}×{side}, {pose}");
                for warp in [Warp::nearest(), Warp::bilinear()] {
                    let found = warp.apply(image.clone(), &[pose]);
                    assert_eq!(values(&found), values(&expected), "{warp:?}, {what}");
                }
                let row = vec![pose.angle.0 as f32, right as f32, down as f32];
                let found = Warp::bilinear().apply_tensor(image.clone(), on.tensor(row, [1, 3]));
                assert_eq!(values(&found), values(&expected), "apply_tensor, {what}");
            }
        }
    }
}

// Oracle: rot90, for half a turn of an image that is not square.
fn equivariance_half_a_turn_is_exact_in_any_aspect_ratio(on: &On) {
    let image = images(on, 9, [1, 1, 6, 11]);
    for warp in [Warp::nearest(), Warp::bilinear()] {
        let found = warp.apply(image.clone(), &[Pose::rotation(Degrees(-180.0))]);
        assert_same(&found, &rot90(image.clone(), 2), &format!("{warp:?}"));
    }
}

fn shape_batches_of_any_size_and_depth(on: &On) {
    for shape in [[1, 1, 1, 1], [2, 3, 1, 5], [3, 4, 6, 2]] {
        let batch = images(on, 18, shape);
        let poses = vec![Pose::rotation(Degrees(10.0)); shape[0]];
        for border in BORDERS {
            for warp in [Warp::nearest(), Warp::bilinear()] {
                let found = warp.with_border(border).apply(batch.clone(), &poses);
                assert_eq!(found.dims(), shape);
            }
        }
    }
}
