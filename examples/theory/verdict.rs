//! What the networks say, in sentences.

use crate::networks::Trained;

/// A sentence for each setting and network, and one on CuSP.
pub fn text(found: &[Trained]) -> String {
    let above = |row: &&Trained| row.measured.adversarial.interval().low > row.bound;
    let number = |count: usize| match count {
        0 => "none".to_owned(),
        count => count.to_string(),
    };
    let mut text = format!(
        "Of {} networks, {} above the bound.",
        found.len(),
        number(found.iter().filter(above).count()),
    );
    let (mut nearer, mut ahead, mut groups) = (0, 0, 0);
    for group in found.chunk_by(|a, b| a.setting == b.setting && a.network == b.network) {
        let (Some(cusp), Some(fixed)) = (named(group, "CuSP"), named(group, "fixed budgets"))
        else {
            continue;
        };
        groups += 1;
        let others = group.iter().filter(|row| row.method != "CuSP");
        let Some(best) = others.max_by(|a, b| sum(a).total_cmp(&sum(b))) else {
            continue;
        };
        nearer += usize::from(apart(cusp, fixed) && sum(cusp) > sum(fixed));
        ahead += usize::from(apart(cusp, best) && sum(cusp) > sum(best));
        text += &format!(
            "\n- {}, {}: CuSP is {:.3} below the bound in R (S + R = {}), fixed budgets {:.3} ({}), and the \
             highest S + R of the others has {}: {}.",
            cusp.setting,
            cusp.network,
            slack(cusp),
            shown(cusp),
            slack(fixed),
            shown(fixed),
            best.method,
            shown(best),
        );
    }
    text += &format!(
        "\n\nWith intervals apart, CuSP has a higher S + R than the same budgets from the first epoch on for \
         {} of {groups} networks, and a higher one than every other training for {}. In setting B that is \
         to be nearer to the bound.",
        number(nearer),
        number(ahead),
    );
    text
}

fn named<'a>(group: &'a [Trained], method: &str) -> Option<&'a Trained> {
    group.iter().find(|row| row.method == method)
}

fn sum(row: &Trained) -> f64 {
    row.measured.spatial.value() + row.measured.adversarial.value()
}

// How far R is below what S allows.
fn slack(row: &Trained) -> f64 {
    row.bound - row.measured.adversarial.value()
}

// Whether the intervals of S + R do not meet.
fn apart(first: &Trained, second: &Trained) -> bool {
    let (a, b) = (first.measured.sum, second.measured.sum);
    a.low > b.high || b.low > a.high
}

fn shown(row: &Trained) -> String {
    let interval = row.measured.sum;
    format!("{:.3}, {:.3}–{:.3}", sum(row), interval.low, interval.high)
}
