//! The tables of `docs/statistics.md`: minutes, so they are made on demand only.
//!
//! ```text
//! cargo test --release --test study -- --ignored --nocapture calibration
//! ```

use crate::trials::{Plane, of_contrasts, of_estimands, of_family, of_rates, power};
use crate::world::World;

const RATES: [f64; 5] = [0.5, 0.7, 0.9, 0.95, 0.99];
const IMAGES: [usize; 3] = [500, 2000, 10_000];

// Images, draws and discordances.
const SIZES: [(usize, usize, f64); 7] = [
    (500, 1, 0.1),
    (500, 1, 0.2),
    (500, 4, 0.1),
    (2000, 1, 0.1),
    (2000, 1, 0.2),
    (2000, 4, 0.1),
    (10_000, 1, 0.1),
];

// Repetitions by how much each of them takes: a coverage of 95 % is found to 0.7 points (standard
// error), of 10,000 images to 1.1.
fn repetitions(images: usize) -> u64 {
    if images < 10_000 { 1000 } else { 400 }
}

#[derive(Default)]
struct Coverages {
    all: Vec<(f64, String)>,
}

impl Coverages {
    fn add(&mut self, coverage: f64, case: String) {
        self.all.push((coverage, case));
    }

    fn row(&self, name: &str) {
        let shares = self.all.iter().map(|(share, _)| share);
        let mean = shares.clone().sum::<f64>() / self.all.len() as f64;
        let most = shares.copied().fold(0.0, f64::max);
        let (least, case) = (self.all.iter())
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap();
        let [mean, least, most] = [mean, *least, most].map(|share| 100.0 * share);
        println!("| {name} | {mean:.1} | {least:.1} | {case} | {most:.1} |");
    }
}

fn head(title: &str) {
    println!("\n{title}\n");
    println!("| interval of | mean, % | least, % | where | most, % |");
    println!("|---|---|---|---|---|");
}

#[test]
#[ignore = "minutes: it makes the tables of docs/statistics.md"]
fn calibration_of_rates() {
    for seeds in [1, 2, 3, 6] {
        head(&format!("Rates and differences, seeds: {seeds}"));
        for rate in RATES {
            let mut found = [Coverages::default(), Coverages::default()];
            for (images, draws, discordance) in SIZES {
                for spread in [0.0, 0.01] {
                    let world = World::new(&[rate; 2], [seeds, images], discordance, spread)
                        .with_draws(draws);
                    let number = (seeds * 7 + images * 11 + draws * 13) as u64;
                    let coverages = of_rates(&world, repetitions(images), number);
                    for (found, coverage) in found.iter_mut().zip(coverages) {
                        let case = format!("{images} × {draws}, ψ {discordance}, seeds ±{spread}");
                        found.add(coverage, case);
                    }
                }
            }
            for (found, what) in found.iter().zip(["rate", "difference"]) {
                found.row(&format!("{what}, {rate}"));
            }
        }
    }
}

#[test]
#[ignore = "minutes: it makes the tables of docs/statistics.md"]
fn calibration_of_contrasts() {
    for seeds in [1, 2, 3, 6] {
        head(&format!(
            "Trends, interactions, separate seeds; estimands. Seeds: {seeds}"
        ));
        for rate in RATES {
            let mut found: [Coverages; 6] = Default::default();
            for images in [500, 2000] {
                for discordance in [0.1, 0.2] {
                    for spread in [0.0, 0.01] {
                        let step = 0.2 * (1.0 - rate);
                        let rates = [rate, rate - step, rate - 2.0 * step, rate - 3.0 * step];
                        let world = World::new(&rates, [seeds, images], discordance, spread);
                        let n = repetitions(images);
                        let case = (seeds * 7 + images * 11) as u64;
                        let mut coverages = of_contrasts(&world, n, case).to_vec();
                        if seeds > 1 {
                            coverages.extend(of_estimands(&world, n, case));
                        }
                        let case = format!("{images}, ψ {discordance}, seeds ±{spread}");
                        for (found, coverage) in found.iter_mut().zip(coverages) {
                            found.add(coverage, case.clone());
                        }
                    }
                }
            }
            let names = [
                "trend",
                "interaction",
                "separate",
                "gap",
                "fooling of right",
                "its difference",
            ];
            for (found, what) in found
                .iter()
                .zip(names)
                .filter(|(found, _)| !found.all.is_empty())
            {
                found.row(&format!("{what}, {rate}"));
            }
        }
    }
}

#[test]
#[ignore = "minutes: it makes the tables of docs/statistics.md"]
fn calibration_of_rare_losses() {
    head("Where few are right when clean, and nearly none or all of these are lost");
    for clean in [0.1, 0.3, 0.55, 0.8] {
        let mut found: [Coverages; 3] = Default::default();
        for moved in [0.002, 0.01, 0.99, 0.998] {
            for images in [500, 2000] {
                for seeds in [1, 2, 3, 6] {
                    let rates = [clean, moved, clean, moved];
                    let world = World::new(&rates, [seeds, images], 0.4, 0.0);
                    let case = (seeds * 7 + images * 11) as u64;
                    let coverages = of_estimands(&world, repetitions(images), case);
                    for (found, coverage) in found.iter_mut().zip(coverages) {
                        found.add(coverage, format!("{images}, {moved}, {seeds} seeds"));
                    }
                }
            }
        }
        for (found, what) in found
            .iter()
            .zip(["gap", "fooling of right", "its difference"])
        {
            found.row(&format!("{what}, {clean}"));
        }
    }
}

