//! What a diagnosis says of an evaluation as a whole, in files and in words.
//!
//! Oracle: classifiers of one number, the mean of an image, whose every answer is known.

use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::diagnosis::{
    Check, CheckSpec, Diagnose, Diagnosis, Evidence, Finding, NoFall, RandomAnswers, RisingLoss,
    Rounding, VanishedGradients,
};
use fireproof::attack::{Attack, AttackSpec, Frozen, GridSearch, Pgd, Run, Square};
use fireproof::base::{Batch, Degrees, Kind, NoSettings, Pixels, Result, Seed};
use fireproof::data::ImageSet;
use fireproof::evaluate::Extras;
use fireproof::transform::PoseBudget;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

// Not on every device: what it asks of a device, trials' tests ask of every one.
on_this_device![
    value_sound_evaluations_raise_nothing,
    value_a_whole_run_counts_for_all_of_its_images,
    value_every_pass_is_counted,
    value_poses_say_nothing_of_gradients,
    convention_files_and_sentences,
    convention_checks_of_ones_own,
    error_settings_of_a_diagnosis,
];

fn value_poses_say_nothing_of_gradients(on: &On) {
    // A shift by half of the image takes the mean below 1/2, which steps of 0.001 do not: a search without
    // gradients wins, and nothing is masked.
    let budget = PoseBudget::new(Degrees(0.0), Pixels(4.0)).unwrap();
    let grid = GridSearch::new(budget).with_points(1, 3, 3);
    let attack = pgd().with_epsilon(0.001).or(grid);
    let found = attack.attack(&plain(), &batch(on), Seed(1)).unwrap();
    assert_eq!(found.fooled, [true; 4]);
    let diagnosis = Diagnose::new(1)
        .examine(&attack, &plain(), &batch(on), None)
        .unwrap();
    assert!(diagnosis.finding("black_box").is_none());
    let unmade = Vec::from_iter(diagnosis.unmade.iter().map(|unmade| &*unmade.check));
    for check in ["black_box", "no_fall", "overlooked", "rising_loss"] {
        assert!(unmade.contains(&check), "{check} is not in {unmade:?}");
    }
}

pub const SIDE: usize = 8;

/// Class 1 where the mean of what the map makes of an image is above 1/2, the more surely the larger
/// the scale is.
pub fn bright(scale: f64, map: impl Fn(Tensor<4>) -> Tensor<4> + Send + Sync + 'static) -> Frozen {
    answering(move |images| (map(images) - 0.5) * scale)
}

pub fn answering(map: impl Fn(Tensor<4>) -> Tensor<4> + Send + Sync + 'static) -> Frozen {
    Frozen::from_fn(move |images| logits(map(images)))
}

pub fn logits(images: Tensor<4>) -> Tensor<2> {
    let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
    Tensor::cat(vec![-mean.clone(), mean], 1)
}

pub fn plain() -> Frozen {
    bright(10.0, |images| images)
}

// Pixels a quarter around means of 0.55, 0.57, 0.7 and 0.8, all of class 1.
pub fn batch(on: &On) -> Batch {
    let pixels = [0.55, 0.57, 0.7, 0.8].into_iter().flat_map(|mean| {
        (0..SIDE * SIDE).map(move |at| mean + if at % 2 == 0 { 0.15 } else { -0.15 })
    });
    let images = on.tensor(pixels.collect(), [4, 1, SIDE, SIDE]);
    Batch::new(images, on.labels(&[1, 1, 1, 1])).unwrap()
}

pub fn pgd() -> Pgd {
    Pgd::linf(0.1).with_random_start(false)
}

pub fn diagnose(attack: impl Into<AttackSpec>, victim: &Frozen, batch: &Batch) -> Diagnosis {
    let attack = attack.into();
    Diagnose::new(7)
        .examine(&*attack, victim, batch, None)
        .unwrap()
}

pub fn counts(diagnosis: &Diagnosis, check: &str) -> Option<[usize; 2]> {
    let finding = diagnosis.finding(check);
    finding.map(|finding| [finding.images, finding.of])
}

