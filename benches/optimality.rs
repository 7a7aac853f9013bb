//! Attacks at equal cost: the area that each takes of accuracy against distance, beside the best that
//! all of them together know, as AttackBench compares them.
//!
//! On the networks that `cascade` trains, every attack within 1,000 passes an image, forward and
//! backward ones counted alike; attacks without distances of their own at ten levels, a tenth of the
//! passes each. `cargo bench --bench optimality -- --images 32`

#[path = "cascade/networks.rs"]
mod networks;

use fireproof::attack::{
    AccuracyCurve, Apgd, Attack, AttackSpec, CarliniWagner, Ddn, DeepFool, Dlr, Fab, Fmn, L2, Linf,
    NormSpec, Pgd, Run, Square,
};
use fireproof::base::Result;
use fireproof::data::embedded_mnist;

const PASSES: u32 = 1000;
const LEVELS: usize = 10;

fn main() -> Result<()> {
    let images = std::env::args().skip_while(|arg| arg != "--images").nth(1);
    let count = images.map_or(32, |count| count.parse().expect("a number"));
    let device = fireproof::device();
    let digits = embedded_mnist();
    let set = digits.test.take(count);
    let victims = networks::trained(&digits, &device)?;
    for norm in [NormSpec::from(Linf), L2.into()] {
        let mut rows: Vec<(String, Vec<f64>)> = Vec::new();
        for (network, victim) in &victims {
            let run = Run::new(1);
            let near = |attack: &AttackSpec| {
                let attack = attack.clone().within(PASSES);
                let whole = run.attack(&attack, victim, &set, &device)?;
                let falls = whole.distance_curve().falls;
                Ok(AccuracyCurve::new(attack.of.to_string(), falls))
            };
            let mut curves = Vec::new();
            for attack in nearest(&norm) {
                curves.push(near(&attack)?);
            }
            // Up to where the best of these leave nothing.
            let best = AccuracyCurve::best("near", &curves).expect("one set");
            let end = best
                .falls
                .iter()
                .flatten()
                .fold(0.0, |end: f64, &fall| end.max(fall));
            let levels = Vec::from_iter((1..=LEVELS).map(|at| end * at as f64 / LEVELS as f64));
            let each = PASSES / LEVELS as u32;
            for attack in in_balls(&norm, each) {
                curves.push(run.curve(&*attack, victim, &set, &device, &levels)?);
            }
            let best = AccuracyCurve::best("all", &curves).expect("one set");
            println!(
                "{network}, {norm}: up to {end:.3}, {:.4} of it under the best",
                best.area(end) / end
            );
            for curve in &curves {
                let name = curve.name.split(" ε").next().unwrap_or_default().to_owned();
                let optimality = curve.optimality(&best, end);
                match rows.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, row)) => row.push(optimality),
                    None => rows.push((name, vec![optimality])),
                }
            }
        }
        let names = victims.iter().map(|(network, _)| *network);
        println!(
            "\n| {norm} | {} | mean |",
            Vec::from_iter(names).join(" | ")
        );
        println!("| --- |{}", " ---: |".repeat(victims.len() + 1));
        let mean = |row: &Vec<f64>| row.iter().sum::<f64>() / row.len() as f64;
        rows.sort_by(|a, b| mean(&b.1).total_cmp(&mean(&a.1)));
        for (name, row) in &rows {
            let cells = row.iter().map(|value| format!("{value:.3}"));
            println!(
                "| {name} | {} | {:.3} |",
                Vec::from_iter(cells).join(" | "),
                mean(row)
            );
        }
        println!();
    }
    Ok(())
}

fn nearest(norm: &NormSpec) -> Vec<AttackSpec> {
    let steps = PASSES as usize / 2;
    let mut all: Vec<AttackSpec> = vec![
        Fab::new(norm.clone()).with_steps(steps / 9 - 2).into(),
        Fmn::new(norm.clone()).with_steps(steps - 2).into(),
        DeepFool::new(norm.clone()).into(),
    ];
    if *norm == L2.into() {
        all.push(Ddn::new().with_steps(steps - 2).into());
        all.push(CarliniWagner::new().with_steps(steps / 9 - 1).into());
    }
    all
}

fn in_balls(norm: &NormSpec, passes: u32) -> Vec<AttackSpec> {
    let steps = passes as usize / 2 - 2;
    let apgd = Apgd::new(norm.clone(), 1.0);
    vec![
        Pgd::new(norm.clone(), 1.0).with_steps(steps).into(),
        apgd.clone().with_steps(steps).into(),
        apgd.with_steps(steps / 3 - 1)
            .with_loss(Dlr)
            .towards_each(3)
            .into(),
        Square::new(norm.clone(), 1.0)
            .with_queries(passes as usize - 2)
            .with_rescaled_schedule(true)
            .into(),
    ]
}
