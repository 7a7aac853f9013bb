//! Points and shifts: what they depend on, and how they are distributed.

use fireproof::base::Seed;
use fireproof::theory::{GaussianFeature, Point, Setting, SignFeature, Survey};

fn settings() -> [Box<dyn Setting>; 2] {
    [
        Box::new(SignFeature::new(6, 0.8, 0.5).unwrap()),
        Box::new(GaussianFeature::new(6, 1.5, 0.5).unwrap()),
    ]
}

#[test]
fn convention_points_depend_on_seed_and_number_alone() {
    for setting in settings() {
        let point = |id| setting.point(Seed(3), id);
        assert_eq!(point(7), setting.point(Seed(3), 7));
        assert_ne!(point(7), point(8));
        assert_ne!(point(7), setting.point(Seed(4), 7));
        // The first points of a longer list, and a list of its own seed.
        let (few, labels) = setting.images(Seed(3), 2).unwrap();
        let (more, _) = setting.images(Seed(3), 5).unwrap();
        assert_eq!(few, more[..12]);
        assert_eq!(labels, [point(0).label(), point(1).label()]);
        assert_eq!(
            few[6..],
            point(1)
                .features
                .iter()
                .map(|&x| x as f32)
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn convention_more_features_begin_with_the_same_ones() {
    let of = |dimension| {
        SignFeature::new(dimension, 0.8, 0.5)
            .unwrap()
            .point(Seed(1), 4)
    };
    assert_eq!(of(3).features, of(50).features[..3]);
    let of = |dimension| {
        GaussianFeature::new(dimension, 1.0, 0.5)
            .unwrap()
            .point(Seed(1), 4)
    };
    assert_eq!(of(3).features, of(50).features[..3]);
}

#[test]
fn convention_a_shift_moves_to_later_places() {
    let point = Point {
        positive: false,
        features: vec![0.0, 1.0, 2.0, 3.0],
    };
    // (Tˢx)ᵢ = x₍ᵢ₋ₛ₎.
    for by in 0..9 {
        let shifted = point.shifted(by);
        for at in 0..4 {
            assert_eq!(shifted.features[at], point.features[(at + 8 - by % 4) % 4]);
        }
        assert_eq!((shifted.sign(), shifted.label()), (-1.0, 0));
    }
    assert_eq!(point.shifted(1).shifted(2), point.shifted(3));
}

#[test]
fn value_points_have_the_right_moments() {
    // Oracle: means and variances of the definition; five standard errors.
    let count = 20_000;
    let error = 5.0 / (count as f64).sqrt();
    for (setting, strong) in settings().into_iter().zip([0.6, 1.5]) {
        let points = Vec::from_iter((0..count).map(|id| setting.point(Seed(9), id)));
        let mean = |of: &dyn Fn(&Point) -> f64| points.iter().map(of).sum::<f64>() / count as f64;
        assert!(mean(&|point| point.sign()).abs() < error);
        let first = mean(&|point| point.sign() * point.features[0]);
        assert!((first - strong).abs() < error, "{first}");
        for at in 1..6 {
            let along = |point: &Point| point.sign() * point.features[at];
            assert!((mean(&along) - 0.5).abs() < error);
            let square = mean(&|point| (along(point) - 0.5).powi(2));
            assert!((square - 1.0).abs() < 2f64.sqrt() * error);
            // Independent of the strong one, and of the weak one before.
            let product = |point: &Point| (along(point) - 0.5) * point.features[0] * point.sign();
            assert!(mean(&product).abs() < 2.0 * error);
        }
    }
    let sign = SignFeature::new(6, 0.8, 0.5).unwrap();
    assert!((0..100).all(|id| sign.point(Seed(9), id).features[0].abs() == 1.0));
}

#[test]
fn value_shifts_are_uniform_and_their_own() {
    // Oracle: each of 6 shifts has probability 1/6; five standard errors.
    let (survey, setting) = (Survey::new(1, 0.1).with_seed(5), settings());
    let mut counts = [0; 6];
    for id in 0..6000 {
        counts[survey.shift(&*setting[0], id)] += 1;
    }
    assert!(counts.iter().all(|n| (850..1150).contains(n)), "{counts:?}");
}

#[test]
fn value_attack_is_of_its_radius_and_against_the_class() {
    let [sign, gaussian] = settings();
    for id in 0..20 {
        let point = sign.point(Seed(2), id);
        let attacked = sign.attacked(&point, 0.25);
        assert_eq!(attacked.features[0], point.features[0]);
        let off = |(a, b): (&f64, &f64)| (a - b) * point.sign();
        let weak = attacked.features[1..]
            .iter()
            .zip(&point.features[1..])
            .map(off);
        assert!(weak.into_iter().all(|off| (off + 0.25).abs() < 1e-15));

        let point = gaussian.point(Seed(2), id);
        let attacked = gaussian.attacked(&point, 0.25);
        let mut all = attacked.features.iter().zip(&point.features);
        assert!(all.all(|(a, b)| ((a - b) * point.sign() + 0.25).abs() < 1e-15));
        assert_eq!(attacked.positive, point.positive);
    }
}

#[test]
fn convention_survey_does_not_depend_on_how_many_points() {
    // The verdict on point 300, in the second batch, alone among the first 301 and among 600.
    let [_, setting] = settings();
    let rule = |features: &[f64]| features[0] - 0.3;
    let count = |points| {
        Survey::new(points, 0.4)
            .of(&*setting, &rule)
            .unwrap()
            .adversarial
            .right
    };
    let survey = Survey::new(1, 0.4);
    let right = |id: u64| {
        let point = setting.point(survey.seed, id);
        let attacked = setting
            .attacked(&point, 0.4)
            .shifted(survey.shift(&*setting, id));
        (attacked.features[0] - 0.3 > 0.0) == point.positive
    };
    assert_eq!(count(301) - count(300), usize::from(right(300)));
    assert_eq!(count(600), (0..600).filter(|&id| right(id)).count());
}
