//! Attacks on poses, and on poses and pixels, as axes beside the average case.

use super::given::{SIDE, bright, brighter_half, greys, halves, over, run, set};
use crate::common::On;
use fireproof::attack::{
    Attack, AttackSpec, GridSearch, JointPgd, Orbit, Pgd, PoseSearch, RandomPose, RandomSearch,
};
use fireproof::base::{Degrees, Pixels, Seed};
use fireproof::data::ImageSet;
use fireproof::evaluate::{self, Axis, Level, Outcomes, Point, Profile, Rate, WorstCase};
use fireproof::transform::{Border, PoseBudget, Warp};

on_every_device![
    value_worst_poses_stand_below_the_average_case,
    value_attacked_poses_begin_at_the_average_case,
    value_attacks_in_several_draws_are_clustered_by_image,
    value_surfaces_fall_along_both_edges,
    value_orbits_are_measured_at_shift_zero,
    convention_reports_say_how_images_were_sampled,
];

fn budget(angle: f64, shift: f64) -> PoseBudget {
    PoseBudget::new(Degrees(angle), Pixels(shift)).unwrap()
}

fn bits(outcomes: &Option<Outcomes>) -> Vec<bool> {
    outcomes.as_ref().unwrap().iter().collect()
}

/// Halves of which some are narrower, so that smaller moves exchange which half is brighter.
fn bars(count: usize) -> ImageSet {
    let image = |number: usize| {
        let (right, first) = (number % 2 == 1, 1 + number / 2 % 5);
        let lit = |at: usize| {
            let column = if right {
                at % SIDE
            } else {
                SIDE - 1 - at % SIDE
            };
            (SIDE / 2 + first..SIDE / 2 + first + 3).contains(&column)
        };
        (0..SIDE * SIDE)
            .map(|at| if lit(at) { 200 } else { 0 })
            .collect()
    };
    set((0..count).map(|k| (image(k), (k % 2) as u8)).collect())
}

// Oracle: the first poses of many are those of few, and a grid of a larger budget in the same steps holds
// the smaller one: whoever stands against the stronger one stands against the weaker.
fn value_worst_poses_stand_below_the_average_case(on: &On) {
    let data = bars(20);
    let poses = [(Degrees(30.0), Pixels(3.0)), (Degrees(60.0), Pixels(6.0))];
    let few = RandomSearch::new(budget(0.0, 0.0), 2);
    let many = RandomSearch::new(budget(0.0, 0.0), 12);
    let evaluation = over(Axis::poses(poses))
        .with_axis(Axis::worst_poses(few, poses).named("worst of 2"))
        .with_axis(Axis::worst_poses(many, poses).named("worst of 12"))
        .with_axis(Axis::worst_poses(GridSearch::new(budget(30.0, 3.0)), poses));
    let profile = run(on, &evaluation, &brighter_half(false), &data);
    for level in [[30.0, 3.0], [60.0, 6.0]] {
        let right = |axis: &str| bits(&profile.at((axis, level)).unwrap().correct);
        let below = right("worst of 12").into_iter().zip(right("worst of 2"));
        assert!(below.into_iter().all(|(many, few)| few || !many));
        let worst = profile.at(("worst_poses", level)).unwrap();
        let average = profile.at(("poses", level)).unwrap();
        assert!(worst.accuracy.value <= average.accuracy.value);
    }
    let [weak, strong] = [[30.0, 3.0], [60.0, 6.0]].map(|level| {
        let point = profile.at(("worst_poses", level)).unwrap();
        point.accuracy.value
    });
    assert!(weak > strong, "{weak} {strong}");
    assert!(profile.to_markdown().contains("| ±60° ±6 px |"));
    // One number: the shift follows in proportion.
    let single = Axis::worst_poses(GridSearch::new(budget(30.0, 3.0)), [30.0, 60.0]);
    let alone = run(on, &over(single), &brighter_half(false), &data);
    for angle in [30.0, 60.0] {
        let tuple = profile.at(("worst_poses", [angle, angle / 10.0])).unwrap();
        let point = alone.at(("worst_poses", angle)).unwrap();
        let same = Point {
            level: tuple.level.clone(),
            ..point.clone()
        };
        assert_eq!(&same, tuple);
    }
    assert!(alone.to_markdown().contains("| ±60° |"));
}