fn value_sound_evaluations_raise_nothing(on: &On) {
    let attacks: [AttackSpec; 3] = [
        pgd().into(),
        pgd().or(Square::linf(0.1).with_queries(300)).into(),
        Square::linf(0.1).with_queries(300).or(pgd()).into(),
    ];
    for attack in attacks {
        let diagnosis = diagnose(attack, &plain(), &batch(on));
        assert!(
            diagnosis.is_clean() && diagnosis.unmade.is_empty(),
            "{diagnosis}"
        );
        assert_eq!(diagnosis.checks.len(), 13);
    }
}

// Bright or dark by the pixels in steps of 1/20, which have no gradient but can be searched.
pub fn stepped() -> Frozen {
    bright(10.0, |images| (images * 20.0).round() / 20.0)
}

fn set(on: &On) -> ImageSet {
    let _ = on;
    let pixels = (0..6).flat_map(|image| {
        (0..SIDE * SIDE).map(move |at| 140 + 10 * image + if at % 2 == 0 { 30 } else { 0 })
    });
    ImageSet::new("greys", [1, SIDE, SIDE], 2, pixels.collect(), vec![1; 6]).unwrap()
}

fn value_a_whole_run_counts_for_all_of_its_images(on: &On) {
    let (set, device) = (set(on), on.device());
    let both = pgd().or(Square::linf(0.1)
        .with_queries(500)
        .with_rescaled_schedule(true));
    let whole = Run::new(7)
        .attack(&both, &stepped(), &set, &device)
        .unwrap();
    let few = set.batch(&[0, 1], &device);
    let diagnosis = Diagnose::new(7)
        .examine(&both, &stepped(), &few, Some(&whole))
        .unwrap();
    assert_eq!(diagnosis.images, 2);
    let beaten = whole.parts[2].fooled;
    assert!(beaten > 0 && beaten < 6, "{whole}");
    assert_eq!(counts(&diagnosis, "black_box"), Some([beaten, 6]));
    assert_eq!(counts(&diagnosis, "vanished_gradients"), Some([6, 6]));
    let error = Diagnose::new(7).examine(&pgd(), &stepped(), &few, Some(&whole));
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("whole run") && error.contains("PGD-10"),
        "{error}"
    );
}

fn value_every_pass_is_counted(on: &On) {
    // Oracle: a classifier that counts the images that it sees.
    let seen = Arc::new(AtomicU64::new(0));
    let counter = seen.clone();
    let victim = stepped().through(move |images| {
        counter.fetch_add(images.dims()[0] as u64, Ordering::Relaxed);
        images
    });
    victim.classes(&batch(on).images);
    seen.store(0, Ordering::Relaxed);
    let diagnosis = diagnose(pgd(), &victim, &batch(on));
    assert_eq!(diagnosis.queries, seen.load(Ordering::Relaxed));
    // Ten steps of four images at three radii.
    assert_eq!(diagnosis.gradients, 3 * 4 * 10);
    // The images of the batch beyond those asked for are none of its business.
    let few = Diagnose::new(7).with_images(3);
    let few = few.examine(&pgd(), &victim, &batch(on), None).unwrap();
    assert_eq!((few.images, few.gradients), (3, 3 * 3 * 10));
}

