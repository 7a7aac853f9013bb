//! Evaluation on hand-made classifiers whose accuracy and fooling rate follow from the poses and
//! radii by themselves.

use burn::tensor::Tensor;
use fireproof::attack::{Attack, Cost, Frozen, Pgd};
use fireproof::base::statistics::{clustered, holm, mcnemar, paired, sign_flip};
use fireproof::base::{Degrees, Error, Keys, Pixels, Purpose, Seed};
use fireproof::data::ImageSet;
use fireproof::evaluate::{
    At, Axis, Evaluation, Level, Outcomes, Profile, RandomPose, Rate, Report, Scene, Threat,
    TrainingRecord, Versions, compare,
};
use fireproof::kernel::Numerics;
use fireproof::transform::{PoseBudget, Warp};
use std::collections::BTreeSet;

const SIDE: usize = 16;

fn set(images: Vec<(Vec<u8>, u8)>) -> ImageSet {
    let (pixels, labels): (Vec<Vec<u8>>, Vec<u8>) = images.into_iter().unzip();
    ImageSet::new("hand-made", [1, SIDE, SIDE], 2, pixels.concat(), labels).unwrap()
}

/// A bright half, on the left (class 0) or on the right (class 1).
fn halves(count: usize) -> ImageSet {
    let image = |right: bool| {
        (0..SIDE * SIDE)
            .map(|at| {
                if (at % SIDE >= SIDE / 2) == right {
                    200
                } else {
                    0
                }
            })
            .collect()
    };
    set((0..count)
        .map(|k| (image(k % 2 == 1), (k % 2) as u8))
        .collect())
}

/// Which half is brighter; `flip` exchanges the answers.
fn brighter_half(flip: bool) -> Frozen {
    Frozen::from_fn(move |images: Tensor<4>| {
        let n = images.dims()[0];
        let mean = |from: usize| {
            let half = images
                .clone()
                .slice([0..n, 0..1, 0..SIDE, from..from + SIDE / 2]);
            half.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3)
        };
        // Nothing is ever quite even, so that the flipped twin disagrees everywhere.
        let (left, right) = (mean(0) + 1e-4, mean(SIDE / 2));
        let order = if flip {
            vec![right, left]
        } else {
            vec![left, right]
        };
        Tensor::cat(order, 1)
    })
}

/// Plain images of brightness `byte`, class 1 if above one half.
fn greys(bytes: &[u8]) -> ImageSet {
    set(bytes
        .iter()
        .map(|&b| (vec![b; SIDE * SIDE], u8::from(b > 127)))
        .collect())
}

/// Whether the image is brighter than one half on average.
fn bright() -> Frozen {
    Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
    })
}

fn always(class: usize) -> Frozen {
    Frozen::from_fn(move |images: Tensor<4>| {
        let zero = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3) * 0.0;
        let mut logits = vec![zero.clone(), zero.clone()];
        logits[class] = zero + 1.0;
        Tensor::cat(logits, 1)
    })
}

fn full() -> Evaluation {
    drawn(1)
}

/// Every preset, with this many random poses per image.
fn drawn(draws: usize) -> Evaluation {
    let pose = |threat| RandomPose { draws, ..threat };
    let (angles, shifts) = ([0.0, 60.0, 180.0].map(Degrees), [0.0, 2.0, 6.0].map(Pixels));
    let attack = Pgd::linf(0.0).with_steps(3);
    Evaluation::new()
        .with_axis(Axis::angles(angles).with_threat(pose(RandomPose::rotations())))
        .with_axis(Axis::shifts(shifts).with_threat(pose(RandomPose::shifts())))
        .with_axis(Axis::joint([0.0, 0.5]).with_threat(pose(RandomPose::joint())))
        .with_axis(Axis::epsilons(attack, [0.0, 0.1]))
        .with_seed(11)
}

fn over(axis: Axis) -> Evaluation {
    Evaluation::new().with_axis(axis)
}

fn run(evaluation: &Evaluation, victim: &Frozen, data: &ImageSet) -> Profile {
    evaluation.run(victim, data, &fireproof::device()).unwrap()
}

// Oracle: half a turn of the plane exchanges the halves exactly if the angle exceeds 90°; the
// angles are the documented function of seed, id and draw.
#[test]
fn value_accuracy_over_angles_follows_the_poses() {
    let (data, seed) = (halves(300), Seed(4));
    let evaluation = over(Axis::angles([45.0, 180.0].map(Degrees))).with_seed(seed);
    let profile = run(&evaluation, &brighter_half(false), &data);
    assert_eq!(profile.clean, Rate::of(300, 300));
    assert_eq!(
        profile.curve("angles").unwrap().points[0].accuracy,
        Rate::of(300, 300)
    );
    assert_eq!(
        profile.curve("angles").unwrap().points[0].fooling,
        Rate::of(0, 300)
    );

    let outcomes = profile.curve("angles").unwrap().points[1]
        .correct
        .clone()
        .unwrap();
    let budget = PoseBudget::new(Degrees(180.0), Pixels(0.0)).unwrap();
    let mut clear = 0;
    for (id, pose) in budget
        .draw_for(Purpose::TestPose, &Keys::new(seed, 0..300))
        .iter()
        .enumerate()
    {
        let angle = pose.angle.0.abs();
        // Near the right angle the pixel grid decides.
        if (angle - 90.0).abs() > 5.0 {
            assert_eq!(outcomes.get(id), angle < 90.0, "{angle}°");
            clear += 1;
        }
    }
    assert!(clear > 250);
    // Uniform over ±180°, half the angles are below 90°.
    let expected = 0.5;
    assert!((profile.curve("angles").unwrap().points[1].accuracy.value - expected).abs() < 0.1);
    assert!(
        profile.curve("angles").unwrap().points[1]
            .accuracy
            .interval
            .contains(expected)
    );
}

