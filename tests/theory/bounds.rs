//! The bounds of exact accuracies, and where they are met.

use super::given::{density, draws, gaussian_feature, linear, mean_of, sign_feature};
use fireproof::base::{Purpose, Seed};
use fireproof::theory::normal::cdf;
use fireproof::theory::{Detector, GaussianFeature, Linear, Setting, SignFeature, Survey};

// Oracle: none of 1,000 linear rules, whose accuracies are exact, is above the bound, at any radius and
// under the worst perturbation.
#[test]
fn value_no_linear_rule_is_above_the_bound() {
    let mut draws = draws(1);
    let mut closest: [f64; 2] = [1.0; 2];
    for case in 0..1000 {
        let (a, b) = (
            sign_feature(&mut draws, 200.0),
            gaussian_feature(&mut draws, 200.0),
        );
        let setting: &dyn Setting = if case % 2 == 0 { &a } else { &b };
        let (rule, eta) = (linear(&mut draws, setting.dimension()), setting.eta());
        for ratio in [2.0, draws.uniform(0.0, 3.0)] {
            let epsilon = ratio * eta;
            let found = setting.linear(&rule, epsilon).unwrap();
            let slack = setting.bound(found.spatial, epsilon) - found.adversarial;
            assert!(slack > -1e-12, "{setting}, {rule:?}: {found:?}");
            closest[case % 2] = closest[case % 2].min(slack);
            let worst = setting.linear_worst_case(&rule, epsilon).unwrap();
            let most = setting.bound(found.spatial, epsilon.min(2.0 * eta));
            assert!(worst < most + 1e-12, "{setting}, {rule:?}: {worst} {most}");
        }
    }
    // They come close, so that a bound that is a little too low would be found out.
    assert!(closest.iter().all(|&slack| slack < 0.01), "{closest:?}");
}

#[test]
fn value_bounds_are_those_of_the_theorems() {
    // Oracle: the formulas written out.
    let a = SignFeature::new(100, 0.95, 0.2).unwrap();
    assert!((a.bound(0.983, 0.4) - 19.0 * 0.017).abs() < 1e-12);
    assert!((a.bound(0.5, 0.4) - (1.0 - 0.5 / 19.0)).abs() < 1e-12);
    let b = GaussianFeature::new(1000, 1.0, 2.0 / 1000f64.sqrt()).unwrap();
    let gap = 1.0 - 2.0 / 1000f64.sqrt();
    assert!((b.tau() - (((gap * gap).exp() - 1.0) / 1000.0).sqrt()).abs() < 1e-15);
    let sinh = ((gap * gap).exp() - (-gap * gap).exp()) / 2.0;
    assert!((b.sharper() - (sinh / 1000.0).sqrt()).abs() < 1e-15);
    assert!((b.bound(0.978, 2.0 * b.eta) - (1.0 - 0.978 + b.sharper())).abs() < 1e-12);
    // Where a strong feature stands out so far that it could not be hidden, nothing is said.
    let far = GaussianFeature::new(10, 40.0, 0.1).unwrap();
    assert_eq!((far.tau(), far.bound(1.0, 0.2)), (f64::INFINITY, 1.0));
    let mut draws = draws(2);
    for _ in 0..200 {
        let setting = gaussian_feature(&mut draws, 1e4);
        assert!(setting.sharper() <= setting.tau());
    }
}

#[test]
fn value_bound_of_signs_is_met_by_the_exact_detector() {
    let a = SignFeature::new(100, 0.95, 0.2).unwrap();
    let found = a.of_detector(&Detector::exact(), 0.4).unwrap();
    assert_eq!((found.spatial, found.adversarial), (0.95, 0.95));
    assert!((a.bound(found.spatial, 0.4) - found.adversarial).abs() < 1e-12);
    // And by no other one: how far each is away is (2p−1)(1−Φ(m+t)), of pS + (1−p)R ≤ p.
    let m = 0.2 * 99f64.sqrt();
    for trust in [0.0, 0.5, 1.0, 3.0] {
        let found = a.of_detector(&Detector::trusting(trust), 0.4).unwrap();
        let slack = 0.95 - 0.95 * found.spatial - 0.05 * found.adversarial;
        assert!((slack - 0.9 * cdf(-m - trust)).abs() < 1e-12);
    }
    // Within the interval of what is measured.
    let found = Survey::new(20_000, 0.4).of(&a, &Detector::exact()).unwrap();
    for share in [found.spatial, found.adversarial] {
        assert!(share.interval().contains(0.95), "{share:?}");
    }
    assert!(found.sum.contains(1.9));
}

#[test]
fn value_whole_segment_of_signs_is_met_in_the_limit() {
    // Oracle: the line R = p/(1−p)·(1−S) from (p, p) to (1, 0), ever nearer as the weak features
    // together say more.
    let p = 0.8;
    for (m, most) in [(2.0, 0.1), (4.0, 1e-4), (8.0, 1e-14)] {
        let setting = SignFeature::new(101, p, m / 10.0).unwrap();
        let trusts = (0..=20)
            .map(|k| f64::from(k) / 10.0 * m)
            .chain([f64::INFINITY]);
        let found = Vec::from_iter(trusts.map(|trust| {
            let detector = Detector::trusting(trust);
            setting.of_detector(&detector, 2.0 * setting.eta).unwrap()
        }));
        for found in &found {
            let slack = setting.bound(found.spatial, 2.0 * setting.eta) - found.adversarial;
            assert!((-1e-12..most).contains(&slack), "{m}: {found:?} {slack}");
        }
        let (first, last) = (found[0], found[21]);
        assert!(first.spatial > 1.0 - 0.3 * most - cdf(-m) && last.spatial == p);
    }
}

