//! Every pose of an orbit.
//!
//! On the device of this build alone: what they are made of has its tests elsewhere.

use super::csv::parse_csv;
use super::given::{brighter_half, greys, halves, over, run};
use crate::common::On;
use fireproof::attack::{Frozen, Orbit};
use fireproof::data::{ImageSet, embedded_mnist};
use fireproof::evaluate::{Axis, OrbitAccuracy, OrbitScan, Rate};
use fireproof::group::Group;
use fireproof::model::{CnnConfig, Head};
use fireproof::transform::Pose;

on_this_device![
    value_halves_are_right_in_the_poses_that_leave_them,
    value_a_network_over_the_group_is_invariant,
    value_the_worst_pose_is_that_of_the_attack,
    error_orbits_that_images_do_not_have,
];

// Oracle: by hand. A bright left half stays left, goes down, right and up in quarter turns; where both
// halves are alike the answer is left.
fn value_halves_are_right_in_the_poses_that_leave_them(on: &On) {
    let scan = OrbitScan::new(Orbit::p4()).with_batch_size(3);
    let found = scan
        .run(&brighter_half(false), &halves(8), &on.device())
        .unwrap();
    let expected = [8, 4, 0, 4].map(|right| Rate::of(right, 8));
    assert_eq!(found.elements, expected);
    assert_eq!(found.poses[0], Pose::IDENTITY);
    let (left, right) = ([true, true, false, true], [true, false, false, false]);
    let correct = [left, right].concat().repeat(4);
    assert_eq!(Vec::from_iter(found.correct.iter()), correct);
    assert_eq!(found.average, Rate::of_draws(&correct, 4));
    assert_eq!(
        (found.worst, found.invariant),
        (Rate::of(0, 8), Rate::of(0, 8))
    );
    // Two classes: the same answer as at first where that is right.
    assert_eq!(found.same, found.correct);
    // Turned answers: wrong all over but where the halves have changed places; still as often the same.
    let flipped = scan
        .run(&brighter_half(true), &halves(8), &on.device())
        .unwrap();
    assert_eq!(
        (flipped.elements[0], flipped.elements[2]),
        (Rate::of(0, 8), Rate::of(8, 8))
    );

    let (found, folder) = (found.with_name("halves"), tempfile::tempdir().unwrap());
    let path = folder.path().join("orbit.json");
    found.write_json(&path).unwrap();
    assert_eq!(
        OrbitAccuracy::read_json(&path).unwrap().to_json(),
        found.to_json()
    );
    let rows = parse_csv(&found.to_csv());
    let column = |name: &str| rows[0].iter().position(|n| n == name).unwrap();
    assert_eq!(
        (rows.len(), rows[2][column("angle")].as_str()),
        (1 + 4 + 3, "90")
    );
    assert_eq!(rows[5][column("pose")], "average");
    assert_eq!(rows[5][column("share")], "0.5");
    let text = found.to_markdown();
    assert!(text.contains("orbit of p4: accuracy 50.0 %"), "{text}");
    let json = serde_json::to_value(&scan).unwrap();
    assert_eq!(serde_json::from_value::<OrbitScan>(json).unwrap(), scan);
}

// Oracle: the algebra. A network over p4m has one answer for all eight poses, one over p4 for its four.
fn value_a_network_over_the_group_is_invariant(on: &On) {
    let set = embedded_mnist().test.take(on.pick(24, 4));
    let shape = set.shape();
    for (group, orbit, same) in [
        (Group::P4m, Orbit::p4m(), true),
        (Group::P4, Orbit::p4(), true),
        (Group::P1, Orbit::p4(), false),
    ] {
        let model = CnnConfig::new(group, shape, 10)
            .with_head(Head::Pooled)
            .with_seed(2)
            .init(&on.device());
        let victim = Frozen::new(&model.unwrap());
        let found = OrbitScan::new(orbit)
            .run(&victim, &set, &on.device())
            .unwrap();
        assert_eq!(found.invariant.value == 1.0, same, "{group}");
        if same {
            assert!(found.elements.iter().all(|rate| *rate == found.elements[0]));
            assert_eq!(found.worst, found.elements[0]);
            assert_eq!(found.average.value, found.worst.value);
        }
    }
}

// Oracle: the orbit as an attack, which stops at the first pose that fools.
fn value_the_worst_pose_is_that_of_the_attack(on: &On) {
    let data = halves(6);
    for orbit in [
        Orbit::p4m(),
        Orbit::new(Group::P1).with_shifts(1),
        Orbit::p4().with_shifts(9),
    ] {
        let shifts = orbit.shifts;
        let profile = run(
            on,
            &over(Axis::orbit(orbit.clone(), [shifts])),
            &brighter_half(false),
            &data,
        );
        let worst = profile.at(("orbit", shifts as f64)).unwrap().accuracy;
        let scan = OrbitScan::new(orbit.clone());
        let found = scan
            .run(&brighter_half(false), &data, &on.device())
            .unwrap();
        assert_eq!(found.worst, worst, "{orbit}");
        assert_eq!(found.elements[0], profile.clean);
        assert_eq!(found.poses.len(), orbit.poses().len());
    }
}

fn error_orbits_that_images_do_not_have(on: &On) {
    let wide = ImageSet::new("wide", [1, 2, 3], 2, vec![0; 6], vec![0]).unwrap();
    let failure = |scan: OrbitScan, set: &ImageSet| {
        let found = scan.run(&brighter_half(false), set, &on.device());
        found.unwrap_err().to_string()
    };
    assert!(failure(OrbitScan::new(Orbit::p4()), &wide).contains("2×3"));
    let none = OrbitScan::new(Orbit::p4()).with_batch_size(0);
    assert!(failure(none, &greys(&[0])).contains("batch size"));
    let far = OrbitScan::new(Orbit::p4().with_shifts(1 << 21));
    assert!(failure(far, &greys(&[0])).contains("shifts"));
}