// Oracle: the pose is (angle, right, down) of the budget of size a, its shift scaled to the side.
#[test]
fn convention_joint_level_couples_half_turns_with_sides() {
    let (data, seed) = (halves(120), Seed(9));
    let evaluation = over(Axis::joint([0.25])).with_seed(seed);
    let profile = run(&evaluation, &brighter_half(false), &data);
    let outcomes = profile.curve("joint").unwrap().points[0]
        .correct
        .clone()
        .unwrap();
    let budget = PoseBudget::new(Degrees(45.0), Pixels(4.0)).unwrap();
    let mut clear = 0;
    for (id, pose) in budget
        .draw_for(Purpose::TestPose, &Keys::new(seed, 0..120))
        .iter()
        .enumerate()
    {
        // Rotated by at most 45°, the bright half turns over only through the shift: by 4 px at
        // most, which leaves more than half of the bright half on its side.
        if pose.angle.0.abs() < 40.0 && pose.right.0.abs() < 3.0 {
            assert!(outcomes.get(id));
            clear += 1;
        }
    }
    assert!(clear > 60);
    // At a = 1 everything is possible, and something fails.
    let evaluation = over(Axis::joint([1.0])).with_seed(seed);
    let profile = run(&evaluation, &brighter_half(false), &data);
    assert!(profile.curve("joint").unwrap().points[0].accuracy.value < 0.8);
}

// Oracle: by definition. A constant classifier is never fooled, however wrong; a classifier that
// answers the opposite of the label is fooled exactly where its twin is.
#[test]
fn convention_fooling_is_disagreement_with_the_own_prediction() {
    let data = halves(100);
    let evaluation = over(Axis::angles([Degrees(180.0)]));
    let constant = run(&evaluation, &always(1), &data);
    assert_eq!(constant.clean, Rate::of(50, 100));
    assert_eq!(
        constant.curve("angles").unwrap().points[0].accuracy,
        Rate::of(50, 100)
    );
    assert_eq!(
        constant.curve("angles").unwrap().points[0].fooling,
        Rate::of(0, 100)
    );

    let right = run(&evaluation, &brighter_half(false), &data);
    let wrong = run(&evaluation, &brighter_half(true), &data);
    assert_eq!(wrong.clean, Rate::of(0, 100));
    assert_eq!(
        right.curve("angles").unwrap().points[0].fooling,
        wrong.curve("angles").unwrap().points[0].fooling
    );
    let sum = right.curve("angles").unwrap().points[0].accuracy.value
        + right.curve("angles").unwrap().points[0].fooling.value;
    assert!((sum - 1.0).abs() < 1e-12, "right on clean: fooled is wrong");
    let (accuracy, fooling) = (
        wrong.curve("angles").unwrap().points[0].accuracy,
        wrong.curve("angles").unwrap().points[0].fooling,
    );
    assert_eq!(
        accuracy.value, fooling.value,
        "wrong on clean: fooled is right"
    );
}

// Oracle: an L∞ ball of radius ε moves the mean of a plain image by at most ε.
#[test]
fn value_accuracy_over_radii_is_the_margin() {
    let bytes: Vec<u8> = (0..=255).step_by(3).collect();
    let data = greys(&bytes);
    // None of them is a margin of one of the images.
    let epsilons = [0.0, 0.051, 0.101, 0.301, 0.6];
    let evaluation = over(Axis::epsilons(Pgd::linf(0.0), epsilons));
    let profile = run(&evaluation, &bright(), &data);
    for (level, epsilon) in profile
        .curve("epsilons")
        .unwrap()
        .points
        .iter()
        .zip(epsilons)
    {
        let margin = |b: u8| (f64::from(b) / 255.0 - 0.5).abs();
        let robust = bytes.iter().filter(|&&b| margin(b) > epsilon).count();
        assert_eq!(
            level.accuracy,
            Rate::of(robust, bytes.len()),
            "ε = {epsilon}"
        );
        assert_eq!(level.fooling, Rate::of(bytes.len() - robust, bytes.len()));
        assert_eq!(level.queries > 0.0, epsilon > 0.0);
    }
}

// An image that is misclassified as it is cannot be robust, whatever the attack makes of it.
#[test]
fn convention_robust_images_are_right_on_the_clean_image() {
    let bytes: Vec<u8> = (0..64).map(|k| k * 4).collect();
    let images = bytes
        .iter()
        .map(|&b| (vec![b; SIDE * SIDE], u8::from(b <= 127)));
    let data = set(images.collect());
    // Targeted at the label's neighbour, the attack would even repair these predictions.
    let attack = Pgd::linf(0.0).with_targets(fireproof::attack::Targets::Next);
    let evaluation = over(Axis::epsilons(attack, [0.7]));
    let profile = run(&evaluation, &bright(), &data);
    assert_eq!(profile.clean, Rate::of(0, 64));
    assert_eq!(
        profile.curve("epsilons").unwrap().points[0].accuracy,
        Rate::of(0, 64)
    );
}

