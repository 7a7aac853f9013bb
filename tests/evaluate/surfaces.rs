//! The surface over poses and radii, and what lies under it.
//!
//! On the device of this build alone: what they are made of has its tests elsewhere.

use super::csv::parse_csv;
use super::given::{always, bright, brighter_half, greys, halves, over, run};
use crate::common::On;
use fireproof::attack::{AttackSpec, GridSearch, Pgd, RandomPose};
use fireproof::base::statistics::wilson;
use fireproof::base::{Degrees, Error, Keys, Pixels, Purpose, Seed};
use fireproof::evaluate::{Axis, Outcomes, Point, Profile, Rate, Surface, SurfaceMap, WorstCase};
use fireproof::transform::{PoseBudget, Warp};

on_this_device![
    value_volumes_are_the_trapezoid_rule,
    value_draws_are_the_same_along_both_edges,
    value_grids_of_angles_and_shifts_have_volumes,
    value_a_flat_surface_is_worth_one_outcome_of_each_image,
    error_surfaces_that_make_no_sense,
];

fn attack() -> Pgd {
    Pgd::linf(0.0).with_steps(2)
}

fn bits(outcomes: &Option<Outcomes>) -> Vec<bool> {
    outcomes.as_ref().unwrap().iter().collect()
}

// Oracle: each rectangle of the grid has the mean of its corners; uneven steps, in degrees and in ε.
fn value_volumes_are_the_trapezoid_rule(on: &On) {
    let (angles, radii) = ([0.0, 20.0, 100.0, 180.0], [0.0, 0.1, 0.45]);
    let surface = Surface::rotations(attack(), angles.map(Degrees), radii).with_seed(3);
    let data = halves(20);
    let map = surface
        .run(&brighter_half(false), &data, &on.device())
        .unwrap();
    assert_eq!((map.poses.len(), &map.radii[..]), (4, &radii[..]));
    let whole = |of: &dyn Fn(&Point) -> f64| {
        let mut sum = 0.0;
        for pose in 1..4 {
            for radius in 1..3 {
                let corners = [
                    map.field(pose - 1, radius - 1),
                    map.field(pose - 1, radius),
                    map.field(pose, radius - 1),
                    map.field(pose, radius),
                ];
                let base = (angles[pose] - angles[pose - 1]) * (radii[radius] - radii[radius - 1]);
                sum += base * corners.map(of).iter().sum::<f64>() / 4.0;
            }
        }
        sum / (180.0 * 0.45)
    };
    let volume = &map.volume;
    let accuracy = whole(&|point| point.accuracy.value);
    assert!((volume.accuracy.value - accuracy).abs() < 1e-12);
    assert!(accuracy > 0.1 && accuracy < 0.9, "{accuracy}");
    let fooling = whole(&|point| point.fooling.value);
    assert!((volume.fooling.value - fooling).abs() < 1e-12);
    let of_right = whole(&|point| point.fooling_of_right.unwrap().value);
    assert!((volume.fooling_of_right.unwrap().value - of_right).abs() < 1e-12);
    let gap = whole(&|point| point.gap.unwrap().value);
    assert!((volume.gap.value - gap).abs() < 1e-12);
    assert!(volume.accuracy.interval.contains(accuracy));
    // Files.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("surface.json");
    map.write_json(&path).unwrap();
    assert_eq!(
        SurfaceMap::read_json(&path).unwrap().to_json(),
        map.to_json()
    );
    let text = map.to_markdown();
    assert!(
        text.contains("| 20; 0 |") && text.contains("ε = 0.45"),
        "{text}"
    );
    assert_eq!(parse_csv(&map.to_csv()).len(), 1 + 1 + 12);
    // The same as an axis among others.
    let evaluation = over(Axis::epsilons(attack(), [0.1])).with_axis(surface.axis());
    let profile = run(on, &evaluation.with_seed(3), &brighter_half(false), &data);
    let again = SurfaceMap::of(&profile, Surface::AXIS).unwrap();
    assert_eq!(
        (&again.volume, &again.profile.curves),
        (volume, &map.profile.curves)
    );
    let json = serde_json::to_value(&surface).unwrap();
    assert_eq!(serde_json::from_value::<Surface>(json).unwrap(), surface);
}

