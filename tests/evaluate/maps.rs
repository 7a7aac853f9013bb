//! Losses over a grid of poses, and sets in one pose.

use super::given::{SIDE, brighter_half, greys, halves, over, point, run};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{Frozen, Margin};
use fireproof::base::{Batch, Degrees, Error, Pixels};
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Direction, FixedPose, PoseMap, PoseScan};
use fireproof::transform::{Border, Pose, PoseBudget, Warp};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

on_every_device![
    value_a_map_is_that_of_each_pose_by_itself,
    convention_grids_hold_both_ends_and_the_image_as_it_is,
    convention_passes_are_full_batches_of_all_images,
    value_sets_in_one_pose,
    error_maps_and_poses_that_make_no_sense,
];

fn batch(on: &On, set: &ImageSet) -> Batch {
    let all = Vec::from_iter(0..set.len());
    set.batch(&all, &on.device())
}

fn budget(angle: f64, shift: f64) -> PoseBudget {
    PoseBudget::new(Degrees(angle), Pixels(shift)).unwrap()
}

// Oracle: each pose by itself, and the loss of its logits by hand in f64.
fn value_a_map_is_that_of_each_pose_by_itself(on: &On) {
    let (victim, batch) = (brighter_half(false), batch(on, &halves(2)));
    let warp = Warp::nearest().with_border(Border::Edge);
    let scan = PoseScan::new(budget(180.0, 5.0))
        .with_points(9, 5)
        .with_warp(warp);
    let maps = scan.of(&victim, &batch).unwrap();
    assert_eq!(maps.len(), 2);
    for (image, map) in maps.iter().enumerate() {
        assert_eq!(
            (map.id, map.label, map.warp),
            (image as u64, image as i64, warp)
        );
        assert_eq!([map.losses.len(), map.predicted.len()], [45; 2]);
        let mut worst = (false, f64::MIN, 0);
        for at in 0..45 {
            let pose = Pose {
                angle: Degrees(-180.0 + 45.0 * (at / 5) as f64),
                ..Pose::shift(Pixels(-5.0 + 2.5 * (at % 5) as f64), Pixels(0.0))
            };
            assert_eq!(map.pose(at), pose);
            let moved = warp.apply(batch.images.clone().narrow(0, image, 1), &[pose]);
            let logits = victim.logits(moved.clone()).into_data().convert::<f64>();
            let logits = logits.try_to_vec::<f64>().unwrap();
            let loss = (logits[1 - image] - logits[image]).exp().ln_1p();
            assert!((f64::from(map.losses[at]) - loss).abs() < 1e-5, "{pose}");
            assert_eq!(map.predicted[at], victim.predict(moved)[0], "{pose}");
            let fools = map.predicted[at] != image as i64;
            // Nearly equal losses are not told apart.
            if (fools, loss) > (worst.0, worst.1 + 1e-5) {
                worst = (fools, loss, at);
            }
        }
        assert!((f64::from(map.losses[map.worst()]) - worst.1).abs() < 1e-5);
        assert!(worst.0 && map.predicted[map.worst()] != map.label);
        assert_eq!(map.worst_pose(), map.pose(map.worst()));
        // Turned by more than 90° the halves are exchanged: 4 of 9 angles and perhaps 2 more.
        let wrong = map.predicted.iter().filter(|class| **class != map.label);
        assert_eq!(map.wrong(), wrong.count() as f64 / 45.0);
        let json = serde_json::to_string(map).unwrap();
        assert_eq!(&serde_json::from_str::<PoseMap>(&json).unwrap(), map);
    }
    // Another loss.
    let margins = scan.with_loss(Margin).of(&victim, &batch).unwrap();
    let signs = margins[0].losses.iter().map(|margin| *margin > 0.0);
    let wrong = margins[0].predicted.iter().map(|class| *class != 0);
    assert!(signs.eq(wrong));
}

fn convention_grids_hold_both_ends_and_the_image_as_it_is(on: &On) {
    let (victim, batch) = (brighter_half(false), batch(on, &halves(1)));
    let map = |angle, shift, points: [usize; 2]| {
        let scan = PoseScan::new(budget(angle, shift)).with_points(points[0], points[1]);
        let scan = scan.with_direction(Direction::Down);
        scan.of(&victim, &batch).unwrap().remove(0)
    };
    let wide = map(30.0, 3.0, [31, 4]);
    let angles = Vec::from_iter((-15..=15).map(|k| Degrees(2.0 * f64::from(k))));
    assert_eq!(wide.angles, angles);
    assert_eq!(wide.shifts, [-3.0, -1.0, 1.0, 3.0].map(Pixels));
    let corner = Pose {
        angle: Degrees(30.0),
        ..Pose::shift(Pixels(0.0), Pixels(3.0))
    };
    assert_eq!(wide.pose(31 * 4 - 1), corner);
    // Budgets of 0, and single points.
    for still in [map(0.0, 0.0, [31, 5]), map(30.0, 3.0, [1, 1])] {
        assert_eq!((still.losses.len(), still.pose(0)), (1, Pose::IDENTITY));
        assert_eq!(still.wrong(), 0.0);
    }
    assert_eq!(map(0.0, 2.0, [31, 3]).losses.len(), 3);
}

