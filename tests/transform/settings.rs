//! Poses, budgets and settings as plain values: nothing is computed.

use fireproof::base::{Degrees, Keys, Pixels};
use fireproof::transform::{Border, Interpolation, Pose, PoseBudget, RandomFlip, TwoStep, Warp};

#[test]
fn error_settings_name_what_is_wrong() {
    let message = |pose: Pose| pose.check().unwrap_err().to_string();
    let angle = message(Pose::rotation(Degrees(f64::NAN)));
    assert_eq!(angle, "pose: angle: found NaN°, expected a finite number");
    let right = message(Pose::shift(Pixels(f64::INFINITY), Pixels(0.0)));
    assert!(
        right.starts_with("pose: shift right: found inf px"),
        "{right}"
    );
    assert!(Pose::shift(Pixels(0.0), Pixels(1e7)).check().is_err());
    let budget = PoseBudget {
        angle: Degrees(-1.0),
        shift: Pixels(0.0),
    };
    assert!(
        budget
            .check()
            .unwrap_err()
            .to_string()
            .contains("angle = -1")
    );
    assert!(PoseBudget::new(Degrees(0.0), Pixels(f64::NAN)).is_err());
    let flip = RandomFlip { probability: 1.5 };
    assert!(
        flip.check()
            .unwrap_err()
            .to_string()
            .contains("probability = 1.5")
    );
    assert!(
        RandomFlip {
            probability: f64::NAN
        }
        .check()
        .is_err()
    );
}

// Oracle: mean and variance of the uniform distribution.
#[test]
fn value_budgets_are_drawn_uniformly() {
    let budget = PoseBudget::new(Degrees(30.0), Pixels(3.0)).unwrap();
    let count = 4000;
    let poses = budget.draw(&Keys::new(7, 0..count));
    for (limit, value) in [
        (30.0, (|p| p.angle.0) as fn(&Pose) -> f64),
        (3.0, |p| p.right.0),
        (3.0, |p| p.down.0),
    ] {
        let mean = poses.iter().map(value).sum::<f64>() / count as f64;
        let square = poses.iter().map(|p| value(p).powi(2)).sum::<f64>() / count as f64;
        // Five standard errors.
        assert!(mean.abs() < 5.0 * limit / (3.0 * count as f64).sqrt());
        assert!((square / (limit * limit) - 1.0 / 3.0).abs() < 5.0 * 0.3 / (count as f64).sqrt());
        assert!(poses.iter().all(|p| value(p).abs() <= limit));
    }
    let joint = PoseBudget::joint(0.1, 32).unwrap();
    assert_eq!((joint.angle, joint.shift), (Degrees(18.0), Pixels(3.2)));
}

#[test]
fn smoke_settings_survive_serialisation() {
    let warp = Warp::bilinear().with_border(Border::Reflect);
    let text = serde_json::to_string(&warp).unwrap();
    assert_eq!(text, r#"{"interpolation":"bilinear","border":"reflect"}"#);
    assert_eq!(serde_json::from_str::<Warp>(&text).unwrap(), warp);
    assert_eq!(Warp::default(), Warp::nearest());
    assert_eq!(Warp::default().interpolation, Interpolation::Nearest);
    let two = TwoStep::new(Degrees(18.0), Pixels(3.2)).unwrap();
    let text = serde_json::to_string(&two).unwrap();
    assert_eq!(serde_json::from_str::<TwoStep>(&text).unwrap(), two);
}