#[test]
fn convention_level_zero_is_the_clean_measurement() {
    let profile = run(&drawn(3), &brighter_half(false), &halves(40));
    assert_eq!(profile.curves.len(), 4);
    for curve in &profile.curves {
        let (axis, point) = (&curve.axis, curve.at(0.0).unwrap());
        assert_eq!(point.accuracy, profile.clean, "{axis}");
        assert_eq!(point.fooling, Rate::of(0, 40), "{axis}");
        assert_eq!(point.correct, profile.clean_correct, "{axis}");
        assert_eq!((point.draws, point.queries), (1, 0.0), "{axis}");
    }
}

#[test]
fn convention_numbers_do_not_depend_on_the_batch_size() {
    let (data, victim) = (halves(50), brighter_half(false));
    let evaluation = drawn(2);
    let whole = run(&evaluation.clone().with_batch_size(128), &victim, &data);
    for size in [1, 7] {
        let mut parts = run(&evaluation.clone().with_batch_size(size), &victim, &data);
        parts.settings["batch_size"] = 128.into();
        assert_eq!(parts, whole, "batch size {size}");
    }
}

#[test]
fn convention_an_image_keeps_its_poses_in_a_subset() {
    let data = halves(60);
    let evaluation = over(Axis::angles([Degrees(180.0)]));
    let whole = run(&evaluation, &brighter_half(false), &data);
    let positions: Vec<usize> = (0..60).rev().step_by(3).collect();
    let part = run(&evaluation, &brighter_half(false), &data.subset(&positions));
    let (whole, part) = (
        &whole.curve("angles").unwrap().points[0],
        &part.curve("angles").unwrap().points[0],
    );
    let expected = Outcomes::new(
        positions
            .iter()
            .map(|&p| whole.correct.as_ref().unwrap().get(p)),
    );
    assert_eq!(part.correct, Some(expected));
}

#[test]
fn convention_same_seed_same_numbers_other_seed_other_poses() {
    let (data, victim) = (halves(80), brighter_half(false));
    let profile = |seed| run(&full().with_seed(Seed(seed)), &victim, &data);
    assert_eq!(profile(1), profile(1));
    assert_ne!(
        profile(1).curve("angles").unwrap().points[2].correct,
        profile(2).curve("angles").unwrap().points[2].correct
    );
}

// Oracle: the documented estimators on the outcomes that the profile keeps.
#[test]
fn value_several_draws_are_clustered_by_image() {
    let evaluation = drawn(4);
    let profile = run(&evaluation, &brighter_half(false), &halves(50));
    let level = &profile.curve("angles").unwrap().points[2];
    let outcomes: Vec<bool> = level.correct.as_ref().unwrap().iter().collect();
    assert_eq!((outcomes.len(), level.draws), (200, 4));
    let per_image: Vec<f64> = outcomes
        .chunks(4)
        .map(|draws| draws.iter().filter(|&&c| c).count() as f64 / 4.0)
        .collect();
    let mean = per_image.iter().sum::<f64>() / 50.0;
    assert!((level.accuracy.value - mean).abs() < 1e-12);
    let interval = clustered(&per_image, 4);
    assert_eq!(
        (level.accuracy.interval, level.accuracy.count),
        (interval, 50)
    );
    // Oracle: the test on all draws.
    let other = run(&evaluation, &always(0), &halves(50));
    let pair = &compare(&profile, &other).unwrap().curves[0].points[1];
    let other: Vec<bool> = other.curves[0].points[2]
        .correct
        .as_ref()
        .unwrap()
        .iter()
        .collect();
    let right = |draws: &[bool]| draws.iter().filter(|&&c| c).count() as i64;
    let differences: Vec<i64> = (outcomes.chunks(4).zip(other.chunks(4)))
        .map(|(a, b)| right(a) - right(b))
        .collect();
    assert_eq!(pair.accuracy.p_value, sign_flip(&differences));
    let means: Vec<f64> = differences.iter().map(|&d| d as f64 / 4.0).collect();
    assert_eq!(pair.accuracy.interval, paired(&means));
    assert_eq!(
        pair.accuracy.only_second,
        differences.iter().filter(|&&d| d < 0).count()
    );
    // Attacks run once, with Wilson's interval.
    let level = &profile.curve("epsilons").unwrap().points[1];
    let robust = level
        .correct
        .as_ref()
        .unwrap()
        .iter()
        .filter(|&c| c)
        .count();
    assert_eq!(level.accuracy, Rate::of(robust, 50));
}

// Oracle: the same axis alone; on plain images the L2 ball of radius ε·side holds the L∞ ball's
// worst image.
#[test]
fn value_norms_stand_beside_one_another() {
    let data = greys(&(0..=255).step_by(5).collect::<Vec<u8>>());
    let (small, large) = (0.1, 0.1 * SIDE as f64);
    let linf = Axis::epsilons(Pgd::linf(0.0), [0.0, small]);
    let l2 = Axis::attack("L2", Pgd::l2(0.0).with_steps(20), [0.0, large]);
    let both = run(&over(linf.clone()).with_axis(l2.clone()), &bright(), &data);
    for axis in [linf, l2] {
        let alone = run(&over(axis.clone()), &bright(), &data);
        assert_eq!(both.curve(&axis.name).unwrap(), &alone.curves[0]);
    }
    let [linf, l2] = [("epsilons", small), ("L2", large)].map(|at| both.at(at).unwrap());
    assert_eq!(linf.accuracy, l2.accuracy);
    assert!(linf.accuracy.value < both.clean.value);
    let text = both.to_markdown();
    assert!(
        text.contains("| ε = 0.1 |") && text.contains("| L2: 1.6 |"),
        "{text}"
    );
}

