//! What was measured, as a table.

use crate::cell::Row;
use crate::{Options, plan};
use fireproof::base::{Result, write_atomically};
use std::fmt::Write;

pub fn heading(options: &Options) -> String {
    let attacks = plan::attacks(options).unwrap_or_default();
    let names = Vec::from_iter(attacks.into_iter().map(|(name, _)| name));
    let columns = names.len() + 2;
    format!(
        "| network | objective | clean | {} | s per epoch |\n|---|---|{}",
        names.join(" | "),
        "---:|".repeat(columns)
    )
}

/// One network in all columns, with 95 % intervals.
pub fn row(row: &Row) -> String {
    let attacked = row.attacked.iter().map(ToString::to_string);
    let rates = Vec::from_iter(std::iter::once(row.clean.to_string()).chain(attacked));
    format!(
        "| {} | {} | {} | {:.1} |",
        row.network,
        row.objective,
        rates.join(" | "),
        row.seconds_per_epoch
    )
}

/// What an epoch takes in units of PGD training's, for each network that has one.
pub fn times(rows: &[Row]) -> String {
    let mut text = String::new();
    for pgd in rows.iter().filter(|row| row.objective == "pgd") {
        let same = rows.iter().filter(|row| row.network == pgd.network);
        let times = same.map(|row| {
            let ratio = row.seconds_per_epoch / pgd.seconds_per_epoch;
            format!("{} {ratio:.2}", row.objective)
        });
        let times = Vec::from_iter(times).join(", ");
        let _ = writeln!(
            text,
            "{}, time of an epoch where PGD's is 1: {times}.",
            pgd.network
        );
    }
    text.trim_end().to_owned()
}

/// `report.json` with everything, `report.md` with the table.
pub fn write(options: &Options, rows: &[Row]) -> Result<()> {
    let columns = plan::attacks(options)?;
    let json = serde_json::json!({
        "columns": columns.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "rows": rows,
    });
    let text = serde_json::to_string_pretty(&json).expect("plain values");
    write_atomically(&options.out.join("report.json"), text.as_bytes())?;
    let mut lines = vec![heading(options)];
    lines.extend(rows.iter().map(row));
    let text = format!("{}\n\n{}\n", lines.join("\n"), times(rows));
    write_atomically(&options.out.join("report.md"), text.as_bytes())
}
