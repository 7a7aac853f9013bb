//! Settings, read back and refused; what an evaluation refuses.

use super::given::{bright, brighter_half, drawn, full, halves, over, run};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{Frozen, Pgd};
use fireproof::base::{Degrees, Error, Pixels};
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Evaluation, Level, RandomPose};

on_every_device![
    convention_settings_are_read_back_and_misspelt_ones_refused,
    error_settings_that_make_no_sense,
    error_empty_set_and_unusable_classifiers,
];

fn convention_settings_are_read_back_and_misspelt_ones_refused(on: &On) {
    let evaluation = drawn(2);
    let profile = run(on, &evaluation, &brighter_half(false), &halves(4));
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
    // Radii of images with 256 values are said as they are meant.
    let said = [
        8.0 / 255.0,
        0.0313725,
        1.0 / 255.0,
        0.2,
        0.1,
        0.0314,
        0.0,
        1.0,
        1.0 / 3.0,
    ];
    let said = said.map(|radius| axis.label_at(&radius.into()));
    let expected = [
        "8/255", "8/255", "1/255", "0.2", "0.1", "0.0314", "0", "1", "0.3333",
    ];
    assert_eq!(said, expected.map(|text| format!("turns: {text}")));
}

fn error_settings_that_make_no_sense(on: &On) {
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
            .run(&bright(), &halves(2), &on.device())
            .unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

fn error_empty_set_and_unusable_classifiers(on: &On) {
    let failure = |victim: &Frozen, data: &ImageSet| {
        let result = Evaluation::new().run(victim, data, &on.device());
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
    let unmeasured = run(on, &full(), &bright(), &halves(4));
    let error = unmeasured.at(("angles", 45.0)).unwrap_err().to_string();
    assert!(error.contains("[0, 60, 180]"), "{error}");
}