// Oracle: angle and shift are drawn by image, seed and draw; a tuple (θ, 0) is the level θ of
// rotations, and (0, s) the level s of shifts.
// Oracle: the seeds' own generators, drawn for training and for testing.
#[test]
fn convention_testing_replays_no_pose_of_training() {
    let keys = Keys::new(5, 0..50);
    let budget = PoseBudget::new(Degrees(180.0), Pixels(3.0)).unwrap();
    let (trained, tested) = (
        budget.draw(&keys),
        budget.draw_for(Purpose::TestPose, &keys),
    );
    assert!(trained.iter().zip(&tested).all(|(a, b)| a.angle != b.angle));
}

// Oracle: by definition, from the outcomes. A classifier that is wrong on every image is attacked away
// from its own predictions all the same.
#[test]
fn convention_fooling_under_attack_is_disagreement_with_the_own_prediction() {
    let bytes: Vec<u8> = (0..=255).step_by(3).collect();
    let right = greys(&bytes);
    let swapped = bytes
        .iter()
        .map(|&b| (vec![b; SIDE * SIDE], u8::from(b <= 127)));
    let wrong = set(swapped.collect());
    let evaluation = over(Axis::epsilons(Pgd::linf(0.0), [0.101, 0.301]));
    let [right, wrong] = [right, wrong].map(|data| run(&evaluation, &bright(), &data));
    for (right, wrong) in right.curves[0].points.iter().zip(&wrong.curves[0].points) {
        assert_eq!(right.fooling, wrong.fooling);
        assert_eq!(right.fooled, wrong.fooled);
        assert_eq!(wrong.accuracy, Rate::of(0, bytes.len()));
        assert_eq!(wrong.fooling_of_right, None);
        assert_eq!(right.fooling_of_right, Some(right.fooling), "all are right");
    }
    // Half right: the rate among those right is over them alone.
    let mixed = run(&evaluation, &always(1), &halves(40));
    let rate = mixed.curves[0].points[0].fooling_of_right.unwrap();
    assert_eq!(rate, Rate::of(0, 20));
}

#[test]
fn convention_tuple_levels_stretch_angle_and_shift_apart() {
    let data = halves(60);
    let poses = [[0.0, 0.0], [0.0, 6.0], [180.0, 0.0], [180.0, 6.0]];
    let evaluation = over(Axis::angles([Degrees(180.0)]))
        .with_axis(Axis::shifts([Pixels(6.0)]))
        .with_axis(Axis::poses(poses.map(|[a, s]| (Degrees(a), Pixels(s)))));
    let profile = run(&evaluation, &brighter_half(false), &data);
    let correct = |at: At| profile.at(at).unwrap().correct.clone();
    let pose = |angle: f64, shift: f64| correct(("poses", (angle, shift)).into());
    assert_eq!(pose(0.0, 0.0), profile.clean_correct);
    assert_eq!(pose(180.0, 0.0), correct(("angles", 180.0).into()));
    assert_eq!(pose(0.0, 6.0), correct(("shifts", 6.0).into()));
    let text = profile.to_markdown();
    assert!(text.contains("| ±180° ±6 px |"), "{text}");
    let rows = parse_csv(&profile.to_csv());
    assert!(rows.iter().any(|row| row.contains(&"180; 6".to_owned())));
    let json = serde_json::to_value(&profile.curves[2].points[3].level).unwrap();
    assert_eq!(json, serde_json::json!([180.0, 6.0]));
}

/// A random rotation up to θ, then an attack of radius ε on what came of it: levels (θ, ε).
#[derive(Debug)]
struct TurnedThenAttacked;

impl Threat for TurnedThenAttacked {
    fn check(&self, level: &Level) -> Result<(), Error> {
        match level.parts() {
            [_, _] => Ok(()),
            _ => Err(Error::setting("level", level, "an angle and a radius")),
        }
    }

    fn classes(&self, level: &Level, scene: &mut Scene) -> Result<Vec<i64>, Error> {
        let [angle, epsilon] = level.parts()[..] else {
            unreachable!("checked")
        };
        let poses =
            PoseBudget::new(Degrees(angle), Pixels(0.0))?.draw_for(Purpose::TestPose, scene.keys());
        let turned = Warp::nearest().apply(scene.batch().images.clone(), &poses);
        let batch = scene.batch().clone().with_images(turned);
        Ok(scene
            .attack(&Pgd::linf(epsilon).with_steps(2), &batch)?
            .predicted)
    }

    fn cost(&self, level: &Level) -> Cost {
        Pgd::linf(level.parts()[1]).with_steps(2).cost()
    }

    fn draws(&self) -> usize {
        2
    }

    fn describe(&self, level: &Level) -> String {
        format!("turned, then attacked at {level}")
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "threat": "test_turned_then_attacked" })
    }
}

