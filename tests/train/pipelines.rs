//! The published CIFAR pipelines, in training and in evaluation, against Pillow.
//!
//! `tests/fixtures/pillow_pipelines.csv` holds what is drawn for each image, and the hash of what
//! Pillow makes of it (`pillow_pipelines.py`).

use crate::common::{On, fnv1a, values};
use burn::tensor::{Int, Tensor};
use fireproof::attack::Frozen;
use fireproof::base::{Degrees, Keys, Pixels, Purpose, Seed};
use fireproof::curriculum::Stage;
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Evaluation, RandomPose};
use fireproof::train::{Augmentation, StagedBatch};
use fireproof::transform::{Pose, PoseBudget, RandomCrop, RandomFlip};
use std::fmt::Write;
use std::sync::{Arc, Mutex};

on_every_device![
    value_training_pipelines_are_pillow_s,
    value_the_test_pipeline_is_pillow_s,
];

const FIXTURE: &str = "tests/fixtures/pillow_pipelines.csv";
const IMAGES: usize = 12;
const SIDE: usize = 32;
const SEED: Seed = Seed(5);
const EPOCH: usize = 3;
// The published level a: rotations up to 180°·a, shifts up to a sides.
const LEVEL: f64 = 0.1;

fn splitmix64(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

fn set() -> ImageSet {
    let each = (3 * SIDE * SIDE) as u64;
    let pixels = (0..IMAGES as u64)
        .flat_map(|image| (0..each).map(move |at| (splitmix64((image << 32) + at) >> 56) as u8));
    let shape = [3, SIDE, SIDE];
    ImageSet::new("formula", shape, 2, pixels.collect(), vec![0; IMAGES]).unwrap()
}

/// What is drawn for an image.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Drawn {
    left: usize,
    top: usize,
    flip: bool,
    angle: f64,
    right: f64,
    down: f64,
}

/// The lines of a pipeline: what is drawn, and Pillow's hash.
fn lines(pipeline: &str) -> Vec<(Drawn, u64)> {
    let text = include_str!("../fixtures/pillow_pipelines.csv");
    let lines = text.lines().skip(2).map(|line| line.split(','));
    let lines = lines.map(Vec::from_iter).filter(|line| line[0] == pipeline);
    let parsed = lines.enumerate().map(|(at, line)| {
        assert_eq!(line[1].parse(), Ok(at), "an image in its turn");
        let drawn = Drawn {
            left: line[2].parse().unwrap(),
            top: line[3].parse().unwrap(),
            flip: line[4].parse().unwrap(),
            angle: line[5].parse().unwrap(),
            right: line[6].parse().unwrap(),
            down: line[7].parse().unwrap(),
        };
        (drawn, u64::from_str_radix(line[8], 16).unwrap())
    });
    parsed.collect()
}