#[test]
fn value_useless_sign_leaves_every_rule_on_the_line() {
    // Oracle: p = 1/2 makes S + R = 1 for every rule.
    let mut draws = draws(3);
    for _ in 0..100 {
        let drawn = sign_feature(&mut draws, 50.0);
        let setting = SignFeature::new(drawn.dimension, 0.5, drawn.eta).unwrap();
        let rule = linear(&mut draws, setting.dimension);
        let found = setting.linear(&rule, 2.0 * setting.eta).unwrap();
        assert!((found.spatial + found.adversarial - 1.0).abs() < 1e-12);
        assert!(
            (setting.bound(found.spatial, 2.0 * setting.eta) - found.adversarial).abs() < 1e-12
        );
    }
}

#[test]
fn value_sums_of_signs_are_at_most_twice_p() {
    let mut draws = draws(4);
    for _ in 0..200 {
        let setting = sign_feature(&mut draws, 100.0);
        let rule = linear(&mut draws, setting.dimension);
        let found = setting.linear(&rule, 2.0 * setting.eta).unwrap();
        assert!(found.spatial + found.adversarial <= 2.0 * setting.correlation + 1e-12);
        assert!(found.adversarial <= setting.bound(found.spatial, 2.0 * setting.eta) + 1e-12);
    }
}

#[test]
fn value_distance_of_the_gaussian_laws() {
    // Oracle: for two features the distance between clean points of one class and attacked ones of the
    // other by quadrature of the densities themselves, over the plane.
    for (kappa, eta) in [(1.0, 0.5), (2.0, 0.3), (0.2, 0.8)] {
        let gap: f64 = kappa - eta;
        let setting = GaussianFeature::new(2, kappa, eta).unwrap();
        let law = |x: f64, y: f64, strong: f64, weak: f64| {
            let at = |a: f64, b: f64| (-0.5 * ((x - a).powi(2) + (y - b).powi(2))).exp();
            (at(strong, weak) + at(weak, strong)) / 2.0 / std::f64::consts::TAU
        };
        let step = 1.0 / 32.0;
        let grid = || (-320..=320).map(|k| f64::from(k) * step);
        let difference =
            |x, y| (law(x, y, kappa, eta) - law(x, y, -(kappa - 2.0 * eta), eta)).abs();
        let cells = grid().flat_map(|x| grid().map(move |y| difference(x, y)));
        let distance = 0.5 * step * step * cells.sum::<f64>();
        // The formula of the proof, by quadrature over the noise.
        let noise = || grid().map(|z| (z, step * density(z)));
        let pairs = noise().flat_map(|(z, p)| noise().map(move |(w, q)| (z, w, p * q)));
        let size = |(z, w, p): (f64, f64, f64)| p * ((gap * z).sinh() + (gap * w).sinh()).abs();
        let sum: f64 = pairs.map(size).sum();
        let formula = (-gap * gap / 2.0).exp() / 2.0 * sum;
        assert!((distance - formula).abs() < 2e-4, "{distance} {formula}");
        assert!(formula <= setting.sharper() && setting.sharper() <= setting.tau());
        // The mean square is exactly that of the bound.
        let square = mean_of(|z| (gap * z).sinh().powi(2));
        let bound = ((-gap * gap).exp() * square / 2.0).sqrt();
        assert!((bound - setting.sharper()).abs() < 1e-9, "{bound}");
    }
}

#[test]
fn value_bound_of_gaussians_is_met_but_for_a_constant() {
    // Oracle: with weak features that say much together, the highest sum is 1 + the distance of the laws,
    // estimated from the noise alone, and that is √(2/π) of the bound for many features.
    let setting = GaussianFeature::new(400, 1.4, 0.2).unwrap();
    let gap = 1.2;
    let mut draws = Seed(3).draws(Purpose::Noise, 0, 0);
    let count = 4000;
    let sums = Vec::from_iter((0..count).map(|_| {
        let sum: f64 = (0..400).map(|_| (gap * draws.normal()).sinh()).sum();
        (-gap * gap / 2.0).exp() / 400.0 * sum.abs()
    }));
    let distance = sums.iter().sum::<f64>() / f64::from(count);
    let error = 5.0 * distance / f64::from(count).sqrt();
    assert!(distance < setting.sharper());
    let limit = (2.0 / std::f64::consts::PI).sqrt() * setting.sharper();
    assert!(
        (0.94..1.0 + error / limit).contains(&(distance / limit)),
        "{distance} {limit}"
    );

    let best = setting.optimal(0.5, 0.4).unwrap();
    let found = Survey::new(8000, 0.4).of(&setting, &best).unwrap();
    let (low, high) = (found.sum.low - 1.0, found.sum.high - 1.0);
    assert!(
        low < distance && distance < high + 0.01,
        "{low} {distance} {high}"
    );
    // While the mean and a single feature have next to nothing above 1.
    for rule in [Linear::mean(400), Linear::coordinate(400, 0)] {
        let exact = setting.linear(&rule, 0.4).unwrap();
        assert!(exact.spatial + exact.adversarial < 1.01);
    }
}