fn convention_files_and_sentences(on: &On) {
    let diagnosis = diagnose(pgd(), &stepped(), &batch(on));
    let text = serde_json::to_string(&diagnosis).unwrap();
    assert_eq!(serde_json::from_str::<Diagnosis>(&text).unwrap(), diagnosis);
    // A section of a report.
    let extras = Extras::default().with("diagnosis", &diagnosis);
    let back: Diagnosis = extras.get("diagnosis").unwrap().unwrap();
    assert_eq!(back, diagnosis);
    // A line for all, and one for each finding.
    let shown = diagnosis.to_string();
    let mut lines = shown.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("PGD-10 L∞ ε=0.1"), "{first}");
    assert!(first.contains("13 checks on 4 images"), "{first}");
    for (line, flag) in lines.zip(diagnosis.flags()) {
        assert!(line.starts_with(&format!("- {flag}: ")), "{line}");
    }
    assert_eq!(shown.lines().count(), 1 + diagnosis.findings.len());
    let sound = diagnose(pgd(), &plain(), &batch(on)).to_string();
    assert!(sound.ends_with("Nothing was found."), "{sound}");
    // Settings, with their thresholds; what is left out is as by default.
    let settings = Diagnose::new(7);
    let text = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<Diagnose>(&text).unwrap(), settings);
    assert_eq!(
        serde_json::from_value::<Diagnose>(json!({"seed": 7})).unwrap(),
        settings
    );
    let one = json!({"seed": 7, "checks": [{"check": "rounding", "steps": 15}, "scale"]});
    let one: Diagnose = serde_json::from_value(one).unwrap();
    assert_eq!(one.checks[0], Rounding::default().with_steps(15).into());
    assert_eq!(one.checks[1].name(), "scale");
    // The same draws, the same words.
    assert_eq!(diagnose(pgd(), &stepped(), &batch(on)), diagnosis);
}

#[derive(Debug)]
struct Square8;

impl Check for Square8 {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let [images, _, height, width] = evidence.batch().images.dims();
        let queries = evidence.spent()[0];
        let small = (height, width) == (SIDE, SIDE);
        let finding = Finding::new(images, images, "small").with_number("passes", queries as f64);
        Ok(small.then_some(finding.with_number("none", f64::NAN)))
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn settings(&self) -> Value {
        json!("square_8")
    }
}

fn convention_checks_of_ones_own(on: &On) {
    let added = <dyn Check>::registry().add("square_8", |_: NoSettings| Arc::new(Square8) as _);
    added.unwrap();
    let settings = json!({"seed": 1, "checks": ["square_8"]});
    let settings: Diagnose = serde_json::from_value(settings).unwrap();
    let diagnosis = settings
        .examine(&pgd(), &plain(), &batch(on), None)
        .unwrap();
    let finding = diagnosis.finding("square_8").unwrap();
    assert_eq!(
        (finding.images, finding.of, &*finding.message),
        (4, 4, "small")
    );
    // What no file can hold is left out.
    assert_eq!(
        Vec::from_iter(&finding.numbers),
        [(&"passes".to_owned(), &0.0)]
    );
}

fn error_settings_of_a_diagnosis(on: &On) {
    let refused = |diagnose: Diagnose, expected: &str| {
        let error = diagnose.examine(&pgd(), &plain(), &batch(on), None);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(Diagnose::new(7).with_images(0), "images = 0");
    let with = |check: CheckSpec| Diagnose::new(7).with_checks(vec![check]);
    refused(
        with(VanishedGradients::default().with_share(1.5).into()),
        "vanished_gradients: share = 1.5",
    );
    refused(
        with(NoFall::default().with_growth(1.0).into()),
        "no_fall: growth = 1",
    );
    refused(
        with(RandomAnswers::default().with_passes(1).into()),
        "passes = 1",
    );
    refused(
        with(RisingLoss::default().with_pace(f64::NAN).into()),
        "pace = NaN",
    );
    refused(with(Rounding::default().with_steps(0).into()), "steps = 0");
    let error = |settings: Value| {
        let read = serde_json::from_value::<CheckSpec>(settings);
        read.unwrap_err().to_string()
    };
    assert!(error(json!("unknown")).contains("vanished_gradients"));
    assert!(error(json!({"check": "rounding", "bits": 8})).contains("bits"));
    let none = batch(on).select(&[]);
    let nothing = Diagnose::new(7).examine(&pgd(), &plain(), &none, None);
    assert!(nothing.unwrap_err().to_string().contains("no image"));
    let wrong = Diagnose::new(7).examine(&Pgd::linf(-1.0), &plain(), &batch(on), None);
    assert!(wrong.unwrap_err().to_string().contains("epsilon"));
    let labels = Batch::new(batch(on).images, on.labels(&[1, 1, 2, 1])).unwrap();
    let wrong = Diagnose::new(7).examine(&pgd(), &plain(), &labels, None);
    assert!(wrong.unwrap_err().to_string().contains("label of image 2"));
}
