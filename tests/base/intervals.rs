//! How often intervals hold what they are intervals of, and the exact test of paired differences.

use fireproof::base::statistics::{Interval, clustered, holm, mcnemar, paired, sign_flip, wilson};
use fireproof::base::{Draws, Purpose, Seed};

// The coverage that all intervals must reach, and where.
const ENOUGH: f64 = 0.935;
const SHARES: [f64; 4] = [0.5, 0.9, 0.99, 0.995];
const COUNTS: [usize; 3] = [200, 500, 2000];

/// P(X = 0), P(X = 1), … of a binomial number.
fn binomial(count: usize, p: f64) -> Vec<f64> {
    let mut log = count as f64 * (1.0 - p).ln();
    let mut terms = vec![log.exp()];
    for k in 1..=count {
        log += ((count - k + 1) as f64 / k as f64).ln() + (p / (1.0 - p)).ln();
        terms.push(log.exp());
    }
    terms
}

// Oracle: the binomial distribution, every outcome.
#[test]
fn value_wilson_covers_near_the_ends() {
    for p in SHARES {
        for count in COUNTS {
            let held = |interval: Interval| f64::from(interval.contains(p));
            let pmf = binomial(count, p);
            let sum: f64 = pmf.iter().sum();
            assert!((sum - 1.0).abs() < 1e-9);
            let coverage: f64 = (pmf.iter().enumerate())
                .map(|(successes, mass)| mass * held(wilson(successes, count)))
                .sum();
            assert!(coverage >= ENOUGH, "p = {p}, {count} images: {coverage}");
            assert!(coverage <= 0.985, "p = {p}, {count} images: {coverage}");
        }
    }
}

/// How many of the draws of each image are right: with probability `alike` all are as the first.
fn images(p: f64, count: usize, draws: usize, alike: f64, random: &mut Draws) -> Vec<i64> {
    (0..count)
        .map(|_| {
            if random.chance(alike) {
                return draws as i64 * i64::from(random.chance(p));
            }
            (0..draws).map(|_| i64::from(random.chance(p))).sum()
        })
        .collect()
}

// Oracle: 1,500 samples of images whose outcomes are alike to a known degree.
#[test]
fn value_clustered_intervals_cover_near_the_ends() {
    let samples = 1500;
    let mut worst = (1.0, String::new());
    for (at, p) in SHARES.into_iter().enumerate() {
        for count in COUNTS {
            for draws in [3, 10] {
                for alike in [0.0, 0.3, 0.9] {
                    let mut random = Seed(3).draws(Purpose::Subset, at as u64, count as u64);
                    let mut held = [0; 2];
                    for _ in 0..samples {
                        let mut means = || -> Vec<f64> {
                            let images = images(p, count, draws, alike, &mut random);
                            images.iter().map(|&n| n as f64 / draws as f64).collect()
                        };
                        let (first, second) = (means(), means());
                        held[0] += usize::from(clustered(&first, draws).contains(p));
                        // Two models that are equally good.
                        let difference: Vec<f64> =
                            first.iter().zip(&second).map(|(a, b)| a - b).collect();
                        held[1] += usize::from(paired(&difference).contains(0.0));
                    }
                    for (what, held) in ["share", "difference"].into_iter().zip(held) {
                        let coverage = held as f64 / samples as f64;
                        let case = format!("{what}, p = {p}, {count} × {draws}, alike {alike}");
                        if coverage < worst.0 {
                            worst = (coverage, case);
                        }
                    }
                }
            }
        }
    }
    assert!(worst.0 >= ENOUGH, "{worst:?}");
}

// Oracle: independent draws are worth as many images, and alike ones one.
#[test]
fn value_clustered_is_worth_its_independent_outcomes() {
    let mut random = Seed(4).draws(Purpose::Subset, 0, 0);
    let width = |interval: Interval| interval.high - interval.low;
    for (alike, worth) in [(0.0, 5.0), (1.0, 1.0)] {
        let means: Vec<f64> = (images(0.7, 5000, 5, alike, &mut random).iter())
            .map(|&n| n as f64 / 5.0)
            .collect();
        let right: f64 = means.iter().sum::<f64>() * worth;
        let ideal = wilson(right.round() as usize, (5000.0 * worth) as usize);
        let ratio = width(clustered(&means, 5)) / width(ideal);
        assert!((0.97..1.03).contains(&ratio), "alike {alike}: {ratio}");
    }
    // All right claims no certainty, however many draws.
    let (sure, none) = (clustered(&[1.0; 50], 20), clustered(&[0.0; 50], 20));
    assert!(sure.high == 1.0 && sure.low < 0.999 && none.low == 0.0 && none.high > 0.001);
    let certain = paired(&[0.0; 50]);
    assert!(certain.low < -0.03 && certain.high == -certain.low);
}

// Oracle: all signs, one by one.
#[test]
fn value_sign_flips_by_counting_all_signs() {
    let mut random = Seed(5).draws(Purpose::Subset, 0, 0);
    for largest in [1u64, 2, 5] {
        for count in [0, 1, 2, 7, 12] {
            let differences: Vec<i64> = (0..count)
                .map(|_| random.below(2 * largest + 1) as i64 - largest as i64)
                .collect();
            let observed = differences.iter().sum::<i64>().abs();
            let sum = |signs: u32| -> i64 {
                let sign = |at: usize| if signs >> at & 1 == 1 { 1 } else { -1 };
                differences
                    .iter()
                    .enumerate()
                    .map(|(at, d)| sign(at) * d)
                    .sum()
            };
            let extreme = (0..1u32 << count)
                .filter(|&s| sum(s).abs() >= observed)
                .count();
            let expected = extreme as f64 / f64::from(1u32 << count);
            let found = sign_flip(&differences);
            assert!(
                (found - expected).abs() < 1e-12,
                "{differences:?}: {found}, {expected}"
            );
        }
    }
    assert_eq!(sign_flip(&[1, -1, 1, 0, 1]), mcnemar(3, 1));
    // Many images of several draws: no overflow, no certainty.
    let many: Vec<i64> = (0..10_000)
        .map(|image| i64::from(image % 3 > 0) * (image % 7))
        .collect();
    assert_eq!(sign_flip(&many), 1e-30);
}

// Oracle: under the null hypothesis p-values below 0.05 come in 5 % of samples at most.
#[test]
fn convention_sign_flips_keep_their_level() {
    let mut random = Seed(6).draws(Purpose::Subset, 0, 0);
    let samples = 2000;
    let below = (0..samples).filter(|_| {
        let [a, b] = [0, 1].map(|_| images(0.8, 150, 4, 0.4, &mut random));
        let differences: Vec<i64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        sign_flip(&differences) < 0.05
    });
    let share = below.count() as f64 / f64::from(samples);
    assert!((0.035..0.062).contains(&share), "{share}");
    assert_eq!(holm(&[share]), [share]);
}
