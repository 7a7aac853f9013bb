//! Which pairs of accuracies there are, and the rules that are best.

use super::given::{draws, linear, sign_feature};
use fireproof::theory::{Detector, GaussianFeature, Linear, Rule, Setting, SignFeature, Survey};

// The detector that theorem A says is best at this weight of S.
fn best(setting: &SignFeature, weight: f64) -> Detector {
    let p = setting.correlation;
    if weight <= p {
        return Detector::exact();
    }
    let m = setting.eta * ((setting.dimension - 1) as f64).sqrt();
    Detector::trusting(((weight + p - 1.0) / (weight - p)).ln() / (2.0 * m))
}

#[test]
fn value_no_rule_is_beyond_the_frontier_of_signs() {
    // Oracle: exact accuracies of 500 linear rules, against those of the best detector at three weights.
    let mut draws = draws(7);
    for _ in 0..500 {
        let setting = sign_feature(&mut draws, 60.0);
        let rule = linear(&mut draws, setting.dimension);
        let epsilon = 2.0 * setting.eta;
        let found = setting.linear(&rule, epsilon).unwrap();
        for weight in [0.5, 0.5 * (1.0 + setting.correlation), 1.0] {
            let of = |s: f64, r: f64| weight * s + (1.0 - weight) * r;
            let best = setting
                .of_detector(&best(&setting, weight), epsilon)
                .unwrap();
            let (most, own) = (
                of(best.spatial, best.adversarial),
                of(found.spatial, found.adversarial),
            );
            assert!(own <= most + 1e-12, "{setting} {rule:?}: {own} {most}");
        }
    }
}

#[test]
fn value_optimal_rule_of_signs_is_that_detector() {
    let setting = SignFeature::new(12, 0.8, 0.4).unwrap();
    for weight in [0.5, 0.85, 0.95, 1.0] {
        let (rule, detector) = (
            setting.optimal(weight, 0.8).unwrap(),
            best(&setting, weight),
        );
        for id in 0..400 {
            let features = setting
                .point(fireproof::base::Seed(8), id)
                .shifted(id as usize)
                .features;
            assert_eq!(rule.score(&features) > 0.0, detector.score(&features) > 0.0);
        }
    }
    let bayes = setting.bayes().unwrap();
    assert!((bayes.trust - best(&setting, 1.0).trust).abs() < 1e-12);
}

#[test]
fn value_frontier_goes_from_the_highest_accuracy_to_the_detector() {
    let setting = SignFeature::new(40, 0.9, 0.25).unwrap();
    let frontier = setting.frontier(50).unwrap();
    let bayes = setting.of_detector(&setting.bayes().unwrap(), 0.5).unwrap();
    assert_eq!(frontier[0], [bayes.spatial, bayes.adversarial]);
    assert_eq!(frontier[49], [0.9, 0.9]);
    assert!(
        frontier
            .windows(2)
            .all(|pair| pair[1][0] <= pair[0][0] && pair[1][1] >= pair[0][1])
    );
    let above = |pair: &&[f64; 2]| pair[1] > setting.bound(pair[0], 0.5) + 1e-12;
    assert_eq!(frontier.iter().filter(above).count(), 0);
}

#[test]
fn value_optimal_rules_of_gaussians_in_two_features() {
    // Oracle: accuracies by quadrature of the densities over the plane, of a rule that says what the
    // densities themselves say.
    let (kappa, eta) = (1.7, 0.4);
    let setting = GaussianFeature::new(2, kappa, eta).unwrap();
    let law = |x: f64, y: f64, strong: f64, weak: f64| {
        let at = |a: f64, b: f64| (-0.5 * ((x - a).powi(2) + (y - b).powi(2))).exp();
        (at(strong, weak) + at(weak, strong)) / 2.0 / std::f64::consts::TAU
    };
    let off = 2.0 * eta;
    let laws = |x: f64, y: f64| {
        let clean = [law(x, y, kappa, eta), law(x, y, -kappa, -eta)];
        let attacked = [
            law(x, y, kappa - off, eta - off),
            law(x, y, off - kappa, off - eta),
        ];
        (clean, attacked)
    };
    let step = 1.0 / 16.0;
    for weight in [1.0, 0.5, 0.3] {
        let rule = setting.optimal(weight, off).unwrap();
        let (mut spatial, mut adversarial) = (0.0, 0.0);
        for x in (-128..128).map(|k| (f64::from(k) + 0.5) * step) {
            for y in (-128..128).map(|k| (f64::from(k) + 0.5) * step) {
                let (clean, attacked) = laws(x, y);
                let of = |class: usize| weight * clean[class] + (1.0 - weight) * attacked[class];
                let says = usize::from(of(1) > of(0));
                let clear = (of(1) - of(0)).abs() > 1e-12;
                let agrees = (rule.score(&[x, y]) > 0.0) == (says == 0);
                assert!(agrees || !clear, "{x} {y}");
                spatial += 0.5 * step * step * clean[says];
                adversarial += 0.5 * step * step * attacked[says];
            }
        }
        let found = Survey::new(20_000, off).of(&setting, &rule).unwrap();
        // Cells that the edge of the rule runs through make up a thousandth; five standard errors.
        for (share, expected) in [(found.spatial, spatial), (found.adversarial, adversarial)] {
            assert!(
                (share.value() - expected).abs() < 0.018 + 1e-3,
                "{share:?} {expected}"
            );
        }
        assert!(spatial + adversarial <= 1.0 + setting.sharper());
        // No linear rule has more of what it is best at.
        for rule in [
            Linear::mean(2),
            Linear::coordinate(2, 0),
            Linear::new([1.0, -0.5]),
        ] {
            let other = setting.linear(&rule, off).unwrap();
            let of = |s: f64, r: f64| weight * s + (1.0 - weight) * r;
            let most = of(spatial, adversarial) + 1e-3;
            assert!(of(other.spatial, other.adversarial) <= most);
        }
    }
}

#[test]
fn convention_optimal_rules_do_not_see_shifts() {
    let (a, b) = (
        SignFeature::new(7, 0.8, 0.4).unwrap(),
        GaussianFeature::new(7, 1.5, 0.4).unwrap(),
    );
    for setting in [&a as &dyn Setting, &b] {
        let rule = setting.optimal(0.7, 0.8).unwrap();
        for id in 0..50 {
            let point = setting.point(fireproof::base::Seed(2), id);
            let score = rule.score(&point.features);
            for by in 1..7 {
                let shifted = rule.score(&point.shifted(by).features);
                assert!((shifted - score).abs() < 1e-9 * (1.0 + score.abs()));
            }
        }
    }
}