fn surface() -> Axis {
    let levels = [0.0, 180.0].map(|angle| [0.0, 0.1, 0.6].map(|epsilon| [angle, epsilon]));
    Axis::new(
        "surface",
        "degrees, range",
        TurnedThenAttacked,
        levels.concat(),
    )
    .titled("rotation, then attack", "±{}°, ε = {}")
}

// Oracle: (0, ε) is the attack alone on images that are right as they are; each draw has its own
// angles; passes are counted by the scene.
#[test]
fn value_a_threat_of_ones_own_has_tuples_and_draws() {
    let data = halves(24);
    let attack = Axis::epsilons(Pgd::linf(0.0).with_steps(2), [0.1, 0.6]);
    let profile = run(
        &over(surface()).with_axis(attack),
        &brighter_half(false),
        &data,
    );
    for epsilon in [0.1, 0.6] {
        let alone = profile.at(("epsilons", epsilon)).unwrap();
        let point = profile.at(("surface", [0.0, epsilon])).unwrap();
        let draws = |outcomes: &Option<Outcomes>| {
            let outcomes: Vec<bool> = outcomes.as_ref().unwrap().iter().collect();
            outcomes
                .chunks(point.draws)
                .map(|draws| draws[0])
                .collect::<Vec<bool>>()
        };
        assert_eq!((point.draws, point.queries), (2, 2.0 * alone.queries));
        let robust: Vec<bool> = alone.correct.as_ref().unwrap().iter().collect();
        assert_eq!(draws(&point.correct), robust);
    }
    let turned = profile.at(("surface", [180.0, 0.1])).unwrap();
    let outcomes: Vec<bool> = turned.correct.as_ref().unwrap().iter().collect();
    assert!(outcomes.chunks(2).any(|draws| draws[0] != draws[1]));
    assert_eq!(
        profile.at(("surface", [0.0, 0.0])).unwrap().accuracy,
        profile.clean
    );
    assert!(profile.to_markdown().contains("| ±180°, ε = 0.6 |"));
    // The name is in no registry: the profile is read all the same, only its settings are not.
    let read: Profile = serde_json::from_str(&profile.to_json()).unwrap();
    assert_eq!(read.curves, profile.curves);
    assert_eq!(compare(&read, &profile).unwrap().curves[0].points.len(), 5);
    let error = read.evaluation().unwrap_err().to_string();
    assert!(error.contains("test_turned_then_attacked"), "{error}");
}

#[test]
fn convention_settings_are_read_back_and_misspelt_ones_refused() {
    let evaluation = drawn(2);
    let profile = run(&evaluation, &brighter_half(false), &halves(4));
    assert_eq!(profile.evaluation().unwrap(), evaluation);
    let json = serde_json::to_value(&evaluation).unwrap();
    let refused = |change: &dyn Fn(&mut serde_json::Value), name: &str| {
        let mut json = json.clone();
        change(&mut json);
        let error = serde_json::from_value::<Evaluation>(json).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    };
    refused(&|json| json["drawz"] = 3.into(), "drawz");
    refused(&|json| json["axes"][0]["levelz"] = 3.into(), "levelz");
    refused(
        &|json| json["axes"][0]["threat"]["drawz"] = 3.into(),
        "drawz",
    );
    refused(
        &|json| json["axes"][3]["threat"]["attack"]["epz"] = 3.into(),
        "epz",
    );
    refused(
        &|json| json["axes"][0]["threat"]["threat"] = "blur".into(),
        "random_pose",
    );
    // Title and label have defaults, a level is a number or a tuple.
    let short = serde_json::json!({
        "name": "turns", "unit": "degrees", "levels": [0, 45, 90.5],
        "threat": { "threat": "random_pose", "shift": 0.0 },
    });
    let axis: Axis = serde_json::from_value(short).unwrap();
    assert_eq!(
        axis,
        Axis::new(
            "turns",
            "degrees",
            RandomPose::rotations(),
            [0.0, 45.0, 90.5]
        )
    );
    assert_eq!(axis.full_title(), "turns (degrees)");
    assert_eq!(axis.label_at(&axis.levels[2]), "turns: 90.5");
}

#[test]
fn convention_sections_that_a_reader_does_not_know_stay() {
    let mut report = study();
    let mut json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    json["entries"][0]["profile"]["extras"]["flags"] = serde_json::json!(["gradients vanish"]);
    json["extras"]["certificates"] = serde_json::json!({ "poses": 12 });
    // What stands elsewhere is ignored.
    json["entries"][0]["profile"]["curves"][0]["later"] = true.into();
    let read: Report = serde_json::from_value(json).unwrap();
    let flags: Vec<String> = read.entries[0]
        .profile
        .extras
        .get("flags")
        .unwrap()
        .unwrap();
    assert_eq!(flags, ["gradients vanish"]);
    let error = read.extras.get::<Vec<u8>>("certificates").unwrap_err();
    assert!(
        error.to_string().contains("section `certificates`"),
        "{error}"
    );
    let again: Report = serde_json::from_str(&read.to_json()).unwrap();
    assert_eq!(again, read);
    assert_ne!(read, report);
    report.extras = report
        .extras
        .with("certificates", &1)
        .with("certificates", &2);
    assert_eq!(report.extras.get("certificates").unwrap(), Some(2));
    assert_eq!(report.extras.names().collect::<Vec<_>>(), ["certificates"]);
}

