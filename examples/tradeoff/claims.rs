//! What the numbers say about the three claims, in words that follow from paired tests.

use crate::options::Options;
use crate::plan::{self, Claim};
use fireproof::base::Result;
use fireproof::evaluate::{Curve, Entry, Pair, Paired, Report, compare};
use fireproof::train::EpochRecord;
use std::fmt::Write as _;

/// A difference counts if its p-value, after Holm over the levels of its axis, is below.
const SIGNIFICANT: f64 = 0.05;

/// Differences whose intervals stay within ± this much are none.
const MARGIN: f64 = 0.02;

/// A network has learned if it gets this share of its training images right while it learns, moved
/// and attacked as they are, …
const LEARNED: f64 = 0.7;

/// … and the last epoch added no more than this.
const PLATEAU: f64 = 0.05;

const STRING: &str = "writing to a string";

/// For every claim and network: how the last row differs from the first, at every level and in both
/// rates, and what follows from that.
pub fn verdicts(report: &Report, options: &Options) -> Result<String> {
    let mut text = format!(
        "What the numbers say. Differences in points, with 95 % intervals, on the same images; * where \
         p < {SIGNIFICANT} after\nHolm over the levels. Better or worse needs such a level, and none \
         the other way; the same within ±{:.0} needs\nevery interval to be; else it is undecided. One \
         training each, so they speak of these networks, not of all\nseeds. A network has learned if \
         it gets {:.0} % of its training images, moved and attacked as they are, and the\nlast epoch \
         added at most {:.0} points; of others nothing is concluded.\n",
        100.0 * MARGIN,
        100.0 * LEARNED,
        100.0 * PLATEAU
    );
    for claim in options.claims() {
        let section = claim.title(options.shifts);
        write!(text, "\n{section}\n").expect(STRING);
        let entries = report.section(section);
        let mut networks: Vec<&str> = Vec::new();
        for network in entries.iter().filter_map(|entry| model(entry)) {
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        for network in networks {
            let rows = || entries.iter().filter(|entry| model(entry) == Some(network));
            if let (Some(first), Some(last)) = (rows().next(), rows().next_back()) {
                push_verdict(&mut text, claim, network, first, last, options)?;
            }
        }
    }
    Ok(text)
}

fn model(entry: &Entry) -> Option<&str> {
    entry.training.as_ref().map(|training| &*training.model)
}

fn push_verdict(
    text: &mut String,
    claim: Claim,
    network: &str,
    first: &Entry,
    last: &Entry,
    options: &Options,
) -> Result<()> {
    let comparison = compare(&last.profile, &first.profile)?;
    let (spatial, _) = plan::spatial(options);
    let axes = [spatial, plan::ATTACK];
    let trained = |entry: &Entry| entry.profile.name.replacen(&format!("{network}, "), "", 1);
    writeln!(
        text,
        "  {network}: trained on {} against {}",
        trained(last),
        trained(first)
    )
    .expect(STRING);
    writeln!(text, "    {:<10} {:<24} fooling rate", "", "accuracy").expect(STRING);
    writeln!(text, "    {:<10} {}", "clean", shown(&comparison.clean)).expect(STRING);
    for axis in axes {
        let curve = comparison.curve(axis)?;
        for pair in &curve.points {
            let level = curve.label_at(&pair.level);
            let (accuracy, fooling) = (shown(&pair.accuracy), shown(&pair.fooling));
            writeln!(text, "    {level:<10} {accuracy:<24} {fooling}").expect(STRING);
        }
    }
    let mut learned = true;
    for entry in [first, last] {
        let (has, said) = learning(entry)?;
        learned &= has;
        writeln!(text, "    {} {said}", trained(entry)).expect(STRING);
    }
    if learned {
        let curves = [comparison.curve(spatial)?, comparison.curve(plan::ATTACK)?];
        let accuracy: fn(&Pair) -> &Paired = |pair| &pair.accuracy;
        let fooling: fn(&Pair) -> &Paired = |pair| &pair.fooling;
        for (rate, of, better) in [("accuracy", accuracy, 1.0), ("fooling rate", fooling, -1.0)] {
            let changes = curves.map(|curve| Change::along(curve, of, better));
            let conclusion = conclusion(claim, changes);
            let [poses, attacks] = changes.map(Change::word);
            writeln!(
                text,
                "    by {rate}: {poses} under poses, {attacks} under attack → {conclusion}"
            )
            .expect(STRING);
        }
    } else {
        writeln!(text, "    → no verdict: a network has not learned").expect(STRING);
    }
    Ok(())
}

fn shown(paired: &Paired) -> String {
    let star = if paired.adjusted < SIGNIFICANT {
        "*"
    } else {
        ""
    };
    format!("{paired}{star}")
}

/// Whether a network has learned its task, and how one sees it.
fn learning(entry: &Entry) -> Result<(bool, String)> {
    let training = entry.training.as_ref();
    let history = training.map(|t| t.extras.get::<Vec<EpochRecord>>("history"));
    let history = history.transpose()?.flatten().unwrap_or_default();
    let [.., before, last] = &history[..] else {
        return Ok((false, "has no history".to_owned()));
    };
    let (right, gain) = (
        last.train_accuracy,
        last.train_accuracy - before.train_accuracy,
    );
    let same_task = before.stage.epsilon == last.stage.epsilon
        && before.stage.angle == last.stage.angle
        && before.stage.shift == last.stage.shift;
    // Where the last epoch has a harder task than the one before, there is no plateau to be seen.
    let has = right >= LEARNED && (gain <= PLATEAU || !same_task);
    let said = format!(
        "{}: {:.0} % of the training images in the last epoch, {:+.1} points",
        if has {
            "has learned"
        } else {
            "has not learned"
        },
        100.0 * right,
        100.0 * gain
    );
    Ok((has, said))
}

/// What happened along an axis, from the classifier's point of view.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Better,
    Worse,
    Mixed,
    Same,
    Undecided,
}