// Oracle: with ε = 0 nothing but the dealt pose is left, which is that of `Axis::poses`; with θ = s = 0
// nothing but the attack on images that are right as they are.
fn value_attacked_poses_begin_at_the_average_case(on: &On) {
    let data = halves(20);
    let poses = [(Degrees(0.0), Pixels(0.0)), (Degrees(120.0), Pixels(2.0))];
    let (attack, radii) = (Pgd::linf(0.0).with_steps(2), [0.0, 0.1, 0.45]);
    let evaluation = over(Axis::attacked_poses(attack.clone(), poses, radii))
        .with_axis(Axis::poses(poses))
        .with_axis(Axis::epsilons(attack, radii));
    let profile = run(on, &evaluation, &brighter_half(false), &data);
    let correct = |axis: &str, level: Level| {
        let curve = profile.curve(axis).unwrap();
        bits(&curve.at(level).unwrap().correct)
    };
    for (Degrees(angle), Pixels(shift)) in poses {
        let start = correct("attacked_poses", [angle, shift, 0.0].into());
        assert_eq!(start, correct("poses", [angle, shift].into()));
    }
    for epsilon in radii {
        let attacked = correct("attacked_poses", [0.0, 0.0, epsilon].into());
        assert_eq!(attacked, correct("epsilons", epsilon.into()));
    }
    let moved = profile.at(("attacked_poses", [120.0, 2.0, 0.1])).unwrap();
    assert!(moved.accuracy.value < 1.0 && moved.accuracy.value > 0.0);
    assert!(profile.to_markdown().contains("| ±120° ±2 px, ε = 0.45 |"));
}

// Oracle: the attack by hand, once with the seed and once with that derived for the second draw.
fn value_attacks_in_several_draws_are_clustered_by_image(on: &On) {
    let (data, victim) = (halves(20), brighter_half(false));
    let pose = Axis::attacked_poses(Pgd::linf(0.0), [(Degrees(120.0), Pixels(2.0))], [0.1]);
    let attack = RandomPose::default().before(Pgd::linf(0.0).with_steps(2));
    let twice = WorstCase::new(attack.clone()).with_draws(2);
    let profile = run(
        on,
        &over(pose.with_threat(twice)).with_seed(7),
        &victim,
        &data,
    );
    let point = profile.at(("attacked_poses", [120.0, 2.0, 0.1])).unwrap();
    assert_eq!(point.draws, 2);

    let attack = AttackSpec::from(attack)
        .at_level(&[120.0, 2.0, 0.1])
        .unwrap();
    let batch = data.batch(&Vec::from_iter(0..data.len()), &on.device());
    let labels = batch.labels_to_vec();
    let by_hand = [Seed(7), Seed(7).derive(1)].map(|seed| {
        let found = attack.attack(&victim, &batch, seed).unwrap();
        Vec::from_iter((0..data.len()).map(|at| found.predicted[at] == labels[at]))
    });
    assert_ne!(by_hand[0], by_hand[1]);
    let side_by_side = (0..data.len()).flat_map(|at| [by_hand[0][at], by_hand[1][at]]);
    let side_by_side = Vec::from_iter(side_by_side);
    assert_eq!(bits(&point.correct), side_by_side);
    assert_eq!(point.accuracy, Rate::of_draws(&side_by_side, 2));
    assert!(profile.to_markdown().contains(", 2 draws per image"));

    let none = WorstCase::new(Pgd::linf(0.0)).with_draws(0);
    let error = Axis::epsilons(Pgd::linf(0.0), [0.1])
        .with_threat(none)
        .check()
        .unwrap_err();
    assert!(error.to_string().contains("draws"), "{error}");
    // One draw is not named, so that files from before there were several are as they were.
    let once = serde_json::to_value(WorstCase::new(Pgd::linf(0.1))).unwrap();
    assert!(once.get("draws").is_none());
    let several = Axis::epsilons(Pgd::linf(0.0), [0.1])
        .with_threat(WorstCase::new(Pgd::linf(0.0)).with_draws(3));
    let text = serde_json::to_string(&several).unwrap();
    assert_eq!(serde_json::from_str::<Axis>(&text).unwrap(), several);
}

