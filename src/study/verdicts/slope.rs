use super::{Arm, Effect, Unit};
use crate::base::statistics::Crossed;
use crate::base::{Error, Result};

// The least share of what trainings differ by that may be real rather than the choice of images.
const REAL: f64 = 0.5;

/// The slope of the trade-off at equal clean accuracy: how many points of spatial accuracy come with one
/// more point of adversarial accuracy, by trainings that differ in what they are trained for.
///
/// By least squares over all networks, spatial accuracy is a constant of each seed, plus the slope times
/// adversarial accuracy, plus a multiple of clean accuracy: so a training that loses spatial accuracy only
/// because it loses clean accuracy has a slope of 0. Accuracies on few images differ by chance too, which
/// makes such a slope smaller than it is; the squares and products are those of all images, without what
/// chance adds (W. A. Fuller 1987, "Measurement error models", section 2.2). Clean accuracies that
/// differ by little but chance count as equal.
///
/// The interval is that of networks of any seed on any images: the slope is a mean of what each network on
/// each image contributes to it, its linearisation (D. A. Binder 1983, "On the variances of asymptotically
/// normal estimators from complex surveys"), to which [`Crossed`] applies. With one seed it speaks of these
/// networks only. The trainings are not a sample: of others the slope may differ.
///
/// # Errors
///
/// [`Error::Input`] unless all have the same seeds and images, there are four trainings, or three with two
/// seeds or more, and at least half of what their adversarial accuracies differ by, at equal clean accuracy, is
/// left without the part that chance may have. Where the two accuracies rise and fall together that part is
/// large, and there is no slope although trainings differ.
pub fn slope(arms: &[Arm<'_>]) -> Result<Effect> {
    let (seeds, images) = Arm::common(arms)?;
    let least = if seeds == 1 { 4 } else { 3 };
    if arms.len() < least {
        return Err(Error::input(
            "trainings for a slope",
            arms.len(),
            format!("at least {least} with {seeds} seeds"),
        ));
    }
    let of_seeds: Vec<Networks> = (0..seeds).map(|seed| Networks::of(arms, seed)).collect();
    let fit = Fit::of(&of_seeds)?;
    let contributions = |networks| fit.contributions(networks, seeds as f64);
    let rows: Vec<Vec<f64>> = of_seeds.iter().map(contributions).collect();
    let crossed = Crossed::new(&[super::whole(&rows)], &[]);
    Ok(Effect {
        unit: Unit::PointsPerPoint,
        ..Effect::of(&crossed, seeds, images)
    })
}

/// Of one network: adversarial, clean and spatial accuracy.
type Three = [f64; 3];

/// The networks of one seed, less their mean on each image.
struct Networks {
    // For each image, for each network.
    scores: Vec<Vec<Three>>,
    means: Vec<Three>,
    found: Products,
    // What chance adds to them.
    chance: Products,
}

impl Networks {
    fn of(arms: &[Arm<'_>], seed: usize) -> Self {
        let rows: Vec<[&[f64]; 3]> = (arms.iter())
            .map(|arm| [arm.adversarial, arm.clean, arm.spatial].map(|s| s.network(seed)))
            .collect();
        let images = arms[0].clean.images();
        let on_image = |image: usize| {
            let mut networks: Vec<Three> = rows.iter().map(|row| row.map(|r| r[image])).collect();
            for measure in 0..3 {
                let sum: f64 = networks.iter().map(|network| network[measure]).sum();
                let mean = sum / networks.len() as f64;
                networks
                    .iter_mut()
                    .for_each(|network| network[measure] -= mean);
            }
            networks
        };
        let scores: Vec<Vec<Three>> = (0..images).map(on_image).collect();
        let count = images as f64;
        let mut means = vec![[0.0; 3]; arms.len()];
        for networks in &scores {
            for (mean, network) in means.iter_mut().zip(networks) {
                *mean = std::array::from_fn(|measure| mean[measure] + network[measure] / count);
            }
        }
        let (mut found, mut chance) = (Products::default(), Products::default());
        means.iter().for_each(|mean| found.add(mean, 1.0));
        let scale = 1.0 / (count * (count - 1.0).max(1.0));
        for networks in &scores {
            for (network, mean) in networks.iter().zip(&means) {
                let apart = std::array::from_fn(|measure| network[measure] - mean[measure]);
                chance.add(&apart, scale);
            }
        }
        Self {
            scores,
            means,
            found,
            chance,
        }
    }

    // What is real.
    fn products(&self) -> Products {
        let mut real = self.found;
        real.join(&self.chance, -1.0);
        real
    }
}

/// Sums of squares and products of accuracies: a adversarial, c clean, s spatial.
#[derive(Clone, Copy, Default)]
struct Products {
    aa: f64,
    ac: f64,
    cc: f64,
    as_: f64,
    cs: f64,
}

impl Products {
    fn add(&mut self, &[a, c, s]: &Three, weight: f64) {
        self.aa += weight * a * a;
        self.ac += weight * a * c;
        self.cc += weight * c * c;
        self.as_ += weight * a * s;
        self.cs += weight * c * s;
    }

    fn join(&mut self, other: &Self, weight: f64) {
        self.aa += weight * other.aa;
        self.ac += weight * other.ac;
        self.cc += weight * other.cc;
        self.as_ += weight * other.as_;
        self.cs += weight * other.cs;
    }

    // What adversarial accuracies differ by at equal clean accuracy.
    fn spread(&self, equal: bool) -> f64 {
        match equal {
            true => self.aa,
            false => self.aa - self.ac * self.ac / self.cc,
        }
    }
}

struct Fit {
    slope: f64,
    of_clean: f64,
    // The first row of the inverse of the normal equations' matrix.
    inverse: [f64; 2],
}

impl Fit {
    fn of(seeds: &[Networks]) -> Result<Self> {
        let (mut found, mut real) = (Products::default(), Products::default());
        for networks in seeds {
            found.join(&networks.found, 1.0);
            real.join(&networks.products(), 1.0);
        }
        let equal = real.cc <= REAL * found.cc;
        let spread = real.spread(equal);
        if spread <= REAL * found.spread(equal) || spread <= 1e-6 * real.aa {
            return Err(Error::input(
                "adversarial accuracies at equal clean accuracy",
                "too little spread beyond clean accuracy and chance",
                "trainings of which some are more robust than others",
            ));
        }
        if equal {
            return Ok(Self {
                slope: real.as_ / real.aa,
                of_clean: 0.0,
                inverse: [1.0 / real.aa, 0.0],
            });
        }
        let inverse = [1.0 / spread, -real.ac / (real.cc * spread)];
        let slope = inverse[0] * real.as_ + inverse[1] * real.cs;
        Ok(Self {
            slope,
            of_clean: (real.cs - slope * real.ac) / real.cc,
            inverse,
        })
    }

    /// What the networks of one seed on each image contribute to the slope: their mean over seeds and
    /// images is the slope.
    fn contributions(&self, networks: &Networks, seeds: f64) -> Vec<f64> {
        let ([by_adversarial, by_clean], real) = (self.inverse, networks.products());
        let of_seed = by_adversarial * (real.as_ - self.slope * real.aa - self.of_clean * real.ac)
            + by_clean * (real.cs - self.slope * real.ac - self.of_clean * real.cc);
        // How much the slope would change with each accuracy of each network.
        let change = |&[adversarial, clean, spatial]: &Three| {
            let pull = by_adversarial * adversarial + by_clean * clean;
            let residual = spatial - self.slope * adversarial - self.of_clean * clean;
            [
                by_adversarial * residual - pull * self.slope,
                by_clean * residual - pull * self.of_clean,
                pull,
            ]
        };
        let changes: Vec<Three> = networks.means.iter().map(change).collect();
        let of_image = |scores: &Vec<Three>| {
            let parts = scores.iter().zip(&networks.means).zip(&changes);
            let moved = parts.map(|((score, mean), change)| {
                let by = |measure: usize| change[measure] * (score[measure] - mean[measure]);
                by(0) + by(1) + by(2)
            });
            self.slope + seeds * (of_seed + moved.sum::<f64>())
        };
        networks.scores.iter().map(of_image).collect()
    }
}