#[test]
fn smoke_progress_grows_to_its_total() {
    let mut seen = Vec::new();
    let (data, device) = (halves(20), fireproof::device());
    let evaluation = full().with_batch_size(6);
    evaluation
        .run_with_progress(&brighter_half(false), &data, &device, |done, total| {
            seen.push((done, total));
        })
        .unwrap();
    assert!(seen.len() > 10 && seen.is_sorted());
    let (done, total) = *seen.last().unwrap();
    assert_eq!(done, total);
    assert!(seen.iter().all(|&(_, t)| t == total));
}

// Oracle: counted by hand on the outcomes, and the tests of `base::statistics`.
#[test]
fn value_comparison_is_mcnemar_with_holm_in_each_axis() {
    let data = halves(90);
    let evaluation = over(Axis::angles([0.0, 120.0, 180.0].map(Degrees)));
    let first = run(&evaluation, &brighter_half(false), &data).with_name("halves");
    let second = run(&evaluation, &always(0), &data).with_name("constant");
    let comparison = compare(&first, &second).unwrap();
    assert_eq!(comparison.clean.only_first, 45);
    assert_eq!(comparison.clean.only_second, 0);
    assert_eq!(comparison.clean.p_value, mcnemar(45, 0));
    assert_eq!(comparison.clean.difference, 0.5);
    assert_eq!(comparison.curve("angles").unwrap().points.len(), 2);
    let mut p_values = Vec::new();
    for (pair, at) in comparison
        .curve("angles")
        .unwrap()
        .points
        .iter()
        .zip([1, 2])
    {
        let a: Vec<bool> = first.curve("angles").unwrap().points[at]
            .correct
            .as_ref()
            .unwrap()
            .iter()
            .collect();
        let b: Vec<bool> = second.curve("angles").unwrap().points[at]
            .correct
            .as_ref()
            .unwrap()
            .iter()
            .collect();
        let only = |x: &[bool], y: &[bool]| x.iter().zip(y).filter(|(x, y)| **x && !**y).count();
        assert_eq!(
            (pair.accuracy.only_first, pair.accuracy.only_second),
            (only(&a, &b), only(&b, &a))
        );
        let difference = first.curve("angles").unwrap().points[at].accuracy.value
            - second.curve("angles").unwrap().points[at].accuracy.value;
        assert!((pair.accuracy.difference - difference).abs() < 1e-12);
        assert!(pair.accuracy.interval.contains(pair.accuracy.difference));
        p_values.push(mcnemar(pair.accuracy.only_first, pair.accuracy.only_second));
    }
    let adjusted: Vec<f64> = comparison
        .curve("angles")
        .unwrap()
        .points
        .iter()
        .map(|pair| pair.accuracy.adjusted)
        .collect();
    assert_eq!(adjusted, holm(&p_values));
    let text = comparison.to_markdown();
    assert!(
        text.contains("## halves against constant") && text.contains("| ±120° |"),
        "{text}"
    );
    assert_eq!(
        compare(&first, &first).unwrap().curves[0].points[1]
            .accuracy
            .p_value,
        1.0
    );
}

#[test]
fn error_profiles_that_do_not_pair() {
    let victim = brighter_half(false);
    let evaluation = over(Axis::angles([Degrees(90.0)]));
    let profile = run(&evaluation, &victim, &halves(20));
    let refused = |other: &Profile, why: &str| {
        let error = compare(&profile, other).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused(&run(&evaluation, &victim, &halves(22)), "different images");
    let other = evaluation.clone().with_seed(Seed(5));
    refused(&run(&other, &victim, &halves(20)), "different settings");
    let other = evaluation.clone().with_outcomes(false);
    refused(&run(&other, &victim, &halves(20)), "no outcomes");
    let mut fast = profile.clone();
    fast.numerics = Numerics::Fast;
    refused(&fast, "different numerics");
    // The batch size does not change what is measured.
    let other = run(&evaluation.with_batch_size(3), &victim, &halves(20));
    assert!(compare(&profile, &other).is_ok());
}

#[test]
fn error_settings_that_make_no_sense() {
    let new = Evaluation::new;
    let pgd = |levels: &[f64]| Axis::epsilons(Pgd::linf(0.0), levels.to_vec());
    let poses = |levels: [[f64; 2]; 2]| Axis::new("poses", "", RandomPose::poses(), levels);
    let uneven = vec![Level::from(1.0), Level::from([2.0, 2.0])];
    for (evaluation, name) in [
        (over(Axis::angles([Degrees(-1.0)])), "`angles`"),
        (over(Axis::angles([Degrees(f64::NAN)])), "`angles`"),
        (over(Axis::angles([Degrees(181.0)])), "`angles`"),
        (over(Axis::angles([30.0, 30.0].map(Degrees))), "`angles`"),
        (over(Axis::angles([])), "no level"),
        (over(Axis::shifts([Pixels(f64::INFINITY)])), "`shifts`"),
        (over(Axis::joint([1.5])), "`joint`"),
        (over(pgd(&[-0.1])), "`epsilons`"),
        (over(pgd(&[0.2, 0.1])), "0.2 before 0.1"),
        (over(pgd(&[f64::NAN])), "`epsilons`"),
        (
            over(Axis::attack("ε", Pgd::linf(0.0), [[0.1, 0.2]])),
            "one number",
        ),
        (over(poses([[90.0, 2.0], [45.0, 3.0]])), "before"),
        (over(poses([[90.0, -2.0], [90.0, 0.0]])), "pixels"),
        (
            over(Axis::new("three", "", RandomPose::poses(), [[1.0; 3]])),
            "two",
        ),
        (
            over(Axis::new("uneven", "", RandomPose::poses(), uneven)),
            "equally many",
        ),
        (over(pgd(&[0.1])).with_axis(pgd(&[0.2])), "`epsilons`"),
        (
            over(Axis::attack("clean", Pgd::linf(0.0), [0.1])),
            "`clean`",
        ),
        (drawn(0), "draws"),
        (new().with_batch_size(0), "batch size"),
    ] {
        let error = evaluation
            .run(&bright(), &halves(2), &fireproof::device())
            .unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn error_empty_set_and_unusable_classifiers() {
    let failure = |victim: &Frozen, data: &ImageSet| {
        let result = Evaluation::new().run(victim, data, &fireproof::device());
        result.unwrap_err().to_string()
    };
    let error = failure(&bright(), &halves(4).subset(&[]));
    assert!(
        error.contains("no image") && error.contains("hand-made"),
        "{error}"
    );
    let narrow = Frozen::from_fn(|images| images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3));
    let error = failure(&narrow, &halves(4));
    assert!(
        error.contains("1 classes") && error.contains("2 or more"),
        "{error}"
    );
    let diverged = Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![mean.clone(), (mean - 100.0).log()], 1)
    });
    let error = failure(&diverged, &halves(4));
    assert!(error.contains("logits of image 0: found NaN"), "{error}");
    let unmeasured = run(&full(), &bright(), &halves(4));
    let error = unmeasured.at(("angles", 45.0)).unwrap_err().to_string();
    assert!(error.contains("[0, 60, 180]"), "{error}");
}