// Oracle: at ε = 0 the poses by hand; by seed for the first draw, by the seed derived for the second.
fn value_draws_are_the_same_along_both_edges(on: &On) {
    let (data, victim) = (halves(16), brighter_half(false));
    let poses = [(Degrees(40.0), Pixels(1.0)), (Degrees(160.0), Pixels(4.0))];
    let surface = Surface::new(attack(), poses, [0.0, 0.05])
        .with_draws(2)
        .with_seed(9);
    let map = surface.run(&victim, &data, &on.device()).unwrap();
    let batch = data.batch(&Vec::from_iter(0..16), &on.device());
    for (pose, (angle, shift)) in poses.into_iter().enumerate() {
        let budget = PoseBudget::new(angle, shift).unwrap();
        let mut correct = vec![false; 32];
        for (draw, seed) in [Seed(9), Seed(9).derive(1)].into_iter().enumerate() {
            let poses = budget.draw_for(Purpose::TestPose, &Keys::new(seed, 0..16));
            let moved = Warp::nearest().apply(batch.images.clone(), &poses);
            for (at, class) in victim.predict(moved).into_iter().enumerate() {
                correct[2 * at + draw] = class == (at % 2) as i64;
            }
        }
        let alone = map.field(pose, 0);
        assert_eq!(bits(&alone.correct), correct);
        // Nothing is attacked where nothing is left to do; an attack costs more.
        assert!(alone.queries <= 4.0 && map.field(pose, 1).queries > 4.0);
        // In the same poses an attack leaves nothing standing that falls without it.
        let attacked = bits(&map.field(pose, 1).correct);
        assert!(
            attacked
                .iter()
                .zip(correct)
                .all(|(with, without)| without || !with)
        );
    }
}

// Oracle: the mean of the eight corners of a box; along a line of poses, of its two ends.
fn value_grids_of_angles_and_shifts_have_volumes(on: &On) {
    let data = halves(10);
    let corners = [0.0, 60.0].map(|angle| [0.0, 5.0].map(|shift| (Degrees(angle), Pixels(shift))));
    for (poses, fields) in [
        (corners.concat(), 8),
        (vec![corners[0][0], corners[1][1]], 4),
    ] {
        let grid = GridSearch::new(PoseBudget::default()).with_points(3, 3, 3);
        let axis = Axis::surface(
            fireproof::attack::Attack::then(grid, attack()),
            poses,
            [0.0, 0.1],
        );
        let profile = run(on, &over(axis), &brighter_half(false), &data);
        let map = SurfaceMap::of(&profile, "surface").unwrap();
        let points = &map.curve().points;
        assert_eq!(points.len(), fields);
        let mean = points.iter().map(|point| point.accuracy.value).sum::<f64>() / fields as f64;
        assert!((map.volume.accuracy.value - mean).abs() < 1e-12);
    }
}

// Oracle: Wilson's interval of the images alone.
fn value_a_flat_surface_is_worth_one_outcome_of_each_image(on: &On) {
    let surface = Surface::rotations(attack(), [0.0, 90.0].map(Degrees), [0.0, 0.1]).with_draws(2);
    let map = surface
        .run(&always(0), &greys(&[0, 20, 200, 40, 60]), &on.device())
        .unwrap();
    let Rate {
        value,
        interval,
        count,
    } = map.volume.accuracy;
    let expected = wilson(4, 5);
    assert_eq!((value, count), (0.8, 5));
    assert!((interval.low - expected.low).abs() < 1e-9);
    assert!((interval.high - expected.high).abs() < 1e-9);
    assert_eq!((map.volume.fooling.value, map.volume.gap.value), (0.0, 0.0));
    // Nobody right as they are.
    let map = surface
        .run(&always(1), &greys(&[0, 20]), &on.device())
        .unwrap();
    assert_eq!(map.volume.fooling_of_right, None);
    assert!(map.to_markdown().contains("right as they are –"));
}

