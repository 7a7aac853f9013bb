//! What was measured, as rows and as sentences.

use fireproof::base::Result;
use fireproof::base::statistics::paired;
use fireproof::evaluate::{Outcomes, Point, Rate, compare};
use fireproof::prelude::*;

// Axes of the two evaluations, in the order of the columns.
const POSES: [&str; 3] = ["poses", "worst_of_10", "grid"];
const BOTH: [&str; 4] = ["epsilons", "attacked_poses", "grid_then_pgd", "joint"];

pub fn heading() -> String {
    format!(
        "| network | clean | random pose | worst of 10 | worst of the grid | PGD | PGD in a random pose | \
         grid, then PGD | joint PGD |\n|---|{}",
        "---:|".repeat(1 + POSES.len() + BOTH.len())
    )
}

fn profile<'a>(report: &'a Report, section: &str, name: &str) -> &'a Profile {
    let entries = report.section(section).into_iter();
    let mut profiles = entries.map(|entry| &entry.profile);
    profiles
        .find(|profile| profile.name == name)
        .expect("measured before it is shown")
}

// The one level of an axis.
fn point<'a>(profile: &'a Profile, axis: &str) -> Result<&'a Point> {
    Ok(&profile.curve(axis)?.points[0])
}

/// One network in all columns.
pub fn row(report: &Report, name: &str) -> Result<String> {
    let poses = profile(report, "poses", name);
    let both = profile(report, "poses and pixels", name);
    let mut cells = vec![name.to_owned(), poses.clean.to_string()];
    for (profile, axes) in [(poses, &POSES[..]), (both, &BOTH[..])] {
        for axis in axes {
            cells.push(point(profile, axis)?.accuracy.to_string());
        }
    }
    Ok(format!("| {} |", cells.join(" | ")))
}

/// For each network what the worst case takes beyond the average case, on the same images.
pub fn sentences(report: &Report) -> Result<String> {
    let mut lines = Vec::new();
    for alone in report.profiles("poses") {
        let both = profile(report, "poses and pixels", &alone.name);
        let share = |rate: &Rate| format!("{:.1} %", 100.0 * rate.value);
        let (average, grid) = (point(alone, "poses")?, point(alone, "grid")?);
        let (dealt, then) = (
            point(both, "attacked_poses")?,
            point(both, "grid_then_pgd")?,
        );
        lines.push(format!(
            "{}: {} in a random pose, {} in the worst of the grid, {} fewer; under PGD {} in a random pose, \
             {} in the worst of the grid, {} fewer.",
            alone.name,
            share(&average.accuracy),
            share(&grid.accuracy),
            fewer(average, grid),
            share(&dealt.accuracy),
            share(&then.accuracy),
            fewer(dealt, then),
        ));
    }
    Ok(lines.join("\n"))
}

/// Networks against each other, in points on the same images: GCNN less StdCNN, and CuSP less random poses.
pub fn comparisons(report: &Report) -> Result<String> {
    let profiles = report.profiles("poses");
    let mut lines = Vec::new();
    for first in &profiles {
        for second in &profiles {
            let (Some((network, trained)), Some((other, other_trained))) =
                (first.name.split_once(", "), second.name.split_once(", "))
            else {
                continue;
            };
            let groups = network != other && trained == other_trained && other == "StdCNN";
            let trainings =
                network == other && trained == "CuSP" && other_trained == "random poses";
            if groups || trainings {
                let compared = compare(first, second)?;
                let at = |axis: &str| -> Result<String> {
                    Ok(compared.curve(axis)?.points[0].accuracy.to_string())
                };
                let [random, ten, grid] = [at("poses")?, at("worst_of_10")?, at("grid")?];
                lines.push(format!(
                    "{} less {}: {random} in a random pose, {ten} in the worst of 10, {grid} in the worst of \
                     the grid",
                    first.name, second.name
                ));
            }
        }
    }
    Ok(lines.join("\n"))
}

// How many points the second rate lies below the first, image by image.
fn fewer(first: &Point, second: &Point) -> String {
    let differences: Vec<f64> = (means(first).iter().zip(means(second)))
        .map(|(a, b)| a - b)
        .collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    let interval = paired(&differences);
    let [mean, low, high] = [mean, interval.low, interval.high].map(|share| 100.0 * share);
    format!("{mean:.1} points ({low:.1} to {high:.1})")
}

// The mean over the draws of each image.
fn means(point: &Point) -> Vec<f64> {
    let outcomes = point.correct.iter().flat_map(Outcomes::iter);
    let flags = Vec::from_iter(outcomes.map(f64::from));
    let images = flags.chunks(point.draws);
    images
        .map(|draws| draws.iter().sum::<f64>() / point.draws as f64)
        .collect()
}
