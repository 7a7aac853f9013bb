use super::{Arm, Effect, Estimate, Pairing, Weights, contrast};
use crate::base::statistics::{Interval, student};
use crate::base::{Draws, Error, Purpose, Result, Seed};
use crate::evaluate::{TradeOff, hypervolume, pareto_front};
use serde::{Deserialize, Serialize};

/// Trainings in the plane of the two robustnesses, with what the choice of seeds and images leaves
/// open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Front {
    /// The trainings, in the order given.
    pub places: Vec<Place>,
    /// The area that they dominate, from (0, 0).
    pub hypervolume: Estimate,
}

/// A training in the plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// What it is called.
    pub name: String,
    /// Accuracy in poses.
    pub spatial: Estimate,
    /// Accuracy under the attack.
    pub adversarial: Estimate,
    /// Whether no other training dominates it.
    pub on_front: bool,
    /// In what share of the repetitions none does.
    pub share: f64,
}

/// Repetitions of a study with other seeds and images, as its own outcomes suggest them.
///
/// A repetition moves the mean of every training and measure by what networks of other seeds would change,
/// the deviations of the seeds multiplied by normal numbers and divided by a χ² for how little so few of
/// them tell, and by what other images would, the deviations of the images multiplied by normal numbers. The
/// same numbers serve all trainings and measures, so that what they have in common they keep: a
/// two-way multiplier bootstrap, whose components are those of
/// [`Crossed`](crate::base::statistics::Crossed). Resampling a few seeds instead would leave half of
/// their spread out. Every number depends on the seed and the repetition alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bootstrap {
    /// The seed of the repetitions.
    pub seed: Seed,
    /// Their number, 2,000 unless said otherwise.
    pub repetitions: usize,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            seed: Seed(0),
            repetitions: 2000,
        }
    }
}

impl Bootstrap {
    /// 2,000 repetitions.
    pub fn new(seed: impl Into<Seed>) -> Self {
        Self {
            seed: seed.into(),
            ..Self::default()
        }
    }

    /// Sets the number of repetitions.
    pub fn with_repetitions(mut self, repetitions: usize) -> Self {
        self.repetitions = repetitions;
        self
    }

    /// The Pareto front of trainings and the area below it.
    ///
    /// The interval of the area is the bootstrap's basic one, 2 A − A* at the repeated areas A* beyond which
    /// one of 40 further ones would lie: where trainings are nearly equal the largest is larger than any of
    /// them should be, once in the area found and again in a repetition, and this takes it away once more.
    /// (A. C. Davison and D. V. Hinkley 1997, "Bootstrap methods and their application", section 5.2.)
    ///
    /// Two seeds are only one direction, and repetitions far along it end where accuracies of 0 or 1 do or other
    /// trainings take over: the interval reaches at least as far as that of the area's linearisation, whose
    /// half width is that of [`Crossed`](crate::base::statistics::Crossed).
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for less than 100 repetitions, [`Error::Input`] unless all trainings have the
    /// same seeds and images.
    pub fn front(&self, arms: &[Arm<'_>]) -> Result<Front> {
        Error::unless(
            self.repetitions >= 100,
            "repetitions",
            self.repetitions,
            "at least 100",
        )?;
        let (seeds, images) = Arm::common(arms)?;
        let varied = Varied::of(arms);
        let points = points(&varied.means);
        let front = pareto_front(&points);
        let area = hypervolume(&points);
        let (mut areas, mut counts) = (Vec::new(), vec![0usize; arms.len()]);
        for repetition in 0..self.repetitions {
            let mut draws = (self.seed).draws(Purpose::Bootstrap, repetition as u64, 0);
            let points = self::points(&varied.repeated(&mut draws));
            areas.push(hypervolume(&points));
            for at in pareto_front(&points) {
                counts[at] += 1;
            }
        }
        areas.sort_by(f64::total_cmp);
        // Below the n-th least of B areas lies the share n / (B + 1) of further ones.
        let beyond = (0.025 * (areas.len() + 1) as f64) as usize;
        let (least, most) = (areas[beyond - 1], areas[areas.len() - beyond]);
        let linear = if seeds == 2 { varied.half_width() } else { 0.0 };
        let place = |(at, arm): (usize, &Arm<'_>)| Place {
            name: arm.name.to_owned(),
            spatial: arm.spatial.estimate(),
            adversarial: arm.adversarial.estimate(),
            on_front: front.contains(&at),
            share: counts[at] as f64 / self.repetitions as f64,
        };
        Ok(Front {
            places: arms.iter().enumerate().map(place).collect(),
            hypervolume: Estimate {
                value: area,
                interval: Interval {
                    low: (2.0 * area - most).min(area - linear).clamp(0.0, 1.0),
                    high: (2.0 * area - least).max(area + linear).clamp(0.0, 1.0),
                },
                seeds,
                images,
            },
        })
    }
}

/// Whether one training is better than another one in both ways, tested on the same images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dominance {
    /// Accuracy in poses of the first minus that of the second.
    pub spatial: Effect,
    /// Accuracy under the attack of the first minus that of the second.
    pub adversarial: Effect,
    /// The p-value of the first not being better in both: the larger one of the two one-sided ones.
    /// (R. L. Berger 1982, "Multiparameter hypothesis testing and acceptance sampling".)
    pub p_value: f64,
}

/// Tests whether the first training dominates the second one.
///
/// # Errors
///
/// As of [`contrast`].
pub fn dominance(first: &Arm<'_>, second: &Arm<'_>, pairing: Pairing) -> Result<Dominance> {
    let weights = Weights::difference();
    let spatial = contrast(&weights, &[first.spatial, second.spatial], pairing)?;
    let both = [first.adversarial, second.adversarial];
    let adversarial = contrast(&weights, &both, pairing)?;
    Ok(Dominance {
        spatial,
        adversarial,
        p_value: spatial.above().max(adversarial.above()),
    })
}