// Oracle: the truth of a simulation. Images differ in how likely they are to be right, and their outcomes
// over a grid of 3 × 3 fields hang together.
#[test]
fn value_intervals_of_volumes_cover() {
    let on = On::new(None);
    let poses = [0.0, 30.0, 60.0].map(Degrees);
    let surface = Surface::rotations(attack(), poses, [0.1, 0.2, 0.3]);
    let made = surface
        .run(&bright(), &greys(&[0, 255]), &on.device())
        .unwrap();
    let images = 60;
    for (least, most) in [(0.0, 1.0), (0.6, 1.0), (0.9, 1.0)] {
        let (mut held, mut held_gap, tries) = (0, 0, 400);
        for repetition in 0..tries {
            let mut draws = Seed(5).draws(Purpose::Sample, repetition, (least * 100.0) as u64);
            let mut profile: Profile = made.profile.clone();
            profile.data.images = images;
            let mut flags = vec![Vec::new(); 9];
            let mut clean = Vec::new();
            for _ in 0..images {
                // Two sorts of images; one number for an image shifts all its fields.
                let chance = if draws.chance(0.5) { least } else { most };
                let common = draws.uniform(0.0, 1.0);
                clean.push(draws.chance(most));
                for flags in &mut flags {
                    let own = draws.uniform(0.0, 1.0);
                    let number = if draws.chance(0.5) { common } else { own };
                    flags.push(number < chance);
                }
            }
            profile.clean_correct = Some(Outcomes::new(clean));
            for (point, flags) in profile.curves[0].points.iter_mut().zip(flags) {
                point.correct = Some(Outcomes::new(flags.iter().copied()));
                point.fooled = Some(Outcomes::new(flags));
            }
            let volume = SurfaceMap::of(&profile, Surface::AXIS).unwrap().volume;
            let truth = (least + most) / 2.0;
            held += usize::from(volume.accuracy.interval.contains(truth));
            held_gap += usize::from(volume.gap.interval.contains(most - truth));
        }
        // 95 % but for three standard errors of 400 tries.
        assert!(
            held >= tries as usize * 92 / 100,
            "{held} of {tries} at {least}"
        );
        assert!(
            held_gap >= tries as usize * 92 / 100,
            "{held_gap} of {tries} at {least}"
        );
    }
}

fn error_surfaces_that_make_no_sense(on: &On) {
    let data = greys(&[0, 255]);
    let turned = [0.0, 90.0].map(Degrees);
    for (surface, name) in [
        (Surface::rotations(attack(), [], [0.1]), "no level"),
        (Surface::rotations(attack(), turned, []), "no level"),
        (Surface::rotations(attack(), turned, [0.2, 0.1]), "before"),
        (
            Surface::rotations(attack(), turned, [0.1]).with_draws(0),
            "draws",
        ),
        (
            Surface::rotations(attack(), turned, [0.1]).with_batch_size(0),
            "batch size",
        ),
        (
            Surface::rotations(attack(), [Degrees(-1.0)], [0.1]),
            "angle",
        ),
    ] {
        let error = surface.run(&bright(), &data, &on.device()).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let failure = |axis: Axis, keep: bool| {
        let evaluation = over(axis.named("it")).with_outcomes(keep);
        let profile = run(on, &evaluation, &bright(), &data);
        SurfaceMap::of(&profile, "it").unwrap_err().to_string()
    };
    let pose = AttackSpec::from(RandomPose::default().before(attack()));
    let levels = |levels: [[f64; 3]; 3]| Axis::new("", "", WorstCase::new(pose.clone()), levels);
    let corner = levels([[0.0, 0.0, 0.1], [0.0, 0.0, 0.2], [9.0, 0.0, 0.1]]);
    assert!(failure(corner, true).contains("every pose with every radius"));
    let back = levels([[9.0, 0.0, 0.1], [9.0, 1.0, 0.1], [10.0, 2.0, 0.1]]);
    assert!(failure(back, true).contains("growing in their first part"));
    assert!(failure(Axis::epsilons(attack(), [0.1]), true).contains("every pose"));
    let whole = Surface::rotations(attack(), turned, [0.1]).axis();
    assert!(failure(whole, false).contains("keeps outcomes"));
    let none = SurfaceMap::of(
        &run(on, &over(Axis::epsilons(attack(), [0.1])), &bright(), &data),
        "x",
    );
    assert!(none.is_err());
}