fn study() -> Report {
    let data = halves(30);
    let mut record = TrainingRecord::new("Cnn, \"p4\"", 1234, "natural", Seed(3))
        .with_curriculum(&[0.1, 0.2])
        .with_train_size(2000)
        .with_epochs(4)
        .with_seconds(1.5);
    record.extras = record.extras.with("history", &[2.3, 0.4]);
    let versions = Versions::of(&fireproof::device());
    let settings = serde_json::json!({ "quick": true });
    let mut report = Report::new("A study", Seed(3), versions).with_settings(settings);
    for (name, flip) in [("right, or so", false), ("wrong | turned", true)] {
        let profile = run(&full(), &brighter_half(flip), &data).with_name(name);
        report.push("a: halves", (!flip).then(|| record.clone()), profile);
    }
    report
}

/// Equal but for the last digit of numbers, which serde_json's fast reader may miss.
fn close(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-14,
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(a, b)),
        (Object(a), Object(b)) => {
            a.keys().eq(b.keys()) && a.values().zip(b.values()).all(|(a, b)| close(a, b))
        }
        (a, b) => a == b,
    }
}

#[test]
fn smoke_json_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let report = study();
    let path = folder.path().join("new/folder/report.json");
    report.write_json(&path).unwrap();
    let read = Report::read_json(&path).unwrap();
    let json = |report: &Report| serde_json::from_str(&report.to_json()).unwrap();
    assert!(close(&json(&read), &json(&report)));
    assert_eq!(read.entries[1].training, report.entries[1].training);
    assert_eq!(
        read.entries[0].profile.settings,
        report.entries[0].profile.settings
    );
    let profile = &report.entries[0].profile;
    profile.write_json(&path).unwrap();
    let read = Profile::read_json(&path).unwrap();
    assert_eq!(
        read.curve("angles").unwrap().points[2].correct,
        profile.curve("angles").unwrap().points[2].correct
    );
    assert!(
        compare(&read, profile).unwrap().curves[0].points[1]
            .accuracy
            .p_value
            == 1.0
    );
    // Nothing but the file itself is left behind.
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1
    );
}

#[test]
fn error_files_name_their_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let message = |path: &std::path::Path| Report::read_json(path).unwrap_err().to_string();
    assert!(message(&path).contains("report.json"));
    std::fs::write(&path, "{\n  \"schema\": 1,\n  \"title\": 7 }").unwrap();
    let error = message(&path);
    assert!(
        error.contains("report.json: at byte") && error.contains("JSON of a Report"),
        "{error}"
    );
    std::fs::write(&path, "{ \"schema\": 99 }").unwrap();
    assert!(message(&path).contains("expected schema 1, found schema 99"));
    // A folder stands where the file should go.
    let error = study().write_csv(folder.path()).unwrap_err();
    let shown = folder.path().display().to_string();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains(&shown));
    let error = study()
        .write_csv(path.join("below/a/file.csv"))
        .unwrap_err();
    assert!(error.to_string().contains("report.json"), "{error}");
}

/// Rows of RFC 4180 text, by a reader written from the RFC alone.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            other => field.push(other),
        }
    }
    assert!(field.is_empty() && row.is_empty() && !quoted);
    rows
}