fn points(means: &[f64]) -> Vec<TradeOff> {
    let point = |pair: &[f64]| TradeOff {
        spatial: pair[0].clamp(0.0, 1.0),
        adversarial: pair[1].clamp(0.0, 1.0),
    };
    means.chunks_exact(2).map(point).collect()
}

/// The means of all trainings and measures, and what varies them.
struct Varied {
    means: Vec<f64>,
    // For each seed, and for each image, what it adds to each mean where its normal number is 1.
    by_seed: Vec<Vec<f64>>,
    by_image: Vec<Vec<f64>>,
}

impl Varied {
    fn of(arms: &[Arm<'_>]) -> Self {
        let measures: Vec<_> = (arms.iter())
            .flat_map(|arm| [arm.spatial, arm.adversarial])
            .collect();
        let (seeds, images) = (measures[0].seeds(), measures[0].images());
        let mut varied = Self {
            means: Vec::new(),
            by_seed: vec![Vec::new(); if seeds == 1 { 0 } else { seeds }],
            by_image: vec![Vec::new(); images],
        };
        for scores in measures {
            let parts = Deviations::of(scores.rows());
            varied.means.push(parts.mean);
            for (all, own) in varied.by_seed.iter_mut().zip(parts.by_seed) {
                all.push(own);
            }
            for (all, own) in varied.by_image.iter_mut().zip(parts.by_image) {
                all.push(own);
            }
        }
        varied
    }

    /// Of the 95 % interval of the area, as if it were linear.
    fn half_width(&self) -> f64 {
        let step = 1e-4;
        let area_at = |at: usize, by: f64| {
            let mut means = self.means.clone();
            means[at] += by;
            hypervolume(&points(&means))
        };
        let slope = |at| (area_at(at, step) - area_at(at, -step)) / (2.0 * step);
        let slopes = Vec::from_iter((0..self.means.len()).map(slope));
        let variance = |all: &[Vec<f64>]| -> f64 {
            let moved =
                |each: &Vec<f64>| -> f64 { each.iter().zip(&slopes).map(|(d, s)| d * s).sum() };
            all.iter().map(|each| moved(each).powi(2)).sum()
        };
        let student = student::quantile(0.025, self.by_seed.len() as f64 - 1.0);
        let normal = student::quantile(0.025, f64::INFINITY);
        (student.powi(2) * variance(&self.by_seed) + normal.powi(2) * variance(&self.by_image))
            .sqrt()
    }

    fn repeated(&self, draws: &mut Draws) -> Vec<f64> {
        let mut sums = vec![0.0; self.means.len()];
        let mut add = |deviations: &[f64], factor: f64| {
            for (sum, deviation) in sums.iter_mut().zip(deviations) {
                *sum += factor * deviation;
            }
        };
        let seeds = self.by_seed.len();
        if seeds > 0 {
            let freedom = seeds as f64 - 1.0;
            let square: f64 = (1..seeds).map(|_| draws.normal().powi(2)).sum();
            let wider = (freedom / square).sqrt();
            for deviations in &self.by_seed {
                add(deviations, wider * draws.normal());
            }
        }
        for deviations in &self.by_image {
            add(deviations, draws.normal());
        }
        let moved = sums.iter().zip(&self.means);
        moved.map(|(sum, mean)| sum + mean).collect()
    }
}

struct Deviations {
    mean: f64,
    by_seed: Vec<f64>,
    by_image: Vec<f64>,
}

impl Deviations {
    // Scaled so that the variances of their weighted sums are the parts that `Crossed` has.
    fn of(rows: &[Vec<f64>]) -> Self {
        let (seeds, images) = (rows.len() as f64, rows[0].len() as f64);
        let mut by_image = vec![0.0; rows[0].len()];
        for row in rows {
            for (sum, score) in by_image.iter_mut().zip(row) {
                *sum += score / seeds;
            }
        }
        let mean = by_image.iter().sum::<f64>() / images;
        let of_seed = |row: &Vec<f64>| row.iter().sum::<f64>() / images - mean;
        let mut by_seed: Vec<f64> = rows.iter().map(of_seed).collect();
        let mut rest = 0.0;
        for (row, own) in rows.iter().zip(&by_seed) {
            let left = row.iter().zip(&by_image);
            rest += left
                .map(|(v, image)| (v - image - own).powi(2))
                .sum::<f64>();
        }
        for image in &mut by_image {
            *image -= mean;
        }
        let square = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>();
        let freedom = images - 1.0;
        let of_images = square(&by_image) / (images * freedom.max(1.0));
        if rows.len() == 1 {
            scale(&mut by_image, of_images);
            return Self {
                mean,
                by_seed,
                by_image,
            };
        }
        let rest = rest / ((seeds - 1.0) * freedom.max(1.0) * seeds * images);
        let of_seeds = square(&by_seed) / (seeds * (seeds - 1.0));
        scale(&mut by_seed, of_seeds);
        scale(&mut by_image, (of_images - rest).max(0.0));
        Self {
            mean,
            by_seed,
            by_image,
        }
    }
}

// So that the squares sum up to this variance.
fn scale(deviations: &mut [f64], variance: f64) {
    let square: f64 = deviations.iter().map(|d| d * d).sum();
    let factor = if square > 0.0 {
        (variance / square).sqrt()
    } else {
        0.0
    };
    for deviation in deviations {
        *deviation *= factor;
    }
}
