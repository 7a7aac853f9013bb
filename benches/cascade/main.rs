//! Which short cascade of attacks misses nothing that `AutoAttack::standard` finds: what
//! `AutoAttack::fast` was chosen by. On four networks that are trained here, none of them of the table
//! in docs/attacks.md, in L∞ and L2, each at an ε that leaves about half of the images standing.
//!
//! Every component is run by itself on all images; cascades are put together from what each found and
//! cost. `cargo bench --bench cascade -- --images 64` takes tens of minutes; `--out FILE` keeps the
//! numbers.

mod networks;

use fireproof::attack::{
    Apgd, Attack, AttackSpec, AutoAttack, Dlr, Fab, Fmn, L2, Linf, NormSpec, Run, Square,
};
use fireproof::base::Result;
use fireproof::data::embedded_mnist;
use serde_json::json;
use std::collections::BTreeMap;

// What came of an image, and what it cost.
type Falls = Vec<(bool, u64)>;

struct Case {
    name: String,
    standard: Falls,
    components: BTreeMap<String, Falls>,
}

fn main() -> Result<()> {
    let option = |name: &str| {
        let at = std::env::args().position(|arg| arg == name)?;
        std::env::args().nth(at + 1)
    };
    let count = option("--images").map_or(64, |count| count.parse().expect("a number"));
    let device = fireproof::device();
    let digits = embedded_mnist();
    let set = digits.test.take(count);
    let mut cases = Vec::new();
    for (network, victim) in networks::trained(&digits, &device)? {
        for norm in [NormSpec::from(Linf), L2.into()] {
            let run = |attack: &AttackSpec| -> Result<Falls> {
                let whole = Run::new(1).attack(&**attack, &victim, &set, &device)?;
                let images = whole.images.iter();
                Ok(images
                    .map(|image| (image.fooled_by.is_some(), image.passes()))
                    .collect())
            };
            // Half of the images.
            let (mut low, mut high) = if norm == L2.into() {
                (0.0, 6.0)
            } else {
                (0.0, 0.5)
            };
            for _ in 0..6 {
                let middle = (low + high) / 2.0;
                let falls = run(&Apgd::new(norm.clone(), middle).with_steps(20).into())?;
                let fooled = falls.iter().filter(|(fooled, _)| *fooled).count();
                if 2 * fooled > count {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            let epsilon = (low * 1000.0).round() / 1000.0;
            let name = format!("{network}, {norm} {epsilon}");
            let standard = run(&AutoAttack::standard(norm.clone(), epsilon).into())?;
            let mut components = BTreeMap::new();
            for (component, attack) in self::components(&norm, epsilon) {
                components.insert(component, run(&attack)?);
            }
            let standing = standard.iter().filter(|(fooled, _)| !fooled).count();
            println!(
                "{name}: {standing} of {count} stand, {:.0} passes",
                mean(&standard)
            );
            for (component, falls) in &components {
                let missed = misses(falls, &standard);
                println!(
                    "  {component:16} misses {missed:2}, {:6.0} passes",
                    mean(falls)
                );
            }
            cases.push(Case {
                name,
                standard,
                components,
            });
        }
    }
    if let Some(file) = option("--out") {
        let cases = cases.iter().map(|case| {
            json!({"name": case.name, "standard": case.standard, "components": case.components})
        });
        let text = serde_json::to_string(&Vec::from_iter(cases)).expect("plain values");
        fireproof::base::write_atomically(file.as_ref(), text.as_bytes())?;
    }
    front(&cases);
    Ok(())
}

// A component's clean pass is not counted twice in a cascade.
fn mean(falls: &Falls) -> f64 {
    falls.iter().map(|(_, passes)| *passes as f64).sum::<f64>() / falls.len() as f64
}

fn misses(falls: &Falls, standard: &Falls) -> usize {
    let pairs = falls.iter().zip(standard);
    pairs
        .filter(|((ours, _), (theirs, _))| !ours && *theirs)
        .count()
}

fn components(norm: &NormSpec, epsilon: f64) -> Vec<(String, AttackSpec)> {
    let mut all: Vec<(String, AttackSpec)> = Vec::new();
    let apgd = Apgd::new(norm.clone(), epsilon);
    for steps in [10, 20, 40, 100] {
        let attack = apgd.clone().with_steps(steps);
        all.push((format!("apgd-ce-{steps}"), attack.clone().into()));
    }
    for steps in [10, 20, 40] {
        let attack = apgd.clone().with_steps(steps).with_loss(Dlr);
        all.push((
            format!("apgd-t-{steps}"),
            attack.clone().towards_each(9).into(),
        ));
        all.push((format!("apgd-t3-{steps}"), attack.towards_each(3).into()));
    }
    let fab = Fab::new(norm.clone()).with_epsilon(epsilon);
    for steps in [5, 10, 20] {
        all.push((
            format!("fab-t-{steps}"),
            fab.clone().with_steps(steps).into(),
        ));
    }
    let fmn = Fmn::new(norm.clone()).with_epsilon(epsilon);
    for steps in [20, 60] {
        all.push((format!("fmn-{steps}"), fmn.clone().with_steps(steps).into()));
    }
    let square = Square::new(norm.clone(), epsilon);
    for queries in [100, 300, 1000] {
        let attack = square
            .clone()
            .with_queries(queries)
            .with_rescaled_schedule(true);
        all.push((format!("square-{queries}"), attack.into()));
    }
    all
}

// All cascades of at most one component of each kind, what is short first, that no other beats in both
// misses and passes, over all cases together.
fn front(cases: &[Case]) {
    let kinds: [&[&str]; 6] = [
        &["", "apgd-ce-10", "apgd-ce-20", "apgd-ce-40"],
        &["", "fmn-20", "fmn-60"],
        &["", "apgd-ce-100"],
        &[
            "",
            "apgd-t3-10",
            "apgd-t3-20",
            "apgd-t3-40",
            "apgd-t-10",
            "apgd-t-20",
            "apgd-t-40",
        ],
        &["", "fab-t-10", "fab-t-20"],
        &["", "square-100", "square-300", "square-1000"],
    ];
    let mut cascades: Vec<Vec<&str>> = vec![Vec::new()];
    for kind in kinds {
        let longer = cascades.iter().flat_map(|cascade| {
            kind.iter().map(move |component| {
                let mut longer = cascade.clone();
                longer.extend((!component.is_empty()).then_some(*component));
                longer
            })
        });
        cascades = longer.collect();
    }
    let mut rows = Vec::new();
    for cascade in cascades.iter().filter(|cascade| !cascade.is_empty()) {
        let of = cases.iter().map(|case| {
            let joined = joined(case, cascade);
            (
                misses(&joined, &case.standard),
                mean(&joined) / mean(&case.standard),
            )
        });
        let of = Vec::from_iter(of);
        let missed: usize = of.iter().map(|(missed, _)| missed).sum();
        let share = of.iter().map(|(_, share)| share).sum::<f64>() / of.len() as f64;
        rows.push((share, missed, cascade));
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    println!("\n| misses | passes, of the standard's | cascade |\n| ---: | ---: | --- |");
    let mut least = usize::MAX;
    for (share, missed, cascade) in rows {
        if missed < least {
            least = missed;
            println!(
                "| {missed} | {:.1} % | {} |",
                100.0 * share,
                cascade.join(", ")
            );
        }
    }
}

fn joined(case: &Case, cascade: &[&str]) -> Falls {
    let image = |at: usize| {
        let mut passes = 0;
        for component in cascade {
            let (fooled, cost) = case.components[*component][at];
            passes += cost;
            if fooled {
                return (true, passes);
            }
        }
        (false, passes)
    };
    (0..case.standard.len()).map(image).collect()
}