impl Change {
    fn along(curve: &Curve<Pair>, of: fn(&Pair) -> &Paired, better: f64) -> Self {
        let pairs = || curve.points.iter().map(of);
        let significant = |sign: f64| {
            pairs().any(|pair| pair.adjusted < SIGNIFICANT && sign * pair.difference > 0.0)
        };
        let within = |pair: &Paired| pair.interval.low >= -MARGIN && pair.interval.high <= MARGIN;
        match (significant(better), significant(-better)) {
            (true, true) => Self::Mixed,
            (true, false) => Self::Better,
            (false, true) => Self::Worse,
            (false, false) if pairs().all(within) => Self::Same,
            (false, false) => Self::Undecided,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Mixed => "better at some levels and worse at others",
            Self::Same => "the same",
            Self::Undecided => "undecided",
        }
    }
}

fn conclusion(claim: Claim, [spatial, adversarial]: [Change; 2]) -> &'static str {
    use Change::{Better, Mixed, Same, Undecided, Worse};
    let (trained_for, other) = match claim {
        Claim::A => (spatial, adversarial),
        Claim::B => (adversarial, spatial),
        Claim::C => {
            return match (spatial, adversarial) {
                (Better, Better) => "CuSP is better in both",
                (Worse, Worse) => "the fixed budgets are better in both",
                (Better, Worse) | (Worse, Better) => "CuSP trades one for the other",
                (Better, Same) | (Same, Better) => "CuSP is better in one, the same in the other",
                (Worse, Same) | (Same, Worse) => "CuSP is worse in one, the same in the other",
                (Same, Same) => "no difference",
                (Mixed, _) | (_, Mixed) => "it depends on the level",
                (Undecided, _) | (_, Undecided) => "undecided",
            };
        }
    };
    match (trained_for, other) {
        (Better, Worse) => "the trade-off shows",
        (Better, Same) => "no trade-off: nothing is lost",
        (Better, Better) => "no trade-off: both gain",
        (Better, Mixed) | (Mixed, _) => "it depends on the level",
        (Better, Undecided) => "undecided: whether anything is lost",
        (Undecided, _) => "undecided: whether anything is gained",
        (Same | Worse, _) => "no trade-off: the training brings nothing",
    }
}
