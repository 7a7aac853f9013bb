//! What the numbers say about the three claims, in words that follow from paired tests.

use crate::options::Options;
use crate::plan::{self, Cell, Claim, Network};
use fireproof::base::Result;
use fireproof::evaluate::{At, Paired, Report, compare};
use fireproof::prelude::*;

const LEVEL: f64 = 0.05;

/// For every claim and network: did each robustness rise or fall from the first to the last row?
///
/// "Rises" and "falls" are said only if McNemar's exact test on the same images finds the
/// difference at the 5 % level, after Holm's adjustment over the levels of its axis.
pub fn verdicts(report: &Report, cells: &[Cell], options: &Options) -> Result<String> {
    let mut text = String::from(
        "What the numbers say (paired tests on the same images, 5 % level after Holm; one \
         training each,\nso they speak of these networks, not of all seeds):\n",
    );
    for claim in Claim::ALL {
        text += &format!("\n{}\n", claim.title(options.shifts));
        for network in networks(cells) {
            let profiles: Vec<&Profile> = (report.section(claim.title(options.shifts)).into_iter())
                .map(|entry| &entry.profile)
                .filter(|profile| profile.name.starts_with(&format!("{},", network.name())))
                .collect();
            let (Some(first), Some(last)) = (profiles.first(), profiles.last()) else {
                continue;
            };
            let comparison = compare(last, first)?;
            let line = |at: At| -> Result<(String, Change)> {
                let (from, to) = (first.at(at.clone())?, last.at(at.clone())?);
                let curve = comparison.curve(&at.axis)?;
                // A level that changes nothing has no test.
                let test = curve.at(at.level.clone()).ok();
                let change = test.map_or(Change::None, Change::of);
                Ok((
                    format!(
                        "accuracy at {} {:.1} % → {:.1} % ({})",
                        curve.label_at(&at.level),
                        100.0 * from.accuracy.value,
                        100.0 * to.accuracy.value,
                        change.word()
                    ),
                    change,
                ))
            };
            let (spatial_text, spatial) = line(plan::spatial(options).into())?;
            let (attack_text, attack) = line((plan::ATTACK, claim.epsilon()).into())?;
            text += &format!(
                "  {:<10} {spatial_text}; {attack_text}\n  {:<10} {}\n",
                network.name(),
                "",
                conclusion(claim, spatial, attack)
            );
        }
    }
    Ok(text)
}

fn conclusion(claim: Claim, spatial: Change, attack: Change) -> &'static str {
    use Change::{Falls, Rises};
    match (claim, spatial, attack) {
        (Claim::A, Rises, Falls) | (Claim::B, Falls, Rises) => "→ the trade-off shows",
        (Claim::A, Rises, _) => "→ robuster to poses, with no significant loss under attack",
        (Claim::B, _, Rises) => "→ robuster under attack, with no significant loss under poses",
        (Claim::A | Claim::B, ..) => "→ the trade-off does not show here",
        (Claim::C, Rises, Rises) => "→ CuSP is better in both",
        (Claim::C, Falls, Falls) => "→ the fixed budgets are better in both",
        (Claim::C, Rises, Falls) | (Claim::C, Falls, Rises) => "→ CuSP trades one for the other",
        (Claim::C, Rises, _) | (Claim::C, _, Rises) => {
            "→ CuSP is better in one, equal in the other"
        }
        (Claim::C, Falls, _) | (Claim::C, _, Falls) => "→ CuSP is worse in one, equal in the other",
        (Claim::C, ..) => "→ no significant difference",
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Rises,
    Falls,
    None,
}

impl Change {
    fn of(paired: &Paired) -> Self {
        match paired.difference {
            _ if paired.adjusted >= LEVEL => Self::None,
            difference if difference > 0.0 => Self::Rises,
            _ => Self::Falls,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Rises => "rises",
            Self::Falls => "falls",
            Self::None => "no significant change",
        }
    }
}

fn networks(cells: &[Cell]) -> Vec<Network> {
    let mut networks = Vec::new();
    for cell in cells {
        if !networks.contains(&cell.network) {
            networks.push(cell.network);
        }
    }
    networks
}