// Trainings that differ much: natural, with ever larger ε, and natural but stopped early, which is at the
// clean accuracy of the others; and trainings of which three are nearly alike.
pub const APART: [[f64; 3]; 5] = [
    [0.95, 0.90, 0.05],
    [0.93, 0.84, 0.30],
    [0.90, 0.75, 0.55],
    [0.86, 0.80, 0.05],
    [0.85, 0.50, 0.70],
];
const ALIKE: [[f64; 3]; 4] = [
    [0.90, 0.80, 0.60],
    [0.91, 0.80, 0.61],
    [0.89, 0.81, 0.60],
    [0.86, 0.60, 0.70],
];

#[test]
#[ignore = "minutes: it makes the tables of docs/statistics.md"]
fn calibration_of_planes() {
    head("Slopes and areas");
    for seeds in [1, 2, 3, 6] {
        for (places, name) in [(&APART[..], "apart"), (&ALIKE[..], "alike")] {
            let mut found: [Coverages; 2] = Default::default();
            for images in [500, 2000] {
                for spread in [0.0, 0.01, 0.03] {
                    // A single seed tells of its own networks, not of the training.
                    if seeds == 1 && spread > 0.0 {
                        continue;
                    }
                    let plane = Plane::new(places, [seeds, images], spread);
                    let coverages = plane.coverage(repetitions(images), (seeds * images) as u64);
                    for (found, coverage) in found.iter_mut().zip(coverages) {
                        found.add(coverage, format!("{images}, seeds ±{spread}"));
                    }
                }
            }
            if name == "apart" {
                found[0].row(&format!("slope, {name}, {seeds} seeds"));
            }
            found[1].row(&format!("area, {name}, {seeds} seeds"));
        }
    }
}

#[test]
#[ignore = "minutes: it makes the tables of docs/statistics.md"]
fn calibration_of_verdicts() {
    println!("\nWrong words in a family of six, %\n");
    println!("| true effects, points | seeds | images | any | effect | absence |");
    println!("|---|---|---|---|---|---|");
    let mut worst = [0.0f64; 3];
    for (effects, name) in [
        ([0.0; 6], "six of 0"),
        ([0.02; 6], "six of 2"),
        ([0.0, 0.0, 0.0, 0.02, 0.02, 0.02], "three of 0, three of 2"),
        ([0.0, 0.1, 0.1, 0.1, 0.1, 0.1], "one of 0, five of 10"),
    ] {
        for seeds in [1, 3, 6] {
            for images in IMAGES {
                for spread in [0.0, 0.01] {
                    // A single seed tells of its own networks, not of the training.
                    if seeds == 1 && spread > 0.0 {
                        continue;
                    }
                    let world = World::new(&[0.9; 2], [seeds, images], 0.1, spread);
                    let n = repetitions(images);
                    let found = of_family(&world, &effects, n, (seeds * 7 + images) as u64);
                    for (worst, found) in worst.iter_mut().zip(found) {
                        *worst = worst.max(found);
                    }
                    let [any, there, absent, ..] = found.map(|share| 100.0 * share);
                    println!(
                        "| {name}; seeds ±{spread} | {seeds} | {images} | {any:.1} | {there:.1} | {absent:.1} |"
                    );
                }
            }
        }
    }
    println!(
        "| **most** | | | {:.1} | {:.1} | {:.1} |",
        100.0 * worst[0],
        100.0 * worst[1],
        100.0 * worst[2]
    );
}

#[test]
#[ignore = "minutes: it makes the tables of docs/statistics.md"]
fn calibration_of_power() {
    println!("\nPower of one seed, 2 points: alone / in a family of six\n");
    println!("| images | ψ = 0.1 | ψ = 0.2 |\n|---|---|---|");
    for images in [500, 2000, 4000, 10_000] {
        let cells = [0.1, 0.2].map(|discordance| {
            let [alone, all] = power(images, discordance, 4000, images as u64);
            format!("{alone:.2} / {all:.2}")
        });
        println!("| {images} | {} | {} |", cells[0], cells[1]);
    }
    println!(
        "\nPower over seeds, alone: a fall of 2 (or 5) points is shown / no effect is absent\n"
    );
    println!("| seeds | images | networks of one kind differ by | 2 points | 5 points | absent |");
    println!("|---|---|---|---|---|---|");
    for seeds in [3, 5, 6] {
        for images in [1000, 10_000] {
            for spread in [0.0, 0.005, 0.01] {
                let world = World::new(&[0.9; 2], [seeds, images], 0.1, spread);
                let n = repetitions(images);
                let shown = [0.02, 0.05].map(|effect| of_family(&world, &[effect], n, 5)[3]);
                let absent = of_family(&world, &[0.0], n, 6)[4];
                println!(
                    "| {seeds} | {images} | {spread} | {:.2} | {:.2} | {absent:.2} |",
                    shown[0], shown[1]
                );
            }
        }
    }
}
