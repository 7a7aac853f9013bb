use super::{Arm, Effect, Unit};
use crate::base::statistics::Crossed;
use crate::base::{Error, Result};

/// The slope of the trade-off at equal clean accuracy: how many points of spatial accuracy come with one
/// more point of adversarial accuracy, by trainings that differ in what they are trained for.
///
/// By least squares over all networks, spatial accuracy is a constant of each seed, plus the slope times
/// adversarial accuracy, plus a multiple of clean accuracy: so a training that loses spatial accuracy only
/// because it loses clean accuracy has a slope of 0. The interval is that of networks of any seed on any
/// images: the slope is a mean of what each network on each image contributes to it, its linearisation
/// (D. A. Binder 1983, "On the variances of asymptotically normal estimators from complex surveys"), to
/// which [`Crossed`] applies. With one seed it speaks of these networks only. The trainings are not a
/// sample: of others the slope may differ.
///
/// # Errors
///
/// [`Error::Input`] unless all have the same seeds and images, there are four trainings, or three with two
/// seeds or more, and their adversarial accuracies differ by more than what their clean accuracies
/// determine.
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
    let networks: Vec<Vec<Network>> = (0..seeds)
        .map(|seed| Network::of_seed(arms, seed))
        .collect();
    let fit = Fit::of(networks.iter().flatten())?;
    let rows: Vec<Vec<f64>> = (networks.iter().enumerate())
        .map(|(seed, networks)| fit.contributions(arms, networks, seed, seeds, images))
        .collect();
    let crossed = Crossed::new(&[super::whole(&rows)], &[]);
    Ok(Effect {
        unit: Unit::PointsPerPoint,
        ..Effect::of(&crossed, seeds, images)
    })
}

/// A network's accuracies, less the means over the networks of its seed.
#[derive(Clone, Copy)]
struct Network {
    adversarial: f64,
    clean: f64,
    spatial: f64,
}

impl Network {
    fn of_seed(arms: &[Arm<'_>], seed: usize) -> Vec<Self> {
        let mean = |row: &[f64]| row.iter().sum::<f64>() / row.len() as f64;
        let mut networks: Vec<Self> = (arms.iter())
            .map(|arm| Self {
                adversarial: mean(arm.adversarial.network(seed)),
                clean: mean(arm.clean.network(seed)),
                spatial: mean(arm.spatial.network(seed)),
            })
            .collect();
        let fields: [fn(&mut Self) -> &mut f64; 3] = [
            |network| &mut network.adversarial,
            |network| &mut network.clean,
            |network| &mut network.spatial,
        ];
        for field in fields {
            let sum: f64 = networks.iter_mut().map(|network| *field(network)).sum();
            for network in &mut networks {
                *field(network) -= sum / arms.len() as f64;
            }
        }
        networks
    }
}

struct Fit {
    slope: f64,
    of_clean: f64,
    // The first row of the inverse of the normal equations' matrix.
    inverse: [f64; 2],
}

impl Fit {
    fn of<'a>(networks: impl Iterator<Item = &'a Network>) -> Result<Self> {
        let (mut aa, mut ac, mut cc, mut ap, mut cp) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for network in networks {
            let Network {
                adversarial,
                clean,
                spatial,
            } = *network;
            aa += adversarial * adversarial;
            ac += adversarial * clean;
            cc += clean * clean;
            ap += adversarial * spatial;
            cp += clean * spatial;
        }
        // Networks of one clean accuracy are matched as they are.
        let cc = cc.max(1e-9);
        let determinant = aa * cc - ac * ac;
        if determinant <= 1e-6 * aa * cc || aa < 1e-9 {
            return Err(Error::input(
                "adversarial accuracies at equal clean accuracy",
                "no spread",
                "trainings of which some are more robust than others",
            ));
        }
        let inverse = [cc / determinant, -ac / determinant];
        Ok(Self {
            slope: inverse[0] * ap + inverse[1] * cp,
            of_clean: (aa * cp - ac * ap) / determinant,
            inverse,
        })
    }

    /// What the networks of one seed on each image contribute to the slope: their mean over seeds and
    /// images is the slope.
    fn contributions(
        &self,
        arms: &[Arm<'_>],
        networks: &[Network],
        seed: usize,
        seeds: usize,
        images: usize,
    ) -> Vec<f64> {
        let [by_adversarial, by_clean] = self.inverse;
        let seeds = seeds as f64;
        let mut sums = vec![self.slope; images];
        for (arm, network) in arms.iter().zip(networks) {
            let pull = by_adversarial * network.adversarial + by_clean * network.clean;
            let residual =
                network.spatial - self.slope * network.adversarial - self.of_clean * network.clean;
            let parts = [
                (
                    arm.adversarial,
                    by_adversarial * residual - pull * self.slope,
                ),
                (arm.clean, by_clean * residual - pull * self.of_clean),
                (arm.spatial, pull),
            ];
            for (scores, factor) in parts {
                let row = scores.network(seed);
                let mean = row.iter().sum::<f64>() / images as f64;
                for (sum, score) in sums.iter_mut().zip(row) {
                    *sum += seeds * factor * (score - mean);
                }
            }
            for sum in &mut sums {
                *sum += seeds * pull * residual;
            }
        }
        sums
    }
}
