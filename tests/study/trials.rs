//! How often intervals hold the truth, and verdicts are wrong, on simulated outcomes.

use crate::world::{World, both};
use fireproof::base::{Draws, Purpose, Seed};
use fireproof::evaluate::{Outcomes, TradeOff, hypervolume};
use fireproof::study::verdicts::*;
use fireproof::theory::normal;
use rayon::prelude::*;

/// The shares of repetitions in which each of these is so.
pub fn shares<const N: usize>(
    repetitions: u64,
    case: u64,
    each: impl Fn(&mut Draws) -> [bool; N] + Sync,
) -> [f64; N] {
    let counts = (0..repetitions)
        .into_par_iter()
        .map(|repetition| {
            let mut random = Seed(14).draws(Purpose::Sample, case, repetition);
            each(&mut random).map(usize::from)
        })
        .reduce(|| [0; N], |a, b| std::array::from_fn(|at| a[at] + b[at]));
    counts.map(|count| count as f64 / repetitions as f64)
}

/// Coverage of the intervals of a rate and of the difference of two.
pub fn of_rates(world: &World, repetitions: u64, case: u64) -> [f64; 2] {
    shares(repetitions, case, |random| {
        let (scores, networks) = world.outcomes(random);
        let alone = world.seeds == 1;
        let rate = |training: usize| match alone {
            true => networks[training][0],
            false => world.rates[training],
        };
        let effect = difference(&scores[0], &scores[1]).unwrap();
        assert_eq!(effect.p_value < 0.05, !effect.interval.contains(0.0));
        [
            scores[0].estimate().interval.contains(rate(0)),
            effect.interval.contains(rate(0) - rate(1)),
        ]
    })
}

/// Coverage of the intervals of a trend over four trainings, of an interaction of four, and of the
/// difference of two whose seeds have nothing in common.
pub fn of_contrasts(world: &World, repetitions: u64, case: u64) -> [f64; 3] {
    let trend = Weights::trend(&[0.0, 1.0, 2.0, 3.0]).unwrap();
    let questions = [
        (trend, Pairing::Matched),
        (Weights::interaction(), Pairing::Matched),
        (Weights::difference(), Pairing::Separate),
    ];
    shares(repetitions, case, |random| {
        let (scores, networks) = world.outcomes(random);
        questions.each_ref().map(|(weights, pairing)| {
            let weighted = weights.as_slice();
            let trainings: Vec<&Scores> = scores.iter().take(weighted.len()).collect();
            let rate = |training: usize| match world.seeds {
                1 => networks[training][0],
                _ => world.rates[training],
            };
            let parts = weighted.iter().enumerate();
            let truth = parts.map(|(at, weight)| weight * rate(at)).sum();
            let effect = contrast(weights, &trainings, *pairing).unwrap();
            effect.interval.contains(truth)
        })
    })
}

/// Coverage of the intervals of the gap and of the fooling rate of images that are right when clean, and
/// of the difference of two such rates. Trainings of the world: clean and moved images of one training,
/// clean and moved images of another one.
pub fn of_estimands(world: &World, repetitions: u64, case: u64) -> [f64; 3] {
    let correlation = world.image + world.draw + world.seed;
    let lost = |clean: usize| {
        let rates = [world.rates[clean], world.rates[clean + 1]];
        (1.0 - both(rates, correlation) / rates[0]).max(0.0)
    };
    let (first, second) = (lost(0), lost(2));
    shares(repetitions, case, |random| {
        let (scores, _) = world.outcomes(random);
        let bits: Vec<Vec<Outcomes>> = (scores.iter())
            .map(|scores| {
                (0..scores.seeds())
                    .map(|at| bits(scores.network(at)))
                    .collect()
            })
            .collect();
        let made = |estimand: Estimand, at: usize| {
            let networks: Vec<Bits<'_>> = (bits[at].iter().zip(&bits[at + 1]))
                .map(|(clean, correct)| Bits {
                    clean,
                    correct,
                    fooled: correct,
                    draws: 1,
                })
                .collect();
            estimand.scores(&networks).unwrap()
        };
        let gap = made(Estimand::Gap, 0).estimate().interval;
        let ratios = [0, 2].map(|at| made(Estimand::FoolingOfRight, at));
        let apart = difference(&ratios[0], &ratios[1]).unwrap().interval;
        [
            gap.contains(world.rates[0] - world.rates[1]),
            ratios[0].estimate().interval.contains(first),
            apart.contains(first - second),
        ]
    })
}

fn bits(scores: &[f64]) -> Outcomes {
    Outcomes::new(scores.iter().map(|&score| score == 1.0))
}

/// Trainings in the plane: the rates of clean images, in poses, and under attack.
#[derive(Clone, Debug)]
pub struct Plane {
    pub world: World,
    slope: f64,
}

impl Plane {
    /// `places` are clean, spatial and adversarial accuracies.
    pub fn new(places: &[[f64; 3]], sizes: [usize; 2], spread: f64) -> Self {
        let rates: Vec<f64> = places.iter().flatten().copied().collect();
        let mut world = World::new(&rates, sizes, 0.2, 0.0);
        world.network = (spread / normal::density(normal::quantile(rates[0]))).powi(2);
        let slope = slope_of(&world);
        Self { world, slope }
    }

