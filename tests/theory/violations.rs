//! Random classifiers of all kinds, measured: is any above the bound?
//!
//! pS + (1−p)R ≤ p and (S + R)/2 ≤ (1 + √(sinh γ²/d))/2 are bounds of one probability each: that of being
//! right at a point that is attacked or not by the toss of a coin that falls so. So a rule is right at a
//! binomial number of points, whose tail is exact, and Holm's adjustment holds for all rules together.

use super::given::{draws, gaussian_feature, sign_feature};
use fireproof::base::statistics::holm;
use fireproof::base::{Draws, Purpose, Seed};
use fireproof::theory::{Detector, Rule, Setting};

const LEVEL: f64 = 0.01;

// P[at least `right` of `count`] with probability `p` each, from the logarithms of the terms.
fn tail(right: usize, count: usize, p: f64) -> f64 {
    if p >= 1.0 {
        return 1.0;
    }
    let mut log = count as f64 * (1.0 - p).ln();
    let mut sum = if right == 0 { log.exp() } else { 0.0 };
    for k in 1..=count {
        log += ((count - k + 1) as f64 / k as f64).ln() + (p / (1.0 - p)).ln();
        if k >= right {
            sum += log.exp();
        }
    }
    sum.min(1.0)
}

// One of many kinds of classifiers, most of them no good, some the best that there are.
fn rule(draws: &mut Draws, setting: &dyn Setting) -> Box<dyn Rule> {
    let d = setting.dimension();
    let numbers =
        |draws: &mut Draws, count: usize| Vec::from_iter((0..count).map(|_| draws.normal()));
    match draws.below(8) {
        0 => Box::new(
            setting
                .optimal(draws.uniform(0.0, 1.0), 2.0 * setting.eta())
                .unwrap(),
        ),
        1 => Box::new(setting.optimal(0.5, 2.0 * setting.eta()).unwrap()),
        2 => Box::new(Detector::trusting(draws.uniform(0.0, 4.0))),
        3 => Box::new(Detector::exact()),
        // The feature that is farthest out, and a majority.
        4 => Box::new(|x: &[f64]| {
            x.iter()
                .copied()
                .fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a })
        }),
        5 => Box::new(|x: &[f64]| x.iter().map(|x| x.signum()).sum::<f64>() + 0.5),
        // A network of one hidden layer, and one that sees the features in order of size.
        kind => {
            let (hidden, out) = (numbers(draws, 6 * (d + 1)), numbers(draws, 6));
            let scale = draws.uniform(0.2, 2.0);
            Box::new(move |x: &[f64]| {
                let mut x = x.to_vec();
                if kind == 7 {
                    x.sort_by(f64::total_cmp);
                }
                let unit = |w: &[f64]| {
                    let sum: f64 = w.iter().zip(&x).map(|(w, x)| w * x).sum();
                    (scale * (sum + w[x.len()])).tanh()
                };
                let units = hidden.chunks(x.len() + 1).map(unit);
                units.zip(&out).map(|(unit, w)| w * unit).sum()
            })
        }
    }
}

// How often the rule is right, at points of which each is attacked unless a coin that falls with
// probability `clean` says not.
fn right(setting: &dyn Setting, rule: &dyn Rule, clean: f64, points: usize, seed: Seed) -> usize {
    let right = (0..points as u64).filter(|&id| {
        let mut coin = seed.draws(Purpose::Noise, id, 0);
        let mut point = setting.point(seed, id);
        if !coin.chance(clean) {
            point = setting.attacked(&point, 2.0 * setting.eta());
        }
        let by = coin.below(setting.dimension() as u64) as usize;
        rule.is_right(&point.shifted(by).features, point.positive)
    });
    right.count()
}

// The p-values of "this rule is at most at the bound less this" for many rules.
fn p_values(rules: usize, points: usize, less: f64) -> Vec<f64> {
    let mut draws = draws(8);
    let mut one = |case: usize| {
        let (a, b) = (
            sign_feature(&mut draws, 60.0),
            gaussian_feature(&mut draws, 60.0),
        );
        let p = a.correlation;
        let (setting, clean, most): (&dyn Setting, _, _) = match case % 2 {
            0 => (&a, p, p),
            _ => (&b, 0.5, 0.5 * (1.0 + b.sharper())),
        };
        let rule = rule(&mut draws, setting);
        let seed = Seed(1000).derive(case as u64);
        tail(
            right(setting, &*rule, clean, points, seed),
            points,
            most - less,
        )
    };
    (0..rules).map(&mut one).collect()
}

// More of both by the environment: FIREPROOF_THEORY_RULES and FIREPROOF_THEORY_POINTS.
fn asked(name: &str, usual: usize) -> usize {
    let value = std::env::var(format!("FIREPROOF_THEORY_{name}"));
    value.map_or(usual, |value| value.parse().expect("a number"))
}

#[test]
fn value_none_of_a_thousand_rules_is_above_the_bound() {
    let p_values = p_values(asked("RULES", 1000), asked("POINTS", 1000), 0.0);
    let least = holm(&p_values).into_iter().fold(1.0, f64::min);
    assert!(least > LEVEL, "{least}");
}

#[test]
fn error_bound_that_is_too_low_is_found_out() {
    // The same rules and the same test, of bounds 0.1 lower.
    let adjusted = holm(&p_values(300, 1000, 0.1));
    let above = adjusted.iter().filter(|&&p| p < LEVEL).count();
    assert!(above > 10, "{above}");
}

#[test]
fn value_tail_of_the_binomial() {
    // Oracle: by hand, and the whole sum.
    assert!((tail(2, 3, 0.5) - 0.5).abs() < 1e-12);
    assert!((tail(3, 3, 0.2) - 0.008).abs() < 1e-12);
    assert!((tail(0, 1000, 0.3) - 1.0).abs() < 1e-9);
    assert_eq!(tail(10, 10, 1.0), 1.0);
}
