//! The bounds, and the best classifiers that there are, by dimension and strength of the feature.

use crate::options::Options;
use crate::{bar, percent};
use fireproof::base::Result;
use fireproof::base::statistics::Interval;
use fireproof::theory::{GaussianFeature, Setting, SignFeature, Survey};
use rayon::prelude::*;
use serde::Serialize;

const DIMENSIONS: [usize; 5] = [10, 30, 100, 300, 1000];
const CORRELATIONS: [f64; 4] = [0.6, 0.75, 0.9, 0.99];
const KAPPAS: [f64; 4] = [0.5, 1.0, 2.0, 3.0];

#[derive(Serialize)]
pub struct Sweep {
    signs: Vec<Signs>,
    gaussians: Vec<Gaussians>,
}

/// The most accurate classifier in setting A, in closed form, and the highest sum.
#[derive(Serialize)]
struct Signs {
    setting: SignFeature,
    spatial: f64,
    adversarial: f64,
    bound: f64,
}

/// The highest sum in setting B, measured, and its bounds.
#[derive(Serialize)]
struct Gaussians {
    setting: GaussianFeature,
    sum: f64,
    interval: Interval,
    sharper: f64,
    tau: f64,
}

pub fn rows(options: &Options) -> Result<Sweep> {
    let eta = |d: usize| 2.0 / (d as f64).sqrt();
    let mut signs = Vec::new();
    for correlation in CORRELATIONS {
        for d in DIMENSIONS {
            let setting = SignFeature::new(d, correlation, eta(d))?;
            let best = setting.of_detector(&setting.bayes()?, 2.0 * setting.eta)?;
            signs.push(Signs {
                setting,
                spatial: best.spatial,
                adversarial: best.adversarial,
                bound: setting.bound(best.spatial, 2.0 * setting.eta),
            });
        }
    }
    let all = KAPPAS
        .into_par_iter()
        .flat_map(|kappa| DIMENSIONS.into_par_iter().map(move |d| (kappa, d)));
    let bar = bar("sweep", KAPPAS.len() * DIMENSIONS.len());
    let gaussian = |(kappa, d): (f64, usize)| {
        let setting = GaussianFeature::new(d, kappa, eta(d))?;
        let epsilon = 2.0 * setting.eta;
        let rule = setting.optimal(0.5, epsilon)?;
        let survey = Survey::new(options.sizes().swept, epsilon).with_seed(options.seed);
        let found = survey.of(&setting, &rule)?;
        bar.inc(1);
        Ok(Gaussians {
            setting,
            sum: found.spatial.value() + found.adversarial.value(),
            interval: found.sum,
            sharper: setting.sharper(),
            tau: setting.tau(),
        })
    };
    let gaussians = all.map(gaussian).collect::<Result<_>>();
    bar.finish_and_clear();
    Ok(Sweep {
        signs,
        gaussians: gaussians?,
    })
}

pub fn text(sweep: &Sweep) -> String {
    let columns = DIMENSIONS.map(|d| format!(" d = {d} |")).concat();
    let rule = "---:|".repeat(DIMENSIONS.len());
    let table = |title: &str, head: &str, rows: Vec<String>| {
        format!(
            "{title}\n\n| {head} |{columns}\n|---|{rule}\n{}",
            rows.join("\n")
        )
    };
    let signs = sweep.signs.chunks(DIMENSIONS.len()).map(|row| {
        let cell = |at: &Signs| {
            let [s, r, bound] = [at.spatial, at.adversarial, at.bound].map(percent);
            format!(" {s}, {r} ≤ {bound} |")
        };
        let cells = row.iter().map(cell).collect::<String>();
        format!("| {} |{cells}", row[0].setting.correlation)
    });
    let gaussians = sweep.gaussians.chunks(DIMENSIONS.len()).map(|row| {
        let cell = |at: &Gaussians| {
            let limit = |excess: f64| match 1.0 + excess {
                limit if limit < 2.0 => format!("{limit:.3}"),
                _ => "none".to_owned(),
            };
            let (low, high) = (at.interval.low, at.interval.high);
            let (sharper, tau) = (limit(at.sharper), limit(at.tau));
            format!(" {:.3} ({low:.3}–{high:.3}) ≤ {sharper} ≤ {tau} |", at.sum)
        };
        let cells = row.iter().map(cell).collect::<String>();
        format!("| {} |{cells}", row[0].setting.kappa)
    });
    let first = table(
        "## By dimension and strength, η = 2/√d, ε = 2η\n\n\
         Setting A, the most accurate classifier that there is, in closed form: S, R ≤ what no classifier of \
         this S exceeds.",
        "p",
        signs.collect(),
    );
    let second = table(
        "Setting B, the highest S + R that there is, measured, ≤ 1 + √(sinh γ²/d) ≤ 1 + τ; `none` where that \
         is 2 or more and says nothing.",
        "κ",
        gaussians.collect(),
    );
    format!("{first}\n\n{second}")
}
