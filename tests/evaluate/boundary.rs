//! Distances to the decision boundary, as images are and in random poses.
//!
//! On the device of this build alone: what they are made of has its tests elsewhere.

use super::csv::parse_csv;
use super::given::{SIDE, always, bright, greys, set};
use crate::common::On;
use fireproof::attack::{AttackSpec, Ddn, Fab, Fmn, Pgd};
use fireproof::base::{Degrees, Error, Keys, Pixels, Purpose, Seed};
use fireproof::evaluate::{Boundary, BoundaryScan, Mean, Rate};
use fireproof::transform::{Border, PoseBudget, Warp};

on_this_device![
    value_distances_of_greys_follow_from_brightness,
    value_distances_in_poses_are_those_of_the_moved_images,
    value_shifts_around_change_no_distance,
    value_no_other_class_is_no_distance,
    error_scans_that_make_no_sense,
];

const BYTES: [u8; 6] = [40, 90, 110, 150, 180, 210];

fn run(on: &On, scan: &BoundaryScan, data: &fireproof::data::ImageSet) -> Boundary {
    scan.run(&bright(), data, &on.device()).unwrap()
}

// Oracle: a grey is |b − 1/2| from the boundary in L∞, and that times the square root of the number of
// pixels in L2, whatever its label says.
fn value_distances_of_greys_follow_from_brightness(on: &On) {
    // The third and the fifth are labelled as the other class.
    let labels = [0, 0, 1, 1, 0, 1];
    let images = BYTES.iter().zip(labels);
    let data = set(images
        .map(|(&byte, label)| (vec![byte; SIDE * SIDE], label))
        .collect());
    let linf = BYTES.map(|byte| (f64::from(byte) / 255.0 - 0.5).abs());
    let attacks: [(AttackSpec, f64, f64); 3] = [
        (Fab::linf().into(), 1.0, 1e-3),
        (Fmn::linf().into(), 1.0, 2e-2),
        (Ddn::new().into(), SIDE as f64, 3e-2),
    ];
    for (attack, scale, tolerance) in attacks {
        let scan = BoundaryScan::new(attack).with_batch_size(4);
        let boundary = run(on, &scan, &data);
        let [point] = &boundary.points[..] else {
            panic!("{}", boundary.points.len())
        };
        let found = point.distances.as_ref().unwrap();
        for (found, expected) in found.iter().zip(linf) {
            let found = f64::from(found.unwrap()) / scale;
            assert!(
                (found - expected).abs() < tolerance,
                "{found} {expected}: {}",
                scan.attack
            );
        }
        // Summaries of just these numbers.
        let found = Vec::from_iter(found.iter().map(|d| f64::from(d.unwrap())));
        let close = |a: Option<Mean>, b: &[f64]| {
            let (a, b) = (a.unwrap(), Mean::of(b).unwrap());
            assert!((a.value - b.value).abs() < 1e-6 && a.count == b.count);
            assert!((a.interval.low - b.interval.low).abs() < 1e-6);
        };
        close(point.mean, &found);
        close(point.of_right, &[found[0], found[1], found[3], found[5]]);
        let mut sorted = found.clone();
        sorted.sort_by(f64::total_cmp);
        assert!((point.median.unwrap() - (sorted[2] + sorted[3]) / 2.0).abs() < 1e-6);
        assert_eq!(
            (point.found, point.accuracy),
            (Rate::of(6, 6), Rate::of(4, 6))
        );
        assert_eq!((point.change, point.draws), (None, 1));
        assert!(point.queries > 2.0);
    }
}

