//! One table of the study, printed row by row as its networks are measured.

use crate::options::Options;
use crate::plan::{self, Cell, Claim};
use fireproof::evaluate::{At, Entry, Evaluation, Point};

pub struct Table {
    claim: Claim,
    spatial: At,
    adversarial: At,
    // Rows measured for an earlier table, until this one begins.
    waiting: Vec<String>,
}

impl Table {
    pub fn new(claim: Claim, options: &Options, evaluation: &Evaluation) -> Self {
        let mut table = Self {
            claim,
            spatial: claim.spatial(options).into(),
            adversarial: (plan::ATTACK, plan::EPSILON).into(),
            waiting: Vec::new(),
        };
        table.waiting.push(table.heading(options, evaluation));
        table
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
        let at = |at: &At| entry.profile.at(at.clone()).ok();
        let accuracy = |point: Option<&Point>| point.map(|p| p.accuracy.to_string());
        let fooling =
            |point: Option<&Point>| point.map(|p| format!("{:.1} %", 100.0 * p.fooling.value));
        let (moved, attacked) = (at(&self.spatial), at(&self.adversarial));
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

    fn heading(&self, options: &Options, evaluation: &Evaluation) -> String {
        let label = |at: &At| {
            let axis = evaluation.axes.iter().find(|axis| axis.name == at.axis);
            axis.map_or_else(String::new, |axis| axis.label_at(&at.level))
        };
        format!(
            "\n{}\n{:<10} {:<9} {:>20} {:>20} {:>8} {:>20} {:>8} {:>7}",
            self.claim.title(options.shifts),
            "network",
            "trained",
            "clean",
            label(&self.spatial),
            "fooled",
            label(&self.adversarial),
            "fooled",
            "time"
        )
    }
}
