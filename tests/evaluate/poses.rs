//! Random poses: which ones, and what they do.

use super::given::{brighter_half, full, halves, over, point, run};
use crate::common::On;
use fireproof::base::{Degrees, Keys, Pixels, Purpose, Seed};
use fireproof::evaluate::{At, Axis, Outcomes, Rate};
use fireproof::transform::{Pose, PoseBudget};

on_every_device![
    value_accuracy_over_angles_follows_the_poses,
    convention_joint_level_couples_half_turns_with_sides,
    convention_an_image_keeps_its_poses_in_a_subset,
    convention_same_seed_same_numbers_other_seed_other_poses,
    convention_tuple_levels_stretch_angle_and_shift_apart,
];

/// Of how many of the poses that the images met this is true.
fn count(
    angle: Degrees,
    shift: Pixels,
    seed: Seed,
    images: u64,
    of: impl Fn(usize, &Pose) -> bool,
) -> usize {
    let budget = PoseBudget::new(angle, shift).unwrap();
    let poses = budget.draw_for(Purpose::TestPose, &Keys::new(seed, 0..images));
    poses
        .iter()
        .enumerate()
        .filter(|(id, pose)| of(*id, pose))
        .count()
}

// Oracle: half a turn of the plane exchanges the halves exactly if the angle exceeds 90°; the
// angles are the documented function of seed, id and draw.
fn value_accuracy_over_angles_follows_the_poses(on: &On) {
    let (data, seed) = (halves(300), Seed(4));
    let evaluation = over(Axis::angles([45.0, 180.0].map(Degrees))).with_seed(seed);
    let profile = run(on, &evaluation, &brighter_half(false), &data);
    assert_eq!(profile.clean, Rate::of(300, 300));
    assert_eq!(point(&profile, "angles", 0).accuracy, Rate::of(300, 300));
    assert_eq!(point(&profile, "angles", 0).fooling, Rate::of(0, 300));

    let outcomes = point(&profile, "angles", 1).correct.clone().unwrap();
    let clear = count(Degrees(180.0), Pixels(0.0), seed, 300, |id, pose| {
        let angle = pose.angle.0.abs();
        // Near the right angle the pixel grid decides.
        let clear = (angle - 90.0).abs() > 5.0;
        assert!(!clear || outcomes.get(id) == (angle < 90.0), "{angle}°");
        clear
    });
    assert!(clear > 250);
    // Uniform over ±180°, half the angles are below 90°.
    let expected = 0.5;
    assert!((point(&profile, "angles", 1).accuracy.value - expected).abs() < 0.1);
    assert!(
        point(&profile, "angles", 1)
            .accuracy
            .interval
            .contains(expected)
    );
}

// Oracle: the pose is (angle, right, down) of the budget of size a, its shift scaled to the side.
fn convention_joint_level_couples_half_turns_with_sides(on: &On) {
    let (data, seed) = (halves(120), Seed(9));
    let evaluation = over(Axis::joint([0.25])).with_seed(seed);
    let profile = run(on, &evaluation, &brighter_half(false), &data);
    let outcomes = point(&profile, "joint", 0).correct.clone().unwrap();
    let clear = count(Degrees(45.0), Pixels(4.0), seed, 120, |id, pose| {
        // Rotated by at most 45°, the bright half turns over only through the shift: by 4 px at
        // most, which leaves more than half of the bright half on its side.
        let clear = pose.angle.0.abs() < 40.0 && pose.right.0.abs() < 3.0;
        assert!(!clear || outcomes.get(id));
        clear
    });
    assert!(clear > 60);
    // At a = 1 everything is possible, and something fails.
    let evaluation = over(Axis::joint([1.0])).with_seed(seed);
    let profile = run(on, &evaluation, &brighter_half(false), &data);
    assert!(point(&profile, "joint", 0).accuracy.value < 0.8);
}

fn convention_an_image_keeps_its_poses_in_a_subset(on: &On) {
    let data = halves(60);
    let evaluation = over(Axis::angles([Degrees(180.0)]));
    let whole = run(on, &evaluation, &brighter_half(false), &data);
    let positions: Vec<usize> = (0..60).rev().step_by(3).collect();
    let part = run(
        on,
        &evaluation,
        &brighter_half(false),
        &data.subset(&positions),
    );
    let (whole, part) = (&point(&whole, "angles", 0), &point(&part, "angles", 0));
    let expected = Outcomes::new(
        positions
            .iter()
            .map(|&p| whole.correct.as_ref().unwrap().get(p)),
    );
    assert_eq!(part.correct, Some(expected));
}

fn convention_same_seed_same_numbers_other_seed_other_poses(on: &On) {
    let (data, victim) = (halves(80), brighter_half(false));
    let profile = |seed| run(on, &full().with_seed(Seed(seed)), &victim, &data);
    assert_eq!(profile(1), profile(1));
    assert_ne!(
        profile(1).curve("angles").unwrap().points[2].correct,
        profile(2).curve("angles").unwrap().points[2].correct
    );
}

// Oracle: angle and shift are drawn by image, seed and draw; a tuple (θ, 0) is the level θ of
// rotations, and (0, s) the level s of shifts.
fn convention_tuple_levels_stretch_angle_and_shift_apart(on: &On) {
    let data = halves(60);
    let poses = [[0.0, 0.0], [0.0, 6.0], [180.0, 0.0], [180.0, 6.0]];
    let evaluation = over(Axis::angles([Degrees(180.0)]))
        .with_axis(Axis::shifts([Pixels(6.0)]))
        .with_axis(Axis::poses(poses.map(|[a, s]| (Degrees(a), Pixels(s)))));
    let profile = run(on, &evaluation, &brighter_half(false), &data);
    let correct = |at: At| profile.at(at).unwrap().correct.clone();
    let pose = |angle: f64, shift: f64| correct(("poses", (angle, shift)).into());
    assert_eq!(pose(0.0, 0.0), profile.clean_correct);
    assert_eq!(pose(180.0, 0.0), correct(("angles", 180.0).into()));
    assert_eq!(pose(0.0, 6.0), correct(("shifts", 6.0).into()));
    let text = profile.to_markdown();
    assert!(text.contains("| ±180° ±6 px |"), "{text}");
    assert!(profile.to_csv().contains(",poses,180; 6,"));
    let json = serde_json::to_value(&profile.curves[2].points[3].level).unwrap();
    assert_eq!(json, serde_json::json!([180.0, 6.0]));
}
