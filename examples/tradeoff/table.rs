//! One table of the study, printed row by row as its networks are measured.

use crate::options::Options;
use crate::plan::{self, Cell, Claim};
use fireproof::evaluate::{Entry, Family, Level};

pub struct Table {
    claim: Claim,
    spatial: (Family, f64),
    // Rows measured for an earlier table, until this one begins.
    waiting: Vec<String>,
}

impl Table {
    pub fn new(claim: Claim, options: &Options) -> Self {
        Self {
            claim,
            spatial: plan::spatial(options),
            waiting: vec![heading(claim, options)],
        }
    }

    /// Adds a row. It appears at once if the cell belongs to this table first of all; a cell that
    /// an earlier table shows waits for this table's own first cell.
    pub fn row(&mut self, cell: &Cell, entry: &Entry) {
        let row = self.line(cell, entry);
        self.waiting.push(row);
        if cell.claims[0] == self.claim {
            for line in self.waiting.drain(..) {
                println!("{line}");
            }
        }
    }

    fn line(&self, cell: &Cell, entry: &Entry) -> String {
        let (family, level) = self.spatial;
        let at = |family, level| entry.profile.level(family, level).ok();
        let accuracy = |level: Option<&Level>| level.map(|l| l.accuracy.to_string());
        let fooling =
            |level: Option<&Level>| level.map(|l| format!("{:.1} %", 100.0 * l.fooling.value));
        let (moved, attacked) = (
            at(family, level),
            at(Family::Epsilons, self.claim.epsilon()),
        );
        let seconds = entry.training.as_ref().map_or(0.0, |t| t.seconds);
        format!(
            "{:<10} {:<9} {:>20} {:>20} {:>8} {:>20} {:>8} {:>5.0} s",
            cell.network.name(),
            cell.trained,
            entry.profile.clean.to_string(),
            accuracy(moved).unwrap_or_default(),
            fooling(moved).unwrap_or_default(),
            accuracy(attacked).unwrap_or_default(),
            fooling(attacked).unwrap_or_default(),
            seconds,
        )
    }
}

fn heading(claim: Claim, options: &Options) -> String {
    let (family, level) = plan::spatial(options);
    format!(
        "\n{}\n{:<10} {:<9} {:>20} {:>20} {:>8} {:>20} {:>8} {:>7}",
        claim.title(options.shifts),
        "network",
        "trained",
        "clean",
        family.label(level),
        "fooled",
        Family::Epsilons.label(claim.epsilon()),
        "fooled",
        "time"
    )
}