/// The training pipelines, each with a stage it was published with.
fn pipelines() -> [(&'static str, Augmentation, Stage); 3] {
    let stage = |angle, shift| Stage {
        angle: Degrees(angle),
        shift: Pixels(shift),
        epsilon: 0.0,
        steps: 0,
        step_size: 0.0,
        learning_rate: 0.1,
    };
    [
        (
            "claim_a",
            Augmentation::cifar_claim_a(),
            stage(180.0 * LEVEL, SIDE as f64 * LEVEL),
        ),
        ("trades", Augmentation::cifar_trades(), stage(0.0, 0.0)),
        ("cusp", Augmentation::cifar_cusp(), stage(120.0, 0.0)),
    ]
}

fn drawn(crop: usize, flip: bool, budget: PoseBudget, purpose: Purpose, keys: &Keys) -> Vec<Drawn> {
    let crops = RandomCrop::new(crop).draw(keys);
    let flips = RandomFlip::default().draw(keys);
    let poses = budget.draw_for(purpose, keys);
    let each = crops.iter().zip(flips).zip(poses);
    let start = |shift: f64| (4.0 - shift) as usize;
    each.map(|((moved, flipped), pose): ((&Pose, bool), Pose)| Drawn {
        left: start(moved.right.0),
        top: start(moved.down.0),
        flip: flip && flipped,
        angle: pose.angle.0,
        right: pose.right.0,
        down: pose.down.0,
    })
    .collect()
}

fn training_draws(augmentation: &Augmentation, stage: &Stage) -> Vec<Drawn> {
    let keys = Keys::new(SEED, 0..IMAGES as u64).with_draw(EPOCH as u64);
    let budget = PoseBudget::new(stage.angle, stage.shift).unwrap();
    drawn(
        augmentation.crop,
        augmentation.flip,
        budget,
        Purpose::Pose,
        &keys,
    )
}

fn test_draws() -> Vec<Drawn> {
    let side = SIDE as f64;
    let budget = PoseBudget::new(Degrees(180.0 * LEVEL), Pixels(LEVEL)).unwrap();
    let keys = Keys::new(SEED, 0..IMAGES as u64);
    let mut draws = drawn(0, false, budget, Purpose::TestPose, &keys);
    for drawn in &mut draws {
        (drawn.right, drawn.down) = (drawn.right * side, drawn.down * side);
    }
    draws
}

/// The hash of each image's bytes, in Pillow's order.
fn hashes(images: &Tensor<4>) -> Vec<u64> {
    let bytes = values(images.clone().permute([0, 2, 3, 1])).into_iter();
    let bytes: Vec<u8> = bytes
        .map(|value| {
            let byte = (value * 255.0).round();
            assert!(
                (value * 255.0 - byte).abs() < 1e-3,
                "pixels are moved, never changed"
            );
            byte as u8
        })
        .collect();
    let each = bytes.chunks(3 * SIDE * SIDE);
    each.map(|image| fnv1a(image.iter().copied())).collect()
}

#[test]
fn convention_what_is_drawn_is_what_pillow_was_given() {
    let all = pipelines()
        .map(|(name, augmentation, stage)| (name, training_draws(&augmentation, &stage)));
    let all = all.into_iter().chain([("test", test_draws())]);
    if std::env::var("FIREPROOF_WRITE_FIXTURES").is_ok_and(|value| value == "1") {
        let mut text =
            "# to be filled in\npipeline,image,left,top,flip,angle,right,down\n".to_owned();
        for (name, draws) in all {
            for (at, d) in draws.iter().enumerate() {
                let (left, top, flip) = (d.left, d.top, d.flip);
                let (angle, right, down) = (d.angle, d.right, d.down);
                let line = format!("{name},{at},{left},{top},{flip},{angle},{right},{down}");
                writeln!(text, "{line}").unwrap();
            }
        }
        std::fs::write(FIXTURE, text).unwrap();
        return;
    }
    for (name, draws) in all {
        let given: Vec<Drawn> = lines(name).iter().map(|line| line.0).collect();
        assert_eq!(draws, given, "{name}");
    }
    let some = |of: fn(&Drawn) -> bool| lines("cusp").iter().any(|line| of(&line.0));
    assert!(some(|d| d.flip) && some(|d| !d.flip) && some(|d| d.left != 4));
}

// Oracle: Pillow 13, every byte.
fn value_training_pipelines_are_pillow_s(on: &On) {
    for (name, augmentation, stage) in pipelines() {
        let staged = StagedBatch {
            batch: set().batch(&Vec::from_iter(0..IMAGES), &on.device()),
            stage,
            seed: SEED,
            epoch: EPOCH,
            step: 1,
            share: 1.0,
        };
        let expected: Vec<u64> = lines(name).iter().map(|line| line.1).collect();
        assert_eq!(hashes(&augmentation.apply(&staged)), expected, "{name}");
    }
}

// Oracle: the same, of what an evaluation shows a classifier.
fn value_the_test_pipeline_is_pillow_s(on: &On) {
    let seen: Arc<Mutex<Vec<Vec<u64>>>> = Arc::default();
    let writes_down = seen.clone();
    let victim = Frozen::from_fn(move |images: Tensor<4>| {
        let count = images.dims()[0];
        if count == IMAGES {
            writes_down.lock().unwrap().push(hashes(&images));
        }
        let first = Tensor::<1, Int>::zeros([count], &images.device());
        first.one_hot::<2>(2).float()
    });
    let axis = Axis::joint([LEVEL]).with_threat(RandomPose::published());
    let evaluation = Evaluation::new().with_axis(axis).with_seed(SEED);
    let profile = evaluation.run(&victim, &set(), &on.device()).unwrap();
    let words = "rotation and then whole-pixel shift";
    assert!(profile.curves[0].threat.contains(words));
    let expected: Vec<u64> = lines("test").iter().map(|line| line.1).collect();
    assert!(seen.lock().unwrap().contains(&expected));
    // In files as well, and only where it is said.
    let json = serde_json::to_value(RandomPose::published()).unwrap();
    assert_eq!(json["two_step"], true);
    let read: RandomPose = serde_json::from_value(json).unwrap();
    assert_eq!(read, RandomPose::published());
    let joint = serde_json::to_value(RandomPose::joint()).unwrap();
    assert_eq!(joint.get("two_step"), None);
}