fn convention_passes_are_full_batches_of_all_images(on: &On) {
    let sizes = Arc::new([(); 2].map(|()| AtomicUsize::new(0)));
    let counted = sizes.clone();
    let inner = brighter_half(false);
    let victim = Frozen::from_fn(move |images: Tensor<4>| {
        counted[0].fetch_max(images.dims()[0], Ordering::Relaxed);
        counted[1].fetch_add(1, Ordering::Relaxed);
        inner.logits(images)
    });
    let batch = batch(on, &halves(3));
    let scan = PoseScan::new(budget(30.0, 3.0)).with_points(3, 5);
    let whole = scan.clone().of(&brighter_half(false), &batch).unwrap();
    // 45 poses in batches of 7, after the pass that counts the classes.
    let parts = scan.with_batch_size(7).of(&victim, &batch).unwrap();
    assert_eq!(parts.len(), whole.len());
    for (part, whole) in parts.into_iter().zip(whole) {
        on.assert_same(&part.losses, &whole.losses, "losses");
        let losses = whole.losses.clone();
        assert_eq!(PoseMap { losses, ..part }, whole);
    }
    let [largest, passes] = [0, 1].map(|at| sizes[at].load(Ordering::Relaxed));
    assert_eq!((largest, passes), (7, 1 + 7));
}

// Oracle: half a turn of the plane exchanges the halves exactly if the angle exceeds 90°.
fn value_sets_in_one_pose(on: &On) {
    let data = halves(10);
    let angles = [-45.0, 0.0, 45.0, 135.0, 180.0, 225.0, 315.0, 360.0];
    let axis = Axis::rotations(angles.map(Degrees));
    let shifts = Axis::new(
        "moved",
        "",
        FixedPose::default(),
        [[0.0, 0.0, 5.0], [180.0, 0.0, 0.0]],
    );
    let profile = run(
        on,
        &over(axis).with_axis(shifts),
        &brighter_half(false),
        &data,
    );
    for (at, angle) in angles.into_iter().enumerate() {
        let point = point(&profile, "rotations", at);
        let right = if (90.0..270.0).contains(&angle) {
            0.0
        } else {
            1.0
        };
        assert_eq!((point.accuracy.value, point.draws), (right, 1), "{angle}°");
        assert_eq!(point.fooling.value, 1.0 - right);
        assert_eq!(point.queries, f64::from(u8::from(angle != 0.0)));
    }
    assert_eq!(
        profile
            .at(("moved", [0.0, 0.0, 5.0]))
            .unwrap()
            .accuracy
            .value,
        1.0
    );
    assert_eq!(
        profile
            .at(("moved", [180.0, 0.0, 0.0]))
            .unwrap()
            .accuracy
            .value,
        0.0
    );
    let words = "every image in exactly this pose, nearest sampling, border zeros";
    assert_eq!(profile.curve("rotations").unwrap().threat, words);
    assert_eq!(
        profile.curve("rotations").unwrap().label_at(&45.0.into()),
        "45°"
    );
    let read = profile.evaluation().unwrap();
    assert_eq!(read.axes[0].threat.settings()["threat"], "fixed_pose");
    // Zeros outside make plain images darker, and the nearest pixel does not.
    let bright = greys(&[140]);
    let far = [[0.0, 0.0, (SIDE / 2) as f64]];
    for (border, right) in [(Border::Zeros, 0.0), (Border::Edge, 1.0)] {
        let threat = FixedPose::new(Warp::bilinear().with_border(border));
        let axis = Axis::new("moved", "", threat, far);
        let profile = run(on, &over(axis), &super::given::bright(), &bright);
        assert_eq!(profile.at(("moved", far[0])).unwrap().accuracy.value, right);
    }
}

fn error_maps_and_poses_that_make_no_sense(on: &On) {
    let batch = batch(on, &halves(2));
    let scan = || PoseScan::new(budget(30.0, 3.0)).with_points(3, 3);
    let wide = PoseScan {
        budget: PoseBudget {
            angle: Degrees(-1.0),
            shift: Pixels(0.0),
        },
        ..scan()
    };
    for (scan, name) in [
        (scan().with_points(0, 3), "pose scan: angles"),
        (scan().with_points(3, 0), "pose scan: shifts"),
        (scan().with_batch_size(0), "pose scan: batch size"),
        (wide, "pose budget: angle"),
        (PoseScan::new(budget(0.0, 2e6)), "pose budget: shift"),
    ] {
        let error = scan.of(&brighter_half(false), &batch).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let nothing = Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![mean.clone(), mean * f32::NAN], 1)
    });
    let error = scan().of(&nothing, &batch).unwrap_err().to_string();
    assert!(error.contains("loss of image 0"), "{error}");
    let mut wrong = batch.clone();
    wrong.labels = on.labels(&[0, 2]);
    let error = scan()
        .of(&brighter_half(false), &wrong)
        .unwrap_err()
        .to_string();
    assert!(error.contains("label of image 1"), "{error}");
    assert!(
        scan()
            .of(&brighter_half(false), &batch.select(&[]))
            .unwrap()
            .is_empty()
    );

    for (levels, expected) in [
        (vec![0.0, 1.0], "an angle, or an angle and shifts"),
        (vec![0.0, 1e9, 0.0], "pose: shift right"),
    ] {
        let level: fireproof::evaluate::Level = serde_json::from_value(levels.into()).unwrap();
        let axis = Axis::new("poses", "", FixedPose::default(), [level]);
        let error = axis.check().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