    /// Coverage of the intervals of the slope and of the area.
    pub fn coverage(&self, repetitions: u64, case: u64) -> [f64; 2] {
        let places: Vec<TradeOff> = (self.world.rates.chunks_exact(3))
            .map(|place| TradeOff {
                spatial: place[1],
                adversarial: place[2],
            })
            .collect();
        let area = hypervolume(&places);
        shares(repetitions, case, |random| {
            let (scores, _) = self.world.outcomes(random);
            let arms: Vec<Arm<'_>> = (scores.chunks_exact(3))
                .map(|place| Arm {
                    name: "",
                    clean: &place[0],
                    spatial: &place[1],
                    adversarial: &place[2],
                })
                .collect();
            let bootstrap = Bootstrap::new(random.next()).with_repetitions(400);
            let front = bootstrap.front(&arms).unwrap();
            [
                slope(&arms).is_ok_and(|slope| slope.interval.contains(self.slope)),
                front.hypervolume.interval.contains(area),
            ]
        })
    }
}

// The slope of many seeds on all images: the ratio of sums over networks without noise of images.
fn slope_of(world: &World) -> f64 {
    let mut random = Seed(3).draws(Purpose::Sample, 0, 0);
    let (mut aa, mut ac, mut cc, mut ap, mut cp) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for _ in 0..40_000 {
        let among = (1.0 - world.network - world.seed).sqrt();
        let mut rates: Vec<f64> = (world.rates.iter())
            .map(|&rate| normal::quantile(rate) + world.network.sqrt() * random.normal())
            .map(|mean| normal::cdf(mean / among))
            .collect();
        let arms = rates.len() / 3;
        for measure in 0..3 {
            let mean = rates.iter().skip(measure).step_by(3).sum::<f64>() / arms as f64;
            rates
                .iter_mut()
                .skip(measure)
                .step_by(3)
                .for_each(|rate| *rate -= mean);
        }
        for place in rates.chunks_exact(3) {
            let &[clean, spatial, adversarial] = place else {
                unreachable!()
            };
            aa += adversarial * adversarial;
            ac += adversarial * clean;
            cc += clean * clean;
            ap += adversarial * spatial;
            cp += clean * spatial;
        }
    }
    (cc * ap - ac * cp) / (aa * cc - ac * ac)
}

/// Of a family with these true effects: how often any wrong word is said, an effect is wrongly said to be
/// there or turned round, and an effect of the margin is wrongly said to be absent; and the shares of
/// right words for the first endpoint: there is an effect, there is none.
pub fn of_family(world: &World, effects: &[f64], repetitions: u64, case: u64) -> [f64; 5] {
    let family = Family::new();
    shares(repetitions, case, |random| {
        let measured: Vec<(Endpoint, Effect)> = (effects.iter())
            .map(|effect| {
                let rate = world.rates[0];
                let world = World {
                    rates: vec![rate, rate - effect],
                    ..world.clone()
                };
                let (scores, _) = world.outcomes(random);
                let effect = difference(&scores[1], &scores[0]).unwrap();
                (Endpoint::new("it").falls(), effect)
            })
            .collect();
        let verdicts = family.verdicts(&measured).unwrap();
        let count = |wrong: &dyn Fn(f64, Finding) -> bool| {
            effects
                .iter()
                .zip(&verdicts)
                .any(|(&effect, verdict)| wrong(effect, verdict.finding))
        };
        let there = count(&|effect, finding| match finding {
            Finding::Shows => effect <= 0.0,
            Finding::Opposite => effect >= 0.0,
            Finding::Absent | Finding::Undecided => false,
        });
        let absent = count(&|effect, finding| {
            finding == Finding::Absent && effect.abs() >= family.margin - 1e-12
        });
        let first = verdicts[0].finding;
        [
            there || absent,
            there,
            absent,
            first == Finding::Shows,
            first == Finding::Absent,
        ]
    })
}

/// How often the test of two networks on the same images finds a difference of 2 points where they differ
/// on this share of images: alone, and in a family with five others that do not differ.
pub fn power(images: usize, discordance: f64, repetitions: u64, case: u64) -> [f64; 2] {
    let family = Family::new();
    let network = |difference: f64, random: &mut Draws| {
        let only = [
            0.5 * (discordance - difference),
            0.5 * (discordance + difference),
        ];
        let mut rows = [vec![1.0; images], vec![1.0; images]];
        #[allow(clippy::needless_range_loop)] // Of one of the two rows.
        for image in 0..images {
            let which = random.uniform(0.0, 1.0);
            if which < only[0] {
                rows[1][image] = 0.0;
            } else if which < only[0] + only[1] {
                rows[0][image] = 0.0;
            }
        }
        let [first, second] = rows.map(|row| Scores::new(vec![row], 1).unwrap());
        fireproof::study::verdicts::difference(&first, &second).unwrap()
    };
    shares(repetitions, case, |random| {
        let effects = [0.02, 0.0, 0.0, 0.0, 0.0, 0.0].map(|drop| network(drop, random));
        let measured = effects.map(|effect| (Endpoint::new("it").falls(), effect));
        let alone = family.verdicts(&measured[..1]).unwrap();
        let all = family.verdicts(&measured).unwrap();
        [alone, all].map(|verdicts| verdicts[0].finding == Finding::Shows)
    })
}