#[test]
fn value_csv_parses_back() {
    let report = study();
    let rows = parse_csv(&report.to_csv());
    let header = &rows[0];
    let column = |name: &str| header.iter().position(|h| h == name).unwrap();
    let mut body = rows[1..].iter();
    for entry in &report.entries {
        let mut check = |axis: &str, level: f64, rates: [Option<Rate>; 3]| {
            let row = body.next().unwrap();
            assert_eq!(row.len(), header.len());
            assert_eq!(row[column("section")], "a: halves");
            assert_eq!(row[column("name")], entry.profile.name);
            let model = entry.training.as_ref().map_or("", |t| &t.model);
            assert_eq!(row[column("model")], model);
            assert_eq!(row[column("axis")], axis);
            assert_eq!(row[column("level")].parse::<f64>().unwrap(), level);
            for (name, rate) in ["accuracy", "fooling", "fooling_of_right"]
                .into_iter()
                .zip(rates)
            {
                let number = |suffix: &str| row[column(&format!("{name}{suffix}"))].parse().ok();
                assert_eq!(number(""), rate.map(|r| r.value));
                assert_eq!(number("_low"), rate.map(|r| r.interval.low));
                assert_eq!(number("_high"), rate.map(|r| r.interval.high));
            }
        };
        check("clean", 0.0, [Some(entry.profile.clean), None, None]);
        for curve in &entry.profile.curves {
            for point in &curve.points {
                let rates = [
                    Some(point.accuracy),
                    Some(point.fooling),
                    point.fooling_of_right,
                ];
                check(&curve.axis, point.level.parts()[0], rates);
            }
        }
    }
    assert_eq!(body.next(), None);
    let single = parse_csv(&report.entries[0].profile.to_csv());
    assert_eq!((&single[0], single.len()), (header, 1 + 1 + 3 + 3 + 2 + 2));
}

#[test]
fn value_markdown_tables_are_rectangular_and_complete() {
    let report = study();
    let text = report.to_markdown();
    for expected in [
        "# A study",
        "## a: halves",
        "| right, or so | Cnn, \"p4\" | 1234 | natural | 2000 | 4 | 2 | 100.0 % (88.6–100.0) |",
        "| wrong \\| turned | – |",
        "±60°",
        "a = 0.5",
        "ε = 0.1",
        "angles: one random pose per image",
        "seed 11.",
        "PGD-3 L∞ ε=0.1",
    ] {
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        if pair.iter().all(|line| line.starts_with('|')) {
            assert_eq!(cells(pair[0]), cells(pair[1]), "{pair:?}");
        }
    }
    let profile = &report.entries[0].profile;
    let table = profile.to_markdown();
    let row = format!(
        "| ±60° | {} | {} |",
        profile.curve("angles").unwrap().points[1].accuracy,
        profile.curve("angles").unwrap().points[1].fooling
    );
    assert!(table.contains(&row), "{table}");
    let front = report
        .trade_off_markdown(("angles", 60.0), ("epsilons", 0.1))
        .unwrap();
    assert!(front.contains("Hypervolume from (0, 0): "), "{front}");
    assert!(
        report
            .trade_off_markdown(("angles", 61.0), ("epsilons", 0.1))
            .is_err()
    );
    // A classifier shared by two sections is one point of the plane.
    let mut shared = study();
    let profile = shared.entries[0].profile.clone();
    shared.push("b: again", None, profile);
    let again = shared.trade_off_markdown(("angles", 60.0), ("epsilons", 0.1));
    assert_eq!(again.unwrap(), front);
}

/// Every path to a leaf, array positions dropped; `opaque` objects count as leaves.
fn paths(value: &serde_json::Value, path: &str, opaque: &[&str], into: &mut BTreeSet<String>) {
    let whole = opaque
        .iter()
        .any(|end| path == *end || path.ends_with(&format!(".{end}")));
    match value {
        serde_json::Value::Object(fields) if !whole => {
            for (name, field) in fields {
                let below = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                paths(field, &below, opaque, into);
            }
        }
        serde_json::Value::Array(items) if items.iter().any(|item| item.is_object()) => {
            for item in items {
                paths(item, &format!("{path}[]"), opaque, into);
            }
        }
        _ => {
            into.insert(path.to_owned());
        }
    }
}

/// The names in code marks in the first column of the tables of one section of the document.
fn documented(heading: &str) -> BTreeSet<String> {
    let text = include_str!("../docs/report-schema.md");
    let section = text
        .split("\n## ")
        .find(|s| s.starts_with(heading))
        .expect(heading);
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| line.split('`').next().unwrap().to_owned())
        .collect()
}

// Oracle: what the code writes.
#[test]
fn convention_schema_document_names_every_field() {
    let report = study();
    let mut written = BTreeSet::new();
    let opaque = [
        "curriculum",
        "threat",
        "history",
        "correct",
        "fooled",
        "clean_correct",
    ];
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let mut fields = json.clone();
    fields["settings"] = serde_json::Value::Null;
    paths(&fields, "", &opaque, &mut written);
    assert_eq!(written, documented("report.json"));

    let profile = &report.entries[0].profile;
    let mut written = BTreeSet::new();
    let comparison = compare(profile, profile).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&comparison.to_json()).unwrap();
    let clean = json["clean"].take();
    assert!(clean["p_value"].is_number());
    paths(&json, "", &[], &mut written);
    assert_eq!(written, documented("A comparison"));

    let header = parse_csv(&report.to_csv()).remove(0);
    assert_eq!(
        header.into_iter().collect::<BTreeSet<_>>(),
        documented("report.csv")
    );
}