// Oracle: along its edges the surface is each part alone; inside nobody stands who falls there.
fn value_surfaces_fall_along_both_edges(on: &On) {
    let data = bars(10);
    let poses = [(Degrees(0.0), Pixels(0.0)), (Degrees(30.0), Pixels(3.0))];
    let grid = GridSearch::new(budget(0.0, 0.0)).with_points(3, 3, 3);
    let pixels = Pgd::linf(0.0).with_steps(2);
    let evaluation = over(Axis::surface(
        grid.clone().then(pixels.clone()),
        poses,
        [0.0, 0.2],
    ))
    .with_axis(Axis::worst_poses(grid, poses))
    .with_axis(Axis::epsilons(pixels, [0.0, 0.2]))
    .with_axis(Axis::surface(JointPgd::linf(budget(0.0, 0.0), 0.0), poses, [0.2]).named("joint"));
    let profile = run(on, &evaluation, &brighter_half(false), &data);
    let correct = |at: evaluate::At| bits(&profile.at(at).unwrap().correct);
    let moved = correct(("worst_poses", [30.0, 3.0]).into());
    let changed = correct(("epsilons", 0.2).into());
    assert_eq!(correct(("surface", [30.0, 3.0, 0.0]).into()), moved);
    assert_eq!(correct(("surface", [0.0, 0.0, 0.2]).into()), changed);
    let both = correct(("surface", [30.0, 3.0, 0.2]).into());
    for (both, parts) in both.into_iter().zip(moved.into_iter().zip(changed)) {
        assert!(!both || parts.0 && parts.1);
    }
    assert_eq!(profile.curve("joint").unwrap().points.len(), 2);
}

// Oracle: half a turn exchanges halves, and a shift of more than half the side leaves the light's half.
fn value_orbits_are_measured_at_shift_zero(on: &On) {
    let orbit = Axis::orbit(Orbit::p4(), [0, 1]);
    assert_eq!(orbit.full_title(), "orbit of p4, shifts up to ± (pixels)");
    let profile = run(on, &over(orbit), &brighter_half(false), &halves(4));
    assert_eq!(profile.at(("orbit", 0.0)).unwrap().accuracy.value, 0.0);
    let plain = run(
        on,
        &over(Axis::orbit(Orbit::p4m(), [0])),
        &bright(),
        &greys(&[10, 240]),
    );
    let point = plain.at(("orbit", 0.0)).unwrap();
    assert_eq!((point.accuracy.value, point.queries), (1.0, 8.0));
    assert!(plain.to_markdown().contains("| ±0 px |"));
}

fn convention_reports_say_how_images_were_sampled(on: &On) {
    let edge = Warp::bilinear().with_border(Border::Edge);
    let small = budget(10.0, 1.0);
    let search = PoseSearch::new(small).with_warp(edge);
    let before = RandomPose::new(small).before(Pgd::linf(0.1).with_steps(1));
    let poses = [(Degrees(10.0), Pixels(1.0))];
    let evaluation = over(Axis::poses(poses))
        .with_axis(Axis::worst_poses(search, poses))
        .with_axis(Axis::orbit(Orbit::p4(), [0]))
        .with_axis(Axis::surface(before, poses, [0.1]))
        .with_axis(Axis::epsilons(Pgd::linf(0.0).with_steps(1), [0.1]));
    let profile: Profile = run(on, &evaluation, &bright(), &greys(&[10, 240]));
    let said = |axis: &str| profile.curve(axis).unwrap().threat.clone();
    assert!(said("poses").ends_with("nearest sampling, border zeros"));
    assert!(said("worst_poses").ends_with("(bilinear sampling, border edge)"));
    assert!(said("orbit").ends_with("(nearest sampling, border zeros)"));
    assert!(said("surface").ends_with("(nearest sampling, border zeros)"));
    assert!(!said("epsilons").contains("sampling"));
    let text = profile.to_markdown();
    assert!(text.contains("bilinear sampling, border edge"), "{text}");
    assert_eq!(profile.evaluation().unwrap(), evaluation);
}