// Oracle: the poses by hand. Dark images become bright soonest by as much of every pixel, which is what
// is missing to a mean of one half.
fn value_distances_in_poses_are_those_of_the_moved_images(on: &On) {
    let data = greys(&[60, 90, 120]);
    let poses = [(0.0, 0.0), (0.0, 2.0), (60.0, 4.0)].map(|(a, s)| (Degrees(a), Pixels(s)));
    let scan = BoundaryScan::new(Fab::linf())
        .with_poses(poses)
        .with_draws(2)
        .with_seed(4);
    let boundary = run(on, &scan, &data).with_name("bright");
    let batch = data.batch(&[0, 1, 2], &on.device());
    let mut before = Vec::new();
    for (point, (angle, shift)) in boundary.points.iter().zip(poses) {
        let draws = if angle.0 + shift.0 == 0.0 { 1 } else { 2 };
        assert_eq!(point.draws, draws);
        let budget = PoseBudget::new(angle, shift).unwrap();
        let mut expected = vec![0.0; 3 * draws];
        for draw in 0..draws {
            let keys = Keys::new(Seed(4), 0..3).with_draw(draw as u64);
            let poses = budget.draw_for(Purpose::TestPose, &keys);
            let moved = Warp::nearest().apply(batch.images.clone(), &poses);
            let moved = crate::common::values(moved);
            for (at, image) in moved.chunks(SIDE * SIDE).enumerate() {
                let sum: f64 = image.iter().map(|&x| f64::from(x)).sum();
                expected[at * draws + draw] = 0.5 - sum / (SIDE * SIDE) as f64;
            }
        }
        let found = point.distances.as_ref().unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            let found = f64::from(found.unwrap());
            assert!(
                (found - expected).abs() < 1e-3,
                "{found} {expected} {angle}"
            );
        }
        let per_image = expected
            .chunks(draws)
            .map(|d| d.iter().sum::<f64>() / d.len() as f64);
        let per_image = Vec::from_iter(per_image);
        let mean = Mean::of(&per_image).unwrap();
        assert!((point.mean.unwrap().value - mean.value).abs() < 1e-3);
        if before.is_empty() {
            before = per_image;
        } else {
            let farther = per_image
                .iter()
                .zip(&before)
                .map(|(here, there)| here - there);
            let change = Mean::of(&Vec::from_iter(farther)).unwrap();
            assert!((point.change.unwrap().value - change.value).abs() < 2e-3);
            assert!(change.value > 0.0);
        }
    }
    // Files.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("boundary.json");
    boundary.write_json(&path).unwrap();
    assert_eq!(
        Boundary::read_json(&path).unwrap().to_json(),
        boundary.to_json()
    );
    let rows = parse_csv(&boundary.to_csv());
    assert_eq!(
        (rows.len(), rows[2][4].as_str(), rows[2][5].as_str()),
        (4, "0", "2")
    );
    let mean: f64 = rows[3][7].parse().unwrap();
    assert_eq!(mean, boundary.points[2].mean.unwrap().value);
    let text = boundary.to_markdown();
    assert!(
        text.contains("| ±60° ±4 px |") && text.contains("L∞"),
        "{text}"
    );
    let json = serde_json::to_value(&scan).unwrap();
    assert_eq!(serde_json::from_value::<BoundaryScan>(json).unwrap(), scan);
}

// Oracle: what leaves on one side comes in on the other, and with it the brightness.
fn value_shifts_around_change_no_distance(on: &On) {
    let scan = BoundaryScan::new(Fab::linf())
        .with_poses([0.0, 3.0].map(|shift| (Degrees(0.0), Pixels(shift))))
        .with_warp(Warp::nearest().with_border(Border::Circular));
    let boundary = run(on, &scan, &greys(&BYTES));
    let change = boundary.points[1].change.unwrap();
    assert!(change.value.abs() < 1e-5, "{change}");
}

fn value_no_other_class_is_no_distance(on: &On) {
    let scan = BoundaryScan::new(Fmn::linf().with_steps(2)).with_distances(false);
    let boundary = scan
        .run(&always(0), &greys(&[10, 200]), &on.device())
        .unwrap();
    let point = &boundary.points[0];
    assert_eq!(
        (point.mean, point.median, point.found.value),
        (None, None, 0.0)
    );
    assert_eq!((&point.distances, &point.correct), (&None, &None));
    assert!(boundary.to_markdown().contains("| – |"));
    // As many columns as there are names.
    let rows = parse_csv(&boundary.to_csv());
    assert_eq!(rows[0].len(), rows[1].len());
}

fn error_scans_that_make_no_sense(on: &On) {
    let fab = || BoundaryScan::new(Fab::linf());
    for (scan, name) in [
        (BoundaryScan::new(Pgd::linf(0.1)), "nearest image"),
        (fab().with_draws(0), "draws"),
        (fab().with_batch_size(0), "batch size"),
        (fab().with_poses([]), "poses"),
        (
            fab().with_angles([30.0, 10.0].map(Degrees)),
            "30; 0 before 10; 0",
        ),
        (fab().with_angles([Degrees(-1.0)]), "angle"),
    ] {
        let error = scan.run(&bright(), &greys(&[0]), &on.device()).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let none = fab().run(&bright(), &greys(&[]), &on.device()).unwrap_err();
    assert!(none.to_string().contains("no image"), "{none}");
}
